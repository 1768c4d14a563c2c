//! The settings of the server: flags over environment over file over defaults, checked as a whole
//! before anything starts.
//!
//! ```
//! use tinysse_server::config::Config;
//! let config = Config::from_args(["tinysse-server", "--dev", "--listen=127.0.0.1:0", "--token-ttl=2s"]).unwrap();
//! assert_eq!(config.hub.auth.token_ttl.ms(), 2_000);
//! assert!(Config::from_args(["tinysse-server"]).unwrap_err().to_string().contains("--secret"));
//! ```

mod access;
mod admin;
mod command;
mod cors;
mod environment;
mod file;
mod flow;
mod limits;
mod lines;
mod origin;
mod otlp;
mod pages;
pub mod poll;
mod raw;
mod report;
mod tls;

use std::{
    ffi::OsString,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use tinysse::proto::registry::Pattern;
use tracing_subscriber::filter::Targets;

use tinysse_hub::{
    engine::Durability,
    http,
    hub::HubConfig,
    poll as pollers, publish, redis, serve,
    settings::{Settings, Storage},
    stream,
    values::{Pair, Secret, Span},
};

pub use command::{Command, TokenCommand};
pub use origin::{Origin, Origins};
pub use poll::{PollEntry, PollError};
pub use raw::RawConfig;
pub use report::Shown;

/// Where the log is kept by default.
const DATA: &str = "tinysse-data";
const PREFIX: &str = "tinysse";
/// With `--dev`, services publish with this by default.
pub const DEV_PUBLISH_KEY: &str = "dev-publish-key";
/// With `--dev` streams stay open this long after a planned bye: on loopback the next one opens
/// within a few milliseconds.
const DEV_LINGER_MS: u32 = 150;

/// The settings of the program, complete and checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// The settings of the hub.
    pub hub: Settings,
    /// Where spans of requests go.
    pub otlp: Option<Secret>,
    /// What to log.
    pub log: Targets,
    /// What is probably not meant, in words for the operator. Logged at the start.
    pub warnings: Vec<String>,
}

impl From<Config> for Settings {
    fn from(config: Config) -> Self {
        config.hub
    }
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
        report::shown(self)
    }

    /// Fills in the defaults and checks the whole.
    ///
    /// # Errors
    /// [`ConfigError::Setting`] names the setting.
    pub fn resolve(layer: RawConfig) -> Result<Self, ConfigError> {
        let dev = layer.dev.unwrap_or(false);
        let storage = storage(&layer)?;
        let listen = layer.listen.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)));
        if dev && !listen.ip().is_loopback() {
            return wrong("--dev lets anybody in, so it listens on loopback only: give --listen 127.0.0.1:PORT");
        }
        let auth = access::resolve(&layer, dev)?;
        let mut serve = serve::Settings {
            tls: tls::resolve(&layer)?,
            grace: Span::of_ms(if dev { 100 } else { 2_000 }),
            ..serve::Settings::default()
        };
        let mut http = http::Settings {
            cors_origins: layer.cors_origin.iter().map(|text| cors::origin(text)).collect::<Result<_, _>>()?,
            metrics: admin::metrics(&layer, dev)?,
            admin: layer.admin_key.is_some(),
            pages: layer.pages.clone(),
            dev,
            hosts: dev.then(|| vec![listen.ip().to_string()]),
            ..http::Settings::default()
        };
        if let Some(pages) = &http.pages
            && !pages.join("index.html").is_file()
        {
            return wrong(format!("--pages: {} has no index.html", pages.display()));
        }
        let mut stream = streams(&layer, dev)?;
        limits::resolve(&layer, dev, &mut stream, &mut http, &mut serve)?;
        let warnings = unused(&layer).chain(unreachable(&stream, &serve)).collect();
        let lease = layer.poll_lease.unwrap_or(Span::of_ms(5_000));
        between("--poll-lease (in milliseconds)", lease.ms(), 300, 3_600_000)?;
        let hub = Settings {
            log: log(&layer, dev)?,
            storage,
            auth,
            stream,
            publish: publish::Settings {
                waiting: flow::room(&layer)?,
                batch: layer.batch.iter().map(window).collect::<Result<_, _>>()?,
            },
            poll: pollers::Settings { targets: poll::resolve(&layer)?, lease },
            http,
            serve,
        };
        let (otlp, log) = (otlp::otlp(layer.otlp)?, filter(layer.log.as_deref().unwrap_or("info"))?);
        Ok(Self { listen, hub, otlp, log, warnings })
    }
}

