//! App sessions: the JWT with which the app itself knows its users, whichever service logged them
//! in.

use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use tinysse::proto::time::Time;

use super::{
    SessionRules, bearer,
    jwks::Jwks,
    jwt::{Claims, Invalid, Keys},
    key::Key,
};
use crate::values::Span;

/// How a token is read: [`Keys::check`] or [`Keys::signed`].
type By = fn(&Keys, &str, &str, u64) -> Result<Claims, Invalid>;

/// Checks app sessions. Sessions of our own (`--dev`, or a backend that shares our secret) are
/// checked with our keys.
#[derive(Debug)]
pub(super) struct Sessions {
    foreign: Option<Foreign>,
    ours: bool,
    audience: String,
    cookie: String,
}

#[derive(Debug)]
struct Foreign {
    keys: Keys,
    shared: Vec<Key>,
    jwks: Option<Jwks>,
}

impl Sessions {
    pub(super) fn new(rules: &SessionRules, skew: Span) -> Self {
        let shared: Vec<_> = rules.secret.iter().map(Key::shared).collect();
        let foreign = (!shared.is_empty() || rules.jwks.is_some()).then(|| Foreign {
            keys: Keys::of(shared.clone(), rules.issuer.clone(), skew).of_another(),
            shared,
            jwks: rules.jwks.clone().map(Jwks::new),
        });
        let ours = rules.own || foreign.is_none();
        Self { foreign, ours, audience: rules.audience.clone(), cookie: rules.cookie.clone() }
    }

    /// Whether our keys sign sessions.
    pub(super) fn are_ours(&self) -> bool {
        self.ours
    }

    pub(super) fn audience(&self) -> &str {
        &self.audience
    }

    pub(super) fn cookie(&self) -> &str {
        &self.cookie
    }

    /// Returns the tokens that a request shows as sessions: a bearer, then the cookies of this
    /// name. The first one counts.
    pub(super) fn shown<'a>(&'a self, headers: &'a HeaderMap) -> impl Iterator<Item = &'a str> {
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let cookies = pairs.filter(|(name, value)| *name == self.cookie && !value.is_empty());
        bearer(headers).into_iter().chain(cookies.map(|(_, value)| value))
    }

    /// Returns the claims of the token, if it is good. An unknown key may be a new one, so its set
    /// is looked at again, though not for every request.
    pub(super) async fn check(&self, ours: &Keys, token: &str, now: Time, unix_ms: u64) -> Result<Claims, Invalid> {
        self.read(Keys::check, ours, token, now, unix_ms).await
    }

    /// The same for a token that may be over.
    pub(super) async fn signed(&self, ours: &Keys, token: &str, now: Time, unix_ms: u64) -> Result<Claims, Invalid> {
        self.read(Keys::signed, ours, token, now, unix_ms).await
    }

    async fn read(&self, by: By, ours: &Keys, token: &str, now: Time, unix_ms: u64) -> Result<Claims, Invalid> {
        let own = self.ours.then(|| by(ours, token, &self.audience, unix_ms));
        let read = match (own, &self.foreign) {
            (Some(own), None) => own,
            (Some(Ok(claims)), Some(_)) => Ok(claims),
            (Some(Err(_)) | None, Some(foreign)) => {
                let read = by(&foreign.keys, token, &self.audience, unix_ms);
                if read == Err(Invalid::UnknownKey) && foreign.refresh(now, unix_ms, true).await {
                    by(&foreign.keys, token, &self.audience, unix_ms)
                } else {
                    read
                }
            }
            (None, None) => Err(Invalid::Forged),
        };
        read.map(|claims| named(claims, token))
    }

    /// Looks at the keys again if it is time.
    pub(super) async fn refresh(&self, now: Time, unix_ms: u64) {
        if let Some(foreign) = &self.foreign {
            foreign.refresh(now, unix_ms, false).await;
        }
    }
}

/// Names a session that has no `jti` by what its issuer signed, so that it can be revoked like any
/// other. The signature itself is left out: some algorithms have many for one text.
fn named(claims: Claims, token: &str) -> Claims {
    if !claims.jti.is_empty() {
        return claims;
    }
    let signed = token.rsplit_once('.').map_or(token, |(signed, _)| signed);
    Claims { jti: format!("sha256:{:x}", Sha256::digest(signed)), ..claims }
}

impl Foreign {
    /// True if there are other keys now. A set that can't be had or read changes nothing: the keys
    /// that are known stay good.
    async fn refresh(&self, now: Time, unix_ms: u64, unknown: bool) -> bool {
        let Some(jwks) = self.jwks.as_ref().filter(|jwks| jwks.due(now, unknown)) else { return false };
        match jwks.load().await {
            Ok(keys) => {
                let keys = self.shared.iter().cloned().chain(keys).collect();
                // What its owner no longer shows is no longer good, at once.
                let new = self.keys.rotate(unix_ms, keys, Span::of_ms(0));
                if new {
                    tracing::info!(target: "tinysse::auth", "the keys of app sessions changed");
                }
                new
            }
            Err(error) => {
                tracing::warn!(target: "tinysse::auth", error, "the keys of app sessions can't be read");
                false
            }
        }
    }
}
