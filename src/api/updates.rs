//! A subscription as a stream. To drop it is to unsubscribe.

use std::{
    fmt,
    pin::Pin,
    rc::{Rc, Weak},
    task::{Context, Poll},
};

use futures_core::Stream;
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};

use super::{
    channel::Channel,
    client::Shared,
    error::Error,
    patterns::Patterns,
    queue::{Held, Queue},
    update::{DataError, Update},
};

/// The stream of [`subscribe`](crate::SseClient::subscribe). It ends when the client is closed, or
/// its last handle dropped, and lets go what it still held.
#[must_use = "streams do nothing unless polled, and a subscription that is dropped is over"]
pub struct Updates<T> {
    channel: Rc<Channel<Held>>,
    client: Weak<Shared>,
    subscription: u32,
    decode: fn(Update<JsValue>) -> Result<Update<T>, DataError>,
    _heard: Closure<dyn Fn(JsValue)>,
}

impl Updates<JsValue> {
    pub(super) fn raw(client: &Rc<Shared>, patterns: &Patterns) -> Result<Self, Error> {
        Self::new(client, patterns, Ok)
    }
}

impl<T> Updates<T> {
    pub(super) fn typed(client: &Rc<Shared>, patterns: &Patterns) -> Result<Self, Error>
    where
        T: DeserializeOwned,
    {
        Self::new(client, patterns, Update::decode)
    }

    fn new(
        client: &Rc<Shared>,
        patterns: &Patterns,
        decode: fn(Update<JsValue>) -> Result<Update<T>, DataError>,
    ) -> Result<Self, Error> {
        let channel = Channel::new(Held::default());
        let into = Rc::downgrade(&channel);
        let heard = Closure::<dyn Fn(JsValue)>::new(move |update: JsValue| {
            if let Some(channel) = into.upgrade() {
                channel.put(|held| held.add(Update::read(&update)));
            }
        });
        let call = heard.as_ref().unchecked_ref::<js_sys::Function>().clone();
        let subscription = client.subscribe(&patterns.to_js()?, call, &channel)?;
        Ok(Self { channel, client: Rc::downgrade(client), subscription, decode, _heard: heard })
    }

    /// How many updates may wait, and what becomes of more. Without it, the newest 1,024.
    pub fn with_queue(self, queue: Queue) -> Self {
        self.channel.put(|held| held.set(queue));
        self
    }

    /// How many updates the queue let go, so far, because the reader was slower than the server.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.channel.look(Held::dropped)
    }

    /// The next update; `None` once the client is closed. What `StreamExt::next` does, without a
    /// further crate.
    ///
    /// # Errors
    /// As the stream: see [`DataErrorKind`](crate::DataErrorKind).
    pub async fn next(&mut self) -> Option<Result<Update<T>, DataError>> {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    fn poll(&self, context: &Context<'_>) -> Poll<Option<Result<Update<T>, DataError>>> {
        self.channel.poll(context).map(|next| next.map(|update| (self.decode)(update?)))
    }
}

impl<T> Stream for Updates<T> {
    type Item = Result<Update<T>, DataError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll(context)
    }
}

impl<T> Drop for Updates<T> {
    fn drop(&mut self) {
        if let Some(client) = self.client.upgrade() {
            client.unsubscribe(self.subscription, &self.channel);
        }
    }
}

impl<T> fmt::Debug for Updates<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Updates").field("subscription", &self.subscription).finish_non_exhaustive()
    }
}
