//! Errors as JavaScript sees them: an `Error` with `code`, `status`, `retryable`. The facade makes them `SseError`.

use js_sys::Reflect;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use crate::core::error::{Code, Error};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console, js_name = error)]
    fn console_error(value: &JsValue);
}

/// The session's error; `cause` is what the application threw, if it did.
pub(super) fn to_js(error: Error, cause: &JsValue) -> JsValue {
    let object = build(error.code, error.message);
    if let Some(status) = error.status {
        set(&object, "status", &JsValue::from_f64(f64::from(status)));
    }
    set(&object, "retryable", &JsValue::from_bool(error.retryable));
    if !cause.is_undefined() {
        set(&object, "cause", cause);
    }
    object
}

/// A mistake in the arguments; `message` names the one that is wrong.
pub(super) fn bad_option(message: &str) -> JsValue {
    let object = build(Code::Options, message);
    set(&object, "retryable", &JsValue::FALSE);
    object
}

/// Tells of an error that a listener threw, the way browsers do, and goes on.
pub(super) fn report(thrown: &JsValue) {
    let report = Reflect::get(&js_sys::global(), &JsValue::from_str("reportError")).ok();
    match report.and_then(|report| wasm_bindgen::JsCast::dyn_into::<js_sys::Function>(report).ok()) {
        Some(report) => {
            let _ = report.call1(&JsValue::UNDEFINED, thrown);
        }
        None => console_error(thrown),
    }
}

fn build(code: Code, message: &str) -> JsValue {
    let error = js_sys::Error::new(message);
    error.set_name("SseError");
    set(&error, "code", &JsValue::from_str(code.as_str()));
    error.into()
}

fn set(object: &JsValue, name: &str, value: &JsValue) {
    let _ = Reflect::set(object, &JsValue::from_str(name), value);
}
