//! Transitions that the application and the page ask for.

use alloc::string::String;

use crate::proto::session::{
    Session, State,
    io::{ConnectReason, Pause, TokenReason},
    token::TokenState,
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
        self.refusals = 0;
        self.fast_retry_used = false;
        self.backoff.forget();
        self.connect_reason = ConnectReason::Initial;
        self.state = State::Authorizing;
    }

    pub(super) fn stop(&mut self) {
        self.let_go();
        self.was_open = false;
        self.error = None;
        self.state = State::Idle;
    }

    pub(super) fn reconnect(&mut self) {
        self.let_go();
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
            // The network may be another one. Nobody tells a stream that its connection leads nowhere any more.
            (Pause::Offline, State::Connecting(_) | State::Live(_)) if !self.follows() => self.replace(),
            (Pause::Offline | Pause::Page, _) => self.awake(),
            (Pause::User | Pause::Hidden, _) => {}
        }
    }

    /// Opens another stream at once. A hub repeats nothing that was delivered, so the old one is heard until then.
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
            | State::Failed => self.let_go(),
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
                self.refusals = self.config.max_refusals.saturating_sub(1);
            }
            State::Idle
            | State::Authorizing
            | State::Connecting(_)
            | State::Live(_)
            | State::Waiting
            | State::Paused
            | State::Failed => self.wake(),
        }
    }

    /// From a stream of our own to that of another tab, or back. Not a failure: the next one begins at once, where this one ended.
    pub(super) fn hand_over(&mut self, follow: bool) {
        self.follow = follow;
        match self.state {
            State::Waiting if self.now < self.not_before => {}
            State::Connecting(_) | State::Live(_) | State::Waiting => {
                self.leave();
                self.connect_reason = ConnectReason::Handover;
                self.state = State::Authorizing;
            }
            State::Idle | State::SignedOut | State::Authorizing | State::Paused | State::Failed => {}
        }
    }
}
