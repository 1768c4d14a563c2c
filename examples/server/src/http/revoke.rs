//! `POST /revoke`: a service takes rights away, and the streams that had them end at once.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};

use super::body;
use crate::{
    app::App,
    auth::{Service, revoked::Revoke},
    error::Problem,
    nodes::unrevoked,
};

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
    State(app): State<Arc<App>>,
    _: Service,
    body::Json(whom): body::Json<Whom>,
) -> Result<Json<Done>, Problem> {
    let whom = match (whom.user, whom.jti, whom.before) {
        (Some(user), None, None) if !user.is_empty() => Revoke::User(user),
        (None, Some(jti), None) if !jti.is_empty() => Revoke::Jti(jti),
        (None, None, Some(before)) => Revoke::Before(before.saturating_mul(1_000)),
        (_, _, _) => return Err(Problem::bad_request("bad_request", "give one of user, jti and before")),
    };
    app.revoke(&whom).await.map(|closed| Json(Done { closed })).map_err(unrevoked)
}

/// Whose rights changed; everybody's if nobody is named.
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

/// `POST /rights`: a service says that rights changed, so live streams are judged anew, on every node.
pub(super) async fn rights(
    State(app): State<Arc<App>>,
    _: Service,
    body::Json(whose): body::Json<Whose>,
) -> Result<Json<Changed>, Problem> {
    match app.rights_changed(whose.user.as_deref().into()).await {
        Ok(changed) => Ok(Json(Changed { changed })),
        Err(_) => Err(Problem::unavailable("not_told", "done here, but other nodes could not be told; repeat it", 1)),
    }
}
