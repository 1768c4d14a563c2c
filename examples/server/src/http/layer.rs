//! The layer around an app's handlers: it publishes what their answers [broadcast](super::response::Broadcast).
//!
//! It is a layer of tower and looks at heads only, so it goes around any service that answers HTTP, axum's routers among them.
//!
//! ```
//! use std::sync::Arc;
//! use axum::{Router, routing::post};
//! use tinysse_server::{app::App, http::{layer::Publishing, response::Response}};
//!
//! async fn rename() -> Response<&'static str> {
//!     Response::new("Apollo").broadcast("projects")
//! }
//!
//! fn routes(app: &Arc<App>) -> Router {
//!     Router::new().route("/rename", post(rename)).layer(Publishing::new(app))
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
use crate::{app::App, hub::Update};

/// Publishes what a successful answer broadcasts, in the name of the tab that asked (header `X-Tinysse-Origin`), and puts the log's place on
/// every answer (header `Tinysse-Cursor`).
///
/// *Invariant:* whoever reads an answer and follows the log from the place on it misses nothing. So the place is taken before the handler
/// reads, and after its own change is published.
#[derive(Clone, Debug)]
pub struct Publishing {
    app: Arc<App>,
}

impl Publishing {
    /// Publishes through `app`.
    #[must_use]
    pub fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app) }
    }

    /// Publishes; returns the place that the answer shows.
    ///
    /// The change is made, so the answer is a success whether the log takes it or not: what it does not take, the service owes.
    async fn publish(&self, broadcast: Option<Broadcast>, origin: Option<String>, before: EventId) -> EventId {
        let Some(Broadcast(updates)) = broadcast else { return before };
        let named = |update: Update| Update { origin: update.origin.or_else(|| origin.clone()), ..update };
        let results = self.app.updates.notify_each(updates.into_iter().map(named).collect()).await;
        let mut cursor = before;
        for id in results.into_iter().filter_map(|result| result.ok().flatten()) {
            // Others may have published between the handler's read and this change: only then is the older place needed.
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
        let before = publishing.app.streams.cursor();
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

/// The tab that asks, if it says so in a usable form.
fn origin(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(H_ORIGIN)?.to_str().ok()?;
    (1..=128).contains(&text.len()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, http::StatusCode, routing::get};
    use tower::ServiceExt;

    use super::*;
    use crate::{config::Config, http::response::Response};

    #[tokio::test]
    async fn only_a_success_is_published() {
        let config = Config::from_args(["tinysse-server", "--dev", "--memory"]).expect("complete");
        let app = App::new(config).expect("memory");
        let answer = |status| async move { (status, Response::new(1).broadcast("projects")) };
        let routes = Router::new()
            .route("/fine", get(move || answer(StatusCode::ACCEPTED)))
            .route("/conflict", get(move || answer(StatusCode::CONFLICT)))
            .route("/moved", get(move || answer(StatusCode::FOUND)))
            .layer(Publishing::new(&app));
        for (path, published) in [("/conflict", 0), ("/moved", 0), ("/fine", 1), ("/conflict", 1)] {
            let request = Request::get(path).body(Body::empty()).expect("a request");
            let response = routes.clone().oneshot(request).await.expect("an answer");
            assert_eq!(app.streams.cursor().seq, published, "{path}");
            assert_eq!(response.headers()[H_CURSOR], app.streams.cursor().text());
        }
    }

    #[tokio::test]
    async fn a_service_without_axum_is_as_good() {
        let config = Config::from_args(["tinysse-server", "--dev", "--memory"]).expect("complete");
        let app = App::new(config).expect("memory");
        let mut notices = app.updates.subscribe();
        let plain = tower::service_fn(|request: Request<&'static str>| async move {
            let mut response = axum::http::Response::new(request.into_body().len());
            let own = Update { origin: Some("mine".into()), ..Update::new("b") };
            response.extensions_mut().insert(Broadcast(vec!["a".into(), own]));
            Ok::<_, String>(response)
        });
        let request = Request::get("/").header(H_ORIGIN, "tab").body("four").expect("a request");
        let response = Publishing::new(&app).layer(plain).oneshot(request).await.expect("an answer");
        assert_eq!((response.into_body(), app.streams.cursor().seq), (4, 2));
        let origin = |notice: Arc<crate::delivery::Notice>| notice.update.origin.clone();
        assert_eq!(notices.recv().await.map(origin).ok().flatten().as_deref(), Some("tab"));
        assert_eq!(notices.recv().await.map(origin).ok().flatten().as_deref(), Some("mine"));
    }
}
