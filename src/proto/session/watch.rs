//! When to look again: silence, and waits that are cut short. Nothing here changes the state.

use super::{Session, State, step::PULSE};
use crate::proto::{time::Time, timers::Timer};

/// From this comment on, their pace is known.
const ENOUGH_COMMENTS: u32 = 3;

impl Session {
    /// Watches for silence, from the last sign of life on.
    pub(super) fn watch(&mut self) {
        if self.stream.heartbeat_timeout > 0 {
            self.timers.set(Timer::Silence, self.stream.last_activity.plus(self.stream.heartbeat_timeout));
        } else {
            self.stream.pulse = self.now.plus(PULSE);
            self.timers.set(Timer::Silence, self.stream.pulse);
        }
    }

    /// The server does not speak tinysse/1. It may be quiet for as long as it likes, unless the application knows better.
    pub(super) fn trust_silence(&mut self) {
        self.plain = true;
        if !self.config.watch_plain && self.stream.comments < ENOUGH_COMMENTS {
            self.stream.heartbeat_timeout = 0;
        }
    }

    /// A comment came, which servers send so that a quiet stream is not taken for a dead one. From the third on, a silence of
    /// twice their longest pace is too long.
    pub(super) fn comment(&mut self) {
        let stream = &mut self.stream;
        if stream.hello.is_some() || self.config.watch_plain || self.config.heartbeat_timeout == 0 {
            return;
        }
        if stream.comments > 0 {
            stream.pace = stream.pace.max(self.now.since(stream.commented));
        }
        stream.comments = stream.comments.saturating_add(1);
        stream.commented = self.now;
        if stream.comments >= ENOUGH_COMMENTS {
            stream.heartbeat_timeout = u64::from(self.config.heartbeat_timeout).max(2 * stream.pace);
        }
    }

    /// Returns true if nothing at all was said by a server that was never heard before: it may be quiet, or the connection dead.
    pub(super) fn in_doubt(&self) -> bool {
        !self.stream.got_frame && !self.saw_hello && !self.plain && !self.config.watch_plain && !self.follows()
    }

    /// When the server lets us come again, and not all of us at once.
    pub(super) fn invited(&mut self) -> Time {
        self.not_before.plus(self.rng.below(u64::from(self.config.backoff.base)))
    }

    /// The page is looked at again, or the machine woke up.
    pub(super) fn wake(&mut self) {
        match self.state {
            State::Waiting => {
                let soon = self.now.plus(u64::from(self.config.backoff.floor)).max(self.invited());
                let due = self.timers.due(Timer::Retry).unwrap_or(soon);
                self.timers.set(Timer::Retry, due.min(soon));
            }
            State::Live(_) => {
                // A beat is overdue: do not wait for the second one to be.
                let overdue = self.stream.heartbeat_timeout * 5 / 8;
                if overdue > 0 && self.now.since(self.stream.last_activity) > overdue {
                    self.timers.set(Timer::Silence, self.now);
                }
            }
            State::Idle
            | State::SignedOut
            | State::Authorizing
            | State::Connecting(_)
            | State::Paused
            | State::Failed => {}
        }
    }
}
