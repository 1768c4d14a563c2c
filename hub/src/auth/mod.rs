//! Who may do what: app sessions, stream tokens, rights, the key of services, revocation.

pub mod affected_users;
mod bearer;
pub mod cluster_bus;
pub mod directory;
mod ended;
mod ending;
mod expiring_map;
mod jwks;
pub mod jwt;
pub mod key;
pub mod limit;
pub mod names;
mod replay_cache;
mod revocation_log;
mod revocations;
pub mod revoked;
mod sessions;
mod settings;

use std::{
    io,
    path::Path,
    sync::{Mutex, PoisonError},
};

use axum::http::HeaderMap;
use jsonwebtoken::jwk::JwkSet;
use tinysse::proto::audience::Identity;

use crate::{
    clock::{Clock, random_name},
    error::Problem,
    values::Span,
};
use bearer::BearerKeys;
use cluster_bus::Revocation;
use directory::{Denied, Directory, Rights};
use jwt::{Claims, Invalid, Keys, STREAM};
use names::BadName;
use replay_cache::{ReplayCache, Use};
use revocations::Revocations;
use revoked::{Moment, Revoke, RevokeError, Standing};
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
    bearer_keys: BearerKeys,
    token_ttl: Span,
    session_ttl: Span,
    revocations: Revocations,
    used: Option<Mutex<ReplayCache>>,
    clock: Clock,
}

