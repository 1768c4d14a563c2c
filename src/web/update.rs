//! An update as JavaScript sees it. Its JSON is parsed here, once, by the browser's own parser.

use js_sys::JSON;
use wasm_bindgen::JsValue;

use super::js;
use crate::core::session::io::Update;

/// The fields of our hub's envelope that are handed on; `data` is always there, if only as `undefined`.
const ENVELOPE: [&str; 5] = ["data", "key", "origin", "spread", "at"];

/// `{ type, data, key?, origin?, spread?, at?, id, replayed }`. Other servers' data is JSON if it parses, and text if not.
pub(super) fn to_js(update: &Update) -> JsValue {
    let object = js::object();
    js::set_text(&object, "type", &update.frame.event);
    match JSON::parse(&update.frame.data) {
        Ok(envelope) if update.envelope && envelope.is_object() => {
            for name in &ENVELOPE {
                let value = js::get(&envelope, name);
                if *name == "data" || !value.is_undefined() {
                    js::set(&object, name, value);
                }
            }
        }
        Ok(value) => js::set(&object, "data", value),
        Err(_) => js::set_text(&object, "data", &update.frame.data),
    }
    js::set_text(&object, "id", &update.frame.id);
    js::set(&object, "replayed", JsValue::from_bool(update.replayed));
    object
}
