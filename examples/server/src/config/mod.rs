//! What the server is told: flags over environment over file over defaults, checked as a whole before anything starts.
//!
//! ```
//! use tinysse_server::config::Config;
//! let config = Config::from_args(["tinysse-server", "--dev", "--listen=127.0.0.1:0", "--token-ttl=2s"]).unwrap();
//! assert_eq!(config.token_ttl.ms(), 2_000);
//! assert!(Config::from_args(["tinysse-server"]).unwrap_err().to_string().contains("--secret"));
//! ```

mod access;
pub mod admin;
mod command;
mod cors;
mod environment;
mod file;
mod flow;
mod layer;
mod limits;
mod lines;
mod origin;
mod otlp;
mod pages;
pub mod poll;
mod shown;
mod tls;
mod values;

use std::{
    ffi::OsString,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use axum::http::HeaderValue;
use tinysse::proto::registry::Pattern;
use tracing_subscriber::filter::Targets;

use crate::{
    engine::{Durability, redis},
    hub::{HubConfig, SlowRules},
    room::Room,
};

pub use access::{Access, KeySource, SessionRules};
pub use admin::Admin;
pub use command::{Command, TokenCommand};
pub use layer::Layer;
pub use limits::Limits;
pub use origin::{Origin, Origins};
pub use poll::{Poll, PollEntry, PollError};
pub use shown::Shown;
pub use tls::Tls;
pub use values::{Pair, Place, Rate, Secret, Span};

/// `iss` of tokens, unless configured otherwise.
const ISSUER: &str = "tinysse";
/// Where the log is kept unless told otherwise.
const DATA: &str = "tinysse-data";
const PREFIX: &str = "tinysse";
/// With `--dev`, services publish with this unless told otherwise.
pub const DEV_PUBLISH_KEY: &str = "dev-publish-key";
/// With `--dev` streams stand so long behind a planned goodbye: on loopback the next one opens within a few milliseconds.
const DEV_LINGER_MS: u32 = 150;

/// The settings, complete and checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Whether the endpoints for trying out exist.
    pub dev: bool,
    /// Where the log is kept.
    pub keep: Keep,
    /// What tokens are signed with, who logs users in, who knows their rights.
    pub access: Access,
    /// How much one user or address may have.
    pub limits: Limits,
    /// What services authenticate with; without one nobody publishes over HTTP.
    pub publish_key: Option<Secret>,
    /// `iss` of tokens.
    pub issuer: String,
    /// Life of a stream token.
    pub token_ttl: Span,
    /// Life of a dev login.
    pub session_ttl: Span,
    /// The log and the rhythm of the streams.
    pub hub: HubConfig,
    /// Origins that browsers may call from.
    pub cors_origins: Vec<HeaderValue>,
    /// Who may look inside.
    pub admin: Admin,
    /// Certificate and key, for HTTPS.
    pub tls: Option<Tls>,
    /// Where spans of requests go.
    pub otlp: Option<Secret>,
    /// Directory of the web app.
    pub pages: Option<PathBuf>,
    /// What to poll.
    pub polls: Vec<Poll>,
    /// How long a node that polls for the others may be silent before another one does it.
    pub poll_lease: Span,
    /// Windows in which notifications are coalesced; the first pattern that matches a type counts.
    pub batch: Vec<(Pattern, Span)>,
    /// What slow readers get.
    pub slow: SlowRules,
    /// How much may wait for the log.
    pub room: Room,
    /// Refetches a second that clients are asked to keep to; 0 asks nothing.
    pub spread_rate: u32,
    /// Streams at a time.
    pub max_streams: usize,
    /// Streams are asked to reopen before they are so old; 0 never asks.
    pub max_stream_age: Span,
    /// Whether streams end with their tokens.
    pub end_with_token: bool,
    /// How long a connection may take no bytes.
    pub stall_timeout: Span,
    /// How long closing the streams is spread over.
    pub drain_window: Span,
    /// How long streams behind their linger, and then other connections, may take to end before they are cut.
    pub grace: Span,
    /// What to log.
    pub log: Targets,
    /// What is probably not meant, in words for the person who started the server. Logged at the start.
    pub warnings: Vec<String>,
}

