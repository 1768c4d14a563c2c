//! What the pollers know: `/api/progress`, and `/api/polls/{type}` for any of them.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use serde_json::{Value, json};

use crate::{app::App, auth::AppSession, error::Problem};

pub(super) async fn progress(State(app): State<Arc<App>>, _: AppSession) -> Result<Json<Value>, Problem> {
    shown(&app, "progress")
}

pub(super) async fn poll(
    State(app): State<Arc<App>>,
    _: AppSession,
    Path(kind): Path<String>,
) -> Result<Json<Value>, Problem> {
    shown(&app, &kind)
}

/// The last known value; it is served while the polled server is down, and says so.
fn shown(app: &App, kind: &str) -> Result<Json<Value>, Problem> {
    let poll = app.worker.find(kind).ok_or_else(|| Problem::not_found(format!("nothing is polled as {kind:?}")))?;
    let view = poll.view(app.clock.now());
    Ok(Json(json!({ "data": view.data, "stale": view.stale, "ageMs": view.age_ms })))
}
