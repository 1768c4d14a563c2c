//! Who may do what: app sessions, stream tokens, rights, the key of services, revocation.

pub mod affected_users;
mod bearer;
pub mod cluster_bus;
pub mod directory;
mod ended;
mod ending;
mod expiring_map;
mod issue_for;
mod jwks;
pub mod jwt;
pub mod key;
pub mod limit;
pub mod names;
mod replay_cache;
mod revocation_log;
pub mod revoked;
mod revoking;
mod sessions;
mod settings;

use std::sync::{Mutex, PoisonError};

use axum::http::HeaderMap;
use jsonwebtoken::jwk::JwkSet;
use tinysse::proto::audience::Identity;

use crate::{
    clock::{Clock, random_name},
    error::Problem,
    values::{Secret, Span},
};
use directory::{Denied, Directory, Rights};
use jwt::{Claims, Invalid, Keys, STREAM};
use replay_cache::{ReplayCache, Use};
use revocation_log::RevocationLog;
use revoked::{Revoked, Standing};
use sessions::Sessions;

pub use bearer::bearer;
pub use ended::Session;
pub use ending::Ending;
pub use jwks::read as read_jwks;
pub use settings::{COOKIE, ISSUER, KeySource, SessionRules, Settings};

/// Issues and checks everything that proves something.
#[derive(Debug)]
pub struct Auth {
    keys: Keys,
    sources: KeySource,
    sessions: Sessions,
    directory: Box<dyn Directory>,
    publish_key: Option<Secret>,
    admin_key: Option<Secret>,
    token_ttl: Span,
    session_ttl: Span,
    revoked: Mutex<Revoked>,
    used: Option<Mutex<ReplayCache>>,
    ledger: Option<Mutex<RevocationLog>>,
    clock: Clock,
}

impl Auth {
    /// As configured; nobody is revoked. A file of rights that was sound when the configuration was read, and is not now, lets nobody in.
    #[must_use]
    pub fn new(settings: &Settings, clock: Clock) -> Self {
        Self::with(settings, clock, settings.directory())
    }

    /// With your own [`Directory`].
    #[must_use]
    pub fn with(settings: &Settings, clock: Clock, directory: Box<dyn Directory>) -> Self {
        let (token_ttl, session_ttl) = (settings.token_ttl, settings.session_ttl);
        Self {
            keys: Keys::of(settings.keys.clone(), settings.issuer.clone(), settings.skew),
            sources: settings.sources.clone(),
            sessions: Sessions::new(&settings.sessions, settings.skew),
            directory,
            publish_key: settings.publish_key.clone(),
            admin_key: settings.admin_key.clone(),
            token_ttl,
            session_ttl,
            revoked: Mutex::new(Revoked::new(session_ttl.ms() + token_ttl.ms(), clock.unix_ms())),
            used: settings.single_use.then(Mutex::default),
            ledger: None,
            clock,
        }
    }

    /// A new app session, as the text of its cookie.
    #[must_use]
    pub fn log_in(&self, identity: Identity) -> String {
        let generation = self.revoked().generation(self.clock.unix_ms());
        let aud = self.sessions.audience();
        self.keys.sign(&self.claims(aud, identity, Some(generation), self.session_ttl, String::new()))
    }

    /// Returns a stream token for the holder of an app session. Place and time of the login are the session's, so that a revocation of the
    /// session ends the token.
    #[must_use]
    pub fn stream_token(&self, session: &Claims) -> String {
        let claims = self.claims(STREAM, session.identity(), session.generation, self.token_ttl, session.jti.clone());
        let established = session.established();
        let claims = Claims { auth_ms: None, ..claims };
        let auth_ms = Some(established).filter(|_| claims.established() != established);
        self.keys.sign(&Claims { auth_ms, ..claims })
    }