impl Auth {
    /// As configured; nobody is revoked. A file of rights that was sound when the configuration was
    /// read, and is not now, lets nobody in.
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
            bearer_keys: BearerKeys::new(settings.publish_key.clone(), settings.admin_key.clone()),
            token_ttl,
            session_ttl,
            revocations: Revocations::new(token_ttl, session_ttl, clock),
            used: settings.single_use.then(Mutex::default),
            clock,
        }
    }

    /// A new app session, as the text of its cookie.
    #[must_use]
    pub fn log_in(&self, identity: Identity) -> String {
        let generation = self.revocations.generation();
        let aud = self.sessions.audience();
        self.keys.sign(&self.claims(aud, identity, Some(generation), self.session_ttl, String::new()))
    }

    /// Returns a stream token for the holder of an app session. Place and time of the login are the
    /// session's, so that a revocation of the session ends the token.
    #[must_use]
    pub fn stream_token(&self, session: &Claims) -> String {
        let claims = self.claims(STREAM, session.identity(), session.generation, self.token_ttl, session.jti.clone());
        let established = session.established();
        let claims = Claims { auth_ms: None, types: session.types.clone(), ..claims };
        let auth_ms = Some(established).filter(|_| claims.established() != established);
        self.keys.sign(&Claims { auth_ms, ..claims })
    }

    /// Returns a stream token for a user whom the app vouches for, now. A user who was revoked
    /// before has their rights back by that.
    ///
    /// `session` is the app's own name of the login, or empty: [`Revoke::Jti`] of it ends the
    /// streams that it opened.
    ///
    /// # Errors
    /// [`BadName`].
    pub fn issue_for(&self, identity: Identity, session: &str) -> Result<String, BadName> {
        names::check(&identity)?;
        if !session.is_empty() {
            names::name("session", session)?;
        }
        let generation = self.revocations.generation();
        Ok(self.keys.sign(&self.claims(STREAM, identity, Some(generation), self.token_ttl, session.to_owned())))
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

    /// Returns every session that a request shows, whether or not it is still valid.
    ///
    /// A stream may outlive the session that opened it, and a revocation may have failed to be
    /// recorded. So an expired session and a revoked one can be ended too.
    pub async fn ending(&self, headers: &HeaderMap) -> Ending {
        let mut ending = Ending::default();
        for token in self.sessions.shown(headers) {
            ending.add(self.sessions.signed(&self.keys, token, self.clock.now(), self.clock.unix_ms()).await);
        }
        ending
    }

    /// Whether there is a key that services authenticate with.
    pub(crate) fn takes_services(&self) -> bool {
        self.bearer_keys.takes_services()
    }

    /// Checks that a request comes from a service.
    ///
    /// # Errors
    /// 401 `unauthenticated`.
    pub fn service(&self, headers: &HeaderMap) -> Result<(), Problem> {
        self.bearer_keys.service(headers)
    }

    /// Checks that a request comes from the operator of the server.
    ///
    /// # Errors
    /// 401 `admin_key_required`.
    pub fn admin(&self, headers: &HeaderMap) -> Result<(), Problem> {
        self.bearer_keys.admin(headers)
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

    /// Uses a token up, where it opens one stream only. Returns false if it can't be used now, and
    /// stays as it is: too many used tokens are remembered already, of all users or of this one.
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

    /// Looks at the files of keys and rights, and at the keys of app sessions, whether they
    /// changed.
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

    /// Takes rights away, at once. Returns when that happened, and whether it is recorded.
    ///
    /// # Errors
    /// [`RevokeError::Full`]: nothing happened.
    pub fn revoke(&self, whom: &Revoke) -> Result<(Moment, io::Result<()>), RevokeError> {
        self.revocations.revoke(whom)
    }

    /// Returns what ends a session, with the tokens that it asked for.
    #[must_use]
    pub fn end_of(&self, session: &Claims) -> Revoke {
        self.revocations.end_of(session)
    }

    /// Corrects the time of a revocation that was made here (see
    /// [`Revoked::correct`](revoked::Revoked::correct)).
    pub fn correct(&self, whom: &Revoke, ms: u64) {
        self.revocations.correct(whom, ms);
    }

    /// Takes over a revocation by another node. Returns what the other nodes have to know besides
    /// (see [`Revoked::adopt`](revoked::Revoked::adopt)).
    pub fn adopt(&self, revocation: &Revocation) -> Option<Revocation> {
        self.revocations.adopt(revocation)
    }

    /// Returns true if a revocation by another node is no news here.
    #[must_use]
    pub fn knows(&self, revocation: &Revocation) -> bool {
        self.revocations.knows(revocation)
    }

    /// Takes over revocations that were recorded before this node issued anything.
    pub fn restore<'a>(&self, recorded: impl IntoIterator<Item = (Moment, &'a Revoke)>) {
        self.revocations.restore(recorded);
    }

    /// Keeps revocations in this file from now on, and takes over those that it has.
    ///
    /// # Errors
    /// Errors of the system, or if the file is damaged, of another program, or in use. It names the
    /// file.
    pub fn remember(&mut self, path: &Path) -> io::Result<()> {
        self.revocations.open(path)
    }

    /// How long a revocation counts, in milliseconds: no token lives longer.
    #[must_use]
    pub fn memory_ms(&self) -> u64 {
        self.revocations.memory_ms()
    }

    /// Treats a stream token as expired from now on.
    pub fn expire(&self, jti: &str) {
        self.revocations.expire(jti);
    }

    /// Whether the rights of a token that was once good are gone.
    #[must_use]
    pub fn is_revoked(&self, claims: &Claims) -> bool {
        self.revocations.is_revoked(claims)
    }

    /// Remembers that a revocation is on disk and known to the other nodes.
    pub fn recorded(&self, whom: &Revoke) {
        self.revocations.recorded(whom);
    }

    /// Returns true if this revocation needs no repetition. May return false for one that is
    /// recorded.
    #[must_use]
    pub fn is_recorded(&self, whom: &Revoke) -> bool {
        self.revocations.is_recorded(whom)
    }

    /// Refuses a session that is older than revocations are remembered.
    fn check_age(&self, claims: Claims) -> Result<Claims, Refusal> {
        if self.revocations.is_too_old(&claims) { Err(Refusal::Expired) } else { Ok(claims) }
    }

    fn check_revoked(&self, checked: Result<Claims, Invalid>) -> Result<Claims, Refusal> {
        let claims = checked.map_err(|invalid| match invalid {
            Invalid::Expired => Refusal::Expired,
            Invalid::Early => Refusal::Early,
            Invalid::Forged | Invalid::UnknownKey => Refusal::Forged,
            Invalid::BadName => Refusal::BadName,
        })?;
        match self.revocations.judge(&claims) {
            Standing::Good => Ok(claims),
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
            types: None,
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
