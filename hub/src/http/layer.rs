//! The layer around an app's handlers: it publishes what their answers
//! [broadcast](super::response::Broadcast).
//!
//! It is a layer of tower and looks at heads only, so it goes around any service that answers HTTP,
//! axum's routers among them.
//!
//! ```
//! use axum::{Router, routing::post};
//! use tinysse_hub::http::{Services, layer::Publishing, response::Response};
//!
//! async fn rename() -> Response<&'static str> {
//!     Response::new("Apollo").broadcast("projects")
//! }
//!
//! fn routes(services: &Services) -> Router<Services> {
//!     Router::new().route("/rename", post(rename)).layer(services.publishing())
//! }
//! ```

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use tinysse::proto::wire::{
    id::EventId,
    names::{H_CURSOR, H_ORIGIN},
};
use tower::{Layer, Service};

use super::response::Broadcast;
use crate::{hub::Update, publish::UpdateService, stream::Streams};

/// Publishes what a successful answer broadcasts, in the name of the tab that asked (header
/// `X-Tinysse-Origin`), and puts the log's place on every answer (header `Tinysse-Cursor`).
///
/// *Invariant:* a client that reads an answer and follows the log from the place on it misses
/// nothing. So the place is taken before the handler reads, and after its own change is published.
#[derive(Clone, Debug)]
pub struct Publishing {
    updates: Arc<UpdateService>,
    streams: Arc<Streams>,
}

impl Publishing {
    /// Publishes through `updates`, to these streams.
    #[must_use]
    pub fn new(updates: Arc<UpdateService>, streams: Arc<Streams>) -> Self {
        Self { updates, streams }
    }

    /// Publishes; returns the place that the answer shows.
    ///
    /// The change is made, so the answer is a success whether the log takes it or not: what it does
    /// not take, the service owes.
    async fn publish(&self, broadcast: Option<Broadcast>, origin: Option<String>, before: EventId) -> EventId {
        let Some(Broadcast(updates)) = broadcast else { return before };
        let named = |update: Update| Update { origin: update.origin.or_else(|| origin.clone()), ..update };
        let results = self.updates.notify_each(updates.into_iter().map(named).collect()).await;
        let mut cursor = before;
        for id in results.into_iter().filter_map(|result| result.ok().flatten()) {
            // Others may have published between the handler's read and this change: only then is
            // the older place needed.
            if id.seq == cursor.seq + 1 {
                cursor = id;
            }
        }
        cursor
    }
}

impl<S> Layer<S> for Publishing {
    type Service = Publishes<S>;

    fn layer(&self, inner: S) -> Publishes<S> {
        Publishes { inner, publishing: self.clone() }
    }
}

/// A service inside the layer [`Publishing`].
#[derive(Clone, Debug)]
pub struct Publishes<S> {
    inner: S,
    publishing: Publishing,
}

impl<S, B, R> Service<Request<B>> for Publishes<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
    R: Send + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let origin = origin(request.headers());
        let publishing = self.publishing.clone();
        let before = publishing.streams.cursor();
        let answer = self.inner.call(request);
        Box::pin(async move {
            let mut response = answer.await?;
            let broadcast = response.extensions_mut().remove::<Broadcast>().filter(|_| response.status().is_success());
            let cursor = publishing.publish(broadcast, origin, before).await;
            if let Ok(value) = HeaderValue::from_str(&cursor.text()) {
                response.headers_mut().insert(HeaderName::from_static(H_CURSOR), value);
            }
            Ok(response)
        })
    }
}

/// The tab that asks, if it names itself in a usable form.
fn origin(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(H_ORIGIN)?.to_str().ok()?;
    (1..=128).contains(&text.len()).then(|| text.to_owned())
}
