//! Stream tokens: for the holder of an app session, and for a user whom an app vouches for.

use std::sync::Arc;

use axum::{
    Json,
    http::header,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use tinysse::proto::audience::Identity;

use super::rights::LiveRights;
use crate::{
    auth::{
        Auth,
        directory::Denied,
        jwt::Claims,
        limit::{Limit, too_many},
        names,
    },
    error::Problem,
    values::Rate,
};

/// What `POST /auth/sse-token` answers: `{"token":"...","expires_in":60,"user":"ada"}`. Its `Debug`
/// does not show the token.
#[derive(Clone, Serialize)]
pub struct Token {
    token: String,
    /// In seconds.
    expires_in: u64,
    /// AffectedUsers stream it opens. The client refuses a token of another user than the one who
    /// is logged in.
    user: String,
}

/// Issues stream tokens, each user at a rate.
#[derive(Debug)]
pub struct Issuer {
    auth: Arc<Auth>,
    rights: Arc<LiveRights>,
    rate: Limit<String>,
}

impl Issuer {
    /// Returns an issuer of tokens to users with these rights, `rate` tokens for each.
    #[must_use]
    pub fn new(auth: Arc<Auth>, rights: Arc<LiveRights>, rate: Rate) -> Self {
        Self { auth, rights, rate: Limit::new(rate) }
    }

    /// Forgets the users whose rate is full again; from time to time.
    pub(crate) fn tidy(&self) {
        self.rate.tidy();
    }

    /// Returns a token for the holder of an app session.
    ///
    /// # Errors
    /// 429 if this user asks too often, 403 if the directory knows no such user, 503 if it can't be
    /// asked.
    pub async fn for_session(&self, session: &Claims) -> Result<Token, Problem> {
        self.rate.take(&session.sub).map_err(too_many)?;
        self.token(session, self.auth.stream_token(session)).await
    }

    /// Returns a token for a user whom an app vouches for. `session` is the app's name of the
    /// login, or empty: a revocation of that name (`jti`) ends the streams that it opened.
    ///
    /// # Errors
    /// As [`for_session`](Self::for_session); 422 `bad_name`; 403 if a login of this name was
    /// revoked.
    pub async fn for_user(&self, user: Identity, session: &str) -> Result<Token, Problem> {
        let bad = |detail: String| Problem::unprocessable("bad_name", detail);
        // First, so that no name without a bound becomes the key of a bucket.
        names::check(&user).map_err(|error| bad(error.to_string()))?;
        self.rate.take(&user.user).map_err(too_many)?;
        let token = self.auth.issue_for(user, session).map_err(|error| bad(error.to_string()))?;
        // It is as good as new: what is wrong with it is the name of the login, or its length.
        let claims = self.auth.verify(Some(&token)).map_err(|refused| match refused.code {
            "token_revoked" => Problem::forbidden("this login was revoked"),
            _ => bad("role and channels have no room in a token; give them by a --directory".to_owned()),
        })?;
        self.token(&claims, token).await
    }

    async fn token(&self, claims: &Claims, token: String) -> Result<Token, Problem> {
        match self.rights.of(claims).await {
            Ok(_) => Ok(Token { token, expires_in: self.auth.token_ttl().ms() / 1_000, user: claims.sub.clone() }),
            Err(Denied::Gone) => Err(Problem::forbidden("this user may not open a stream")),
            Err(Denied::Unavailable) => {
                Err(Problem::unavailable("busy", "the rights of this user can't be determined now", 2))
            }
        }
    }
}

impl IntoResponse for Token {
    fn into_response(self) -> Response {
        ([(header::CACHE_CONTROL, "no-store")], Json(self)).into_response()
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Token");
        shown.field("expires_in", &self.expires_in).field("user", &self.user).finish_non_exhaustive()
    }
}
