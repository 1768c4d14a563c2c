//! One timer, which rings as `Input::Tick`.

use alloc::rc::Rc;

use super::driver::Driver;

/// Frontends in Rust have gloo-timers.
#[cfg(feature = "std")]
mod inner {
    use std::cell::RefCell;

    use gloo_timers::callback::Timeout;

    use super::{Driver, Rc};
    use crate::proto::session::io::Input;

    /// The longest delay that browsers keep (HTML §8.6: 31 bits of milliseconds); core looks again when it is over.
    const LONGEST_MS: u64 = i32::MAX as u64;

    #[derive(Debug, Default)]
    pub(in crate::web) struct Timer(RefCell<Option<Timeout>>);

    impl Timer {
        /// Rings after so many milliseconds and not before; `None` never.
        pub(in crate::web) fn set(&self, driver: &Rc<Driver>, ms: Option<u64>) {
            let timeout = ms.map(|ms| {
                let weak = Rc::downgrade(driver);
                Timeout::new(ms.min(LONGEST_MS) as u32, move || {
                    if let Some(driver) = weak.upgrade() {
                        driver.feed(Input::Tick);
                    }
                })
            });
            drop(self.0.replace(timeout));
        }

        pub(in crate::web) fn clear(&self) {
            drop(self.0.take());
        }
    }
}

/// `page.js` has one, and clears it when it closes.
#[cfg(not(feature = "std"))]
mod inner {
    use super::{Driver, Rc};

    #[derive(Debug, Default)]
    pub(in crate::web) struct Timer(());

    impl Timer {
        pub(in crate::web) fn set(&self, driver: &Rc<Driver>, ms: Option<u64>) {
            driver.page().sleep(ms.map_or(-1.0, |ms| ms as f64));
        }

        pub(in crate::web) fn clear(&self) {}
    }
}

pub(super) use inner::Timer;
