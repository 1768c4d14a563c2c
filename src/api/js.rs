//! JavaScript objects, read and written by name. What cannot be read is `undefined`.

use std::string::String;

use js_sys::Reflect;
use wasm_bindgen::JsValue;

pub(super) fn field(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
}

pub(super) fn text(object: &JsValue, name: &str) -> Option<String> {
    field(object, name).as_string()
}

pub(super) fn number(object: &JsValue, name: &str) -> Option<f64> {
    field(object, name).as_f64()
}

/// Reads a word of a vocabulary. The shell sends no other words, which debug builds check.
pub(super) fn word<T>(object: &JsValue, name: &str, parse: fn(&str) -> Option<T>, otherwise: T) -> T {
    let text = text(object, name).unwrap_or_default();
    parse(&text).unwrap_or_else(|| {
        debug_assert!(false, "`{name}` has no word {text:?}");
        otherwise
    })
}

/// Returns a count; absent is 0.
pub(super) fn count(object: &JsValue, name: &str) -> u32 {
    number(object, name).map_or(0, |count| count as u32) // saturates
}

/// Sets a property of a plain object made here, which never refuses.
pub(super) fn set(object: &JsValue, name: &str, value: &JsValue) {
    let set = Reflect::set(object, &JsValue::from_str(name), value);
    debug_assert!(set.is_ok(), "a plain object takes {name}");
}
