//! All routes, and what holds for every one of them.

mod admin;
mod ask;
pub mod body;
mod clients;
mod cursor;
mod dev;
mod events;
pub mod extract;
mod health;
mod host;
pub mod layer;
mod metrics;
mod pages;
pub mod publish;
pub mod response;
mod restraint;
mod revoke;
mod services;
mod session;
mod settings;
mod slots;

use std::time::Instant;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::Response,
    routing::{any, get, post},
};
use tinysse::proto::wire::names::{EVENTS, H_CURSOR, H_LAST_EVENT_ID, H_ORIGIN, H_WIRE, PUBLISH, SSE_TOKEN};
use tower_http::{
    cors::{AllowOrigin, CorsLayer},
    timeout::TimeoutLayer,
};
use tracing::Instrument;

use crate::error::{Code, Problem};
use restraint::Restraint;

pub(crate) use events::{Decided, Opened, open, stream};
pub(crate) use host::Hosts;
pub use metrics::render as render_metrics;
pub use services::{Limits, Services};
pub use settings::{Readers, Settings};

/// The target of spans. The log leaves them out: it has a line for each request.
pub const SPANS: &str = "tinysse::span";

/// Bodies of requests may be this long.
const MAX_BODY: usize = 1 << 20;

/// Returns all routes of a server, and those of the application that runs it: they get the same
/// limits, headers and log lines.
pub fn router(services: &Services, application: Router<Services>) -> Router {
    let settings = &services.settings;
    let mut routes = Router::new()
        .merge(application)
        .route(EVENTS, get(events::events))
        .route(SSE_TOKEN, post(session::stream_token))
        .route("/auth/me", get(session::me))
        .route("/auth/logout", post(session::log_out))
        .route(PUBLISH, post(publish::publish))
        .route("/cursor", get(cursor::cursor))
        .route("/revoke", post(revoke::revoke))
        .route("/rights", post(revoke::rights))
        .route("/.well-known/jwks.json", get(session::jwks))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready));
    routes = match settings.metrics {
        Readers::Open => routes.route("/metrics", get(metrics::metrics)),
        Readers::Admin => routes.route("/metrics", get(metrics::metrics_for_admin)),
        Readers::Off => routes,
    };
    if settings.admin {
        routes = routes.route("/clients", get(clients::clients)).merge(admin::routes());
    }
    if settings.dev {
        routes = routes
            .route("/auth/login", post(session::log_in))
            .route("/dev/expire", post(dev::expire))
            .route("/dev/cut", post(dev::cut))
            .route("/dev/notify", post(dev::notify));
    }
    // A wrong address under these is an error, not a page of the web app.
    for prefix in ["/api/{*rest}", "/auth/{*rest}", "/dev/{*rest}"] {
        routes = routes.route(prefix, any(nothing_here));
    }
    let routes = match &settings.pages {
        Some(dir) => routes.fallback_service(pages::pages(&settings.trusted_proxies, dir)),
        None => routes.fallback(nothing_here),
    };
    let routes = routes.method_not_allowed_fallback(wrong_method);
    let routes = match Hosts::of(settings) {
        Some(hosts) => routes.layer(middleware::from_fn_with_state(hosts, host::check)),
        None => routes,
    };
    all(services, routes)
}

/// What holds for every answer.
fn all<S>(services: &Services, routes: Router<Services>) -> Router<S> {
    let patience = services.settings.request_timeout.duration();
    routes
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, patience))
        .layer(cors(&services.settings))
        .layer(middleware::from_fn_with_state(services.clone(), observe))
        .with_state(services.clone())
}

/// What an app of its own takes over: the stream, and the ways in for services if there is a
/// publish key. No app session of the hub opens anything here, and no fallback hides the app's.
pub(crate) fn embedded<S>(services: &Services) -> Router<S> {
    let mut routes =
        Router::new().route(EVENTS, get(events::events)).route("/.well-known/jwks.json", get(session::jwks));
    if services.auth.takes_services() {
        routes = routes
            .route(PUBLISH, post(publish::publish))
            .route("/revoke", post(revoke::revoke))
            .route("/rights", post(revoke::rights));
    }
    all(services, routes)
}

/// Only listed origins may read answers, with cookies.
pub(crate) fn cors(settings: &Settings) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(settings.cors_origins.iter().cloned()))
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::CACHE_CONTROL,
            HeaderName::from_static(H_LAST_EVENT_ID),
            HeaderName::from_static(H_ORIGIN),
            HeaderName::from_static("idempotency-key"),
        ])
        .expose_headers([header::RETRY_AFTER, HeaderName::from_static(H_CURSOR), HeaderName::from_static(H_WIRE)])
        .max_age(std::time::Duration::from_secs(600))
}

/// Counts and logs. Only the path is logged: the query of a stream holds a token.
async fn observe(State(services): State<Services>, request: Request, next: Next) -> Response {
    let restraint = Restraint::of(&services, &request);
    restraint.wait().await;
    let begun = Instant::now();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let span = tracing::info_span!(
        target: SPANS,
        "request",
        otel.name = %method,
        otel.kind = "server",
        http.request.method = %method,
        url.path = path,
        http.response.status_code = tracing::field::Empty
    );
    let mut response = next.run(request).instrument(span.clone()).await;
    let status = response.status();
    restraint.answered(status);
    span.record("http.response.status_code", status.as_u16());
    // What is logged of the request belongs to it.
    let _span = span.entered();
    let code = response.extensions().get::<Code>().map(|code| code.0);
    if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS) {
        services.metrics.refused(code.unwrap_or("other"));
    }
    told(&method, &path, status, code, begun);
    hardened(&mut response);
    response
}

/// A line in the log for every request.
pub(crate) fn told(method: &Method, path: &str, status: StatusCode, code: Option<&str>, begun: Instant) {
    tracing::info!(
        target: "tinysse::http",
        %method,
        path,
        status = status.as_u16(),
        code = code.unwrap_or("-"),
        ms = begun.elapsed().as_millis(),
        "request"
    );
}

/// What every answer shows.
pub(crate) fn hardened(response: &mut Response) {
    // Addresses of streams hold tokens; no page or server elsewhere should see them.
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

async fn nothing_here() -> Problem {
    Problem::not_found("nothing has this address")
}

async fn wrong_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this address answers other methods")
}