fn log(layer: &RawConfig, dev: bool) -> Result<HubConfig, ConfigError> {
    let default = HubConfig::default();
    Ok(HubConfig {
        max_count: between("--log-max-count", layer.log_max_count.unwrap_or(default.max_count), 1, 10_000_000)?,
        max_age_ms: layer.log_max_age.map_or(default.max_age_ms, Span::ms),
        max_bytes: between("--log-max-bytes", layer.log_max_bytes.unwrap_or(default.max_bytes), 1_024, 1 << 40)?,
        beat_ms: short("--beat", layer.beat, default.beat_ms, 10)?,
        retry_ms: short("--retry", layer.retry, default.retry_ms, 0)?,
        linger_ms: short("--linger", layer.linger, if dev { DEV_LINGER_MS } else { default.linger_ms }, 0)?,
    })
}

/// Caps are set by [`limits::resolve`].
fn streams(layer: &RawConfig, dev: bool) -> Result<stream::Settings, ConfigError> {
    let stall_timeout = layer.stall_timeout.unwrap_or(Span::of_ms(30_000));
    between("--stall-timeout (in milliseconds)", stall_timeout.ms(), 100, 3_600_000)?;
    // With --dev one person waits for the end, and it comes within half a second.
    let drain_window = layer.drain_window.unwrap_or(Span::of_ms(if dev { 0 } else { 5_000 }));
    between("--drain-window (in milliseconds)", drain_window.ms(), 0, 3_600_000)?;
    Ok(stream::Settings {
        spread_rate: layer.spread_rate.unwrap_or(500),
        slow: flow::slow(layer)?,
        max_age: layer.max_stream_age.unwrap_or(Span::of_ms(3_600_000)),
        end_with_token: layer.end_with_token.unwrap_or(false),
        stall_timeout,
        drain_window,
        ..stream::Settings::default()
    })
}

fn storage(layer: &RawConfig) -> Result<Storage, ConfigError> {
    let RawConfig { data, redis, redis_prefix, redis_ca, durability, .. } = layer;
    match (layer.memory.unwrap_or(false), data, redis) {
        (true, None, None) if durability.is_none_or(|asked| asked == Durability::Memory) => Ok(Storage::Memory),
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
            Ok(Storage::Redis(place))
        }
        (false, folder, None) => {
            let folder = folder.clone().unwrap_or_else(|| PathBuf::from(DATA));
            Ok(Storage::File { folder, durability: durability.unwrap_or_default() })
        }
        (true, _, _) | (false, Some(_), Some(_)) => wrong("--data, --memory or --redis: one of them"),
    }
}

/// Warns about settings that mean nothing beside the others.
fn unused(layer: &RawConfig) -> impl Iterator<Item = String> {
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
fn unreachable(stream: &stream::Settings, serve: &serve::Settings) -> Option<String> {
    // Over HTTP/2 one connection carries many streams.
    (serve.tls.is_none() && serve.max_connections < stream.max_streams).then(|| {
        format!(
            "--max-streams is {}, but --max-connections {} allows fewer: a stream takes a connection",
            stream.max_streams, serve.max_connections
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

fn window(pair: &Pair<Span>) -> Result<(Pattern, Span), ConfigError> {
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
