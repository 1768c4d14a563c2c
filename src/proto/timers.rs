//! The session's alarm clocks: a table of deadlines, no callbacks.

use super::time::Time;

/// What a deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// The answer to a question (a token, a stream) is overdue.
    Answer,
    /// The stream lived long enough to forget earlier failures.
    Stable,
    /// The wait before the next attempt is over.
    Retry,
    /// The stream sent nothing for too long: half-open, or the machine slept.
    Silence,
}

impl Timer {
    /// In the order in which simultaneous deadlines are handled: a stream that fell silent
    /// meanwhile has proved nothing.
    pub const ALL: [Self; 4] = [Self::Answer, Self::Silence, Self::Stable, Self::Retry];
}

/// One deadline for each [`Timer`].
///
/// ```
/// use tinysse::proto::{time::Time, timers::{Timer, Timers}};
/// let mut timers = Timers::default();
/// timers.set(Timer::Retry, Time(300));
/// assert_eq!(timers.next(), Some(Time(300)));
/// assert_eq!(timers.expired(Time(299)), None);
/// assert_eq!(timers.expired(Time(300)), Some(Timer::Retry));
/// assert_eq!(timers.next(), None); // an expired timer is off
/// ```
#[derive(Clone, Debug)]
pub struct Timers([Time; 4]);

/// When a timer that is off is due.
const NEVER: Time = Time(u64::MAX);

impl Default for Timers {
    fn default() -> Self {
        Self([NEVER; 4])
    }
}

impl Timers {
    /// Arms a timer, or moves it.
    pub fn set(&mut self, timer: Timer, at: Time) {
        if let Some(slot) = self.0.get_mut(timer as usize) {
            *slot = at;
        }
    }

    /// Disarms a timer.
    pub fn clear(&mut self, timer: Timer) {
        self.set(timer, NEVER);
    }

    /// Disarms them all.
    pub fn clear_all(&mut self) {
        *self = Self::default();
    }

    /// When a timer is due.
    #[must_use]
    pub fn due(&self, timer: Timer) -> Option<Time> {
        self.0.get(timer as usize).copied().filter(|at| *at != NEVER)
    }

    /// The earliest deadline.
    #[must_use]
    pub fn next(&self) -> Option<Time> {
        self.0.iter().min().copied().filter(|at| *at != NEVER)
    }

    /// Takes one timer that is due, and disarms it.
    pub fn expired(&mut self, now: Time) -> Option<Timer> {
        let timer = Timer::ALL.iter().copied().find(|timer| self.due(*timer).is_some_and(|at| at <= now))?;
        self.clear(timer);
        Some(timer)
    }
}
