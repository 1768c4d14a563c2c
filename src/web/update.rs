//! An update as JavaScript sees it. Its JSON is parsed here, once, by the browser's own parser.

use js_sys::JSON;
use wasm_bindgen::JsValue;

use super::js;
use crate::core::session::io::Update;

/// The names of an update's fields, as JavaScript has them: a text that crosses the border is decoded each time, and this is the path of
/// every update.
#[derive(Debug)]
pub(super) struct Words {
    kind: JsValue,
    data: JsValue,
    id: JsValue,
    replayed: JsValue,
    /// The other fields of our hub's envelope that are handed on.
    envelope: [JsValue; 4],
}

impl Words {
    pub(super) fn new() -> Self {
        let word = JsValue::from_str;
        Self {
            kind: word("type"),
            data: word("data"),
            id: word("id"),
            replayed: word("replayed"),
            envelope: [word("key"), word("origin"), word("spread"), word("at")],
        }
    }
}

/// `{ type, data, key?, origin?, spread?, at?, id, replayed }`, with `data` always there, if only as `undefined`. Other servers' data is
/// JSON if it parses, and text if not.
pub(super) fn to_js(update: &Update, words: &Words) -> JsValue {
    let object = js::object();
    let put = |word: &JsValue, value: &JsValue| js::put(&object, word, value);
    put(&words.kind, &JsValue::from_str(&update.frame.event));
    match JSON::parse(&update.frame.data) {
        Ok(envelope) if update.envelope && envelope.is_object() => {
            put(&words.data, &js::pick(&envelope, &words.data));
            for word in &words.envelope {
                let value = js::pick(&envelope, word);
                if !value.is_undefined() {
                    put(word, &value);
                }
            }
        }
        Ok(value) => put(&words.data, &value),
        Err(_) => put(&words.data, &JsValue::from_str(&update.frame.data)),
    }
    put(&words.id, &JsValue::from_str(&update.frame.id));
    put(&words.replayed, &JsValue::from_bool(update.replayed));
    object
}
