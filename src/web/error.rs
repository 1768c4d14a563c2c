//! Errors as JavaScript sees them: an `Error` with `code`, `status`, `retryable`. The facade makes them `SseError`.

use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use super::js;
use crate::core::error::{Code, Error};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_name = reportError)]
    fn report_error(thrown: &JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(js_namespace = console, js_name = error)]
    fn console_error(value: &JsValue);
}

/// The session's error; `cause` is what the application threw, if it did.
pub(super) fn to_js(error: Error, cause: Option<JsValue>) -> JsValue {
    let object = build(error.code, error.message, error.retryable);
    if let Some(status) = error.status {
        js::set(&object, "status", JsValue::from_f64(f64::from(status)));
    }
    if let Some(cause) = cause {
        js::set(&object, "cause", cause);
    }
    object
}

/// A mistake in the arguments; `message` names the one that is wrong.
pub(super) fn bad_option(message: &str) -> JsValue {
    build(Code::Options, message, false)
}

/// Tells of an error that a listener threw, the way browsers do, and goes on.
pub(super) fn report(thrown: &JsValue) {
    // Older browsers have no `reportError`.
    if report_error(thrown).is_err() {
        console_error(thrown);
    }
}

fn build(code: Code, message: &str, retryable: bool) -> JsValue {
    let error: JsValue = js_sys::Error::new(message).into();
    js::set_text(&error, "name", "SseError");
    js::set_text(&error, "code", code.as_str());
    js::set(&error, "retryable", JsValue::from_bool(retryable));
    error
}
