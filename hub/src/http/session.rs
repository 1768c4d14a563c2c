//! The app session, and the stream token that its holder asks for.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{FromRequest, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{AppendHeaders, IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use tinysse::proto::audience::Identity;

use super::{Services, body, extract::AppSession};
use crate::{
    access::{Cluster, Token},
    auth::{Auth, limit::too_many},
    error::Problem,
    stream::{Client, Conn},
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

/// Who the user is.
#[derive(Debug, Serialize)]
pub(super) struct Me {
    user: String,
    role: String,
    channels: Vec<String>,
}

/// Logs a user in without a password: this route exists with `--dev` only.
///
/// The new cookie replaces the one that the browser has, so the session of that one ends first,
/// with its streams. If that cannot be recorded, nobody is logged in.
pub(super) async fn log_in(
    State(auth): State<Arc<Auth>>,
    State(cluster): State<Arc<Cluster>>,
    shown: HeaderMap,
    body::Json(wish): body::Json<LogIn>,
) -> Result<impl IntoResponse, Problem> {
    let role = if wish.role.is_empty() { String::new() } else { body::name(&wish.role)? };
    if wish.channels.len() > 64 {
        return Err(Problem::unprocessable("bad_channels", "at most 64 channels"));
    }
    let channels = wish.channels.iter().map(|channel| body::name(channel)).collect::<Result<Vec<_>, _>>()?;
    let identity = Identity { user: body::name(&wish.user)?, role, channels };
    cluster.end_sessions(&auth.ending(&shown).await.sessions).await?;
    let session = auth.log_in(identity.clone());
    let cookie = cookie(auth.cookie(), &session, auth.session_ttl().ms() / 1_000)?;
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), Json(Me::from(identity))))
}

/// Ends the session everywhere, with its streams and the tokens it asked for; a session that has
/// expired, too.
///
/// 204: nothing of the session is left. 401: the request showed no session of this server, so
/// nothing ended. Both clear the cookie. 429 or 503: not ended, or not recorded; the cookie stays,
/// for the request to be repeated.
pub(super) async fn log_out(
    State(auth): State<Arc<Auth>>,
    State(cluster): State<Arc<Cluster>>,
    shown: HeaderMap,
) -> Result<Response, Problem> {
    let ending = auth.ending(&shown).await;
    cluster.end_sessions(&ending.sessions).await?;
    let cleared = AppendHeaders([(header::SET_COOKIE, cookie(auth.cookie(), "", 0)?)]);
    if ending.sessions.is_empty() {
        let detail = if ending.unknown {
            "this is not a session of this server, so no stream was ended; the cookie is cleared"
        } else {
            "the request showed no session, so no stream was ended; from another origin, send it with credentials"
        };
        return Ok((cleared, Problem::unauthorized("unauthenticated", detail)).into_response());
    }
    Ok((StatusCode::NO_CONTENT, cleared).into_response())
}

pub(super) async fn me(AppSession(session): AppSession) -> Json<Me> {
    Json(Me::from(session.identity()))
}

/// On behalf of which user a service asks for a token.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Subject {
    user: String,
    role: Option<String>,
    channels: Option<Vec<String>>,
    /// The app's name of the login: `POST /revoke` with this `jti` ends the streams that it opened.
    session: Option<String>,
}

/// A token for the holder of an app session, limited by user and by address. Or, for a service with
/// the publish key, one for the user that the body names, limited by that user only: all its users
/// come from the address of the service.
pub(super) async fn stream_token(
    State(services): State<Services>,
    conn: Option<Extension<Arc<Conn>>>,
    request: Request,
) -> Result<Token, Problem> {
    if services.auth.service(request.headers()).is_ok() {
        let body::Json(Subject { user, role, channels, session }) =
            body::Json::from_request(request, &services).await?;
        let identity = Identity { user, role: role.unwrap_or_default(), channels: channels.unwrap_or_default() };
        return services.issuer.for_user(identity, session.as_deref().unwrap_or_default()).await;
    }
    // Before the session is looked at: guessing costs as much as knowing.
    let peer = conn.and_then(|Extension(conn)| conn.peer());
    let client = peer.map(|peer| Client::of(peer, request.headers(), &services.settings.trusted_proxies));
    if let Some(site) = client.and_then(Client::site) {
        services.limits.token.take(&site).map_err(too_many)?;
    }
    let session = services.auth.session(request.headers()).await?;
    services.issuer.for_session(&session).await
}

/// The public keys of our tokens (RFC 7517), for those who check them elsewhere.
pub(super) async fn jwks(State(auth): State<Arc<Auth>>) -> impl IntoResponse {
    let headers = [(header::CONTENT_TYPE, "application/jwk-set+json"), (header::CACHE_CONTROL, "public, max-age=60")];
    (headers, Json(auth.jwks()).into_response().into_body())
}

/// Out of reach of scripts, and not sent along when another site posts here.
fn cookie(name: &str, value: &str, max_age: u64) -> Result<HeaderValue, Problem> {
    HeaderValue::from_str(&format!("{name}={value}; HttpOnly; SameSite=Lax; Path=/; Max-Age={max_age}"))
        .map_err(|_| Problem::unprocessable("bad_name", "this makes no cookie"))
}

impl From<Identity> for Me {
    fn from(Identity { user, role, channels }: Identity) -> Self {
        Self { user, role, channels }
    }
}
