//! The client: a handle to be cloned, and the streams that hang on it.

use std::{rc::Rc, string::String};

use js_sys::Function;
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};

use super::{
    builder::Builder,
    channel::{Channel, Channels},
    error::Error,
    patterns::Patterns,
    queue::Held,
    resync::{Joined, Resync, Resyncs},
    status::{Latest, Snapshot, Status, Statuses},
    token::Asked,
    updates::Updates,
};
use crate::web;

/// A client with at most one connection, for frontends in Rust. Clones are handles to the same
/// client; when the last one is dropped, the client is closed. Streams are no handles: they end
/// with it.
///
/// ```no_run
/// use tinysse::{Phase, SseClient};
///
/// # async fn example() -> Result<(), tinysse::Error> {
/// let client = SseClient::builder("/events").build()?;
/// let mut statuses = client.statuses();
/// client.start();
/// while let Some(status) = statuses.next().await {
///     match (status.phase, status.error) {
///         (Phase::Open, _) => log("live"),
///         (Phase::Failed, Some(error)) => log(&format!("gave up: {error}")),
///         (phase, _) => log(phase.as_str()),
///     }
/// }
/// # Ok(()) }
/// # fn log(_: &str) {}
/// ```
#[derive(Clone, Debug)]
pub struct SseClient {
    shared: Rc<Shared>,
}

impl SseClient {
    /// A client of the stream at this URL, relative to the page.
    pub fn builder(url: impl AsRef<str>) -> Builder {
        Builder::new(url.as_ref())
    }

    pub(super) fn new(class: web::JsClient, asked: Option<Asked>) -> Self {
        Self { shared: Rc::new(Shared::new(class, asked)) }
    }

    /// Connects, from idle or failed.
    pub fn start(&self) {
        self.shared.class.start();
    }

    /// Disconnects. The cursor is kept: [`start`](Self::start) resumes from it.
    pub fn stop(&self) {
        self.shared.class.stop();
    }

    /// Disconnects until [`resume`](Self::resume).
    pub fn pause(&self) {
        self.shared.class.pause();
    }

    /// Ends a [`pause`](Self::pause).
    pub fn resume(&self) {
        self.shared.class.resume();
    }

    /// Drops stream and token and connects anew, at once.
    pub fn reconnect(&self) {
        self.shared.class.reconnect();
    }

    /// Sets who is signed in; `None` is no user, and ends the connection. For another user than
    /// before, stream, token and cursor are dropped at once, what streams of updates still hold is
    /// dropped, and the token provider is asked anew.
    ///
    /// ```no_run
    /// # fn example(client: &tinysse::SseClient, session: Option<&str>) {
    /// client.set_user(session);
    /// # }
    /// ```
    pub fn set_user(&self, id: Option<&str>) {
        if id != self.snapshot().user.as_deref() || id.is_none() {
            self.shared.clear();
        }
        self.shared.class.set_user(id.map(String::from));
    }

    /// Drops stream, token and cursor, at logout. The client is idle until
    /// [`set_user`](Self::set_user), [`reconnect`](Self::reconnect) or [`start`](Self::start), or
    /// until the page is shown again.
    pub fn forget(&self) {
        self.shared.clear();
        self.shared.class.forget();
    }

    /// Ends the client for good, and all its streams with it. The other handles find it closed.
    pub fn close(&self) {
        self.shared.close();
    }

