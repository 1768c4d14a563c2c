//! The state of the connection, once and as a stream of its changes.

use std::{
    pin::Pin,
    rc::Rc,
    string::String,
    task::{Context, Poll},
    time::Duration,
};

use futures_core::Stream;
use wasm_bindgen::JsValue;

use super::{
    channel::{Buffer, Channel, Channels},
    error::Error,
    js,
};
use crate::proto::session::io::Phase;

/// The connection as the user sees it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Status {
    /// In one word.
    pub phase: Phase,
    /// Why it is not open, if something failed.
    pub error: Option<Error>,
    /// How many tries failed since a stream proved good.
    pub attempt: u32,
    /// How long until the next try, counted from the moment of this value; `None` if the client
    /// waits for nothing.
    pub retry_in: Option<Duration>,
}

/// [`Status`], and what the client counted.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The connection.
    pub status: Status,
    /// The hub's name for this stream, if a tinysse hub greeted it.
    pub client_id: Option<String>,
    /// The cursor: the id up to which everything was seen. Empty before the first.
    pub last_event_id: String,
    /// The user whose updates it carries, if it is known.
    pub user: Option<String>,
    /// Streams that were asked for.
    pub connects: u32,
    /// Updates that were delivered.
    pub events: u32,
    /// Updates that came twice and were delivered once.
    pub duplicates: u32,
    /// Gaps that were announced.
    pub resyncs: u32,
}

impl Status {
    pub(super) fn read(snapshot: &JsValue) -> Self {
        let error = js::field(snapshot, "error");
        Self {
            phase: js::word(snapshot, "status", Phase::parse, Phase::Idle),
            error: error.is_object().then(|| Error::read(&error)),
            attempt: js::count(snapshot, "attempt"),
            retry_in: js::number(snapshot, "retryAt").map(|ms| Duration::from_millis(ms as u64)), // saturates
        }
    }
}

impl Snapshot {
    pub(super) fn read(snapshot: &JsValue) -> Self {
        Self {
            status: Status::read(snapshot),
            client_id: js::text(snapshot, "clientId"),
            last_event_id: js::text(snapshot, "lastEventId").unwrap_or_default(),
            user: js::text(snapshot, "user"),
            connects: js::count(snapshot, "connects"),
            events: js::count(snapshot, "events"),
            duplicates: js::count(snapshot, "duplicates"),
            resyncs: js::count(snapshot, "resyncs"),
        }
    }
}

/// The last status that was not looked at yet.
#[derive(Debug, Default)]
pub(super) struct Latest(pub(super) Option<Status>);

impl Buffer for Latest {
    type Item = Status;

    fn pop(&mut self) -> Option<Status> {
        self.0.take()
    }
}

/// The stream of [`statuses`](crate::SseClient::statuses).
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct Statuses {
    channel: Rc<Channel<Latest>>,
    among: Rc<Channels<Latest>>,
}

impl Statuses {
    pub(super) fn new(now: Status, among: &Rc<Channels<Latest>>) -> Self {
        let channel = Channel::new(Latest(Some(now)));
        among.add(&channel);
        Self { channel, among: among.clone() }
    }

    /// The next status; `None` once the client is closed. What `StreamExt::next` does, without a
    /// further crate.
    pub async fn next(&mut self) -> Option<Status> {
        std::future::poll_fn(|context| self.channel.poll(context)).await
    }
}

impl Stream for Statuses {
    type Item = Status;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Status>> {
        self.channel.poll(context)
    }
}

impl Drop for Statuses {
    fn drop(&mut self) {
        self.among.remove(&self.channel);
    }
}
