//! `GET /clients`: the open streams, for operators.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use serde::{Deserialize, Serialize};

use super::extract::Admin;
use crate::{
    error::Problem,
    stream::{Seen, Streams, Which},
};

/// Streams on a page, unless asked for otherwise, and at most.
const LIMIT: (usize, usize) = (100, 1_000);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ask {
    /// The `next` of the page before.
    #[serde(default)]
    after: u64,
    limit: Option<usize>,
    user: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Page {
    clients: Vec<Seen>,
    /// How many there are, these and those of later pages.
    total: usize,
    /// What to ask for `after`, if there are more.
    next: Option<u64>,
    /// The head of the log.
    cursor: String,
}

pub(super) async fn clients(
    State(streams): State<Arc<Streams>>,
    _: Admin,
    ask: Result<Query<Ask>, QueryRejection>,
) -> Result<Json<Page>, Problem> {
    let Query(ask) = ask.map_err(|_| Problem::bad_request("bad_query", "after, limit and user, each once"))?;
    let limit = ask.limit.unwrap_or(LIMIT.0).clamp(1, LIMIT.1);
    let (clients, total) = streams.seen(&Which { after: ask.after, limit, user: ask.user });
    let next = clients.last().map(|last| last.number).filter(|_| total > clients.len());
    Ok(Json(Page { clients, total, next, cursor: streams.cursor().text() }))
}
