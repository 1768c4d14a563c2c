//! Who may do what: app sessions, stream tokens, the key of services, revocation.

pub mod directory;
mod extract;
pub mod jwt;

use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderMap, header};
use subtle::ConstantTimeEq;
use tinysse::core::audience::Identity;

use crate::{
    clock::{Clock, random_name},
    config::{Config, Secret, Span},
    error::Problem,
};
use directory::{Directory, Revoke, Standing};
use jwt::{APP, Claims, Invalid, Keys, STREAM};

pub use extract::{AppSession, Service};

/// The cookie of the app session.
pub const COOKIE: &str = "tinysse_session";

/// Issues and checks everything that proves something.
#[derive(Debug)]
pub struct Auth {
    keys: Keys,
    publish_key: Option<Secret>,
    token_ttl: Span,
    session_ttl: Span,
    directory: Mutex<Directory>,
    clock: Clock,
}

impl Auth {
    /// As configured; nobody is revoked.
    #[must_use]
    pub fn new(config: &Config, clock: Clock) -> Self {
        Self {
            keys: Keys::new(&config.secret, config.issuer.clone()),
            publish_key: config.publish_key.clone(),
            token_ttl: config.token_ttl,
            session_ttl: config.session_ttl,
            directory: Mutex::new(Directory::new(config.session_ttl.ms())),
            clock,
        }
    }

    /// A new app session, as the text of its cookie.
    #[must_use]
    pub fn log_in(&self, identity: Identity) -> String {
        let generation = self.directory().generation(self.clock.unix_ms());
        self.keys.sign(&self.claims(APP, identity, generation, self.session_ttl, String::new()))
    }

    /// A stream token for the holder of an app session. Its generation is the session's: it is never worth more.
    #[must_use]
    pub fn stream_token(&self, session: &Claims) -> String {
        let claims = self.claims(STREAM, session.identity(), session.generation(), self.token_ttl, session.jti.clone());
        self.keys.sign(&claims)
    }

    /// Life of a stream token.
    #[must_use]
    pub fn token_ttl(&self) -> Span {
        self.token_ttl
    }

    /// Life of an app session.
    #[must_use]
    pub fn session_ttl(&self) -> Span {
        self.session_ttl
    }

    /// The app session of a request: a bearer, or else the cookie.
    ///
    /// # Errors
    /// 401 `unauthenticated` if there is none or it is worth nothing.
    pub fn session(&self, headers: &HeaderMap) -> Result<Claims, Problem> {
        let token = bearer(headers).or_else(|| cookie(headers)).ok_or_else(|| unauthenticated("log in first"))?;
        match self.check(token, APP) {
            Ok(claims) => Ok(claims),
            Err(Refusal::Expired) => Err(unauthenticated("the session is over; log in again")),
            Err(Refusal::Forged) => Err(unauthenticated("no valid session; log in")),
            Err(Refusal::Revoked) => Err(unauthenticated("the session was revoked; log in again")),
        }
    }

    /// The rights behind a stream token, resolved anew.
    ///
    /// # Errors
    /// 401 `token_missing`, `token_expired`, `token_invalid` or `token_revoked`.
    pub fn redeem(&self, token: Option<&str>) -> Result<Claims, Problem> {
        let token = token.filter(|token| !token.is_empty());
        let token =
            token.ok_or_else(|| Problem::unauthorized("token_missing", "ask POST /auth/sse-token for a token"))?;
        self.check(token, STREAM).map_err(|refusal| match refusal {
            Refusal::Expired => Problem::unauthorized("token_expired", "ask for a new token"),
            Refusal::Forged => Problem::unauthorized("token_invalid", "this is no token for this stream"),
            Refusal::Revoked => Problem::unauthorized("token_revoked", "the rights behind this token are gone"),
        })
    }

    /// Whether a request comes from a service.
    ///
    /// # Errors
    /// 401 `unauthenticated`.
    pub fn service(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let shown = bearer(headers).ok_or_else(|| unauthenticated("show the publish key as a bearer"))?;
        let ours = self.publish_key.as_ref().ok_or_else(|| unauthenticated("the server has no publish key"))?;
        // In constant time, so that the time of the answer does not spell the key.
        if bool::from(ours.expose().as_bytes().ct_eq(shown.as_bytes())) {
            Ok(())
        } else {
            Err(unauthenticated("this is not the publish key"))
        }
    }

    /// Takes rights away.
    pub fn revoke(&self, whom: &Revoke) {
        self.directory().revoke(self.clock.unix_ms(), whom);
    }

    /// Treats a stream token as expired from now on.
    pub fn expire(&self, jti: &str) {
        self.directory().expire(self.clock.unix_ms(), jti);
    }

    /// Whether the rights of a token that was once good are gone.
    #[must_use]
    pub fn is_revoked(&self, claims: &Claims) -> bool {
        self.directory().standing(claims) == Standing::Revoked
    }

    fn check(&self, token: &str, audience: &str) -> Result<Claims, Refusal> {
        let claims = self.keys.check(token, audience, self.clock.unix_ms()).map_err(|invalid| match invalid {
            Invalid::Expired => Refusal::Expired,
            Invalid::Forged => Refusal::Forged,
        })?;
        match self.directory().standing(&claims) {
            Standing::Good => Ok(claims),
            Standing::Revoked => Err(Refusal::Revoked),
            Standing::Expired => Err(Refusal::Expired),
        }
    }

    fn claims(&self, aud: &str, identity: Identity, generation: u64, ttl: Span, sid: String) -> Claims {
        let now = self.clock.unix_ms();
        Claims {
            iss: self.keys.issuer().to_owned(),
            aud: aud.to_owned(),
            sub: identity.user,
            role: identity.role,
            channels: identity.channels,
            generation: Some(generation),
            iat: now / 1_000,
            // Rounded up: the client is promised the whole time.
            exp: (now + ttl.ms()).div_ceil(1_000),
            jti: random_name(),
            sid,
        }
    }

    fn directory(&self) -> std::sync::MutexGuard<'_, Directory> {
        self.directory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone, Copy)]
enum Refusal {
    Expired,
    Forged,
    Revoked,
}

/// The credentials of `Authorization: Bearer`.
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().split_once('=').filter(|(name, _)| *name == COOKIE))
        .map(|(_, value)| value)
}

fn unauthenticated(detail: &str) -> Problem {
    Problem::unauthorized("unauthenticated", detail)
}
