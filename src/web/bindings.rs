//! The functions of `bindings.js`, as Rust calls them. They decide nothing, and no other file calls
//! the browser.

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
    #[wasm_bindgen(method, js_name = _connect)]
    pub(super) fn connect(this: &Page, notify: &JsValue, bytes: &JsValue);
    /// Notifies core, by way of the page, which keeps the last inputs.
    #[wasm_bindgen(method, js_name = _notify)]
    pub(super) fn notify(this: &Page, word: u32, ticket: u32, number: f64, wait: f64, text: &str);
    #[wasm_bindgen(method, js_name = _close)]
    pub(super) fn close(this: &Page);

    /// Counts that `inspect` has, one after the other.
    #[wasm_bindgen(method, js_name = _count)]
    pub(super) fn count(this: &Page, count: u32);
    #[wasm_bindgen(method, js_name = _inspect)]
    pub(super) fn inspect(this: &Page, trace: &str) -> JsValue;

    #[wasm_bindgen(method, js_name = _now)]
    pub(super) fn now(this: &Page) -> f64;
    #[wasm_bindgen(method, js_name = _sleep)]
    pub(super) fn sleep(this: &Page, ms: f64);
    #[wasm_bindgen(method, js_name = _watch)]
    pub(super) fn watch(this: &Page);

    #[wasm_bindgen(method, js_name = _openEventSource)]
    pub(super) fn open_event_source(this: &Page, ticket: u32, cursor: &str, token: &str);
    #[wasm_bindgen(method, js_name = _probe)]
    pub(super) fn probe(this: &Page, ticket: u32);
    #[wasm_bindgen(method, js_name = _fetchToken)]
    pub(super) fn fetch_token(this: &Page, ticket: u32, reason: &str);
    #[wasm_bindgen(method, js_name = _end)]
    pub(super) fn end(this: &Page, ticket: u32);

    #[wasm_bindgen(method, js_name = _register)]
    pub(super) fn register(this: &Page, number: i32, call: Option<Function>, types: &str);
    #[wasm_bindgen(method, js_name = _call)]
    pub(super) fn call(this: &Page, number: i32, value: &JsValue);
    /// Of updates that are given next.
    #[wasm_bindgen(method, setter, js_name = _text)]
    pub(super) fn set_text(this: &Page, text: &str);
    #[wasm_bindgen(method, js_name = _deliver)]
    pub(super) fn deliver(
        this: &Page,
        start: u32,
        type_ends: u32,
        id_ends: u32,
        end: u32,
        replayed: bool,
        envelope: bool,
        subscriber: i32,
    ) -> JsValue;
    #[wasm_bindgen(method, js_name = _resync)]
    pub(super) fn resync(this: &Page, gap: &str, types: &str);
    /// `[ticket, cursor, user]`: follow the tab that holds this user's connection.
    #[wasm_bindgen(method, js_name = _follow)]
    pub(super) fn follow(this: &Page, ticket: u32, cursor: &str, user: &str);
    /// `[event, id, data]`: what our own stream notify.
    #[wasm_bindgen(method, js_name = _relay)]
    pub(super) fn relay(this: &Page, event: &str, id: &str, data: &str);
    #[wasm_bindgen(method, js_name = _addError)]
    pub(super) fn add_error(this: &Page, snapshot: &JsValue, code: &str, message: &str, status: u32, retryable: bool);

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
