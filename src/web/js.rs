//! JavaScript values: reading and writing their properties, and the few functions of the page that js-sys and web-sys lack.
//!
//! Properties are read by name, not through one import for each: an import costs the page some 40 bytes, a name only its letters.

use alloc::{string::String, vec::Vec};

use js_sys::{Array, Reflect};
use wasm_bindgen::{JsCast, JsValue, closure::Closure, prelude::wasm_bindgen};

#[wasm_bindgen]
extern "C" {
    type Object;
    #[wasm_bindgen(constructor)]
    fn new() -> Object;
    #[wasm_bindgen(method, structural, catch, indexing_getter)]
    fn get(this: &Object, name: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, structural, indexing_setter)]
    fn set(this: &Object, name: &str, value: &JsValue);

    type Promise;
    #[wasm_bindgen(static_method_of = Promise)]
    fn resolve(value: &JsValue) -> Promise;
    #[wasm_bindgen(method)]
    fn then(this: &Promise, good: &JsValue, bad: &JsValue) -> JsValue;
    #[wasm_bindgen(static_method_of = Promise, js_name = allSettled)]
    fn all_settled(promises: &JsValue);

    /// The global object. A function, because a value would come with code that caches it.
    #[wasm_bindgen(js_namespace = globalThis, js_name = valueOf)]
    pub(super) fn global() -> JsValue;
}

/// Every function of ours that JavaScript calls. One type for all, since each costs an adapter on both sides.
pub(super) type Callback = Closure<dyn Fn(JsValue) -> JsValue>;

/// A function that answers nothing.
pub(super) fn callback(call: impl Fn(JsValue) + 'static) -> Callback {
    Callback::new(move |value| {
        call(value);
        JsValue::UNDEFINED
    })
}

/// A new plain object.
pub(super) fn object() -> JsValue {
    Object::new().into()
}

/// Sets a property of an object of ours.
pub(super) fn set(object: &JsValue, name: &str, value: JsValue) {
    object.unchecked_ref::<Object>().set(name, &value);
}

/// [`set`], with a name that is a JavaScript value already.
pub(super) fn put(object: &JsValue, name: &JsValue, value: &JsValue) {
    // Fails for what is no object, and ours is one.
    let _ = Reflect::set(object, name, value);
}

/// [`get`], with a name that is a JavaScript value already.
pub(super) fn pick(object: &JsValue, name: &JsValue) -> JsValue {
    Reflect::get(object, name).unwrap_or(JsValue::UNDEFINED)
}

/// Sets a property to a text.
pub(super) fn set_text(object: &JsValue, name: &str, text: &str) {
    set(object, name, JsValue::from_str(text));
}

/// Reads a property of anything; what cannot be read is `undefined`.
pub(super) fn get(object: &JsValue, name: &str) -> JsValue {
    object.unchecked_ref::<Object>().get(name).unwrap_or(JsValue::UNDEFINED)
}

/// Reads a property that is a text.
pub(super) fn get_text(object: &JsValue, name: &str) -> Option<String> {
    get(object, name).as_string()
}

/// Calls one of two functions when a value, or the promise of one, is settled. A promise that settles after they were dropped is
/// no news to anybody, and its failure is not reported as one that nobody handles.
pub(super) fn when(value: &JsValue, good: &Callback, bad: &Callback) {
    let heard = Promise::resolve(value).then(good.as_ref(), bad.as_ref());
    Promise::all_settled(&Array::of1(&heard));
}

/// A list of values.
pub(super) fn list(values: &[JsValue]) -> Array {
    let list = Array::new();
    for value in values {
        list.push(value);
    }
    list
}

/// A list of texts and nothing else.
pub(super) fn texts(list: &JsValue) -> Option<Vec<String>> {
    let mut texts = Vec::new();
    for item in list.dyn_ref::<Array>()?.iter() {
        texts.push(item.as_string()?);
    }
    Some(texts)
}
