//! The web app's files, served beside the API.

use std::{
    convert::Infallible,
    path::Path,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use http_body::{Frame, SizeHint};
use tokio::time::timeout;
use tower::{Service, ServiceExt, service_fn};
use tower_http::services::{ServeDir, ServeFile};

use super::slots::{Slot, Slots};
use crate::{
    app::App,
    error::Problem,
    runtime::{Client, Conn, Descriptors, Site},
};

/// How long a request waits while too many files are open.
const PATIENCE: Duration = Duration::from_secs(10);

/// Files of a directory; any other address is its `index.html`, so that routes of the web app can be reloaded.
///
/// A response holds its file open until it is sent, so the number of open files is bounded, in all and by address: readers that take
/// their time leave descriptors for the streams.
pub(super) fn pages(
    app: &Arc<App>,
    dir: &Path,
) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + Sync + 'static {
    let files = ServeDir::new(dir).fallback(ServeFile::new(dir.join("index.html")));
    let (app, slots) = (Arc::clone(app), Slots::new(Descriptors::current().pages()));
    service_fn(move |request: Request| {
        let (files, app, slots) = (files.clone(), Arc::clone(&app), slots.clone());
        async move {
            let peer = request.extensions().get::<Arc<Conn>>().and_then(|conn| conn.peer());
            let client = peer.map(|peer| Client::of(peer, request.headers(), &app.config.limits.proxies));
            let Ok(Some(slot)) = timeout(PATIENCE, slots.take(client.and_then(Client::site))).await else {
                return Ok(Problem::unavailable("busy", "too many files are being sent", 1).into_response());
            };
            let mut response =
                files.oneshot(request).await.into_response().map(|body| Body::new(Held { body, _slot: slot }));
            // Asked again each time, answered 304 mostly: a new build shows at once. Not `no-store`, which would keep pages out of the
            // back/forward cache.
            response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-cache"));
            Ok(response)
        }
    })
}

/// A body that holds a slot until it is sent or dropped.
struct Held {
    body: Body,
    _slot: Slot<Site>,
}

impl http_body::Body for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
