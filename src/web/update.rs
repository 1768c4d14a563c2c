//! An update as JavaScript sees it. Its JSON is parsed here, once, by the browser's own parser.

use js_sys::{JSON, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

use crate::core::session::io::Update;

/// The fields of our hub's envelope that are handed on; `data` is always there, if only as `undefined`.
const ENVELOPE: [&str; 5] = ["data", "key", "origin", "spread", "at"];

/// `{ type, data, key?, origin?, spread?, at?, id, replayed }`. Other servers' data is JSON if it parses, and text if not.
pub(super) fn to_js(update: &Update) -> Object {
    let object = Object::new();
    set(&object, "type", &JsValue::from_str(&update.frame.event));
    let parsed = JSON::parse(&update.frame.data);
    match parsed {
        Ok(envelope) if update.envelope && envelope.is_object() => {
            for name in ENVELOPE {
                let value = Reflect::get(&envelope, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED);
                if name == "data" || !value.is_undefined() {
                    set(&object, name, &value);
                }
            }
        }
        Ok(value) => set(&object, "data", &value),
        Err(_) => set(&object, "data", &JsValue::from_str(&update.frame.data)),
    }
    set(&object, "id", &JsValue::from_str(&update.frame.id));
    set(&object, "replayed", &JsValue::from_bool(update.replayed));
    object
}

fn set(object: &Object, name: &str, value: &JsValue) {
    let _ = Reflect::set(object.unchecked_ref(), &JsValue::from_str(name), value);
}
