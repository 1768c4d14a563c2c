//! The functions of `bindings.js`, as Rust calls them. They decide nothing, and no other file calls the browser.

use alloc::string::String;

use js_sys::Function;
use wasm_bindgen::{JsValue, closure::Closure, prelude::wasm_bindgen};

/// What happened, as `bindings.js` reports it: word, ticket, number, wait, text.
pub(super) type Notify = Closure<dyn Fn(u32, u32, f64, f64, String)>;

#[wasm_bindgen(module = "/src/web/bindings.js")]
extern "C" {
    #[derive(Clone, Debug)]
    pub(super) type Page;

    #[wasm_bindgen(constructor)]
    pub(super) fn new(options: &JsValue) -> Page;
    #[wasm_bindgen(method)]
    pub(super) fn tell(this: &Page, say: &JsValue, bytes: &JsValue);
    /// Notifies core, by way of the page, which keeps the last inputs.
    #[wasm_bindgen(method)]
    pub(super) fn say(this: &Page, word: u32, ticket: u32, number: f64, wait: f64, text: &str);
    #[wasm_bindgen(method)]
    pub(super) fn close(this: &Page);

    /// Counts that `inspect` has, one after the other.
    #[wasm_bindgen(method)]
    pub(super) fn count(this: &Page, count: u32);
    #[wasm_bindgen(method)]
    pub(super) fn inspect(this: &Page, trace: &str) -> JsValue;

    #[wasm_bindgen(method)]
    pub(super) fn now(this: &Page) -> f64;
    #[wasm_bindgen(method)]
    pub(super) fn sleep(this: &Page, ms: f64);
    #[wasm_bindgen(method)]
    pub(super) fn watch(this: &Page);

    #[wasm_bindgen(method)]
    pub(super) fn source(this: &Page, ticket: u32, cursor: &str, token: &str);
    #[wasm_bindgen(method)]
    pub(super) fn probe(this: &Page, ticket: u32);
    #[wasm_bindgen(method)]
    pub(super) fn ask(this: &Page, ticket: u32, reason: &str);
    #[wasm_bindgen(method)]
    pub(super) fn end(this: &Page, ticket: u32);

    #[wasm_bindgen(method)]
    pub(super) fn keep(this: &Page, number: i32, call: Option<Function>, types: &str);
    #[wasm_bindgen(method)]
    pub(super) fn call(this: &Page, number: i32, value: &JsValue);
    /// Of updates that are given next.
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_text(this: &Page, text: &str);
    #[wasm_bindgen(method)]
    pub(super) fn give(
        this: &Page,
        start: u32,
        type_ends: u32,
        id_ends: u32,
        end: u32,
        replayed: bool,
        envelope: bool,
        subscriber: i32,
    ) -> JsValue;
    #[wasm_bindgen(method)]
    pub(super) fn resync(this: &Page, gap: &str, types: &str);
    /// `[ticket, cursor, user]`: follow the tab that holds this user's connection.
    #[wasm_bindgen(method)]
    pub(super) fn follow(this: &Page, ticket: u32, cursor: &str, user: &str);
    /// `[event, id, data]`: what our own stream notify.
    #[wasm_bindgen(method)]
    pub(super) fn heard(this: &Page, event: &str, id: &str, data: &str);
    #[wasm_bindgen(method)]
    pub(super) fn fail(this: &Page, snapshot: &JsValue, code: &str, message: &str, status: u32, retryable: bool);

    pub(super) fn snapshot(
        status: &str,
        client_id: &str,
        last_event_id: &str,
        attempt: u32,
        retry_at: f64,
        connects: u32,
        events: u32,
        duplicates: u32,
        resyncs: u32,
        bytes: f64,
        coalesced: u32,
        user: &str,
    ) -> JsValue;
    pub(super) fn failure(code: &str, message: &str, retryable: bool) -> JsValue;
    pub(super) fn texts(value: &JsValue) -> Option<String>;
}
