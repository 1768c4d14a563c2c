//! Transitions that the application and the page ask for.

use alloc::string::String;

use crate::proto::{
    session::{
        Session, State, Stream,
        io::{ConnectReason, Output, Pause, TokenReason},
        token::TokenState,
    },
    timers::Timer,
};

/// A session that gave up tries again by itself no earlier, in milliseconds.
const REVIVAL: u64 = 1_000;

impl Session {
    pub(super) fn start(&mut self) {
        match self.state {
            State::Idle | State::SignedOut | State::Failed => self.begin(),
            State::Authorizing | State::Connecting(_) | State::Live(_) | State::Waiting | State::Paused => {}
        }
    }

    /// The application has reason to believe in a new attempt: all chances again.
    pub(super) fn begin(&mut self) {
        self.error = None;
        if self.user.is_nobody() {
            self.state = State::SignedOut;
            return;
        }
        self.retries.start_over();
        self.connect_reason = ConnectReason::Initial;
        self.state = State::Authorizing;
    }

    pub(super) fn stop(&mut self) {
        self.close_and_forget_retries();
        self.was_open = false;
        self.error = None;
        self.state = State::Idle;
    }

    pub(super) fn reconnect(&mut self) {
        self.close_and_forget_retries();
        self.begin();
        self.connect_reason = ConnectReason::Manual;
        self.token = TokenState::Absent(TokenReason::Manual);
    }

    /// A new user begins at once; the same one gets another chance if this one is over.
    pub(super) fn change_user(&mut self, user: Option<String>) {
        let changed = self.user.set(user);
        if changed {
            self.drop_user();
        }
        match self.state {
            State::Idle => {}
            State::SignedOut | State::Failed => self.begin(),
            State::Authorizing | State::Connecting(_) | State::Live(_) | State::Waiting | State::Paused if changed => {
                self.begin();
            }
            State::Authorizing | State::Connecting(_) | State::Live(_) | State::Waiting | State::Paused => {}
        }
    }

    pub(super) fn forget(&mut self) {
        self.user.forget();
        self.drop_user();
        match self.state {
            // Not started, so a user who signs in later does not start it either.
            State::Idle => {}
            State::SignedOut
            | State::Authorizing
            | State::Connecting(_)
            | State::Live(_)
            | State::Waiting
            | State::Paused
            | State::Failed => self.state = State::SignedOut,
        }
    }

    pub(super) fn resume(&mut self, why: Pause) {
        if self.pauses & why as u8 == 0 {
            return;
        }
        self.pauses &= !(why as u8);
        match (why, self.state) {
            // The network may be another one. A stream is not notified that its connection leads
            // nowhere any more.
            (Pause::Offline, State::Connecting(_) | State::Live(_)) if !self.follows() => self.replace(),
            (Pause::Offline | Pause::Page, _) => self.awake(),
            (Pause::User | Pause::Hidden, _) => {}
        }
    }

    /// Opens another stream at once. A hub repeats nothing that was delivered, so the old one
    /// counts until then.
    pub(super) fn replace(&mut self) {
        match self.state {
            State::Live(ticket) if self.stream.hello.is_some() => {
                self.timers.clear_all();
                self.draining = Some(ticket);
            }
            State::Idle
            | State::SignedOut
            | State::Authorizing
            | State::Connecting(_)
            | State::Live(_)
            | State::Waiting
            | State::Paused
            | State::Failed => self.close_and_forget_retries(),
        }
        self.connect_reason = ConnectReason::Wake;
        self.state = State::Authorizing;
    }

    /// The page is looked at again, or the machine or the network is back.
    pub(super) fn awake(&mut self) {
        match self.state {
            State::SignedOut => {
                self.begin();
                self.connect_reason = ConnectReason::Wake;
            }
            // What was known may have changed: one attempt.
            State::Failed if self.now.since(self.failed_at) >= REVIVAL => {
                self.begin();
                self.connect_reason = ConnectReason::Wake;
                self.retries.last_chance(self.config.max_refusals);
            }
            State::Waiting => {
                let soon = self.retries.soon(self.now);
                let due = self.timers.due(Timer::Retry).unwrap_or(soon);
                self.timers.set(Timer::Retry, due.min(soon));
            }
            // A beat is overdue: do not wait for the second one to be.
            State::Live(_) if self.stream.watchdog.is_overdue(self.now) => self.timers.set(Timer::Silence, self.now),
            State::Idle
            | State::Authorizing
            | State::Connecting(_)
            | State::Live(_)
            | State::Paused
            | State::Failed => {}
        }
    }

    /// From a stream of our own to that of another tab, or back. Not a failure: the next one begins
    /// at once, where this one ended.
    pub(super) fn hand_over(&mut self, follow: bool) {
        self.follow = follow;
        match self.state {
            State::Waiting if self.retries.must_wait(self.now) => {}
            State::Connecting(_) | State::Live(_) | State::Waiting => {
                self.close_stream();
                self.connect_reason = ConnectReason::Handover;
                self.state = State::Authorizing;
            }
            State::Idle | State::SignedOut | State::Authorizing | State::Paused | State::Failed => {}
        }
    }

    /// Drops everything of a user: stream, token, cursor, and what is not delivered yet.
    pub(super) fn drop_user(&mut self) {
        self.close_and_forget_retries();
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
        self.server.forget_numbering();
        // A stream of this tab is passed on to the tabs of one user. The next user's tabs may have
        // one already.
        self.follow = self.config.share;
        self.user.changed();
        self.outputs.retain(|output| !matches!(output, Output::Update(_) | Output::Relay(_) | Output::Resync(_)));
        self.emit(Output::UserChanged);
    }
}
