//! For those who run the server: alive, ready, metrics.

use std::sync::Arc;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};

use crate::{app::App, auth::Admin, engine::Health, error::Problem};

/// The process works.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// It wants traffic. Not any more as soon as it begins to drain, and not while it is cut off from the other nodes.
///
/// What the log refused is no reason to take traffic away: streams are served from memory, and another node would have the same log.
pub(super) async fn ready(State(app): State<Arc<App>>) -> Result<String, Problem> {
    if app.streams.is_draining() {
        return Err(Problem::unavailable("draining", "the server shuts down", 1));
    }
    match app.engine.health() {
        // Nothing is lost by serving streams while the disk is full.
        Health::Good | Health::Refusing(_) => {}
        Health::Away(error) => return Err(Problem::unavailable("log_away", error.to_string(), 1)),
    }
    // Else somebody would be let in whose rights are gone.
    if app.shared.as_ref().is_some_and(|shared| !shared.hears()) {
        return Err(Problem::unavailable("nodes_away", "what other nodes say of rights is not heard", 1));
    }
    Ok(match app.updates.owed().count() {
        0 => "ok\n".to_owned(),
        owed => format!("ok\nowed: {owed} types wait for the log\n"),
    })
}

/// For whoever shows the admin key.
pub(super) async fn metrics_for_admin(app: State<Arc<App>>, _: Admin) -> Response {
    metrics(app).await
}

pub(super) async fn metrics(State(app): State<Arc<App>>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], app.metrics.render(&app)).into_response()
}
