//! The hybrid transport: the browser's own `EventSource`, which retries glitches by itself and is replaced when it is refused.

use alloc::rc::{Rc, Weak};

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{EventSource, EventSourceInit};

use super::{address::address, policy};

use crate::{
    core::{
        session::{
            io::{Input, Loss, Ticket},
            token::Token,
        },
        wire::{Frame, fold, names},
    },
    web::{driver::Driver, js, listener::Listener},
};

/// The events every stream listens to: the standard's own, our control messages, and folded updates.
const EVENTS: [&str; 8] =
    ["open", "error", "message", fold::UPDATE, "tinysse.hello", "tinysse.beat", "tinysse.resync", "tinysse.bye"];

/// An open `EventSource`; closed when dropped.
#[derive(Debug)]
pub(in crate::web) struct Stream {
    ticket: Ticket,
    source: EventSource,
    listener: Option<Listener>,
    _policy: Option<Listener>,
}

impl Stream {
    /// Opens a stream that tells `driver` what happens.
    ///
    /// The error is the browser's own: it cannot read the URL, or (WebKit) a policy forbids it.
    pub(in crate::web) fn open(
        driver: &Rc<Driver>,
        ticket: Ticket,
        token: Option<&Token>,
        cursor: &str,
    ) -> Result<Self, (Loss, JsValue)> {
        let options = driver.options();
        let init: EventSourceInit = js::object().unchecked_into();
        js::set(&init, "withCredentials", JsValue::from_bool(options.with_credentials));
        // An `EventSource` can send no headers, so everything stands in the query.
        let parameters = [
            (names::Q_WIRE, names::WIRE_NATIVE),
            (names::Q_LAST_EVENT_ID, cursor),
            (names::Q_TOKEN, token.map_or("", Token::reveal)),
        ];
        let source = EventSource::new_with_event_source_init_dict(&address(options, &parameters), &init)
            .map_err(|thrown| (refusal(&thrown), thrown))?;
        let policy = policy::watch(driver, ticket, js::get_text(&source, "url").unwrap_or_default());
        let weak = Rc::downgrade(driver);
        let listener = Listener::new(source.clone().into(), &EVENTS, move |event| hear(&weak, ticket, &event));
        Ok(Self { ticket, source, listener, _policy: policy })
    }

    pub(in crate::web) fn ticket(&self) -> Ticket {
        self.ticket
    }

    /// Listens to one more named event, for servers that do not fold.
    pub(in crate::web) fn listen(&self, name: &str) {
        if let Some(listener) = &self.listener {
            listener.listen(name);
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.source.close();
    }
}

fn hear(driver: &Weak<Driver>, ticket: Ticket, event: &JsValue) {
    let Some(driver) = driver.upgrade() else { return };
    let kind = js::get_text(event, "type").unwrap_or_default();
    // A message may be named `open` or `error` too; only its fields tell it from the stream's own news.
    if let Some(id) = js::get_text(event, "lastEventId") {
        let data = js::get_text(event, "data").unwrap_or_default();
        return driver.feed(Input::Frame(ticket, Frame { event: kind, id, data }));
    }
    if kind == "open" {
        return driver.feed(Input::Opened(ticket));
    }
    let state = js::get(&js::get(event, "target"), "readyState").as_f64();
    let retrying = state == Some(f64::from(EventSource::CONNECTING));
    driver.feed(Input::Lost(ticket, if retrying { Loss::Retrying } else { Loss::Closed }));
}

/// The standard knows one error of the constructor, for the URL; WebKit throws what a policy forbids too, instead of an event.
fn refusal(thrown: &JsValue) -> Loss {
    match js::get_text(thrown, "name").as_deref() {
        Some("SecurityError") => Loss::Forbidden,
        Some(_) | None => Loss::Unusable,
    }
}