/// Where the log is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Nowhere: it ends with the process.
    Memory,
    /// In a file.
    File {
        /// The directory.
        folder: PathBuf,
        /// When an update counts as published.
        durability: Durability,
    },
    /// In Redis.
    Redis(redis::Place),
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The flags are wrong, or ask for help or the version.
    #[error(transparent)]
    Flags(#[from] clap::Error),
    /// A setting is missing or wrong; the text names it.
    #[error("{0}")]
    Setting(String),
    /// A poller is described wrongly.
    #[error(transparent)]
    Poll(#[from] PollError),
    /// A setting is wrong.
    #[error("{text} (from: {origin})")]
    Given {
        /// Its name in the file.
        key: String,
        /// Where it was given.
        origin: Origin,
        /// What is wrong.
        text: String,
    },
}

impl Config {
    /// Reads flags (the first is the program's name), environment and, if one is named, the file.
    ///
    /// # Errors
    /// [`ConfigError`], in words for the person who started the server.
    pub fn from_args(args: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Result<Self, ConfigError> {
        match Command::from_args(args)? {
            Command::Serve(config) => Ok(*config),
            Command::Token(_) | Command::Check { .. } => wrong("this command serves nothing"),
        }
    }

    /// The settings as they count, each under the name it has in the file. Secrets are hidden.
    #[must_use]
    pub fn shown(&self) -> Vec<Shown> {
        shown::shown(self)
    }

    /// Fills in the defaults and checks the whole.
    ///
    /// # Errors
    /// [`ConfigError::Setting`] names the setting.
    pub fn resolve(layer: Layer) -> Result<Self, ConfigError> {
        let dev = layer.dev.unwrap_or(false);
        let keep = keep(&layer)?;
        let listen = layer.listen.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)));
        if dev && !listen.ip().is_loopback() {
            return wrong("--dev lets anybody in, so it listens on loopback only: give --listen 127.0.0.1:PORT");
        }
        let access = Access::resolve(&layer, dev)?;
        let (admin, tls) = (Admin::resolve(&layer, dev)?, Tls::resolve(&layer)?);
        let dev_key = || dev.then(|| Secret::from(DEV_PUBLISH_KEY.to_owned()));
        let publish_key = layer.publish_key.clone().or_else(dev_key);
        if !dev && let Some(key) = &publish_key {
            at_least("--publish-key", key, 16)?;
        }
        let max_streams = between("--max-streams", layer.max_streams.unwrap_or(10_000), 1, limits::MOST)?;
        let limits = Limits::resolve(&layer, max_streams, dev)?;
        let default = HubConfig::default();
        let hub = HubConfig {
            max_count: between("--log-max-count", layer.log_max_count.unwrap_or(default.max_count), 1, 10_000_000)?,
            max_age_ms: layer.log_max_age.map_or(default.max_age_ms, Span::ms),
            max_bytes: between("--log-max-bytes", layer.log_max_bytes.unwrap_or(default.max_bytes), 1_024, 1 << 40)?,
            beat_ms: short("--beat", layer.beat, default.beat_ms, 10)?,
            retry_ms: short("--retry", layer.retry, default.retry_ms, 0)?,
            linger_ms: short("--linger", layer.linger, if dev { DEV_LINGER_MS } else { default.linger_ms }, 0)?,
        };
        let token_ttl = layer.token_ttl.unwrap_or(Span::of_ms(60_000));
        between("--token-ttl (in milliseconds)", token_ttl.ms(), 1_000, 86_400_000)?;
        if let Some(pages) = &layer.pages
            && !pages.join("index.html").is_file()
        {
            return wrong(format!("--pages: {} has no index.html", pages.display()));
        }
        let session_ttl = layer.session_ttl.unwrap_or(Span::of_ms(12 * 3_600_000).max(token_ttl));
        if session_ttl < token_ttl {
            return wrong(
                "--session-ttl is shorter than --token-ttl: revocations would be forgotten while tokens still open streams",
            );
        }
        let stall_timeout = layer.stall_timeout.unwrap_or(Span::of_ms(30_000));
        between("--stall-timeout (in milliseconds)", stall_timeout.ms(), 100, 3_600_000)?;
        // With --dev one person waits for the end, and it comes within half a second.
        let drain_window = layer.drain_window.unwrap_or(Span::of_ms(if dev { 0 } else { 5_000 }));
        between("--drain-window (in milliseconds)", drain_window.ms(), 0, 3_600_000)?;
        let warnings = unused(&layer).chain(unreachable(&limits, max_streams, tls.is_some())).collect();
        let (slow, room) = (flow::slow(&layer)?, flow::room(&layer)?);
        let polls = poll::resolve(&layer)?;
        let poll_lease = layer.poll_lease.unwrap_or(Span::of_ms(5_000));
        between("--poll-lease (in milliseconds)", poll_lease.ms(), 300, 3_600_000)?;
        Ok(Self {
            listen,
            dev,
            keep,
            access,
            limits,
            publish_key,
            issuer: layer.issuer.unwrap_or_else(|| ISSUER.to_owned()),
            token_ttl,
            session_ttl,
            hub,
            cors_origins: layer.cors_origin.iter().map(|text| cors::origin(text)).collect::<Result<_, _>>()?,
            admin,
            tls,
            otlp: otlp::otlp(layer.otlp)?,
            pages: layer.pages,
            polls,
            poll_lease,
            batch: layer.batch.into_iter().map(window).collect::<Result<_, _>>()?,
            slow,
            room,
            spread_rate: layer.spread_rate.unwrap_or(500),
            max_streams,
            max_stream_age: layer.max_stream_age.unwrap_or(Span::of_ms(3_600_000)),
            end_with_token: layer.end_with_token.unwrap_or(false),
            stall_timeout,
            drain_window,
            grace: Span::of_ms(if dev { 100 } else { 2_000 }),
            log: filter(layer.log.as_deref().unwrap_or("info"))?,
            warnings,
        })
    }
}

