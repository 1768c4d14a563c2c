//! The transports of a build without `fetch`: the browser's `EventSource`, and no bytes.

use alloc::rc::Weak;

use wasm_bindgen::JsValue;

use super::{
    bindings::{Notify, Page},
    driver::Driver,
};

/// The other side of `page`'s functions: what they call.
#[derive(Debug)]
pub(super) struct Callbacks {
    _notify: Notify,
}

impl Callbacks {
    /// Connects the page with its driver.
    pub(super) fn new(page: &Page, notify: Notify, _driver: Weak<Driver>) -> Self {
        page.connect(notify.as_ref(), &JsValue::UNDEFINED);
        Self { _notify: notify }
    }
}

/// Opens a stream.
pub(super) fn open(page: &Page, ticket: u32, cursor: &str, token: &str) {
    page.open_event_source(ticket, cursor, token);
}
