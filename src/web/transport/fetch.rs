//! The fetch transport: `Authorization` header, visible statuses, and bytes that core decodes.

use alloc::{
    rc::{Rc, Weak},
    string::String,
};

use js_sys::{Date, Function, Number, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use web_sys::AbortController;

use super::{address::address, policy};
use crate::{
    core::session::{
        io::{Input, Loss, Ticket},
        token::Token,
    },
    web::{
        driver::Driver,
        js::{self, Callback},
        listener::Listener,
        slot::Slot,
    },
};

#[wasm_bindgen]
extern "C" {
    /// A function of the global object, wherever that is: windows and workers have it.
    fn fetch(url: &str, init: &JsValue) -> JsValue;
}

/// A request whose body is read as it comes; aborted when dropped, whether it was answered or not, so that no body that nobody reads
/// keeps one of the browser's few connections.
#[derive(Debug)]
pub(in crate::web) struct Stream {
    ticket: Ticket,
    controller: AbortController,
    _reading: Rc<Reading>,
    _policy: Option<Listener>,
}

impl Stream {
    pub(super) fn open(
        driver: &Rc<Driver>,
        ticket: Ticket,
        token: Option<&Token>,
        cursor: &str,
    ) -> Result<Self, (Loss, JsValue)> {
        let options = driver.options();
        let headers = js::object();
        js::set_text(&headers, "Accept", "text/event-stream");
        if !cursor.is_empty() {
            js::set_text(&headers, "Last-Event-ID", &bytes_as_text(cursor));
        }
        if let Some(token) = token {
            // Sent to our origin only: a redirect to another one loses this header (Fetch, "HTTP-redirect fetch", step 13).
            js::set_text(&headers, "Authorization", &bearer(token));
        }
        let unusable = |thrown| (Loss::Unusable, thrown);
        let controller = AbortController::new().map_err(unusable)?;
        let init = js::object();
        js::set(&init, "headers", headers);
        js::set(&init, "signal", controller.signal().into());
        js::set_text(&init, "cache", "no-store");
        js::set_text(&init, "credentials", if options.with_credentials { "include" } else { "same-origin" });
        let url = absolute(&address(options, &[])).map_err(unusable)?;
        let reading = Reading::new(driver, ticket);
        let policy = policy::watch(driver, ticket, url.clone());
        js::when(&fetch(&url, &init), &reading.good, &reading.bad);
        Ok(Self { ticket, controller, _reading: reading, _policy: policy })
    }

    pub(super) fn ticket(&self) -> Ticket {
        self.ticket
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.controller.abort();
    }
}

/// Hears the answer, then piece after piece of its body. The next piece is asked for when this one was taken: a page that cannot
/// follow slows the server down, and nothing piles up here.
#[derive(Debug)]
struct Reading {
    reader: Slot<JsValue>,
    good: Callback,
    bad: Callback,
}

impl Reading {
    fn new(driver: &Rc<Driver>, ticket: Ticket) -> Rc<Self> {
        Rc::new_cyclic(|weak: &Weak<Self>| {
            let (me, to) = (weak.clone(), Rc::downgrade(driver));
            let good = js::callback(move |value| {
                if let (Some(me), Some(driver)) = (me.upgrade(), to.upgrade()) {
                    me.take(&driver, ticket, &value);
                }
            });
            let to = Rc::downgrade(driver);
            let bad = js::callback(move |thrown| {
                if let Some(driver) = to.upgrade() {
                    driver.failed(thrown);
                    driver.feed(Input::Lost(ticket, Loss::Dropped));
                }
            });
            Self { reader: Slot::new(), good, bad }
        })
    }

    /// The answer, or what its reader read.
    fn take(&self, driver: &Rc<Driver>, ticket: Ticket, value: &JsValue) {
        let reader = match self.reader.copy() {
            Some(reader) if js::get(value, "done").as_bool() == Some(false) => {
                let bytes: Uint8Array = js::get(value, "value").unchecked_into();
                driver.feed_bytes(ticket, &bytes.to_vec());
                reader
            }
            Some(_) => return driver.feed(Input::Lost(ticket, Loss::Dropped)),
            None => {
                if let Some(loss) = judge(value) {
                    return driver.feed(Input::Lost(ticket, loss));
                }
                let Ok(reader) = call(&js::get(value, "body"), "getReader", &[]) else {
                    return driver.feed(Input::Lost(ticket, Loss::Dropped));
                };
                self.reader.set(Some(reader.clone()));
                driver.feed(Input::Opened(ticket));
                reader
            }
        };
        // Whoever was called may have closed the stream: then it was aborted, and this fails unheard.
        if let Ok(read) = call(&reader, "read", &[]) {
            js::when(&read, &self.good, &self.bad);
        }
    }
}

fn judge(response: &JsValue) -> Option<Loss> {
    let headers = js::get(response, "headers");
    let header = |name: &str| call(&headers, "get", &[name.into()]).ok().and_then(|value| value.as_string());
    let status = js::get(response, "status").as_f64().unwrap_or(0.0) as u16;
    let wait = header("retry-after").map_or(0, |text| milliseconds(&text));
    Loss::of_answer(status, &header("content-type").unwrap_or_default(), wait)
}

/// `Retry-After` is a number of seconds or a date (RFC 9110 §10.2.3); what is neither counts as nothing.
fn milliseconds(retry_after: &str) -> u32 {
    let seconds = Number::parse_float(retry_after);
    let wait = if seconds.is_nan() { Date::parse(retry_after) - Date::now() } else { seconds * 1_000.0 };
    wait as u32 // saturates; what is no number is 0
}

/// A header is made of bytes, and JavaScript wants each as a character (Web IDL, `ByteString`): the cursor is sent as UTF-8.
fn bytes_as_text(cursor: &str) -> String {
    cursor.bytes().map(char::from).collect()
}

fn bearer(token: &Token) -> String {
    let mut text = String::from("Bearer ");
    text.push_str(token.reveal());
    text
}

/// The URL as a document or worker at this place reads it.
///
/// The error is the browser's own: it cannot read the URL.
fn absolute(url: &str) -> Result<String, JsValue> {
    let global = js::global();
    let base = js::get_text(&js::get(&global, "document"), "baseURI")
        .or_else(|| js::get_text(&js::get(&global, "location"), "href"))
        .unwrap_or_default();
    construct("URL", &[url.into(), base.into()]).map(|url| js::get_text(&url, "href").unwrap_or_default())
}

/// Calls a method by its name; what it throws, or its absence, is the error.
fn call(object: &JsValue, name: &str, arguments: &[JsValue]) -> Result<JsValue, JsValue> {
    js::get(object, name).unchecked_ref::<Function>().apply(object, &js::list(arguments))
}

/// `new name(...)` of a global class; what it throws, or its absence, is the error.
fn construct(name: &str, arguments: &[JsValue]) -> Result<JsValue, JsValue> {
    Reflect::construct::<fn() -> JsValue>(js::get(&js::global(), name).unchecked_ref(), &js::list(arguments))
}
