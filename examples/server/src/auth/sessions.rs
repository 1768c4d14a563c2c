//! App sessions: the JWT with which the app itself knows its users, whoever logged them in.

use axum::http::{HeaderMap, header};
use tinysse::core::time::Time;

use super::{
    bearer,
    jwks::Jwks,
    jwt::{Claims, Invalid, Keys},
    key::Key,
};
use crate::config::{Config, Span};

/// Checks app sessions. Sessions of our own (`--dev`, or a backend that shares our secret) are checked with our keys.
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
    pub(super) fn new(config: &Config) -> Self {
        let told = &config.access.sessions;
        let shared: Vec<_> = told.secret.iter().map(Key::shared).collect();
        let foreign = (!shared.is_empty() || told.jwks.is_some()).then(|| Foreign {
            keys: Keys::of(shared.clone(), told.issuer.clone(), config.access.skew),
            shared,
            jwks: told.jwks.clone().map(Jwks::new),
        });
        let ours = config.dev || foreign.is_none();
        Self { foreign, ours, audience: told.audience.clone(), cookie: told.cookie.clone() }
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

    /// The token of the session: a bearer, or else the cookie.
    pub(super) fn shown<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        bearer(headers).or_else(|| {
            headers
                .get_all(header::COOKIE)
                .iter()
                .filter_map(|value| value.to_str().ok())
                .flat_map(|value| value.split(';'))
                .find_map(|pair| pair.trim().split_once('=').filter(|(name, _)| *name == self.cookie))
                .map(|(_, value)| value)
        })
    }

    /// What the token says, if it is good. An unknown key may be a new one, so its set is looked at again, though not for everybody.
    pub(super) async fn check(&self, ours: &Keys, token: &str, now: Time, unix_ms: u64) -> Result<Claims, Invalid> {
        let own = self.ours.then(|| ours.check(token, &self.audience, unix_ms));
        match (own, &self.foreign) {
            (Some(own), None) => own,
            (Some(Ok(claims)), Some(_)) => Ok(claims),
            (Some(Err(_)) | None, Some(foreign)) => {
                let checked = foreign.keys.check(token, &self.audience, unix_ms);
                if checked == Err(Invalid::UnknownKey) && foreign.refresh(now, unix_ms, true).await {
                    return foreign.keys.check(token, &self.audience, unix_ms);
                }
                checked
            }
            (None, None) => Err(Invalid::Forged),
        }
    }

    /// Looks at the keys again if it is time.
    pub(super) async fn refresh(&self, now: Time, unix_ms: u64) {
        if let Some(foreign) = &self.foreign {
            foreign.refresh(now, unix_ms, false).await;
        }
    }
}

impl Foreign {
    /// True if there are other keys now. A set that can't be had or read changes nothing: the keys that are known stay good.
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
