//! The time for core: it never goes back, and it counts the time in which the machine slept.

use core::cell::Cell;

use wasm_bindgen::prelude::wasm_bindgen;

use crate::core::time::Time;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
}

/// `performance.now()` never goes back but may stand still while the machine sleeps (W3C High Resolution Time leaves it to the
/// platform); `Date.now()` counts sleep but may be set back. So the first is trusted, and leaps of the second are added to it.
#[derive(Debug)]
pub(super) struct Clock {
    slept: Cell<f64>,
    /// Wall clock minus monotonic clock, when last looked at.
    skew: Cell<f64>,
}

/// A change of the skew below this is noise, or somebody adjusting the clock.
const LEAP_MS: f64 = 1_000.0;

impl Clock {
    pub(super) fn new() -> Self {
        Self { slept: Cell::new(0.0), skew: Cell::new(js_sys::Date::now() - performance_now()) }
    }

    pub(super) fn now(&self) -> Time {
        let monotonic = performance_now();
        let skew = js_sys::Date::now() - monotonic;
        let leap = skew - self.skew.replace(skew);
        if leap > LEAP_MS {
            self.slept.set(self.slept.get() + leap);
        }
        Time((monotonic + self.slept.get()) as u64)
    }
}