fn keep(layer: &Layer) -> Result<Keep, ConfigError> {
    let Layer { data, redis, redis_prefix, redis_ca, durability, .. } = layer;
    match (layer.memory.unwrap_or(false), data, redis) {
        (true, None, None) if durability.is_none_or(|asked| asked == Durability::Memory) => Ok(Keep::Memory),
        (true, None, None) => wrong("--durability needs a log on the disk: leave --memory out"),
        (false, None, Some(_)) if durability.is_some() => {
            wrong("--durability is of the log on the disk; with --redis it is what Redis is set to")
        }
        (false, None, Some(url)) => {
            let prefix = redis_prefix.clone().unwrap_or_else(|| PREFIX.to_owned());
            if prefix.is_empty() || prefix.contains(['{', '}']) {
                return wrong("--redis-prefix must not be empty and has no braces");
            }
            let place = redis::Place { url: url.clone(), prefix, ca: redis_ca.clone() };
            place.check().or_else(|error| wrong(format!("--redis: {error}")))?;
            Ok(Keep::Redis(place))
        }
        (false, folder, None) => {
            let folder = folder.clone().unwrap_or_else(|| PathBuf::from(DATA));
            Ok(Keep::File { folder, durability: durability.unwrap_or_default() })
        }
        (true, _, _) | (false, Some(_), Some(_)) => wrong("--data, --memory or --redis: one of them"),
    }
}

/// Warns about settings that mean nothing beside the others.
fn unused(layer: &Layer) -> impl Iterator<Item = String> {
    let (redis, directory) = (layer.redis.is_some(), layer.directory.as_ref());
    let asked = directory.is_some_and(|place| place.expose().contains("://"));
    let lonely = [
        ("--redis-prefix", layer.redis_prefix.is_some() && !redis, "--redis"),
        ("--redis-ca", layer.redis_ca.is_some() && !redis, "--redis"),
        ("--directory-key", layer.directory_key.is_some() && !asked, "an address as --directory"),
        ("--directory-ttl", layer.directory_ttl.is_some() && !asked, "an address as --directory"),
    ];
    let lonely = lonely.into_iter().filter(|(_, lonely, _)| *lonely);
    lonely.map(|(name, _, needs)| format!("{name} does nothing without {needs}"))
}

/// Warns about a bound that another one keeps from being reached.
fn unreachable(limits: &Limits, max_streams: usize, tls: bool) -> Option<String> {
    // Over HTTP/2 one connection carries many streams.
    (!tls && limits.connections < max_streams).then(|| {
        format!(
            "--max-streams is {max_streams}, but --max-connections {} allows fewer: a stream takes a connection",
            limits.connections
        )
    })
}

fn wrong<T>(text: impl Into<String>) -> Result<T, ConfigError> {
    Err(ConfigError::Setting(text.into()))
}

fn at_least(name: &str, secret: &Secret, bytes: usize) -> Result<(), ConfigError> {
    if secret.expose().len() < bytes { wrong(format!("{name} needs at least {bytes} bytes")) } else { Ok(()) }
}

fn between<T: PartialOrd + std::fmt::Display>(name: &str, value: T, low: T, high: T) -> Result<T, ConfigError> {
    if value < low || value > high {
        wrong(format!("{name} is {value}; it must be {low} to {high}"))
    } else {
        Ok(value)
    }
}

/// Milliseconds that travel in 32 bits; at most a day.
fn short(name: &str, span: Option<Span>, default: u32, low: u64) -> Result<u32, ConfigError> {
    let ms = between(name, span.map_or(u64::from(default), Span::ms), low, 86_400_000)?;
    u32::try_from(ms).or_else(|_| wrong(name))
}

fn window(pair: Pair<Span>) -> Result<(Pattern, Span), ConfigError> {
    // What a window holds is bounded by its length.
    between("--batch (in milliseconds)", pair.value.ms(), 1, 60_000)?;
    match Pattern::parse(&pair.kind) {
        Some(pattern) => Ok((pattern, pair.value)),
        None => wrong(format!("--batch `{}=...`: not a type, `prefix.*` or `*`", pair.kind)),
    }
}

fn filter(text: &str) -> Result<Targets, ConfigError> {
    text.parse().or_else(|error| wrong(format!("--log `{text}`: {error}")))
}

#[cfg(test)]
mod tests;
