//! The settings of the routes.

use std::{path::PathBuf, str::FromStr};

use axum::http::HeaderValue;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Deserializer, de};

use crate::values::{Rate, Span};

/// The settings of this module.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Origins that browsers may call from, as they send them.
    pub cors_origins: Vec<HeaderValue>,
    /// Whose `X-Forwarded-For` or `Forwarded` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// How long a request may take until it is answered.
    pub request_timeout: Span,
    /// Tokens that one address may ask for.
    pub token_rate_address: Rate,
    /// Streams that one address may open.
    pub connect_rate_address: Rate,
    /// The directory of a web app to serve.
    pub pages: Option<PathBuf>,
    /// Who may read `/metrics`.
    pub metrics: Readers,
    /// Whether `/admin` and `/clients` exist. They are opened by the admin key.
    pub admin: bool,
    /// Whether the endpoints for development exist, among them a login without a password.
    pub dev: bool,
    /// The hosts that requests may name besides loopback; `None` for any.
    pub hosts: Option<Vec<String>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cors_origins: Vec::new(),
            trusted_proxies: loopback(),
            request_timeout: Span::of_ms(30_000),
            token_rate_address: Rate::per_minute(1_200),
            connect_rate_address: Rate::per_minute(2_400),
            pages: None,
            metrics: Readers::Off,
            admin: false,
            dev: false,
            hosts: None,
        }
    }
}

/// Returns the networks of this machine: what comes from there comes from a proxy, or from a
/// developer.
fn loopback() -> Vec<IpNet> {
    use std::net::{Ipv4Addr, Ipv6Addr};
    vec![
        IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8)),
        IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128)),
    ]
}

/// Who may read `/metrics`. The numbers name types and show how much is going on, so they are
/// closed by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Everyone who reaches it.
    Open,
    /// Holders of the admin key.
    Admin,
    /// No one: the route does not exist.
    Off,
}

impl Readers {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Open, Self::Admin, Self::Off];

    /// As it is written in settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Admin => "admin",
            Self::Off => "off",
        }
    }
}

impl FromStr for Readers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|readers| readers.as_str() == text);
        known.ok_or_else(|| format!("`{text}` is not open, admin or off"))
    }
}

impl<'de> Deserialize<'de> for Readers {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}
