//! `POST /revoke`: a service takes rights away, and the streams that had them end at once.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};

use super::{body, extract::Service};
use crate::{
    access::{Cluster, RightsError, unrevoked},
    auth::{names, revoked::Revoke},
    clock::Clock,
    error::Problem,
};

/// How far ahead `before` may be, in seconds.
const AHEAD: u64 = 86_400;

/// Exactly one of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Whom {
    user: Option<String>,
    jti: Option<String>,
    /// In seconds since 1970.
    before: Option<u64>,
}

#[derive(Serialize)]
pub(super) struct Done {
    /// Streams that were ended.
    closed: usize,
}

pub(super) async fn revoke(
    State(cluster): State<Arc<Cluster>>,
    State(clock): State<Clock>,
    _: Service,
    body::Json(whom): body::Json<Whom>,
) -> Result<Json<Done>, Problem> {
    let wrong = |detail: &str| Err(Problem::bad_request("bad_request", detail));
    let taken = |what, text: String| match names::name(what, &text) {
        Ok(()) => Ok(text),
        Err(error) => Err(Problem::bad_request("bad_request", error.to_string())),
    };
    let whom = match (whom.user, whom.jti, whom.before) {
        (Some(user), None, None) => Revoke::User(taken("user", user)?),
        (None, Some(jti), None) => Revoke::Jti(taken("token", jti)?),
        // It would end every login up to then; most likely these are milliseconds.
        (None, None, Some(before)) if before > clock.unix_ms() / 1_000 + AHEAD => {
            return wrong("before is in seconds since 1970, and at most a day ahead");
        }
        (None, None, Some(before)) => Revoke::Before(before.saturating_mul(1_000)),
        (_, _, _) => return wrong("give one of user, jti and before"),
    };
    cluster.revoke(&whom).await.map(|closed| Json(Done { closed })).map_err(unrevoked)
}

/// Whose rights changed; those of all users if it names no user.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Whose {
    user: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Changed {
    /// Streams that have other rights now, or none any more.
    changed: usize,
}

/// `POST /rights`: a service reports that rights changed, so live streams are judged anew, on every
/// node.
pub(super) async fn rights(
    State(cluster): State<Arc<Cluster>>,
    _: Service,
    body::Json(whose): body::Json<Whose>,
) -> Result<Json<Changed>, Problem> {
    let user = whose.user.as_deref();
    if let Some(user) = user {
        names::name("user", user).map_err(|error| Problem::bad_request("bad_request", error.to_string()))?;
    }
    match cluster.rights_changed(user.into()).await {
        Ok(changed) => Ok(Json(Changed { changed })),
        Err(RightsError::NotTold(_)) => {
            Err(Problem::unavailable("not_told", "done here, but other nodes could not be notified; repeat it", 1))
        }
        Err(error @ (RightsError::Unreadable(_) | RightsError::Unanswered(_))) => {
            Err(Problem::unavailable("directory_unavailable", format!("{error}; repeat it"), 5))
        }
    }
}
