//! The settings of tokens, app sessions, rights and revocations.

use std::path::PathBuf;

use super::{
    directory::{AsClaimed, Directory, RightsFile, RightsService},
    jwt::{APP, SKEW},
    key::Key,
};
use crate::values::{Place, Rate, Secret, Span};

/// `iss` of tokens and of app sessions, unless configured otherwise.
pub const ISSUER: &str = "tinysse";
/// The cookie of the app session, unless configured otherwise.
pub const COOKIE: &str = "tinysse_session";

/// The settings of this module.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The keys as they were at the start; the first that can signs.
    pub keys: Vec<Key>,
    /// Where the keys come from, to be read again.
    pub sources: KeySource,
    /// `iss` of tokens.
    pub issuer: String,
    /// How far in the future a token may come from.
    pub skew: Span,
    /// How long a stream token is valid.
    pub token_ttl: Span,
    /// How long an app session is valid at most, and with it the memory of revocations.
    pub session_ttl: Span,
    /// Whether a token opens one stream only.
    pub single_use: bool,
    /// How app sessions are recognised.
    pub sessions: SessionRules,
    /// Where rights are looked up; `None` for the rights that the session claims.
    pub directory: Option<Place>,
    /// The bearer that the directory's address is shown.
    pub directory_key: Option<Secret>,
    /// How long an answer of that address is used.
    pub directory_ttl: Span,
    /// The file that keeps revocations over restarts.
    pub revocations: Option<PathBuf>,
    /// How often files of keys and rights are looked at.
    pub reload_every: Span,
    /// The key that services authenticate with; without one nothing can be published over HTTP.
    pub publish_key: Option<Secret>,
    /// The key that opens `/admin` and `/clients`; without one they do not exist.
    pub admin_key: Option<Secret>,
    /// Tokens that one user may ask for; the same rate bounds the sessions that a user ends.
    pub token_rate: Rate,
}

/// Files and secrets that make keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySource {
    /// Ed25519 keys in PEM.
    pub files: Vec<PathBuf>,
    /// Shared secrets, the current one first.
    pub secrets: Vec<Secret>,
}

/// How the app knows its users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRules {
    /// The secret that signs sessions.
    pub secret: Option<Secret>,
    /// The JWK set that signs sessions. With neither, the keys of the stream tokens do.
    pub jwks: Option<Place>,
    /// Whether the keys of the stream tokens sign sessions even if there is a secret or a JWK set:
    /// for the login of `--dev`.
    pub own: bool,
    /// `iss`.
    pub issuer: String,
    /// `aud`.
    pub audience: String,
    /// The cookie, where there is no bearer.
    pub cookie: String,
}

impl Settings {
    /// Returns the defaults, with tokens signed by this secret (HS256; at least 32 bytes).
    #[must_use]
    pub fn new(secret: Secret) -> Self {
        let sources = KeySource { files: Vec::new(), secrets: vec![secret] };
        Self {
            keys: sources.secrets.iter().map(Key::shared).collect(),
            sources,
            issuer: ISSUER.to_owned(),
            skew: SKEW,
            token_ttl: Span::of_ms(60_000),
            session_ttl: Span::of_ms(12 * 3_600_000),
            single_use: false,
            sessions: SessionRules::default(),
            directory: None,
            directory_key: None,
            directory_ttl: Span::of_ms(60_000),
            revocations: None,
            reload_every: Span::of_ms(1_000),
            publish_key: None,
            admin_key: None,
            token_rate: Rate::per_minute(120),
        }
    }

    /// Returns the directory that is configured.
    ///
    /// A file of rights that was readable when the settings were checked, and no longer is, admits
    /// no user.
    #[must_use]
    pub fn directory(&self) -> Box<dyn Directory> {
        match &self.directory {
            None => Box::new(AsClaimed),
            Some(Place::File(path)) => Box::new(RightsFile::open(path).unwrap_or_else(|_| RightsFile::closed(path))),
            Some(Place::Url(url)) => {
                Box::new(RightsService::new(url.clone(), self.directory_key.clone(), self.directory_ttl))
            }
        }
    }
}

impl Default for SessionRules {
    fn default() -> Self {
        Self {
            secret: None,
            jwks: None,
            own: false,
            issuer: ISSUER.to_owned(),
            audience: APP.to_owned(),
            cookie: COOKIE.to_owned(),
        }
    }
}

impl KeySource {
    /// Reads the keys, those of the files first.
    ///
    /// # Errors
    /// Names the file that can't be read or holds no key.
    pub fn read(&self) -> Result<Vec<Key>, String> {
        let file = |path: &PathBuf| {
            let named = |error: &dyn std::fmt::Display| format!("--token-key {}: {error}", path.display());
            let pem = Secret::from(std::fs::read_to_string(path).map_err(|error| named(&error))?);
            Key::ed25519(pem.expose()).map_err(|error| named(&error))
        };
        let keys: Result<Vec<_>, _> = self.files.iter().map(file).collect();
        Ok(keys?.into_iter().chain(self.secrets.iter().map(Key::shared)).collect())
    }
}
