//! What the pollers know: `/api/progress`, and `/api/polls/{type}` for any of them.

use axum::{
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};

use super::Demo;
use crate::{
    auth::{directory::Denied, gone},
    error::Problem,
    http::{Services, extract::Reader},
};

pub(crate) async fn progress(State(demo): State<Demo>, reader: Reader) -> Result<Response, Problem> {
    shown(&demo.services, &reader, "progress").await
}

pub(crate) async fn poll(
    State(demo): State<Demo>,
    reader: Reader,
    Path(kind): Path<String>,
) -> Result<Response, Problem> {
    shown(&demo.services, &reader, &kind).await
}

/// The last known value, for services and for users who would get its updates. It is served while the polled server is down, and marked as such.
async fn shown(services: &Services, reader: &Reader, kind: &str) -> Result<Response, Problem> {
    // What somebody may not see is as good as not there: that it exists is nobody's business.
    let nothing = || Problem::not_found(format!("nothing is polled as {kind:?}"));
    let poll = services.pollers.find(kind).ok_or_else(nothing)?;
    if let Reader::User(user) = reader {
        let rights = services.rights.of(user).await.map_err(|denied| match denied {
            Denied::Gone => gone(),
            Denied::Unavailable => Problem::unavailable("busy", "the rights of this user can't be determined now", 1),
        })?;
        let typed = rights.types.as_ref().is_none_or(|types| types.iter().any(|pattern| pattern.matches(kind)));
        if !typed || !poll.admits(&rights.identity) {
            return Err(nothing());
        }
    }
    let view = poll.look().await;
    let age = view.age_ms.map_or_else(|| "null".to_owned(), |age| age.to_string());
    // The value is JSON already, and its numbers keep their digits.
    let body = format!("{{\"data\":{},\"stale\":{},\"ageMs\":{age}}}", view.text, view.stale);
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}
