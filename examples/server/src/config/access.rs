//! What tokens are signed with, who logs users in, and who knows their rights.

use std::path::{Path, PathBuf};

use super::{
    ConfigError, ISSUER, Layer, at_least, between,
    values::{Place, Secret, Span},
    wrong,
};
use crate::auth::{
    COOKIE,
    directory::{AsClaimed, Directory, RightsFile, RightsService},
    jwt::{APP, SKEW},
    key::Key,
};

/// With `--dev`, tokens are signed with this. Everybody knows it.
const DEV_SECRET: &str = "tinysse-dev-secret-that-everybody-knows";

/// The settings around tokens and rights.
#[derive(Clone, Debug)]
pub struct Access {
    /// The keys as they were at the start; the first that can signs.
    pub keys: Vec<Key>,
    /// Where they come from.
    pub sources: KeySource,
    /// How far in the future a token may come from.
    pub skew: Span,
    /// Whether a token opens one stream only.
    pub single_use: bool,
    /// What app sessions are.
    pub sessions: SessionRules,
    /// Who knows the rights; `None` for what the session says.
    pub directory: Option<Place>,
    /// What the directory's address is shown.
    pub directory_key: Option<Secret>,
    /// How long its answers hold.
    pub directory_ttl: Span,
    /// Where revocations are kept over restarts.
    pub revocations: Option<PathBuf>,
    /// How often files are looked at.
    pub reload_every: Span,
}

/// Files and secrets that make keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySource {
    /// Ed25519 keys in PEM.
    pub files: Vec<PathBuf>,
    /// Shared secrets, the present one first.
    pub secrets: Vec<Secret>,
}

/// How the app knows its users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRules {
    /// Signed with this secret.
    pub secret: Option<Secret>,
    /// Or with a key of this set. With neither, with our own keys.
    pub jwks: Option<Place>,
    /// `iss`.
    pub issuer: String,
    /// `aud`.
    pub audience: String,
    /// The cookie, where there is no bearer.
    pub cookie: String,
}

impl KeySource {
    /// The keys as they are now, those of the files first.
    ///
    /// # Errors
    /// Names the file that is none.
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

impl Access {
    /// Fills in the defaults and checks the whole.
    ///
    /// # Errors
    /// [`ConfigError::Setting`] names the setting.
    pub(super) fn resolve(layer: &Layer, dev: bool) -> Result<Self, ConfigError> {
        let none = layer.secret.is_none() && layer.token_key.is_empty();
        let secret = layer.secret.clone().or_else(|| (dev && none).then(|| Secret::from(DEV_SECRET.to_owned())));
        if secret.is_none() && layer.token_key.is_empty() {
            return wrong(
                "--secret (or TINYSSE_SECRET) is required: at least 32 bytes that sign the tokens; or give a --token-key; to try things out, --dev has a secret built in",
            );
        }
        for (name, secret) in secret
            .iter()
            .map(|secret| ("--secret", secret))
            .chain(layer.previous_secret.iter().map(|secret| ("--previous-secret", secret)))
            .chain(layer.session_secret.iter().map(|secret| ("--session-secret", secret)))
        {
            at_least(name, secret, 32)?;
        }
        let secrets = secret.into_iter().chain(layer.previous_secret.iter().cloned()).collect();
        let sources = KeySource { files: layer.token_key.clone(), secrets };
        let keys = sources.read().or_else(wrong)?;
        if !keys.iter().any(Key::signs) {
            return wrong("--token-key: one of the keys must be private, to sign tokens");
        }
        let place = |name: &str, text: &Option<Secret>| {
            text.as_ref()
                .map(|text| text.expose().parse().or_else(|error: String| wrong(format!("{name}: {error}"))))
                .transpose()
        };
        let issuer = layer.session_issuer.clone().or_else(|| layer.issuer.clone());
        let access = Self {
            keys,
            sources,
            skew: between_ms("--clock-skew", layer.clock_skew, SKEW.ms(), 1_000, 600_000)?,
            single_use: layer.single_use.unwrap_or(false),
            sessions: SessionRules {
                secret: layer.session_secret.clone(),
                jwks: place("--session-jwks", &layer.session_jwks)?,
                issuer: issuer.unwrap_or_else(|| ISSUER.to_owned()),
                audience: layer.session_audience.clone().unwrap_or_else(|| APP.to_owned()),
                cookie: layer.session_cookie.clone().unwrap_or_else(|| COOKIE.to_owned()),
            },
            directory: place("--directory", &layer.directory)?,
            directory_key: layer.directory_key.clone(),
            directory_ttl: between_ms("--directory-ttl", layer.directory_ttl, 60_000, 1_000, 86_400_000)?,
            revocations: layer.revocations.clone(),
            reload_every: between_ms("--reload-every", layer.reload_every, 1_000, 10, 86_400_000)?,
        };
        access.check_places()?;
        Ok(access)
    }

    /// The directory that is configured.
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

    fn check_places(&self) -> Result<(), ConfigError> {
        let named = |name: &str, path: &Path, error: String| wrong(format!("{name} {}: {error}", path.display()));
        if let Some(Place::File(path)) = &self.directory {
            RightsFile::open(path).map(drop).or_else(|error| named("--directory", path, error))?;
        }
        if let Some(Place::File(path)) = &self.sessions.jwks {
            let text = std::fs::read(path).map_err(|error| error.to_string());
            text.and_then(|text| crate::auth::read_jwks(&text).map(drop))
                .or_else(|error| named("--session-jwks", path, error))?;
        }
        if self.sessions.cookie.is_empty() || !self.sessions.cookie.bytes().all(is_cookie_name) {
            return wrong("--session-cookie: letters, digits, `-`, `_` and `.`");
        }
        Ok(())
    }
}

fn is_cookie_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

fn between_ms(name: &str, span: Option<Span>, default: u64, low: u64, high: u64) -> Result<Span, ConfigError> {
    between(&format!("{name} (in milliseconds)"), span.map_or(default, Span::ms), low, high).map(Span::of_ms)
}
