//! One layer of settings: the flags with the environment behind them, or the file. Everything is
//! optional; the nearer layer wins.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;
use ipnet::IpNet;
use serde::Deserialize;

use super::poll::PollEntry;
use tinysse_hub::{
    engine::Durability,
    http::Readers,
    hub::Slow,
    values::{Pair, Rate, Secret, Span},
};

/// The settings as they are written: as flags (`--token-ttl 60s`), in the environment
/// (`TINYSSE_TOKEN_TTL=60s`) and, under the same names as the flags, in the file
/// (`token-ttl = "60s"`).
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct RawConfig {
    /// Listen on this address; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, env = "TINYSSE_LISTEN", value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// Enable development mode: built-in secrets, POST /auth/login for any user, /dev endpoints;
    /// requires a loopback address
    #[arg(long, env = "TINYSSE_DEV", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub dev: Option<bool>,
    /// Keep the log in this directory, so that clients get missed updates after a restart [default:
    /// tinysse-data]
    #[arg(long, env = "TINYSSE_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Keep the log in memory only; after a restart clients refetch
    #[arg(long, env = "TINYSSE_MEMORY", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub memory: Option<bool>,
    /// Keep the log in Redis, shared by several nodes: redis://host:port,
    /// redis://user:password@host:port/db, or rediss:// for TLS
    #[arg(long, env = "TINYSSE_REDIS", hide_env_values = true, value_name = "URL", value_parser = secret)]
    pub redis: Option<Secret>,
    /// Prefix the names of all keys in Redis; nodes with the same prefix share a log [default:
    /// tinysse]
    #[arg(long, env = "TINYSSE_REDIS_PREFIX", value_name = "TEXT")]
    pub redis_prefix: Option<String>,
    /// Verify the certificate of Redis (rediss://) with these certificates in PEM [default: the
    /// system's]
    #[arg(long, env = "TINYSSE_REDIS_CA", value_name = "FILE")]
    pub redis_ca: Option<PathBuf>,
    /// Acknowledge an update once it is in memory (`memory`, the file follows), on disk by a shared
    /// write (`group`), or on disk by a write of its own (`sync`) [default: group]
    #[arg(long, env = "TINYSSE_DURABILITY", value_name = "WORD")]
    pub durability: Option<Durability>,
    /// Sign tokens with this secret (HS256), at least 32 bytes
    #[arg(long, env = "TINYSSE_SECRET", hide_env_values = true, value_name = "TEXT", value_parser = secret)]
    pub secret: Option<Secret>,
    /// Require this bearer token from services that publish or revoke, at least 16 bytes
    #[arg(long, env = "TINYSSE_PUBLISH_KEY", hide_env_values = true, value_name = "TEXT", value_parser = secret)]
    pub publish_key: Option<Secret>,
    /// Set the `iss` of tokens and sessions [default: tinysse]
    #[arg(long, env = "TINYSSE_ISSUER", value_name = "TEXT")]
    pub issuer: Option<String>,
    /// Expire stream tokens after this time [default: 60s]
    #[arg(long, env = "TINYSSE_TOKEN_TTL", value_name = "SPAN")]
    pub token_ttl: Option<Span>,
    /// Limit the age of app sessions; revocations are remembered as long [default: 12h]
    #[arg(long, env = "TINYSSE_SESSION_TTL", value_name = "SPAN")]
    pub session_ttl: Option<Span>,
    /// Send a beat on a stream after this time without data [default: 15s]
    #[arg(long, env = "TINYSSE_BEAT", value_name = "SPAN")]
    pub beat: Option<Span>,
    /// Set the reconnection time of the browser's own EventSource [default: 2500ms]
    #[arg(long, env = "TINYSSE_RETRY", value_name = "SPAN")]
    pub retry: Option<Span>,
    /// Ask clients to reopen streams before this age, each at a random time; 0s disables it
    /// [default: 1h]
    #[arg(long, env = "TINYSSE_MAX_STREAM_AGE", value_name = "SPAN")]
    pub max_stream_age: Option<Span>,
    /// End a stream when its token expires; its client asks for a new one [default: false]
    #[arg(long, env = "TINYSSE_END_WITH_TOKEN", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub end_with_token: Option<bool>,
    /// Keep a stream open for this time after a planned goodbye, so that its client opens the next
    /// one first [default: 5s; 150ms with --dev]
    #[arg(long, env = "TINYSSE_LINGER", value_name = "SPAN")]
    pub linger: Option<Span>,
    /// Keep at most this number of updates for replay [default: 10000]
    #[arg(long, env = "TINYSSE_LOG_MAX_COUNT", value_name = "N")]
    pub log_max_count: Option<usize>,
    /// Keep updates up to this age [default: 1h]
    #[arg(long, env = "TINYSSE_LOG_MAX_AGE", value_name = "SPAN")]
    pub log_max_age: Option<Span>,
    /// Keep at most this number of bytes of updates, audiences and index; an eighth more for an
    /// outline of trimmed updates [default: 16777216]
    #[arg(long, env = "TINYSSE_LOG_MAX_BYTES", value_name = "N")]
    pub log_max_bytes: Option<usize>,
    /// Allow requests of browsers from this origin, for example `https://app.example` or
    /// `capacitor://localhost`; repeatable
    #[arg(long, env = "TINYSSE_CORS_ORIGIN", value_name = "ORIGIN", value_delimiter = ',')]
    pub cors_origin: Vec<String>,
    /// Serve the web app in this directory, which has an index.html
    #[arg(long, env = "TINYSSE_PAGES", value_name = "DIR")]
    pub pages: Option<PathBuf>,
    /// Require this bearer token for /admin and /clients, at least 16 bytes [default: none, both
    /// are disabled]
    #[arg(long, env = "TINYSSE_ADMIN_KEY", hide_env_values = true, value_name = "TEXT", value_parser = secret)]
    pub admin_key: Option<Secret>,
    /// Set who may read /metrics [default: admin if there is an --admin-key, else off; open with
    /// --dev]
    #[arg(long, env = "TINYSSE_METRICS", value_name = "WORD")]
    pub metrics: Option<Readers>,
    /// Serve HTTPS with this certificate chain in PEM; reloaded when it changes
    #[arg(long, env = "TINYSSE_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// Use this private key in PEM for --tls-cert; reloaded when it changes
    #[arg(long, env = "TINYSSE_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// Send spans of requests to this address by OTLP over HTTP, for example
    /// http://127.0.0.1:4318/v1/traces; requires the feature `otlp`
    #[arg(long, env = "TINYSSE_OTLP", hide_env_values = true, value_name = "URL", value_parser = secret)]
    pub otlp: Option<Secret>,
    /// Poll this address and publish the type when its answer changes; repeatable, in the file also
    /// a `[[poll]]` table
    #[arg(long, env = "TINYSSE_POLL", value_name = "TYPE=URL", value_delimiter = ',')]
    pub poll: Vec<PollEntry>,
    /// Poll at this interval [default: 2s]
    #[arg(long, env = "TINYSSE_POLL_EVERY", value_name = "SPAN")]
    pub poll_every: Option<Span>,
    /// Give up a poll after this time [default: 5s]
    #[arg(long, env = "TINYSSE_POLL_TIMEOUT", value_name = "SPAN")]
    pub poll_timeout: Option<Span>,
    /// Take over the polls of a dead node after this time, with --redis [default: 5s]
    #[arg(long, env = "TINYSSE_POLL_LEASE", value_name = "SPAN")]
    pub poll_lease: Option<Span>,
    /// Coalesce notifications of a type (or `*`, `prefix.*`) to the latest in each window, for
    /// example projects=200ms; repeatable
    #[arg(long, env = "TINYSSE_BATCH", value_name = "TYPE=SPAN", value_delimiter = ',')]
    pub batch: Vec<Pair<Span>>,
    /// Choose what slow readers get of a type (or `*`, `prefix.*`): `deliver` (all updates, while
    /// the log keeps them), `coalesce` (the newest of each key), `resync` (no waiting update, they
    /// refetch) or `disconnect` (they reconnect with their cursor); repeatable
    #[arg(long, env = "TINYSSE_SLOW", value_name = "TYPE=WORD", value_delimiter = ',')]
    pub slow: Vec<Pair<Slow>>,
    /// Treat a reader as slow when its connection takes no bytes and more than this number of
    /// updates wait [default: 100]
    #[arg(long, env = "TINYSSE_SLOW_LAG", value_name = "N")]
    pub slow_lag: Option<usize>,
    /// Let at most this number of requests wait for the log; others are answered 429 [default:
    /// 1024]
    #[arg(long, env = "TINYSSE_PUBLISH_WAITING", value_name = "N")]
    pub publish_waiting: Option<usize>,
    /// Let at most this number of bytes of updates wait for the log; others are answered 429
    /// [default: 16777216]
    #[arg(long, env = "TINYSSE_PUBLISH_WAITING_BYTES", value_name = "N")]
    pub publish_waiting_bytes: Option<usize>,
    /// Ask clients to spread refetches to about this number per second; 0 disables it [default:
    /// 500]
    #[arg(long, env = "TINYSSE_SPREAD_RATE", value_name = "N")]
    pub spread_rate: Option<u32>,
    /// Limit the number of open streams; other clients are asked to come back later [default:
    /// 10000]
    #[arg(long, env = "TINYSSE_MAX_STREAMS", value_name = "N")]
    pub max_streams: Option<usize>,
    /// Close a connection that takes no bytes for this time [default: 30s]
    #[arg(long, env = "TINYSSE_STALL_TIMEOUT", value_name = "SPAN")]
    pub stall_timeout: Option<Span>,
    /// Spread the closing of streams at shutdown over this time [default: 5s; 0ms with --dev]
    #[arg(long, env = "TINYSSE_DRAIN_WINDOW", value_name = "SPAN")]
    pub drain_window: Option<Span>,
    /// Sign tokens with the first private Ed25519 key in PEM (EdDSA) and check them with all;
    /// reloaded when a file changes; repeatable
    #[arg(long, env = "TINYSSE_TOKEN_KEY", value_name = "FILE", value_delimiter = ',')]
    pub token_key: Vec<PathBuf>,
    /// Accept tokens that were signed with this former secret; repeatable
    #[arg(long, env = "TINYSSE_PREVIOUS_SECRET", hide_env_values = true, value_name = "TEXT", value_delimiter = ',', value_parser = secret)]
    pub previous_secret: Vec<Secret>,
    /// Accept tokens that were issued up to this time in the future [default: 5s]
    #[arg(long, env = "TINYSSE_CLOCK_SKEW", value_name = "SPAN")]
    pub clock_skew: Option<Span>,
    /// Let a token open one stream only; a native EventSource cannot retry by itself then
    #[arg(long, env = "TINYSSE_SINGLE_USE", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub single_use: Option<bool>,
    /// Check app sessions with this secret (HS256), at least 32 bytes
    #[arg(long, env = "TINYSSE_SESSION_SECRET", hide_env_values = true, value_name = "TEXT", value_parser = secret)]
    pub session_secret: Option<Secret>,
    /// Check app sessions with the keys of this JWK set
    #[arg(long, env = "TINYSSE_SESSION_JWKS", hide_env_values = true, value_name = "FILE|URL", value_parser = secret)]
    pub session_jwks: Option<Secret>,
    /// Require this `iss` of app sessions [default: that of --issuer]
    #[arg(long, env = "TINYSSE_SESSION_ISSUER", value_name = "TEXT")]
    pub session_issuer: Option<String>,
    /// Require this `aud` of app sessions [default: tinysse-app]
    #[arg(long, env = "TINYSSE_SESSION_AUDIENCE", value_name = "TEXT")]
    pub session_audience: Option<String>,
    /// Read the app session from this cookie [default: tinysse_session]
    #[arg(long, env = "TINYSSE_SESSION_COOKIE", value_name = "NAME")]
    pub session_cookie: Option<String>,
    /// Read rights of users from this TOML file, reloaded when it changes, or ask this address
    /// [default: rights in the session]
    #[arg(long, env = "TINYSSE_DIRECTORY", hide_env_values = true, value_name = "FILE|URL", value_parser = secret)]
    pub directory: Option<Secret>,
    /// Send this bearer token to the address of --directory
    #[arg(long, env = "TINYSSE_DIRECTORY_KEY", hide_env_values = true, value_name = "TEXT", value_parser = secret)]
    pub directory_key: Option<Secret>,
    /// Cache an answer of the address of --directory for this time [default: 60s]
    #[arg(long, env = "TINYSSE_DIRECTORY_TTL", value_name = "SPAN")]
    pub directory_ttl: Option<Span>,
    /// Keep revocations in this file, so that they survive restarts
    #[arg(long, env = "TINYSSE_REVOCATIONS", value_name = "FILE")]
    pub revocations: Option<PathBuf>,
    /// Check files of keys and rights for changes at this interval [default: 1s]
    #[arg(long, env = "TINYSSE_RELOAD_EVERY", value_name = "SPAN")]
    pub reload_every: Option<Span>,
    /// Limit the tokens that one user may request; `off` disables it [default: 120/m; off with
    /// --dev]
    #[arg(long, env = "TINYSSE_TOKEN_RATE", value_name = "N/s|m|h")]
    pub token_rate: Option<Rate>,
    /// Limit the tokens that one address (IPv6: one /64) may request [default: 1200/m; off with
    /// --dev]
    #[arg(long, env = "TINYSSE_TOKEN_RATE_ADDRESS", value_name = "N/s|m|h")]
    pub token_rate_address: Option<Rate>,
    /// Limit the streams that one address may open [default: 2400/m; off with --dev]
    #[arg(long, env = "TINYSSE_CONNECT_RATE_ADDRESS", value_name = "N/s|m|h")]
    pub connect_rate_address: Option<Rate>,
    /// Limit the open streams of one user [default: 100; no limit of its own with --dev]
    #[arg(long, env = "TINYSSE_MAX_STREAMS_USER", value_name = "N")]
    pub max_streams_user: Option<usize>,
    /// Limit the open streams of one address [default: 1000]
    #[arg(long, env = "TINYSSE_MAX_STREAMS_ADDRESS", value_name = "N")]
    pub max_streams_address: Option<usize>,
    /// Limit the open connections; more wait in the system's queue [default: --max-streams and
    /// 1000]
    #[arg(long, env = "TINYSSE_MAX_CONNECTIONS", value_name = "N")]
    pub max_connections: Option<usize>,
    /// Limit the open connections of one address; more are closed [default: 1200]
    #[arg(long, env = "TINYSSE_MAX_CONNECTIONS_ADDRESS", value_name = "N")]
    pub max_connections_address: Option<usize>,
    /// Trust X-Forwarded-For and Forwarded of this network, and exempt it from limits of addresses;
    /// repeatable [default: 127.0.0.0/8 and ::1]
    #[arg(long, env = "TINYSSE_TRUSTED_PROXY", value_name = "NET", value_delimiter = ',')]
    pub trusted_proxy: Vec<IpNet>,
    /// Close a connection whose request head takes longer, or that is idle for this time [default:
    /// 60s]
    #[arg(long, env = "TINYSSE_HEAD_TIMEOUT", value_name = "SPAN")]
    pub head_timeout: Option<Span>,
    /// Give up a request that, with its body, is not answered in this time [default: 30s]
    #[arg(long, env = "TINYSSE_REQUEST_TIMEOUT", value_name = "SPAN")]
    pub request_timeout: Option<Span>,
    /// Log what passes this filter, for example `warn,tinysse=debug` [default: info]
    #[arg(long, env = "TINYSSE_LOG", value_name = "FILTER")]
    pub log: Option<String>,
}

fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::from(text.to_owned()))
}

impl RawConfig {
    /// This layer, with `below` where it is silent. A list is one setting: it replaces the list
    /// below.
    #[must_use]
    pub fn over(self, below: Self) -> Self {
        fn list<T>(above: Vec<T>, below: Vec<T>) -> Vec<T> {
            if above.is_empty() { below } else { above }
        }
        // Each of these excludes the others.
        let named = self.data.is_some() || self.memory == Some(true) || self.redis.is_some();
        let (data, memory, redis) = if named {
            (self.data, self.memory, self.redis)
        } else {
            (below.data, self.memory.or(below.memory), below.redis)
        };
        Self {
            listen: self.listen.or(below.listen),
            data,
            memory,
            redis,
            redis_prefix: self.redis_prefix.or(below.redis_prefix),
            redis_ca: self.redis_ca.or(below.redis_ca),
            durability: self.durability.or(below.durability),
            dev: self.dev.or(below.dev),
            secret: self.secret.or(below.secret),
            publish_key: self.publish_key.or(below.publish_key),
            issuer: self.issuer.or(below.issuer),
            token_ttl: self.token_ttl.or(below.token_ttl),
            session_ttl: self.session_ttl.or(below.session_ttl),
            beat: self.beat.or(below.beat),
            retry: self.retry.or(below.retry),
            max_stream_age: self.max_stream_age.or(below.max_stream_age),
            end_with_token: self.end_with_token.or(below.end_with_token),
            linger: self.linger.or(below.linger),
            log_max_count: self.log_max_count.or(below.log_max_count),
            log_max_age: self.log_max_age.or(below.log_max_age),
            log_max_bytes: self.log_max_bytes.or(below.log_max_bytes),
            cors_origin: list(self.cors_origin, below.cors_origin),
            pages: self.pages.or(below.pages),
            admin_key: self.admin_key.or(below.admin_key),
            metrics: self.metrics.or(below.metrics),
            tls_cert: self.tls_cert.or(below.tls_cert),
            tls_key: self.tls_key.or(below.tls_key),
            otlp: self.otlp.or(below.otlp),
            poll: list(self.poll, below.poll),
            poll_every: self.poll_every.or(below.poll_every),
            poll_timeout: self.poll_timeout.or(below.poll_timeout),
            poll_lease: self.poll_lease.or(below.poll_lease),
            batch: list(self.batch, below.batch),
            slow: list(self.slow, below.slow),
            slow_lag: self.slow_lag.or(below.slow_lag),
            publish_waiting: self.publish_waiting.or(below.publish_waiting),
            publish_waiting_bytes: self.publish_waiting_bytes.or(below.publish_waiting_bytes),
            spread_rate: self.spread_rate.or(below.spread_rate),
            max_streams: self.max_streams.or(below.max_streams),
            stall_timeout: self.stall_timeout.or(below.stall_timeout),
            drain_window: self.drain_window.or(below.drain_window),
            token_key: list(self.token_key, below.token_key),
            previous_secret: list(self.previous_secret, below.previous_secret),
            clock_skew: self.clock_skew.or(below.clock_skew),
            single_use: self.single_use.or(below.single_use),
            session_secret: self.session_secret.or(below.session_secret),
            session_jwks: self.session_jwks.or(below.session_jwks),
            session_issuer: self.session_issuer.or(below.session_issuer),
            session_audience: self.session_audience.or(below.session_audience),
            session_cookie: self.session_cookie.or(below.session_cookie),
            directory: self.directory.or(below.directory),
            directory_key: self.directory_key.or(below.directory_key),
            directory_ttl: self.directory_ttl.or(below.directory_ttl),
            revocations: self.revocations.or(below.revocations),
            reload_every: self.reload_every.or(below.reload_every),
            token_rate: self.token_rate.or(below.token_rate),
            token_rate_address: self.token_rate_address.or(below.token_rate_address),
            connect_rate_address: self.connect_rate_address.or(below.connect_rate_address),
            max_streams_user: self.max_streams_user.or(below.max_streams_user),
            max_streams_address: self.max_streams_address.or(below.max_streams_address),
            max_connections: self.max_connections.or(below.max_connections),
            max_connections_address: self.max_connections_address.or(below.max_connections_address),
            trusted_proxy: list(self.trusted_proxy, below.trusted_proxy),
            head_timeout: self.head_timeout.or(below.head_timeout),
            request_timeout: self.request_timeout.or(below.request_timeout),
            log: self.log.or(below.log),
        }
    }
}
