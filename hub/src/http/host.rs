//! With `--dev`, against DNS rebinding: a page of a foreign site whose name suddenly resolves to
//! this machine would be same-origin with a server that lets anybody in. Its requests name the
//! foreign site as their host.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::Settings;
use crate::error::Problem;

/// The hosts that requests may name.
#[derive(Clone, Debug)]
pub(crate) struct Hosts(Arc<Vec<String>>);

impl Hosts {
    /// Loopback, the hosts that are configured, and those of the origins that are listed; `None` if
    /// all hosts are allowed.
    pub(crate) fn of(settings: &Settings) -> Option<Self> {
        let configured = settings.hosts.clone()?;
        let listed = settings.cors_origins.iter().filter_map(|origin| {
            let (_, authority) = origin.to_str().ok()?.split_once("://")?;
            Some(name(authority).to_ascii_lowercase())
        });
        Some(Self(Arc::new(listed.chain(configured).collect())))
    }

    /// Whether a request may name this host, with or without a port.
    pub(crate) fn allow(&self, authority: &[u8]) -> bool {
        let Ok(authority) = std::str::from_utf8(authority) else { return false };
        let name = name(authority).to_ascii_lowercase();
        let loopback = name.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback());
        loopback || name == "localhost" || name.ends_with(".localhost") || self.0.contains(&name)
    }

    /// Whether a request may be answered. Browsers always name a host; what names none is no
    /// browser.
    fn allow_request(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let named = uri.authority().map(|authority| authority.as_str().as_bytes());
        named
            .into_iter()
            .chain(headers.get_all(header::HOST).iter().map(HeaderValue::as_bytes))
            .all(|host| self.allow(host))
    }
}

/// The middleware.
pub(super) async fn check(State(hosts): State<Hosts>, request: Request, next: Next) -> Response {
    if hosts.allow_request(request.uri(), request.headers()) {
        return next.run(request).await;
    }
    let detail = "with --dev only localhost is served, as a guard against DNS rebinding; \
                  if you serve pages under another name, list its origin with --cors-origin";
    Problem::new(StatusCode::FORBIDDEN, "foreign_host", detail).into_response()
}

/// A host without its port, its brackets, and the dot behind a full name.
fn name(authority: &str) -> &str {
    if let Some((address, _)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address;
    }
    let name = authority.split_once(':').map_or(authority, |(name, _)| name);
    name.strip_suffix('.').unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_and_what_is_listed() {
        assert!(Hosts::of(&Settings::default()).is_none(), "a server may have any name");
        let cors_origins = vec![HeaderValue::from_static("https://app.test:8443")];
        let hosts = Some(vec!["127.0.0.5".to_owned()]);
        let hosts = Hosts::of(&Settings { cors_origins, hosts, ..Settings::default() }).expect("listed");
        for host in [
            "localhost",
            "localhost:8080",
            "LOCALHOST:8080",
            "localhost.:8080",
            "app.localhost",
            "127.0.0.1:8080",
            "127.9.9.9",
            "[::1]:8080",
            "[::ffff:127.0.0.1]",
            "app.test",
            "app.test:5173",
        ] {
            assert!(hosts.allow(host.as_bytes()), "{host}");
        }
        for host in [
            "",
            "evil.example:8080",
            "localhost.evil.example",
            "evillocalhost",
            "127.0.0.1.evil.example",
            "192.0.2.1",
            "0.0.0.0:8080",
            "[2001:db8::1]",
            "sub.app.test",
            "localhost@evil.example",
            "[::1",
            "\u{e9}",
        ] {
            assert!(!hosts.allow(host.as_bytes()), "{host}");
        }
        let asked = |uri: &str, lines: &[&'static str]| {
            let headers = lines.iter().map(|host| (header::HOST, HeaderValue::from_static(host))).collect();
            hosts.allow_request(&uri.parse().expect("an address"), &headers)
        };
        assert!(asked("/a", &[]) && asked("/a", &["localhost"]) && asked("https://localhost/a", &[]));
        assert!(!asked("/a", &["x.example"]) && !asked("https://x.example/a", &["localhost"]));
        assert!(!asked("/a", &["localhost", "x.example"]));
    }
}
