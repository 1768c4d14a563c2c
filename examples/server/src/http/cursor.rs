//! `GET /cursor`: the head of the log, for whoever reads data first and follows the log from there.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderName, header},
    response::IntoResponse,
};
use serde_json::json;
use tinysse::core::wire::names::H_CURSOR;

use crate::{app::App, error::Problem};

/// For users with an app session and for services: those who see the header on other answers.
pub(super) async fn cursor(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<impl IntoResponse, Problem> {
    if app.auth.service(&headers).is_err() {
        app.auth.session(&headers).await?;
    }
    let cursor = app.streams.cursor().text();
    let head = [(header::CACHE_CONTROL, "no-store".to_owned()), (HeaderName::from_static(H_CURSOR), cursor.clone())];
    Ok((head, Json(json!({ "cursor": cursor }))))
}
