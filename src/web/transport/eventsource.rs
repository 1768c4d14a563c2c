//! The hybrid transport: the browser's own `EventSource`, which retries glitches by itself and is replaced when it is refused.

use alloc::{
    rc::{Rc, Weak},
    string::String,
};

use js_sys::{Reflect, encode_uri_component};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Event, EventSource, EventSourceInit, EventTarget, MessageEvent};

use crate::{
    core::{
        session::{
            io::{Input, Loss, Ticket},
            token::Token,
        },
        wire::{Frame, fold, names},
    },
    web::{driver::Driver, listener::Listener, options::Options},
};

/// The events every stream listens to: the standard's own, our control messages, and folded updates.
const EVENTS: [&str; 8] =
    ["open", "error", "message", fold::UPDATE, "tinysse.hello", "tinysse.beat", "tinysse.resync", "tinysse.bye"];

/// An open `EventSource`; closed when dropped.
#[derive(Debug)]
pub(in crate::web) struct Stream {
    ticket: Ticket,
    source: EventSource,
    listener: Listener,
    /// The stream itself never says that a policy forbids it; the document does.
    _policy: Option<Listener>,
}

impl Stream {
    /// Opens a stream that tells `driver` what happens.
    ///
    /// The error is the browser's own, for a URL that it cannot read.
    pub(in crate::web) fn open(
        driver: &Rc<Driver>,
        ticket: Ticket,
        token: Option<&Token>,
        cursor: &str,
    ) -> Result<Self, JsValue> {
        let options = driver.options();
        let init = EventSourceInit::new();
        init.set_with_credentials(options.with_credentials);
        let source = EventSource::new_with_event_source_init_dict(&address(options, token, cursor), &init)?;
        let policy = watch_policy(driver, ticket, source.url());
        let weak = Rc::downgrade(driver);
        let mut listener = Listener::new(source.clone().into(), move |event| hear(&weak, ticket, &event));
        for name in EVENTS {
            listener.listen(name);
        }
        Ok(Self { ticket, source, listener, _policy: policy })
    }

    pub(in crate::web) fn ticket(&self) -> Ticket {
        self.ticket
    }

    /// Listens to one more named event, for servers that do not fold.
    pub(in crate::web) fn listen(&mut self, name: &str) {
        self.listener.listen(name);
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.source.close();
    }
}

fn hear(driver: &Weak<Driver>, ticket: Ticket, event: &Event) {
    let Some(driver) = driver.upgrade() else { return };
    // A message may be named `open` or `error` too; only its class tells it from the stream's own news.
    if let Some(message) = event.dyn_ref::<MessageEvent>() {
        let data = message.data().as_string().unwrap_or_default();
        let frame = Frame { event: message.type_(), id: message.last_event_id(), data };
        return driver.feed(Input::Frame(ticket, frame));
    }
    if event.type_() == "open" {
        return driver.feed(Input::Opened(ticket));
    }
    let state =
        event.target().and_then(|target| target.dyn_into::<EventSource>().ok()).map(|source| source.ready_state());
    let loss = if state == Some(EventSource::CONNECTING) { Loss::Retrying } else { Loss::Closed };
    driver.feed(Input::Lost(ticket, loss));
}

/// Listens for a violation of `connect-src` while the stream is on its way (CSP3 §5.3 fires it at the document), which names the
/// address without its fragment, and in some browsers without its query.
fn watch_policy(driver: &Rc<Driver>, ticket: Ticket, url: String) -> Option<Listener> {
    let document = get(&js_sys::global(), "document");
    let target = document.is_object().then(|| document.unchecked_into::<EventTarget>())?;
    let weak = Rc::downgrade(driver);
    let mut listener = Listener::new(target, move |event| {
        let Some(driver) = weak.upgrade() else { return };
        let is = |name, text: &str| get(&event, name).as_string().is_some_and(|value| path(&value) == text);
        if is("effectiveDirective", "connect-src") && is("blockedURI", path(&url)) {
            driver.feed(Input::Lost(ticket, Loss::Forbidden));
        }
    });
    listener.listen("securitypolicyviolation");
    Some(listener)
}

/// An address without query.
fn path(url: &str) -> &str {
    url.split('?').next().unwrap_or_default()
}

fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
}

/// The stream's URL: an `EventSource` can send no headers, so everything stands in the query.
fn address(options: &Options, token: Option<&Token>, cursor: &str) -> String {
    let base = options.url.split('#').next().unwrap_or_default();
    let mut url = String::from(base);
    let mut join = if base.contains('?') { '&' } else { '?' };
    let mut push = |name: &str, value: &str| {
        if !value.is_empty() {
            url.push(join);
            url.push_str(name);
            url.push('=');
            url.push_str(&String::from(encode_uri_component(value)));
            join = '&';
        }
    };
    push(names::Q_WIRE, names::WIRE_NATIVE);
    push(names::Q_TYPES, &options.types.join(","));
    push(names::Q_LAST_EVENT_ID, cursor);
    push(names::Q_TOKEN, token.map_or("", Token::reveal));
    url
}
