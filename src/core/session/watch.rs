//! When to look again: silence, and waits that are cut short. Nothing here changes the state.

use super::{Session, State};
use crate::core::{time::Time, timers::Timer};

impl Session {
    /// Listens for silence, from the last sign of life on.
    pub(super) fn watch(&mut self) {
        if self.stream.silence > 0 {
            self.timers.set(Timer::Silence, self.stream.heard.plus(self.stream.silence));
        }
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
                let overdue = self.stream.silence * 5 / 8;
                if overdue > 0 && self.now.since(self.stream.heard) > overdue {
                    self.timers.set(Timer::Silence, self.now);
                }
            }
            State::Idle | State::Authorizing | State::Connecting(_) | State::Paused | State::Failed => {}
        }
    }
}
