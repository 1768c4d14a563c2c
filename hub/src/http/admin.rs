//! `/admin`: a page for operators. The page itself knows nothing: it asks for the admin key and
//! shows it with every question. So there is no cookie that another site could use.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderValue, header},
    middleware,
    response::{Redirect, Response},
    routing::{get, post},
};
use serde::Serialize;

use super::{
    Services,
    body::JsonBytes,
    extract::Admin,
    publish::{Ids, publish_bytes},
};
use crate::{
    engine::{Engine, Health},
    error::Problem,
    publish::UpdateService,
    stream::{Streams, TypeSeen, UpdateSeen},
};

/// Updates that are shown.
const TAIL: usize = 100;

/// Everything comes from here, nothing is inline, nothing may frame it, and texts cannot become
/// markup even by a mistake.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// The look is that of the live page.
const STYLES: &str = concat!(
    include_str!("../../admin/tokens.css"),
    include_str!("../../admin/parts.css"),
    include_str!("../../admin/page.css")
);

/// What the page shows beside `/clients`.
#[derive(Serialize)]
struct Now {
    version: &'static str,
    cursor: String,
    streams: usize,
    /// Updates that the log keeps, and bytes they take.
    log: (usize, usize),
    frames: u64,
    resyncs: u64,
    writable: bool,
    draining: bool,
    types: Vec<TypeSeen>,
    tail: Vec<UpdateSeen>,
}

pub(super) fn routes() -> Router<Services> {
    let file =
        |kind: &'static str, text: &'static str| get(move || async move { ([(header::CONTENT_TYPE, kind)], text) });
    Router::new()
        .route("/admin", get(|| async { Redirect::permanent("/admin/") }))
        .route("/admin/", file("text/html; charset=utf-8", include_str!("../../admin/index.html")))
        .route("/admin/page.js", file("text/javascript; charset=utf-8", include_str!("../../admin/page.js")))
        .route("/admin/table.js", file("text/javascript; charset=utf-8", include_str!("../../admin/table.js")))
        .route("/admin/page.css", file("text/css; charset=utf-8", STYLES))
        .route("/admin/icon.svg", file("image/svg+xml", include_str!("../../admin/icon.svg")))
        .route("/admin/now", get(now))
        .route("/admin/publish", post(publish))
        .layer(middleware::map_response(guarded))
}

async fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    response
}

async fn now(State(streams): State<Arc<Streams>>, State(engine): State<Arc<dyn Engine>>, _: Admin) -> Json<Now> {
    let (counts, log) = streams.counts();
    Json(Now {
        version: env!("CARGO_PKG_VERSION"),
        cursor: streams.cursor().text(),
        streams: streams.count(),
        log,
        frames: counts.frames,
        resyncs: counts.resyncs.iter().map(|(_, count)| count).sum(),
        writable: engine.health() == Health::Good,
        draining: streams.is_draining(),
        types: streams.types(),
        tail: streams.tail(TAIL),
    })
}

/// As `POST /publish`.
async fn publish(
    State(updates): State<Arc<UpdateService>>,
    _: Admin,
    JsonBytes(body): JsonBytes,
) -> Result<Json<Ids>, Problem> {
    publish_bytes(&updates, &body, None).await
}
