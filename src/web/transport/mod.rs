//! Streams: how bytes or events get from the network into core.

mod address;
mod eventsource;
#[cfg(feature = "fetch")]
mod fetch;
mod policy;

use alloc::rc::Rc;

use wasm_bindgen::JsValue;

use super::driver::Driver;
use crate::core::session::{
    io::{Loss, Ticket},
    token::Token,
};

/// An open stream; closed when dropped.
#[derive(Debug)]
pub(super) enum Stream {
    EventSource(eventsource::Stream),
    #[cfg(feature = "fetch")]
    Fetch(fetch::Stream),
}

impl Stream {
    /// Opens a stream that tells `driver` what happens.
    ///
    /// The error is the browser's own: it cannot read the URL, or (WebKit) a policy forbids it.
    pub(super) fn open(
        driver: &Rc<Driver>,
        ticket: Ticket,
        token: Option<&Token>,
        cursor: &str,
    ) -> Result<Self, (Loss, JsValue)> {
        #[cfg(feature = "fetch")]
        if driver.options().fetch {
            return fetch::Stream::open(driver, ticket, token, cursor).map(Self::Fetch);
        }
        eventsource::Stream::open(driver, ticket, token, cursor).map(Self::EventSource)
    }

    pub(super) fn ticket(&self) -> Ticket {
        match self {
            Self::EventSource(stream) => stream.ticket(),
            #[cfg(feature = "fetch")]
            Self::Fetch(stream) => stream.ticket(),
        }
    }

    /// Listens to one more named event, for servers that do not fold. Bytes have every event in them.
    pub(super) fn listen(&self, name: &str) {
        match self {
            Self::EventSource(stream) => stream.listen(name),
            #[cfg(feature = "fetch")]
            Self::Fetch(_) => {}
        }
    }
}