    /// A token as the operator asks for it at the console.
    #[must_use]
    pub fn mint(&self, identity: Identity, session: bool, ttl: Option<Span>) -> String {
        let (aud, usual) =
            if session { (self.sessions.audience(), self.session_ttl) } else { (STREAM, self.token_ttl) };
        let generation = self.clock.unix_ms();
        self.keys.sign(&self.claims(aud, identity, Some(generation), ttl.unwrap_or(usual), String::new()))
    }

    /// What a token of this server is worth, without regard to revocations.
    ///
    /// # Errors
    /// [`Invalid`] names the reason.
    pub fn examine(&self, token: &str, session: bool) -> Result<Claims, Invalid> {
        let audience = if session { self.sessions.audience() } else { STREAM };
        self.keys.check(token, audience, self.clock.unix_ms())
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

    /// The name of the cookie that holds the app session.
    #[must_use]
    pub fn cookie(&self) -> &str {
        self.sessions.cookie()
    }

    /// What others need to check our tokens: a JWK set without any secret.
    #[must_use]
    pub fn jwks(&self) -> JwkSet {
        self.keys.public(self.clock.unix_ms())
    }

    /// The app session of a request: a bearer, or else the cookie.
    ///
    /// # Errors
    /// 401 `unauthenticated` if there is none or it is not valid.
    pub async fn session(&self, headers: &HeaderMap) -> Result<Claims, Problem> {
        let token = self.sessions.shown(headers).next().ok_or_else(|| unauthenticated("log in first"))?;
        let checked = self.sessions.check(&self.keys, token, self.clock.now(), self.clock.unix_ms()).await;
        self.check_revoked(checked).and_then(|claims| self.check_age(claims)).map_err(|refusal| {
            unauthenticated(match refusal {
                Refusal::Expired => "the session is over; log in again",
                Refusal::Early => "the session is not valid yet; do the clocks agree?",
                Refusal::Forged => "no valid session; log in",
                Refusal::BadName => BAD_NAME,
                Refusal::Revoked => "the session was revoked; log in again",
            })
        })
    }

    /// Who shows this stream token. What they may see is [`rights`](Self::rights).
    ///
    /// # Errors
    /// 401 `token_missing`, `token_expired`, `token_invalid` or `token_revoked`.
    pub fn verify(&self, token: Option<&str>) -> Result<Claims, Problem> {
        let token = token.filter(|token| !token.is_empty());
        let token =
            token.ok_or_else(|| Problem::unauthorized("token_missing", "ask POST /auth/sse-token for a token"))?;
        self.check_revoked(self.keys.check(token, STREAM, self.clock.unix_ms())).map_err(|refusal| match refusal {
            Refusal::Expired => Problem::unauthorized("token_expired", "ask for a new token"),
            Refusal::Early => {
                Problem::unauthorized("token_invalid", "this token is not valid yet; do the clocks agree?")
            }
            Refusal::Forged => Problem::unauthorized("token_invalid", "this is no token for this stream"),
            Refusal::BadName => Problem::unauthorized("token_invalid", BAD_NAME),
            Refusal::Revoked => gone(),
        })
    }

    /// What the holder of a good token may see now.
    ///
    /// # Errors
    /// [`Denied`].
    pub async fn rights(&self, claims: &Claims) -> Result<Rights, Denied> {
        self.directory.rights(claims).await
    }

    /// Who knows the rights.
    #[must_use]
    pub fn directory(&self) -> &dyn Directory {
        &*self.directory
    }

    /// Uses a token up, where it opens one stream only. Returns false if it can't be used now, and stays as it is: too many used tokens are
    /// remembered already, of all users or of this one.
    ///
    /// # Errors
    /// 401 `token_used` if it was used before.
    pub fn consume(&self, claims: &Claims) -> Result<bool, Problem> {
        let Some(used) = &self.used else { return Ok(true) };
        match used.lock().unwrap_or_else(PoisonError::into_inner).take(claims, self.clock.unix_ms()) {
            Use::First => Ok(true),
            Use::Again => Err(spent()),
            Use::Full => Ok(false),
        }
    }

    /// Whether a token opens one stream only.
    #[must_use]
    pub fn is_single_use(&self) -> bool {
        self.used.is_some()
    }

    /// Nothing was opened with this token after all.
    pub fn give_back(&self, claims: &Claims) {
        if let Some(used) = &self.used {
            used.lock().unwrap_or_else(PoisonError::into_inner).give_back(claims);
        }
    }

    /// Looks at the files of keys and rights, and at the keys of app sessions, whether they changed.
    pub async fn refresh(&self) {
        match self.sources.read() {
            Ok(keys) => {
                // Whatever the old key signed stays good for its time.
                let sessions = self.sessions.are_ours().then_some(self.session_ttl);
                let overlap = sessions.map_or(self.token_ttl, |ttl| ttl.max(self.token_ttl));
                if self.keys.rotate(self.clock.unix_ms(), keys, overlap) {
                    tracing::info!(target: "tinysse::auth", "other keys sign tokens now");
                }
            }
            Err(error) => {
                tracing::warn!(target: "tinysse::auth", error, "the keys can't be read; the known ones count")
            }
        }
        self.sessions.refresh(self.clock.now(), self.clock.unix_ms()).await;
        // It logs by itself what it can't read.
        let _ = self.directory.refresh(false);
    }

    /// A revocation is remembered for the life of a session, so none may live longer, whatever its issuer promised.
    fn check_age(&self, claims: Claims) -> Result<Claims, Refusal> {
        let issued = if claims.iat > 0 { claims.iat.saturating_mul(1_000) } else { claims.established() };
        let over = self.clock.unix_ms() > issued.saturating_add(self.session_ttl.ms() + 1_000);
        if over { Err(Refusal::Expired) } else { Ok(claims) }
    }

    fn check_revoked(&self, checked: Result<Claims, Invalid>) -> Result<Claims, Refusal> {
        let claims = checked.map_err(|invalid| match invalid {
            Invalid::Expired => Refusal::Expired,
            Invalid::Early => Refusal::Early,
            Invalid::Forged | Invalid::UnknownKey => Refusal::Forged,
            Invalid::BadName => Refusal::BadName,
        })?;
        let mut revoked = self.revoked();
        match revoked.standing(&claims) {
            Standing::Good => {
                revoked.seen(&claims);
                Ok(claims)
            }
            Standing::Revoked => Err(Refusal::Revoked),
            Standing::Expired => Err(Refusal::Expired),
        }
    }

    fn claims(&self, aud: &str, identity: Identity, generation: Option<u64>, ttl: Span, sid: String) -> Claims {
        let now = self.clock.unix_ms();
        Claims {
            iss: self.keys.issuer().to_owned(),
            aud: aud.to_owned(),
            sub: identity.user,
            role: identity.role,
            channels: identity.channels,
            generation,
            // Where the count is ahead of the clock, the place does not show when that was.
            auth_ms: generation.is_some_and(|place| place > now).then_some(now),
            iat: now / 1_000,
            nbf: 0,
            // Rounded up: the client is promised the whole time.
            exp: (now + ttl.ms()).div_ceil(1_000),
            jti: random_name(),
            sid,
        }
    }
}

#[derive(Clone, Copy)]
enum Refusal {
    Expired,
    Early,
    Forged,
    BadName,
    Revoked,
}

const BAD_NAME: &str =
    "user, role and channels have 1 to 255 bytes each and no control characters; 1,000 channels of 32 segments at most";

/// 401 `token_revoked`.
#[must_use]
pub fn gone() -> Problem {
    Problem::unauthorized("token_revoked", "the rights behind this token are gone")
}

/// 401 `token_used`.
#[must_use]
pub fn spent() -> Problem {
    Problem::unauthorized("token_used", "this token was used; ask for a new one")
}

fn unauthenticated(detail: &str) -> Problem {
    Problem::unauthorized("unauthenticated", detail)
}
