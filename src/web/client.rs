//! `SseClient`, the class that JavaScript sees. The typed facade in `js/client/client.ts` drives
//! it.

use alloc::{rc::Rc, string::String, vec::Vec};

use js_sys::Function;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use super::{
    bindings,
    driver::{Driver, ON_RESYNC, ON_STATUS, ON_TABS},
    input::word,
    options::{Options, bad_option},
};
use crate::proto::{
    registry::{Pattern, Subscriber},
    wire::split_once_at,
};

/// A client with at most one connection.
///
/// ```js
/// const client = new SseClient({ url: '/events', token: () => fetchToken() });
/// client.subscribe('projects', (update) => console.log(update.type, update.id));
/// client.start();
/// ```
#[wasm_bindgen(js_name = SseClient)]
#[derive(Debug)]
pub struct JsClient {
    driver: Rc<Driver>,
}

#[wasm_bindgen(js_class = SseClient)]
impl JsClient {
    /// Reads the options; nothing is opened before `start`.
    ///
    /// # Errors
    /// An error with `code: 'options'` that names the option which is unknown or of the wrong type.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &JsValue) -> Result<Self, JsValue> {
        #[cfg(feature = "std")]
        console_error_panic_hook::set_once();
        Ok(Self { driver: Driver::new(Options::read(options)?) })
    }

    /// What passes through wasm without a change is asked of this: `equip.js` gives the class its
    /// methods.
    #[wasm_bindgen(getter)]
    pub fn page(&self) -> JsValue {
        self.driver.page_object()
    }

    /// Ends the client for good. No callback comes after it.
    pub fn close(&self) {
        self.driver.close();
    }

    /// Calls `call(update)` for every update of a type (`'projects'`), of types below a prefix
    /// (`'compute.*'`), of all (`'*'`) or of a list of these. The number names the subscription.
    ///
    /// # Errors
    /// An error with `code: 'options'` for an invalid pattern.
    pub fn subscribe(&self, types: &JsValue, call: Function) -> Result<u32, JsValue> {
        let wrong = || bad_option("subscribe: expected a type, 'prefix.*', '*', or a list of these");
        let names = bindings::texts(types).ok_or_else(wrong)?;
        let (mut patterns, mut rest) = (Vec::new(), names.as_str());
        while !rest.is_empty() {
            let (name, tail) = split_once_at(rest, b'\n').unwrap_or((rest, ""));
            patterns.push(Pattern::parse(name).ok_or_else(wrong)?);
            rest = tail;
        }
        Ok(self.driver.subscribe(patterns, &names, call))
    }

    /// Ends a subscription, from inside a callback too; false if there was none.
    pub fn unsubscribe(&self, id: u32) -> bool {
        self.driver.unsubscribe(Subscriber(id))
    }

    /// What was counted, in the order of `ConnectReason::ALL` and then of `Gap::ALL` in
    /// `src/proto`, and the last inputs of the session: `{ counts, trace, inputs }`, of which the
    /// trace is empty in the smallest build.
    pub fn inspect(&self) -> JsValue {
        self.driver.inspect()
    }

    /// The client's state, as a new plain object.
    pub fn snapshot(&self) -> JsValue {
        self.driver.snapshot()
    }
}

/// What the class has in JavaScript too, without a way through wasm.
impl JsClient {
    /// Connects, from idle or failed.
    pub fn start(&self) {
        self.driver.start(word::START);
    }

    /// Disconnects. The cursor is kept: `start` resumes from it.
    pub fn stop(&self) {
        self.driver.request(word::STOP, "");
    }

    /// Disconnects until `resume`.
    pub fn pause(&self) {
        self.driver.request(word::PAUSE, "");
    }

    /// Ends a `pause`.
    pub fn resume(&self) {
        self.driver.request(word::RESUME, "");
    }

    /// Drops stream and token and connects anew, at once.
    pub fn reconnect(&self) {
        self.driver.start(word::RECONNECT);
    }

    /// Sets whose connection it is from now on: without a user, there is no connection. Of another
    /// user nothing is kept.
    pub fn set_user(&self, user: Option<String>) {
        self.driver.request(word::SET_USER, &user.unwrap_or_default());
    }

    /// Drops stream, token and cursor, and connects no more until there is a reason to: `start`,
    /// `reconnect`, a user, or the page that is looked at again.
    pub fn forget(&self) {
        self.driver.start(word::FORGET);
    }

    /// Calls `call(snapshot)` when the status changes. One function at a time.
    pub fn on_status(&self, call: Option<Function>) {
        self.driver.keep(ON_STATUS, call);
    }

    /// Calls `call({ gap, types })` when updates may be missing. One function at a time; `types` is
    /// null for all.
    pub fn on_resync(&self, call: Option<Function>) {
        self.driver.keep(ON_RESYNC, call);
    }

    /// Calls `call([ticket, cursor, user])` to follow the tab that holds the connection, and
    /// `call([event, id, data])` with events of an own stream, for tabs that follow this one. Only
    /// with the option `share`; one function at a time.
    pub fn on_tabs(&self, call: Option<Function>) {
        self.driver.keep(ON_TABS, call);
    }

    /// This tab is to hold the connection, or to follow another one; called again, to follow anew.
    pub fn lead(&self, lead: bool) {
        self.driver.request(if lead { word::LEAD } else { word::FOLLOW }, "");
    }

    /// What the tab that is followed passes on, for the stream of this ticket: type, id and data, a
    /// line each, of which the data may have more. The first of it opens the stream.
    pub fn receive_relayed(&self, ticket: u32, frame: &str) {
        self.driver.receive_relayed(ticket, frame);
    }
}

impl Drop for JsClient {
    fn drop(&mut self) {
        self.driver.close();
    }
}
