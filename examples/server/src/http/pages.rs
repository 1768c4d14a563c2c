//! The web app's files, served beside the API.

use std::{convert::Infallible, path::Path};

use axum::{
    extract::Request,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use tower::{Service, ServiceExt, service_fn};
use tower_http::services::{ServeDir, ServeFile};

/// Files of a directory; any other address is its `index.html`, so that routes of the web app can be reloaded.
pub(super) fn pages(
    dir: &Path,
) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + Sync + 'static {
    let files = ServeDir::new(dir).fallback(ServeFile::new(dir.join("index.html")));
    service_fn(move |request: Request| {
        let files = files.clone();
        async move {
            let mut response = files.oneshot(request).await.into_response();
            // Asked again each time, answered 304 mostly: a new build shows at once. Not `no-store`, which would keep pages out of the
            // back/forward cache.
            response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-cache"));
            Ok(response)
        }
    })
}
