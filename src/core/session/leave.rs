//! What is let go: streams, questions, and the cursor of another user. Nothing here changes the state.

use alloc::string::String;

use super::{Session, State, io::Output, token::TokenState};

impl Session {
    /// Ends the stream in hand and the question that may be open; what is held stays held.
    pub(super) fn leave(&mut self) {
        if let State::Connecting(ticket) | State::Live(ticket) = self.state {
            self.say(Output::Close(ticket));
        }
        if let TokenState::Asked(ticket, reason) = self.token {
            self.say(Output::Forget(ticket));
            self.token = TokenState::Absent(reason);
        }
        self.fade_out();
        self.timers.clear_all();
    }

    /// Lets go of the stream whose server said bye.
    pub(super) fn fade_out(&mut self) {
        if let Some(ticket) = self.fading.take() {
            self.say(Output::Close(ticket));
        }
    }

    /// [`leave`](Self::leave), for an end that is not a failure.
    pub(super) fn let_go(&mut self) {
        self.leave();
        self.native_retries = 0;
    }

    /// The token speaks for this user. What was meant for another one is forgotten.
    pub(super) fn belong_to(&mut self, user: String) {
        if user.is_empty() || user == self.user {
            return;
        }
        let before = core::mem::replace(&mut self.user, user);
        if !before.is_empty() {
            self.cursor.clear();
            self.say(Output::Stranger);
        }
    }
}
