//! The transports of a build without `fetch`: the browser's `EventSource`, and no bytes.

use alloc::rc::Weak;

use wasm_bindgen::JsValue;

use super::{
    bindings::{Page, Say},
    driver::Driver,
};

/// The other side of `page`'s functions: what they call.
#[derive(Debug)]
pub(super) struct Callbacks {
    _said: Say,
}

impl Callbacks {
    /// Connects the page with its driver.
    pub(super) fn new(page: &Page, said: Say, _driver: Weak<Driver>) -> Self {
        page.tell(said.as_ref(), &JsValue::UNDEFINED);
        Self { _said: said }
    }
}

/// Opens a stream.
pub(super) fn open(page: &Page, ticket: u32, cursor: &str, token: &str) {
    page.source(ticket, cursor, token);
}
