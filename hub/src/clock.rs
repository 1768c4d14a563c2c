//! The one place that asks the time and the system's randomness.

use std::{
    cell::RefCell,
    sync::atomic::{AtomicI64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tinysse::proto::{rng::Rng, time::Time};
use tokio::time::sleep;

/// How long one wait for a time lasts at most. The runtime's timers stop while the machine sleeps,
/// so the clock is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The time for the hub, which never runs backwards and continues while the machine sleeps, and the
/// time of day, for tokens.
///
/// ```
/// let clock = tinysse_hub::clock::Clock::start();
/// assert!(clock.now() >= tinysse::proto::time::Time(0));
/// assert!(clock.unix_ms() > 1_700_000_000_000);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Time since some moment, steady, sleep included.
    steady: fn() -> Duration,
    started: Duration,
    /// The time of day at the start. The hub's time counts from there, so that updates of an
    /// earlier life have an age.
    started_ms: u64,
    shift: Option<&'static AtomicI64>,
}

impl Clock {
    /// Starts counting.
    #[must_use]
    pub fn start() -> Self {
        Self::of(since_boot)
    }

    /// Returns a clock whose time of day differs from the system's by as many milliseconds as `ms`
    /// holds: for tests of what a clock does that is ahead, behind or set anew.
    #[must_use]
    pub fn shifted(ms: &'static AtomicI64) -> Self {
        Self { shift: Some(ms), ..Self::start() }
    }

    fn of(steady: fn() -> Duration) -> Self {
        Self { steady, started: steady(), started_ms: unix_ms(), shift: None }
    }

    /// Returns milliseconds since 1970 as of the start, counted on without a look at the time of
    /// day: a clock that is set, forwards or backwards, ages nothing. A virtual machine or a
    /// computer that slept is not behind afterwards.
    #[must_use]
    pub fn now(&self) -> Time {
        let since = (self.steady)().saturating_sub(self.started);
        Time(self.started_ms.saturating_add(u64::try_from(since.as_millis()).unwrap_or(u64::MAX)))
    }

    /// Returns milliseconds since 1970, by the time of day.
    #[must_use]
    pub fn unix_ms(&self) -> u64 {
        self.shift.map_or_else(unix_ms, |ms| unix_ms().saturating_add_signed(ms.load(Ordering::Relaxed)))
    }

    /// Waits until it is `time`, or until a second after a sleep of the machine that lasted longer.
    pub async fn sleep_until(&self, time: Time) {
        loop {
            let left = time.since(self.now());
            if left == 0 {
                return;
            }
            sleep(Duration::from_millis(left).min(LOOK_AGAIN)).await;
        }
    }
}

/// Time since the start of the machine, or another fixed moment. [`std::time::Instant`] stops on
/// Linux and macOS while it sleeps.
///
/// Source: clock_gettime(2), `CLOCK_BOOTTIME`; on macOS `CLOCK_MONOTONIC` counts sleep, and so does
/// the counter behind `Instant` on Windows.
#[cfg(unix)]
fn since_boot() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const CLOCK: ClockId = ClockId::Boottime;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const CLOCK: ClockId = ClockId::Monotonic;
    Duration::try_from(clock_gettime(CLOCK)).unwrap_or_default()
}

#[cfg(not(unix))]
fn since_boot() -> Duration {
    use std::{sync::LazyLock, time::Instant};
    static FIRST: LazyLock<Instant> = LazyLock::new(Instant::now);
    FIRST.elapsed()
}

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A name that nobody guesses: 96 random bits.
#[must_use]
pub fn random_name() -> String {
    // Hexadecimal: two digits of 16 for every byte.
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
    let mut name = String::with_capacity(24);
    for byte in drawn::<12>() {
        name.push(digit(byte >> 4));
        name.push(digit(byte & 15));
    }
    name
}

/// Random bytes, of which the system is asked for many at a time: a name is needed for every
/// connection.
fn drawn<const N: usize>() -> [u8; N] {
    const BLOCK: usize = 768;
    thread_local! {
        static LEFT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    LEFT.with_borrow_mut(|left| {
        if left.len() < N {
            left.extend_from_slice(&random::<BLOCK>());
        }
        // Whatever is given out is gone.
        let at = left.len() - N;
        let mut out = [0; N];
        out.copy_from_slice(&left[at..]);
        left[at..].fill(0);
        left.truncate(at);
        out
    })
}

/// 64 random bits.
#[must_use]
pub fn random_u64() -> u64 {
    u64::from_le_bytes(random())
}

/// A generator for jitter, freshly seeded.
#[must_use]
pub fn jitter() -> Rng {
    Rng::new(random_u64())
}

/// Random bytes, fit for keys.
///
/// # Panics
/// On a system without randomness, which could issue no token either.
#[must_use]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system's source of randomness");
    bytes
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn it_counts_the_sleep_of_the_machine_and_never_runs_backwards() {
        static MS: AtomicU64 = AtomicU64::new(5_000);
        let clock = Clock::of(|| Duration::from_millis(MS.load(Ordering::Relaxed)));
        let begun = clock.now();
        assert!(begun.0.abs_diff(clock.unix_ms()) < 60_000, "it is the time of day at the start");
        MS.store(3_605_000, Ordering::Relaxed);
        assert_eq!(clock.now(), begun.plus(3_600_000));
        MS.store(1, Ordering::Relaxed);
        assert_eq!(clock.now(), begun);
        let clock = Clock::start();
        let earlier = clock.now();
        assert!(clock.now() >= earlier);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_soon_after_a_sleep_that_was_longer() {
        // The runtime's own time is advanced by itself here, and this clock by what each second of
        // it is worth.
        static MS: AtomicU64 = AtomicU64::new(0);
        let clock = Clock::of(|| Duration::from_millis(MS.load(Ordering::Relaxed)));
        let begun = tokio::time::Instant::now();
        let asleep = async {
            sleep(Duration::from_millis(2_500)).await;
            MS.store(3_600_000, Ordering::Relaxed);
        };
        tokio::join!(clock.sleep_until(clock.now().plus(3_600_000)), asleep);
        assert!(begun.elapsed() <= Duration::from_millis(3_500), "{:?}", begun.elapsed());
        clock.sleep_until(clock.now()).await;
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn it_is_the_clock_that_counts_sleep() {
        // The system's own word for it: seconds since the start, sleep included.
        let uptime = std::fs::read_to_string("/proc/uptime").expect("of Linux");
        let seconds: f64 = uptime.split(' ').next().and_then(|text| text.parse().ok()).expect("a number");
        assert!((since_boot().as_secs_f64() - seconds).abs() < 5.0);
    }
}
