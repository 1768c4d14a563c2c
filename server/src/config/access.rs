//! The flags around tokens, app sessions, rights and revocations.

use std::path::Path;

use super::{ConfigError, DEV_PUBLISH_KEY, RawConfig, at_least, between, wrong};
use tinysse_hub::{
    auth::{
        COOKIE, ISSUER, KeySource, SessionRules, Settings,
        directory::RightsFile,
        jwt::{APP, SKEW},
        key::Key,
        read_jwks,
    },
    values::{Place, Secret, Span},
};

/// With `--dev`, tokens are signed with this. Everybody knows it.
const DEV_SECRET: &str = "tinysse-dev-secret-that-everybody-knows";

/// Fills in the defaults and checks the whole.
///
/// # Errors
/// [`ConfigError::Setting`] names the setting.
pub(super) fn resolve(layer: &RawConfig, dev: bool) -> Result<Settings, ConfigError> {
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
    let token_ttl = layer.token_ttl.unwrap_or(Span::of_ms(60_000));
    between("--token-ttl (in milliseconds)", token_ttl.ms(), 1_000, 86_400_000)?;
    let session_ttl = layer.session_ttl.unwrap_or(Span::of_ms(12 * 3_600_000).max(token_ttl));
    if session_ttl < token_ttl {
        return wrong(
            "--session-ttl is shorter than --token-ttl: revocations would be forgotten while tokens still open streams",
        );
    }
    let dev_key = || dev.then(|| Secret::from(DEV_PUBLISH_KEY.to_owned()));
    let publish_key = layer.publish_key.clone().or_else(dev_key);
    if !dev && let Some(key) = &publish_key {
        at_least("--publish-key", key, 16)?;
    }
    if let Some(key) = &layer.admin_key {
        at_least("--admin-key", key, 16)?;
    }
    let settings = Settings {
        keys,
        sources,
        issuer: layer.issuer.clone().unwrap_or_else(|| ISSUER.to_owned()),
        token_ttl,
        session_ttl,
        publish_key,
        admin_key: layer.admin_key.clone(),
        token_rate: super::limits::rate(layer.token_rate, "120/m", dev),
        skew: between_ms("--clock-skew", layer.clock_skew, SKEW.ms(), 1_000, 600_000)?,
        single_use: layer.single_use.unwrap_or(false),
        sessions: SessionRules {
            secret: layer.session_secret.clone(),
            jwks: place("--session-jwks", &layer.session_jwks)?,
            own: dev,
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
    check_places(&settings)?;
    Ok(settings)
}

fn check_places(settings: &Settings) -> Result<(), ConfigError> {
    let named = |name: &str, path: &Path, error: String| wrong(format!("{name} {}: {error}", path.display()));
    if let Some(Place::File(path)) = &settings.directory {
        RightsFile::open(path).map(drop).or_else(|error| named("--directory", path, error))?;
    }
    if let Some(Place::File(path)) = &settings.sessions.jwks {
        let text = std::fs::read(path).map_err(|error| error.to_string());
        text.and_then(|text| read_jwks(&text).map(drop)).or_else(|error| named("--session-jwks", path, error))?;
    }
    if settings.sessions.cookie.is_empty() || !settings.sessions.cookie.bytes().all(is_cookie_name) {
        return wrong("--session-cookie: letters, digits, `-`, `_` and `.`");
    }
    Ok(())
}

fn is_cookie_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

fn between_ms(name: &str, span: Option<Span>, default: u64, low: u64, high: u64) -> Result<Span, ConfigError> {
    between(&format!("{name} (in milliseconds)"), span.map_or(default, Span::ms), low, high).map(Span::of_ms)
}
