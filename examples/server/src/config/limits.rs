//! How much one user or one address may have, so that nobody takes it all.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{
    ConfigError, Layer, between,
    values::{Rate, Span},
};

/// No cap is higher.
pub(super) const MOST: usize = 10_000_000;

/// Caps and rates. An address is an IPv4 address or the /64 of an IPv6 address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Tokens that a user may ask for.
    pub token_rate: Rate,
    /// Tokens that an address may ask for.
    pub token_rate_address: Rate,
    /// Streams that an address may open.
    pub connect_rate_address: Rate,
    /// Streams of a user at a time.
    pub streams_user: usize,
    /// Streams of an address at a time.
    pub streams_address: usize,
    /// Connections at a time.
    pub connections: usize,
    /// Connections of an address at a time.
    pub connections_address: usize,
    /// Whose `X-Forwarded-For` or `Forwarded` is believed.
    pub proxies: Vec<IpNet>,
    /// How long a request's head may take.
    pub head_timeout: Span,
    /// How long a request may take until it is answered.
    pub request_timeout: Span,
}

impl Limits {
    pub(super) fn resolve(layer: &Layer, max_streams: usize, dev: bool) -> Result<Self, ConfigError> {
        // Who tries things out is one user with many tabs, and tokens that last for seconds.
        let rate = |given: Option<Rate>, default: &str| {
            given.or_else(|| default.parse().ok().filter(|_| !dev)).unwrap_or(Rate(None))
        };
        let many = |name: &str, given: Option<usize>, default| between(name, given.unwrap_or(default), 1, MOST);
        let span = |name: &str, given: Option<Span>, default| {
            between(&format!("{name} (in milliseconds)"), given.map_or(default, Span::ms), 100, 3_600_000)
                .map(Span::of_ms)
        };
        Ok(Self {
            token_rate: rate(layer.token_rate, "120/m"),
            token_rate_address: rate(layer.token_rate_address, "1200/m"),
            connect_rate_address: rate(layer.connect_rate_address, "2400/m"),
            streams_user: many("--max-streams-user", layer.max_streams_user, if dev { MOST } else { 100 })?,
            streams_address: many("--max-streams-address", layer.max_streams_address, 1_000)?,
            connections: many("--max-connections", layer.max_connections, max_streams.saturating_add(1_000).min(MOST))?,
            connections_address: many("--max-connections-address", layer.max_connections_address, 1_200)?,
            proxies: if layer.trusted_proxy.is_empty() { loopback() } else { layer.trusted_proxy.clone() },
            head_timeout: span("--head-timeout", layer.head_timeout, 60_000)?,
            request_timeout: span("--request-timeout", layer.request_timeout, 30_000)?,
        })
    }
}

/// What comes from this machine comes from a proxy, or from whoever tries things out.
fn loopback() -> Vec<IpNet> {
    vec![
        IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8)),
        IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128)),
    ]
}
