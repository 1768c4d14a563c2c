//! A test's own run on the server, a client that remembers what it received, and waiting without
//! sleeping.

use std::{
    cell::RefCell,
    rc::{Rc, Weak},
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

use js_sys::{Array, Function, Object, Reflect};
use tinysse::web::JsClient;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;

use crate::page::{self, number, read, text};

/// Where the test script serves `server.mjs`.
pub(crate) const SERVER: &str = match option_env!("TINYSSE_WEB_TEST_URL") {
    Some(url) => url,
    None => "http://127.0.0.1:38917",
};

/// How often a condition is looked at before a test gives up, and the pause between two looks.
const LOOKS: u32 = 600;
const LOOK_MS: u32 = 10;

/// Waits until something is so; `what` is printed if it never is.
pub(crate) async fn until(what: &str, is: impl Fn() -> bool) {
    for _ in 0..LOOKS {
        if is() {
            return;
        }
        turn(LOOK_MS).await;
    }
    panic!("it never came true: {what}");
}

/// Lets the page run.
pub(crate) async fn turn(ms: u32) {
    JsFuture::from(page::wait(ms)).await.unwrap();
}

/// Lets everything run that is due now: microtasks, timers of no delay, events that are queued.
pub(crate) async fn rest() {
    for _ in 0..3 {
        turn(0).await;
    }
}

/// One test's share of the server.
pub(crate) struct Run {
    id: String,
}

impl Run {
    /// Ends what a test before this one left: one that fails drops nothing.
    pub(crate) fn new() -> Self {
        for client in CLIENTS.take() {
            if let Some(client) = client.upgrade() {
                client.close();
            }
        }
        page::hurry(1.0);
        page::take_reported();
        page::take_rejected();
        Self::another()
    }

    /// One more, in the same test.
    pub(crate) fn another() -> Self {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let id = format!("{}-{}", LAST.fetch_add(1, Relaxed), js_sys::Date::now());
        Self { id }
    }

    /// The stream's address; `extra` is more of the query (`&beat=200`).
    pub(crate) fn url(&self, extra: &str) -> String {
        format!("{SERVER}/events?run={}{extra}", self.id)
    }

    /// Another place of the server.
    pub(crate) fn at(&self, path: &str) -> String {
        let join = if path.contains('?') { '&' } else { '?' };
        format!("{SERVER}{path}{join}run={}", self.id)
    }

    /// Asks the server to do something: `bye?reason=drain`.
    pub(crate) async fn tell(&self, deed: &str) {
        JsFuture::from(page::get(&self.at(&format!("/do/{deed}")), true)).await.unwrap();
    }

    /// Lets something happen on the server: an update of this type, whose envelope is `data`.
    pub(crate) async fn update(&self, kind: &str, envelope: &str) {
        let data = String::from(js_sys::encode_uri_component(envelope));
        let kind = String::from(js_sys::encode_uri_component(kind));
        self.tell(&format!("update?type={kind}&data={data}")).await;
    }

    /// Sends bytes on the run's streams.
    pub(crate) async fn say(&self, bytes: &str) {
        let bytes = String::from(js_sys::encode_uri_component(bytes));
        self.tell(&format!("say?text={bytes}")).await;
    }

    /// What the server saw.
    pub(crate) async fn stats(&self) -> JsValue {
        let answer = JsFuture::from(page::get(&self.at("/stats"), false)).await.unwrap();
        page::parse(&answer.as_string().unwrap()).unwrap()
    }

    /// How many streams were asked for.
    pub(crate) async fn connects(&self) -> f64 {
        number(&self.stats().await, "connects.length")
    }

    /// Waits until what the server saw is so.
    pub(crate) async fn until(&self, what: &str, is: impl Fn(&JsValue) -> bool) -> JsValue {
        for _ in 0..LOOKS {
            let stats = self.stats().await;
            if is(&stats) {
                return stats;
            }
            turn(LOOK_MS).await;
        }
        panic!("the server never saw: {what}; it saw {}", page::json(&self.stats().await));
    }

    /// Waits until this many streams are open.
    pub(crate) async fn until_open(&self, streams: u32) {
        self.until(&format!("{streams} open streams"), |stats| number(stats, "open") == f64::from(streams)).await;
    }
}

/// Options as a JavaScript object; `more` are pairs of name and value. By default the client is
/// patient, so that a test that lets its time run faster, on a slow machine, does not see timeouts
/// that it is not about.
pub(crate) fn options(url: &str, more: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    let patience = JsValue::from(600_000);
    let usual = [
        ("url", url.into()),
        ("seed", 7.into()),
        ("connectTimeout", patience.clone()),
        ("tokenTimeout", patience.clone()),
        ("heartbeatTimeout", patience),
    ];
    for (name, value) in usual.iter().chain(more) {
        Reflect::set(&object, &(*name).into(), value).unwrap();
    }
    object.into()
}

/// A function that remembers what it was called with, as JSON.
pub(crate) struct Calls {
    seen: Rc<RefCell<Vec<JsValue>>>,
    closure: Closure<dyn FnMut(JsValue)>,
}

impl Calls {
    pub(crate) fn new() -> Self {
        Self::and(|_| {})
    }

    /// Remembers, then does something more.
    pub(crate) fn and(mut more: impl FnMut(&JsValue) + 'static) -> Self {
        let seen = Rc::new(RefCell::new(Vec::new()));
        let list = seen.clone();
        let closure = Closure::new(move |value: JsValue| {
            list.borrow_mut().push(value.clone());
            more(&value);
        });
        Self { seen, closure }
    }

    pub(crate) fn function(&self) -> Function {
        self.closure.as_ref().clone().unchecked_into()
    }

    pub(crate) fn count(&self) -> usize {
        self.seen.borrow().len()
    }

    pub(crate) fn get(&self, index: usize) -> JsValue {
        self.seen.borrow().get(index).cloned().unwrap_or_default()
    }

    /// One text field of every call.
    pub(crate) fn all(&self, path: &str) -> Vec<String> {
        self.seen.borrow().iter().map(|value| text(value, path)).collect()
    }
}

thread_local! {
    static CLIENTS: RefCell<Vec<Weak<JsClient>>> = const { RefCell::new(Vec::new()) };
}

/// A client, and everything it reported.
pub(crate) struct Probe {
    pub(crate) client: Rc<JsClient>,
    pub(crate) statuses: Calls,
    pub(crate) resyncs: Calls,
    pub(crate) updates: Calls,
}

impl Probe {
    /// A client that is subscribed to everything and not started.
    pub(crate) fn new(options: &JsValue) -> Self {
        let client = JsClient::new(options).unwrap_or_else(|error| panic!("{}", text(&error, "message")));
        let (statuses, resyncs, updates) = (Calls::new(), Calls::new(), Calls::new());
        client.on_status(Some(statuses.function()));
        client.on_resync(Some(resyncs.function()));
        client.subscribe(&"*".into(), updates.function()).unwrap();
        let client = Rc::new(client);
        CLIENTS.with_borrow_mut(|clients| clients.push(Rc::downgrade(&client)));
        Self { client, statuses, resyncs, updates }
    }

    /// One that is live.
    pub(crate) async fn live(url: &str, more: &[(&str, JsValue)]) -> Self {
        let probe = Self::new(&options(url, more));
        probe.client.start();
        probe.until_greeted().await;
        probe
    }

    pub(crate) fn status(&self) -> String {
        text(&self.client.snapshot(), "status")
    }

    pub(crate) fn snapshot(&self, path: &str) -> JsValue {
        read(&self.client.snapshot(), path)
    }

    pub(crate) async fn until_status(&self, status: &str) {
        for _ in 0..LOOKS {
            if self.status() == status {
                return;
            }
            turn(LOOK_MS).await;
        }
        panic!("it was never {status}, but {}", page::json(&self.client.snapshot()));
    }

    /// Open, and the hello was read.
    pub(crate) async fn until_greeted(&self) {
        until("a hello", || self.snapshot("clientId").is_string()).await;
    }

    pub(crate) async fn until_updates(&self, count: usize) {
        until(&format!("{count} updates"), || self.updates.count() >= count).await;
        assert_eq!(self.updates.count(), count, "more updates than there were");
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.client.close();
    }
}

/// A token provider that remembers what it was asked, and answers as set.
pub(crate) struct Provider {
    pub(crate) asks: Rc<RefCell<Vec<JsValue>>>,
    closure: Closure<dyn FnMut(JsValue) -> Result<JsValue, JsValue>>,
}

impl Provider {
    /// `answer` gets the number of the question, from 0.
    pub(crate) fn new(mut answer: impl FnMut(usize) -> Result<JsValue, JsValue> + 'static) -> Self {
        let asks = Rc::new(RefCell::new(Vec::new()));
        let list = asks.clone();
        let closure = Closure::new(move |ask: JsValue| {
            let number = list.borrow().len();
            list.borrow_mut().push(ask);
            answer(number)
        });
        Self { asks, closure }
    }

    /// Answers `t0`, `t1`, ...
    pub(crate) fn counting() -> Self {
        Self::new(|number| Ok(format!("t{number}").into()))
    }

    pub(crate) fn function(&self) -> JsValue {
        self.closure.as_ref().clone()
    }

    pub(crate) fn reasons(&self) -> Vec<String> {
        self.asks.borrow().iter().map(|ask| text(ask, "reason")).collect()
    }

    /// Whether the signal of each question was aborted.
    pub(crate) fn aborted(&self) -> Vec<bool> {
        let asks = self.asks.borrow();
        asks.iter().map(|ask| read(ask, "signal.aborted").is_truthy()).collect()
    }
}

/// A promise that never settles.
pub(crate) fn never() -> JsValue {
    page::deferred().get(0)
}

/// An object of pairs.
pub(crate) fn object(json: &str) -> JsValue {
    page::parse(json).unwrap()
}

/// A list of texts.
pub(crate) fn list(items: &[&str]) -> JsValue {
    items.iter().map(|item| JsValue::from_str(item)).collect::<Array>().into()
}
