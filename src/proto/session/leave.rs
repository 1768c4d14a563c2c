//! What is let go: streams, questions, and everything of a user. Nothing here changes the state.

use super::{
    Numbering, Session, State, Stream,
    io::{Output, TokenReason},
    token::TokenState,
};

impl Session {
    /// Ends the stream in hand and the question that may be open; what is held stays held.
    pub(super) fn leave(&mut self) {
        if let State::Connecting(ticket) | State::Live(ticket) = self.state {
            self.emit(Output::Close(ticket));
        }
        if let TokenState::Asked(ticket, reason) = self.token {
            self.emit(Output::CancelToken(ticket));
            self.token = TokenState::Absent(reason);
        }
        self.close_draining();
        self.timers.clear_all();
        self.probed = false;
    }

    /// Lets go of the stream whose server said bye.
    pub(super) fn close_draining(&mut self) {
        if let Some(ticket) = self.draining.take() {
            self.emit(Output::Close(ticket));
        }
    }

    /// [`leave`](Self::leave), for an end that is not a failure.
    pub(super) fn let_go(&mut self) {
        self.leave();
        self.native_retries = 0;
    }

    /// Drops everything of a user: stream, token, cursor, and what is not delivered yet.
    pub(super) fn drop_user(&mut self) {
        self.let_go();
        self.token = TokenState::Absent(TokenReason::Initial);
        self.stream = Stream::new(&self.config, self.now);
        self.was_open = false;
        self.error = None;
        self.drop_cursor();
    }

    /// Drops the cursor, and what is not delivered yet, since they are another user's.
    pub(super) fn drop_cursor(&mut self) {
        self.cursor.clear();
        self.oversized_at = None;
        self.numbering = Numbering::Unknown;
        // A stream of this tab is passed on to the tabs of one user. The next user's tabs may have one already.
        self.follow = self.config.share;
        self.user.changed();
        self.outputs.retain(|output| !matches!(output, Output::Update(_) | Output::Relay(_) | Output::Resync(_)));
        self.emit(Output::UserChanged);
    }
}