    /// The updates of these types, from now on, whose data is a `T`: `()` for none,
    /// [`IgnoredAny`](serde::de::IgnoredAny) for whatever it is. What does not fit is an error,
    /// after which the stream goes on.
    ///
    /// ```no_run
    /// #[derive(serde::Deserialize)]
    /// struct Progress { percent: f64 }
    ///
    /// # async fn example(client: tinysse::SseClient) -> Result<(), tinysse::Error> {
    /// let mut updates = client.subscribe::<Progress>(["progress", "compute.*"])?;
    /// while let Some(update) = updates.next().await {
    ///     match update {
    ///         Ok(update) => draw(&update.kind, update.data.percent),
    ///         Err(error) => complain(&error),
    ///     }
    /// }
    /// # Ok(()) }
    /// # fn draw(_: &str, _: f64) {}
    /// # fn complain(_: &tinysse::DataError) {}
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Options`](crate::ErrorKind::Options) for an invalid pattern.
    pub fn subscribe<T: DeserializeOwned>(&self, patterns: impl Into<Patterns>) -> Result<Updates<T>, Error> {
        Updates::typed(&self.shared, &patterns.into())
    }

    /// The same with the data as JavaScript has it.
    ///
    /// # Errors
    /// [`ErrorKind::Options`](crate::ErrorKind::Options) for an invalid pattern.
    pub fn subscribe_raw(&self, patterns: impl Into<Patterns>) -> Result<Updates<JsValue>, Error> {
        Updates::raw(&self.shared, &patterns.into())
    }

    /// Returns the present status, and each that follows. A slow reader receives the latest only.
    pub fn statuses(&self) -> Statuses {
        Statuses::new(self.status(), &self.shared.statuses)
    }

    /// The news of gaps, from now on. To a slow reader several are one: the latest reason, all
    /// types.
    pub fn resyncs(&self) -> Resyncs {
        Resyncs::new(&self.shared.resyncs)
    }

    /// The status of now.
    #[must_use]
    pub fn status(&self) -> Status {
        Status::read(&self.shared.class.snapshot())
    }

    /// The status of now, and what was counted.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::read(&self.shared.class.snapshot())
    }
}

/// Handles to the same client are equal; frameworks ask that of what they hand on.
impl PartialEq for SseClient {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.shared, &other.shared)
    }
}

impl Eq for SseClient {}

/// What all handles hold. No function of the page holds it, so that it ends with the last handle.
#[derive(Debug)]
pub(super) struct Shared {
    class: web::JsClient,
    updates: Channels<Held>,
    statuses: Rc<Channels<Latest>>,
    resyncs: Rc<Channels<Joined>>,
    /// The page calls these as long as the class lives, which is above: fields are dropped in their
    /// order.
    _calls: [Closure<dyn Fn(JsValue)>; 2],
    _asked: Option<Asked>,
}

impl Shared {
    fn new(class: web::JsClient, asked: Option<Asked>) -> Self {
        let (statuses, resyncs) = (Rc::new(Channels::new()), Rc::new(Channels::new()));
        let told: Rc<Channels<Latest>> = statuses.clone();
        let on_status = Closure::<dyn Fn(JsValue)>::new(move |snapshot: JsValue| {
            let status = Status::read(&snapshot);
            told.each(|channel| channel.put(|latest| latest.0 = Some(status.clone())));
        });
        let told: Rc<Channels<Joined>> = resyncs.clone();
        let on_resync = Closure::<dyn Fn(JsValue)>::new(move |resync: JsValue| {
            let resync = Resync::read(&resync);
            told.each(|channel| channel.put(|joined| joined.add(resync.clone())));
        });
        class.on_status(Some(function(&on_status)));
        class.on_resync(Some(function(&on_resync)));
        Self { class, updates: Channels::new(), statuses, resyncs, _calls: [on_status, on_resync], _asked: asked }
    }

    pub(super) fn subscribe(
        &self,
        patterns: &JsValue,
        call: Function,
        channel: &Rc<Channel<Held>>,
    ) -> Result<u32, Error> {
        let subscription = self.class.subscribe(patterns, call).map_err(|error| Error::read(&error))?;
        self.updates.add(channel);
        Ok(subscription)
    }

    pub(super) fn unsubscribe(&self, subscription: u32, channel: &Rc<Channel<Held>>) {
        self.updates.remove(channel);
        self.class.unsubscribe(subscription);
    }

    /// Drops what the streams of updates hold.
    fn clear(&self) {
        self.updates.each(|channel| channel.put(Held::clear));
    }

    fn close(&self) {
        self.class.close();
        self.updates.end();
        self.statuses.end();
        self.resyncs.end();
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.close();
    }
}

fn function(closure: &Closure<dyn Fn(JsValue)>) -> Function {
    closure.as_ref().unchecked_ref::<Function>().clone()
}
