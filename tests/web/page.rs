//! `page.js` for Rust: see there.

use js_sys::{Array, Function, Promise};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

#[wasm_bindgen(module = "/tests/web/page.js")]
extern "C" {
    pub(crate) fn hurry(scale: f64);
    pub(crate) fn sleep_machine(ms: f64);
    pub(crate) fn wait(ms: u32) -> Promise;
    pub(crate) fn timers() -> u32;
    pub(crate) fn timers_set() -> String;
    pub(crate) fn listeners() -> Array;
    pub(crate) fn streams_open() -> u32;
    pub(crate) fn take_reported() -> Array;
    pub(crate) fn take_rejected() -> Array;
    pub(crate) fn fire(target: &str, kind: &str);
    pub(crate) fn show(visible: bool);
    pub(crate) fn set_online(online: bool);
    pub(crate) fn get(url: &str, credentials: bool) -> Promise;
    pub(crate) fn fetching(url: &str) -> Function;
    pub(crate) fn forbid(policy: &str);
    pub(crate) fn deferred() -> Array;
    pub(crate) fn failure(message: &str, status: Option<u16>) -> JsValue;
    pub(crate) fn throwing(name: &str) -> JsValue;
    pub(crate) fn json(value: &JsValue) -> String;
    #[wasm_bindgen(catch)]
    pub(crate) fn parse(text: &str) -> Result<JsValue, JsValue>;
    pub(crate) fn read(value: &JsValue, path: &str) -> JsValue;
}

/// A number somewhere inside an object.
pub(crate) fn number(value: &JsValue, path: &str) -> f64 {
    read(value, path).as_f64().unwrap_or(f64::NAN)
}

/// A text somewhere inside an object; `null` and `undefined` are the empty text.
pub(crate) fn text(value: &JsValue, path: &str) -> String {
    read(value, path).as_string().unwrap_or_default()
}

/// The texts of a JavaScript list.
pub(crate) fn texts(list: &Array) -> Vec<String> {
    list.iter().filter_map(|item| item.as_string()).collect()
}
