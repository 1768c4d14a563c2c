//! When a stream has been silent for too long.

use super::Config;
use crate::proto::time::Time;

/// How often a stream that may be silent is looked after, in milliseconds. Browsers let the timers
/// of hidden tabs be late by a minute.
const PULSE: u64 = 60_000;
/// From this comment on, their pace is known.
const ENOUGH_COMMENTS: u32 = 3;

/// The signs of life of one stream.
#[derive(Debug)]
pub(super) struct Watchdog {
    last_activity: Time,
    /// The longest healthy silence, in milliseconds; 0 if silence means nothing.
    timeout: u64,
    /// When to look whether the machine slept, if silence means nothing.
    pulse: Time,
    comments: u32,
    last_comment: Time,
    /// The longest time between two comments, in milliseconds.
    pace: u64,
}

impl Watchdog {
    /// Returns the watchdog of a stream that opens now.
    pub(super) fn new(config: &Config, now: Time) -> Self {
        let timeout = u64::from(config.heartbeat_timeout);
        Self { last_activity: now, timeout, pulse: now, comments: 0, last_comment: now, pace: 0 }
    }

    /// Records a sign of life.
    pub(super) fn feed(&mut self, now: Time) {
        self.last_activity = now;
    }

    /// Returns true if silence means that the connection is dead.
    pub(super) fn is_armed(&self) -> bool {
        self.timeout > 0
    }

    /// Returns when to look again, from the last sign of life on.
    pub(super) fn next_look(&mut self, now: Time) -> Time {
        if self.is_armed() {
            return self.last_activity.plus(self.timeout);
        }
        self.pulse = now.plus(PULSE);
        self.pulse
    }

    /// Expects a sign of life within this many milliseconds.
    pub(super) fn expect_within(&mut self, ms: u64) {
        self.timeout = ms;
    }

    /// Lets a server that does not speak tinysse/1 be quiet, unless the application or its comments
    /// require otherwise.
    pub(super) fn trust_silence(&mut self, config: &Config) {
        if !config.watch_plain && self.comments < ENOUGH_COMMENTS {
            self.timeout = 0;
        }
    }

    /// Records a comment, which servers send so that a quiet stream is not taken for a dead one.
    ///
    /// From the third on, a silence of twice their longest pace is too long.
    pub(super) fn comment(&mut self, config: &Config, now: Time) {
        if config.watch_plain || config.heartbeat_timeout == 0 {
            return;
        }
        if self.comments > 0 {
            self.pace = self.pace.max(now.since(self.last_comment));
        }
        self.comments = self.comments.saturating_add(1);
        self.last_comment = now;
        if self.comments >= ENOUGH_COMMENTS {
            self.timeout = u64::from(config.heartbeat_timeout).max(2 * self.pace);
        }
    }

    /// Returns true if a beat is overdue.
    pub(super) fn is_overdue(&self, now: Time) -> bool {
        let overdue = self.timeout * 5 / 8;
        overdue > 0 && now.since(self.last_activity) > overdue
    }

    /// Returns true if the last look is so late that the machine slept: the connection may be dead.
    pub(super) fn slept(&self, now: Time) -> bool {
        now.since(self.pulse) > PULSE
    }
}
