//! One timer that calls back, and does not if it is dropped before.

/// The longest delay that browsers keep (HTML: a signed 32-bit number of milliseconds); core asks again when it is over.
const LONGEST_MS: u64 = i32::MAX as u64;

fn delay(ms: u64) -> u32 {
    ms.min(LONGEST_MS) as u32
}

#[cfg(feature = "std")]
mod inner {
    /// A pending `setTimeout`.
    #[derive(Debug)]
    pub(in crate::web) struct Timer(#[expect(dead_code, reason = "held for its drop")] gloo_timers::callback::Timeout);

    impl Timer {
        pub(in crate::web) fn new(ms: u64, call: impl Fn() + 'static) -> Self {
            Self(gloo_timers::callback::Timeout::new(super::delay(ms), call))
        }
    }
}

#[cfg(not(feature = "std"))]
mod inner {
    use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

    use crate::web::js::{self, Callback};

    #[wasm_bindgen]
    extern "C" {
        #[wasm_bindgen(js_name = setTimeout)]
        fn set_timeout(call: &JsValue, ms: u32) -> JsValue;
        #[wasm_bindgen(js_name = clearTimeout)]
        fn clear_timeout(id: &JsValue);
    }

    /// A pending `setTimeout`; what gloo-timers does, without std.
    #[derive(Debug)]
    pub(in crate::web) struct Timer {
        id: JsValue,
        _call: Callback,
    }

    impl Timer {
        pub(in crate::web) fn new(ms: u64, call: impl Fn() + 'static) -> Self {
            let call = js::callback(move |_| call());
            Self { id: set_timeout(call.as_ref(), super::delay(ms)), _call: call }
        }
    }

    impl Drop for Timer {
        fn drop(&mut self) {
            clear_timeout(&self.id);
        }
    }
}

pub(super) use inner::Timer;
