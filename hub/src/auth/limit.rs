//! How often a client may ask, by token buckets that forget clients that do not ask.

use std::{
    hash::Hash,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock, Reference},
    middleware::NoOpMiddleware,
    state::keyed::DashMapStateStore,
};

use crate::{error::Problem, values::Rate};

/// Buckets that are kept. Past that all are refused until enough of them are full again: a state
/// that only an attack from as many addresses can bring about.
const BOUND: usize = 100_000;
/// Looking for full buckets goes over all of them, so when the table is full it is done this often
/// and not for every request.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// One rate, for each key by itself.
pub struct Limit<K: Hash + Eq + Clone, C: Clock = DefaultClock> {
    buckets: Option<Buckets<K, C>>,
    clock: C,
    bound: usize,
    /// When full buckets were looked for because the table was full.
    looked: Mutex<Option<C::Instant>>,
}

type Buckets<K, C> = RateLimiter<K, DashMapStateStore<K>, C, NoOpMiddleware<<C as Clock>::Instant>>;

impl<K: Hash + Eq + Clone> Limit<K> {
    /// As configured; `off` limits nothing.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        Self::with(rate, DefaultClock::default(), BOUND)
    }
}

impl<K: Hash + Eq + Clone, C: Clock + Clone> Limit<K, C> {
    fn with(rate: Rate, clock: C, bound: usize) -> Self {
        let buckets = rate.0.and_then(|(count, per)| {
            let quota = Quota::with_period(per.duration() / count.get())?.allow_burst(count);
            Some(RateLimiter::new(quota, DashMapStateStore::default(), clock.clone()))
        });
        Self { buckets, clock, bound, looked: Mutex::new(None) }
    }

    /// Takes one from the bucket of `key`.
    ///
    /// # Errors
    /// How long to wait for the next one.
    pub fn take(&self, key: &K) -> Result<(), Duration> {
        let Some(buckets) = &self.buckets else { return Ok(()) };
        if buckets.len() >= self.bound {
            if self.may_look() {
                buckets.retain_recent();
            }
            if buckets.len() >= self.bound {
                return Err(LOOK_EVERY);
            }
        }
        buckets.check_key(key).map_err(|until| until.wait_time_from(self.clock.now()))
    }

    fn may_look(&self) -> bool {
        let (mut looked, now) = (self.looked.lock().unwrap_or_else(PoisonError::into_inner), self.clock.now());
        let may = looked.is_none_or(|then| Duration::from(now.duration_since(then)) >= LOOK_EVERY);
        if may {
            *looked = Some(now);
        }
        may
    }

    /// Forgets the buckets that are full again; from time to time.
    pub fn tidy(&self) {
        if let Some(buckets) = &self.buckets {
            buckets.retain_recent();
            buckets.shrink_to_fit();
        }
    }
}

impl<K: Hash + Eq + Clone, C: Clock> std::fmt::Debug for Limit<K, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limit").field("off", &self.buckets.is_none()).finish_non_exhaustive()
    }
}

/// 429 with `Retry-After` (RFC 6585, 4), in whole seconds, rounded up.
#[must_use]
pub fn too_many(wait: Duration) -> Problem {
    let seconds = wait.as_millis().div_ceil(1_000).max(1);
    Problem::too_many_requests(u64::try_from(seconds).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    #[test]
    fn each_key_has_its_bucket_and_it_fills_again() {
        let clock = FakeRelativeClock::default();
        let limit = Limit::with("2/s".parse().expect("a rate"), clock.clone(), 10);
        assert_eq!((limit.take(&"ada"), limit.take(&"ada")), (Ok(()), Ok(())));
        assert_eq!(limit.take(&"ada"), Err(Duration::from_millis(500)));
        assert_eq!(limit.take(&"bob"), Ok(()));
        clock.advance(Duration::from_millis(500));
        assert_eq!(limit.take(&"ada"), Ok(()));
        assert!(limit.take(&"ada").is_err());
        let off = Limit::with(Rate(None), clock, 0);
        assert!((0..1_000).all(|_| off.take(&"ada").is_ok()));
    }

    #[test]
    fn memory_is_bounded() {
        let clock = FakeRelativeClock::default();
        let limit = Limit::with("1/s".parse().expect("a rate"), clock.clone(), 2);
        assert!(limit.take(&1).is_ok() && limit.take(&2).is_ok());
        assert!(limit.take(&3).is_err());
        clock.advance(Duration::from_secs(2));
        assert!(limit.take(&3).is_ok());
        assert_eq!(limit.buckets.as_ref().map(RateLimiter::len), Some(1));
    }

    #[test]
    fn a_flood_of_keys_is_not_looked_through_for_each_request() {
        let clock = FakeRelativeClock::default();
        let limit = Limit::with("1/s".parse().expect("a rate"), clock.clone(), 2);
        let mut looks = 0;
        for n in 0..10_000 {
            let before = *limit.looked.lock().expect("sound");
            assert_eq!(limit.take(&n).is_ok(), n < 2);
            looks += u32::from(*limit.looked.lock().expect("sound") != before);
        }
        assert_eq!(looks, 1);
        clock.advance(Duration::from_secs(2));
        assert!(limit.take(&10_000).is_ok());
    }

    #[test]
    fn the_wait_is_whole_seconds() {
        assert_eq!(too_many(Duration::from_millis(1_001)).retry_after, Some(2));
        assert_eq!(too_many(Duration::ZERO).retry_after, Some(1));
    }
}
