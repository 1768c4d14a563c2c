//! What handlers of an app answer: the data, and what changed. They know nothing of streams; the layer here publishes for them.
//!
//! ```
//! use tinysse_server::http::response::Response;
//! async fn rename() -> Response<&'static str> {
//!     Response::new("Apollo").broadcast("projects")
//! }
//! ```

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    middleware::Next,
    response::IntoResponse,
};
use serde::Serialize;
use tinysse::core::wire::names::{H_CURSOR, H_ORIGIN};

use crate::{app::App, hub::Update};

/// An answer of the app: `{"data":...,"broadcast":["projects"]}`.
#[derive(Clone, Debug, Serialize)]
pub struct Response<T> {
    data: T,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    broadcast: Vec<&'static str>,
    #[serde(skip)]
    status: StatusCode,
}

/// In the extensions of an answer: the types to publish if it is a success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broadcast(pub Vec<&'static str>);

impl<T> Response<T> {
    /// 200 with data, nothing changed.
    pub fn new(data: T) -> Self {
        Self { data, broadcast: Vec::new(), status: StatusCode::OK }
    }

    /// 201.
    pub fn created(data: T) -> Self {
        Self { status: StatusCode::CREATED, ..Self::new(data) }
    }

    /// And something of this type changed.
    #[must_use]
    pub fn broadcast(mut self, kind: &'static str) -> Self {
        self.broadcast.push(kind);
        self
    }
}

impl<T: Serialize> IntoResponse for Response<T> {
    fn into_response(self) -> axum::response::Response {
        let broadcast = Broadcast(self.broadcast.clone());
        let mut response = (self.status, Json(self)).into_response();
        if !broadcast.0.is_empty() {
            response.extensions_mut().insert(broadcast);
        }
        response
    }
}

/// The layer: publishes what a successful answer broadcasts, in the name of the tab that asked, and puts the log's place on every answer.
///
/// *Invariant:* whoever reads an answer and follows the log from the place on it misses nothing. So the place is taken before the handler
/// reads, and after its own change is published.
pub async fn broadcast(State(app): State<Arc<App>>, request: Request, next: Next) -> axum::response::Response {
    let origin = origin(request.headers());
    let before = app.streams.cursor();
    let mut response = next.run(request).await;
    let kinds = response.extensions_mut().remove::<Broadcast>().filter(|_| response.status().is_success());
    let mut cursor = before;
    for kind in kinds.into_iter().flat_map(|kinds| kinds.0) {
        let update = Update { origin: origin.clone(), ..Update::new(kind) };
        // The change is made: that it was not published, for whatever reason, is logged and counted by the service.
        if let Ok(Some(id)) = app.updates.notify_with(update).await
            // Others may have published between the handler's read and this change: only then is the older place needed.
            && id.seq == cursor.seq + 1
        {
            cursor = id;
        }
    }
    if let Ok(value) = HeaderValue::from_str(&cursor.text()) {
        response.headers_mut().insert(HeaderName::from_static(H_CURSOR), value);
    }
    response
}

/// The tab that asks, if it says so in a usable form.
fn origin(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(H_ORIGIN)?.to_str().ok()?;
    (1..=128).contains(&text.len()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, middleware::from_fn_with_state, routing::get};
    use tower::ServiceExt;

    use super::*;
    use crate::config::Config;

    #[tokio::test]
    async fn only_a_success_is_published() {
        let config = Config::from_args(["tinysse-server", "--dev", "--memory"]).expect("complete");
        let app = App::new(config).expect("memory");
        let answer = |status| async move { (status, Response::new(1).broadcast("projects")) };
        let routes = Router::new()
            .route("/fine", get(move || answer(StatusCode::ACCEPTED)))
            .route("/conflict", get(move || answer(StatusCode::CONFLICT)))
            .route("/moved", get(move || answer(StatusCode::FOUND)))
            .layer(from_fn_with_state(Arc::clone(&app), broadcast));
        for (path, published) in [("/conflict", 0), ("/moved", 0), ("/fine", 1), ("/conflict", 1)] {
            let request = Request::get(path).body(Body::empty()).expect("a request");
            let response = routes.clone().oneshot(request).await.expect("an answer");
            assert_eq!(app.streams.cursor().seq, published, "{path}");
            assert_eq!(response.headers()[H_CURSOR], app.streams.cursor().text());
        }
    }
}
