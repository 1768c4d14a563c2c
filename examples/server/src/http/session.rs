//! The app session, and the stream token that its holder asks for.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{AppendHeaders, IntoResponse},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tinysse::core::{audience::Identity, wire::control::Reason};

use super::body;
use crate::{
    app::App,
    auth::{AppSession, COOKIE, directory::Revoke},
    error::Problem,
};

/// Who wants to be whom.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogIn {
    user: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    channels: Vec<String>,
}

/// Who somebody is.
#[derive(Debug, Serialize)]
pub(super) struct Me {
    user: String,
    role: String,
    channels: Vec<String>,
}

/// Anybody is whoever they say: this route exists with `--dev` only.
pub(super) async fn log_in(
    State(app): State<Arc<App>>,
    body::Json(wish): body::Json<LogIn>,
) -> Result<impl IntoResponse, Problem> {
    let role = if wish.role.is_empty() { String::new() } else { body::name(&wish.role)? };
    if wish.channels.len() > 64 {
        return Err(Problem::unprocessable("bad_channels", "at most 64 channels"));
    }
    let channels = wish.channels.iter().map(|channel| body::name(channel)).collect::<Result<Vec<_>, _>>()?;
    let identity = Identity { user: body::name(&wish.user)?, role, channels };
    let session = app.auth.log_in(identity.clone());
    let cookie = cookie(&session, app.auth.session_ttl().ms() / 1_000)?;
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), Json(Me::from(identity))))
}

/// Ends the session everywhere: its streams too, and the tokens it asked for.
pub(super) async fn log_out(
    State(app): State<Arc<App>>,
    session: Option<AppSession>,
) -> Result<impl IntoResponse, Problem> {
    if let Some(AppSession(session)) = session.filter(|session| !session.0.jti.is_empty()) {
        app.auth.revoke(&Revoke::Jti(session.jti.clone()));
        app.streams.close(Reason::Revoked, |claims| claims.sid == session.jti);
    }
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(header::SET_COOKIE, cookie("", 0)?)])))
}

pub(super) async fn me(AppSession(session): AppSession) -> Json<Me> {
    Json(Me::from(session.identity()))
}

pub(super) async fn stream_token(State(app): State<Arc<App>>, AppSession(session): AppSession) -> impl IntoResponse {
    let body: Json<Value> = Json(json!({
        "token": app.auth.stream_token(&session),
        "expires_in": app.auth.token_ttl().ms() / 1_000,
    }));
    ([(header::CACHE_CONTROL, "no-store")], body)
}

/// Out of reach of scripts, and not sent along when another site posts here.
fn cookie(value: &str, max_age: u64) -> Result<HeaderValue, Problem> {
    HeaderValue::from_str(&format!("{COOKIE}={value}; HttpOnly; SameSite=Lax; Path=/; Max-Age={max_age}"))
        .map_err(|_| Problem::unprocessable("bad_name", "this makes no cookie"))
}

impl From<Identity> for Me {
    fn from(Identity { user, role, channels }: Identity) -> Self {
        Self { user, role, channels }
    }
}
