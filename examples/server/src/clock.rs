//! The one place that asks the time and the system's randomness.

use std::{
    cell::RefCell,
    sync::atomic::{AtomicI64, Ordering},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tinysse::core::{rng::Rng, time::Time};

/// The time for the hub, which never runs backwards, and the time of day, for tokens.
///
/// ```
/// let clock = tinysse_server::clock::Clock::start();
/// assert!(clock.now() >= tinysse::core::time::Time(0));
/// assert!(clock.unix_ms() > 1_700_000_000_000);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    /// The time of day at the start. The hub's time counts from there, so that updates of an earlier life have an age.
    started_ms: u64,
    shift: Option<&'static AtomicI64>,
}

impl Clock {
    /// Starts counting.
    #[must_use]
    pub fn start() -> Self {
        Self { started: Instant::now(), started_ms: unix_ms(), shift: None }
    }

    /// Returns a clock whose time of day differs from the system's by as many milliseconds as `ms` holds: for tests of what a clock does that
    /// is ahead, behind or set anew.
    #[must_use]
    pub fn shifted(ms: &'static AtomicI64) -> Self {
        Self { shift: Some(ms), ..Self::start() }
    }

    /// Milliseconds since 1970 as of the start, counted on without a look at the time of day: it never runs backwards.
    #[must_use]
    pub fn now(&self) -> Time {
        let since = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Time(self.started_ms.saturating_add(since))
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn unix_ms(&self) -> u64 {
        self.shift.map_or_else(unix_ms, |ms| unix_ms().saturating_add_signed(ms.load(Ordering::Relaxed)))
    }

    /// When `time` is, for the runtime's timers.
    #[must_use]
    pub fn instant(&self, time: Time) -> Instant {
        self.started + Duration::from_millis(time.0.saturating_sub(self.started_ms))
    }
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

/// Random bytes, of which the system is asked for many at a time: a name is needed for every connection.
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
