//! `GET /cursor`: the head of the log, for clients that read data first and follow the log from
//! there.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderName, header},
    response::IntoResponse,
};
use serde_json::json;
use tinysse::proto::wire::names::H_CURSOR;

use super::extract::Reader;
use crate::stream::Streams;

/// For users with an app session and for services: those who see the header on other answers.
pub(super) async fn cursor(State(streams): State<Arc<Streams>>, _: Reader) -> impl IntoResponse {
    let cursor = streams.cursor().text();
    let head = [(header::CACHE_CONTROL, "no-store".to_owned()), (HeaderName::from_static(H_CURSOR), cursor.clone())];
    (head, Json(json!({ "cursor": cursor })))
}
