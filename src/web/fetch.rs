//! The transports of a build with `fetch`: the browser's `EventSource`, or bytes that core decodes.

use alloc::{boxed::Box, rc::Weak};
use core::cell::RefCell;

use wasm_bindgen::{JsValue, closure::Closure, prelude::wasm_bindgen};

use super::{
    bindings::{Notify, Page},
    driver::Driver,
};
use crate::proto::{aligned_buffer::AlignedBuffer, session::io::Ticket};

#[wasm_bindgen(module = "/src/web/fetch.js")]
extern "C" {
    /// Opens a stream by the transport that the options name.
    pub(super) fn open(page: &Page, ticket: u32, cursor: &str, token: &str);
    /// Copies bytes that JavaScript holds, and returns their number.
    fn fill(buffer: &mut [u8], bytes: &JsValue) -> usize;
}

/// The other side of `page`'s functions: what they call.
#[derive(Debug)]
pub(super) struct Callbacks {
    _notify: Notify,
    _bytes: Closure<dyn Fn(u32, JsValue)>,
}

impl Callbacks {
    /// Connects the page with its driver.
    pub(super) fn new(page: &Page, notify: Notify, driver: Weak<Driver>) -> Self {
        // Allocated when the first bytes come, and kept.
        let buffer = RefCell::new(None);
        let bytes: Closure<dyn Fn(u32, JsValue)> = Closure::new(move |ticket, bytes: JsValue| {
            let Some(driver) = driver.upgrade() else { return };
            {
                let mut buffer = buffer.borrow_mut();
                let buffer: &mut Box<AlignedBuffer> = buffer.get_or_insert_default();
                let length = fill(buffer.bytes_mut(), &bytes);
                driver.change(|core, now| core.handle_bytes(now, Ticket(ticket), buffer.filled(length)));
            }
            // JavaScript may run, and bring more bytes.
            driver.run();
        });
        page.connect(notify.as_ref(), bytes.as_ref());
        Self { _notify: notify, _bytes: bytes }
    }
}
