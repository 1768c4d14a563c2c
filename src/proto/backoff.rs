//! How long to wait before the next attempt: full jitter with a floor and a cap.

use super::rng::Rng;

/// The bounds of a [`Backoff`], all in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// No delay is shorter, whatever a server's `retry:` asks for.
    pub floor: u32,
    /// The upper end of the first delay's range; doubles with each failure.
    pub base: u32,
    /// No range ends later.
    pub cap: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self { floor: 250, base: 1_000, cap: 30_000 }
    }
}

/// Counts failures in a row and draws delays.
///
/// The delay is uniform in `[floor, min(cap, base * 2^failures)]` (full jitter, as in the AWS
/// architecture blog's "Exponential Backoff And Jitter", 2015, with a floor added).
///
/// ```
/// use tinysse::proto::{backoff::{Backoff, Policy}, rng::Rng};
/// let (mut backoff, mut rng) = (Backoff::new(Policy::default()), Rng::new(1));
/// let first = backoff.next(&mut rng);
/// assert!((250..=1_000).contains(&first));
/// backoff.forget(); // the stream proved good
/// assert_eq!(backoff.failures(), 0);
/// ```
#[derive(Clone, Debug)]
pub struct Backoff {
    policy: Policy,
    failures: u32,
}

impl Backoff {
    /// No failures yet.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self { policy, failures: 0 }
    }

    /// Failures in a row.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Counts a failure and draws the delay that follows it, in milliseconds.
    pub fn next(&mut self, rng: &mut Rng) -> u64 {
        let Policy { floor, base, cap } = self.policy;
        let top = u64::from(base).checked_shl(self.failures.min(20)).unwrap_or(u64::MAX).min(u64::from(cap));
        self.failures = self.failures.saturating_add(1);
        let floor = u64::from(floor);
        floor + rng.below(top.saturating_sub(floor).saturating_add(1))
    }

    /// Takes a server's `retry:` field as the new base, inside floor and cap.
    pub fn set_base(&mut self, ms: u32) {
        self.policy.base = ms.clamp(self.policy.floor, self.policy.cap.max(self.policy.floor));
    }

    /// Starts over. Call it only after a stream proved good: an accepted connection proves nothing.
    pub fn forget(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_delay_is_between_floor_and_cap() {
        for seed in 0..200 {
            let mut rng = Rng::new(seed);
            let mut backoff = Backoff::new(Policy::default());
            backoff.set_base(0); // `retry: 0`
            for _ in 0..80 {
                let delay = backoff.next(&mut rng);
                assert!((250..=30_000).contains(&delay), "seed {seed}: {delay}");
            }
        }
    }

    #[test]
    fn the_range_doubles_until_the_cap() {
        let mut longest = [0; 8];
        for seed in 0..500 {
            let (mut rng, mut backoff) = (Rng::new(seed), Backoff::new(Policy::default()));
            for slot in &mut longest {
                *slot = (*slot).max(backoff.next(&mut rng));
            }
        }
        for (failures, longest) in longest.iter().enumerate() {
            let top = (1_000 << failures).min(30_000);
            assert!(*longest <= top && *longest > top * 9 / 10, "after {failures} failures at most {longest}");
        }
    }
}
