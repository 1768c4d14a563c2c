//! Dates in the time of Redis, translated to this node's. Pure.
//!
//! Redis dates what is shared, so a node whose clock is wrong neither trims the log of the others
//! nor dates its updates wrongly. What the hub compares with its own clock is translated.

use std::sync::atomic::{AtomicI64, Ordering};

use tinysse::proto::time::Time;

/// A difference that is smaller than this stays as it was measured first, in milliseconds: answers
/// take time, and dates should not go back and forth with that.
const JITTER_MS: u64 = 250;

/// How far this node's clock is ahead of that of Redis, in milliseconds.
#[derive(Debug, Default)]
pub(super) struct Dates(AtomicI64);

impl Dates {
    /// Takes a time that Redis answered with between two looks at this node's clock.
    pub(super) fn measure(&self, asked: Time, answered: Time, redis_ms: u64) {
        let middle = asked.0.midpoint(answered.0);
        let ahead = middle.cast_signed().saturating_sub(redis_ms.cast_signed());
        if self.0.load(Ordering::Relaxed).abs_diff(ahead) > JITTER_MS {
            self.0.store(ahead, Ordering::Relaxed);
        }
    }

    /// Translates a date of Redis. Nothing is dated later than `now`.
    pub(super) fn local(&self, redis_ms: u64, now: Time) -> u64 {
        redis_ms.saturating_add_signed(self.0.load(Ordering::Relaxed)).min(now.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_the_same_on_both_clocks() {
        let dates = Dates::default();
        for (node, redis) in [(7_200_000, 1_000_000), (1_000_000, 7_200_000), (5_000_000, 5_000_100)] {
            dates.measure(Time(node - 10), Time(node + 10), redis);
            let age = node - dates.local(redis - 60_000, Time(node));
            assert!((60_000 - JITTER_MS..=60_000 + JITTER_MS).contains(&age), "{age}");
        }
    }

    #[test]
    fn jitter_changes_nothing_and_nothing_is_in_the_future() {
        let dates = Dates::default();
        dates.measure(Time(10_000), Time(10_000), 8_000);
        dates.measure(Time(20_000), Time(20_400), 18_000);
        assert_eq!(dates.local(18_000, Time(30_000)), 20_000);
        assert_eq!(dates.local(90_000, Time(30_000)), 30_000);
        assert_eq!((dates.local(0, Time(5)), dates.local(u64::MAX, Time(5))), (5, 5));
    }
}
