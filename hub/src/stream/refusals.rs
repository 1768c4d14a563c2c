//! What one connection may ask for that is refused. A refusal costs the server as much as an answer
//! and the client nothing: pipelined, or opened and reset over HTTP/2, requests without any right
//! would keep a core busy.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Refusals at once.
const BURST: u64 = 200;
/// Beyond that, milliseconds from one to the next.
const EVERY: u64 = 50;
/// Refusals whose answer was not awaited, beyond the burst, that end the connection: requests that
/// are reset before they are answered.
const MOST: u64 = 1_000;

/// The refusals of a connection, as the time at which the last of them would be paid for (GCRA).
#[derive(Debug, Default)]
pub(super) struct Refusals(AtomicU64);

impl Refusals {
    /// Counts one, at this time in milliseconds; false if there are far too many.
    pub(super) fn add(&self, now: u64) -> bool {
        let paid = |at: u64| at.max(now).saturating_add(EVERY);
        let before = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |at| Some(paid(at)));
        let (Ok(before) | Err(before)) = before;
        paid(before).saturating_sub(now) <= (BURST + MOST) * EVERY
    }

    /// How long the next request has to wait.
    pub(super) fn wait(&self, now: u64) -> Option<Duration> {
        let over = self.0.load(Ordering::Relaxed).saturating_sub(now).checked_sub(BURST * EVERY)?;
        (over > 0).then(|| Duration::from_millis(over))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_free_and_then_one_waits() {
        let refusals = Refusals::default();
        assert!((0..BURST).all(|_| refusals.wait(0).is_none() && refusals.add(0)));
        assert_eq!(refusals.wait(0), None);
        assert!(refusals.add(0));
        assert_eq!((refusals.wait(0), refusals.wait(EVERY)), (Some(Duration::from_millis(EVERY)), None));
        // Those who wait are never cut.
        let mut now = EVERY;
        for _ in 0..5_000 {
            now += refusals.wait(now).map_or(0, |wait| u64::try_from(wait.as_millis()).expect("short"));
            assert!(refusals.add(now));
        }
        assert_eq!(now, 5_000 * EVERY, "twenty a second");
        assert_eq!(refusals.wait(now + BURST * EVERY), None, "and it is forgotten");
    }

    #[test]
    fn who_does_not_wait_is_cut() {
        let refusals = Refusals::default();
        assert_eq!((0..10_000).position(|_| !refusals.add(7)), Some(1_200));
        assert!(refusals.add(1_000_000));
    }
}
