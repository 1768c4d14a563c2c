//! The address of a client, as limits count it: one IPv4 address, or one /64 of IPv6.

use std::net::{IpAddr, Ipv6Addr};

use axum::http::HeaderMap;
use ipnet::IpNet;

use super::forwarded::{self, Hop};

/// An address as limits count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RateKey(Option<IpAddr>);

impl RateKey {
    /// The one site of all clients whose address a proxy left out, or gave in a form that cannot be
    /// read.
    pub const UNKNOWN: Self = Self(None);

    /// The site of an address. An IPv4 address mapped into IPv6 (RFC 4291, 2.5.5.2) is an IPv4
    /// address.
    ///
    /// ```
    /// use tinysse_hub::stream::RateKey;
    /// let site = |text: &str| RateKey::of(text.parse().unwrap());
    /// assert_eq!(site("2001:db8::1"), site("2001:db8::ffff:1"));
    /// assert_ne!(site("2001:db8::1"), site("2001:db8:0:1::1"));
    /// assert_eq!(site("::ffff:192.0.2.1"), site("192.0.2.1"));
    /// ```
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        Self(Some(match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        }))
    }
}

/// Who sent a request, as far as its connection and the headers of trusted proxies show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// A client with this address.
    Address(IpAddr),
    /// A client behind a trusted proxy that left its address out, or gave it in a form that cannot
    /// be read.
    Unknown,
    /// A trusted proxy itself: a health check, or a program on the same machine.
    Proxy(IpAddr),
}

impl Client {
    /// Finds out who sent a request with these headers over a connection from `peer`.
    ///
    /// `X-Forwarded-For` and `Forwarded` (RFC 7239) are read from right to left: the nearest
    /// address that is not one of `proxies` is the client's. Whatever is further left can be
    /// written by anybody. If both headers are there and name different clients, one of them was
    /// not written by the proxy, and the client is [`Unknown`](Self::Unknown).
    #[must_use]
    pub fn of(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> Self {
        let trusted = |address: IpAddr| proxies.iter().any(|net| net.contains(&address.to_canonical()));
        if !trusted(peer) {
            return Self::Address(peer);
        }
        let nearest = |chain: Option<Vec<Hop>>| {
            let foreign = |hop: &Hop| !hop.is_some_and(trusted);
            chain.map(|chain| match chain.into_iter().rev().find(foreign) {
                Some(Some(address)) => Self::Address(address.to_canonical()),
                Some(None) => Self::Unknown,
                None => Self::Proxy(peer),
            })
        };
        match (nearest(forwarded::x_forwarded_for(headers)), nearest(forwarded::forwarded(headers))) {
            (None, None) => Self::Proxy(peer),
            (Some(client), None) | (None, Some(client)) => client,
            (Some(one), Some(other)) if one == other => one,
            (Some(_), Some(_)) => Self::Unknown,
        }
    }

    /// The site that is limited; `None` for a proxy itself, which is not limited.
    #[must_use]
    pub fn site(self) -> Option<RateKey> {
        match self {
            Self::Address(address) => Some(RateKey::of(address)),
            Self::Unknown => Some(RateKey::UNKNOWN),
            Self::Proxy(_) => None,
        }
    }

    /// The address, if it is known.
    #[must_use]
    pub fn address(self) -> Option<IpAddr> {
        match self {
            Self::Address(address) | Self::Proxy(address) => Some(address),
            Self::Unknown => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn seen(peer: &str, lines: &[(&'static str, &str)]) -> Client {
        let proxies: Vec<IpNet> = ["127.0.0.0/8", "10.0.0.0/8"].iter().map(|net| net.parse().expect("a net")).collect();
        let mut headers = HeaderMap::new();
        for (name, line) in lines {
            headers.append(*name, HeaderValue::from_bytes(line.as_bytes()).expect("a line"));
        }
        Client::of(peer.parse().expect("an address"), &headers, &proxies)
    }

    fn is(text: &str) -> Client {
        Client::Address(text.parse().expect("an address"))
    }

    #[test]
    fn only_proxies_are_believed_and_only_as_far_as_they_go() {
        const X: &str = "x-forwarded-for";
        assert_eq!(seen("192.0.2.1", &[(X, "198.51.100.7")]), is("192.0.2.1"), "anybody may write a header");
        assert_eq!(seen("127.0.0.1", &[(X, "198.51.100.7")]), is("198.51.100.7"));
        assert_eq!(seen("::ffff:127.0.0.1", &[(X, "198.51.100.7")]), is("198.51.100.7"));
        assert_eq!(seen("127.0.0.1", &[(X, "203.0.113.9, 198.51.100.7, 10.1.2.3")]), is("198.51.100.7"));
        assert_eq!(seen("127.0.0.1", &[(X, "203.0.113.9, 198.51.100.7:80, 10.1.2.3:443")]), is("198.51.100.7"));
        assert_eq!(seen("127.0.0.1", &[(X, "203.0.113.9"), (X, "198.51.100.7")]), is("198.51.100.7"));
        assert_eq!(seen("127.0.0.1", &[(X, "nonsense"), (X, "198.51.100.7")]), is("198.51.100.7"));
        assert_eq!(seen("127.0.0.1", &[(X, "198.51.100.7, nonsense")]), Client::Unknown);
        assert_eq!(seen("127.0.0.1", &[(X, "198.51.100.7, nonsense, 10.1.2.3")]), Client::Unknown);
        assert_eq!(seen("127.0.0.1", &[]), Client::Proxy([127, 0, 0, 1].into()));
        assert_eq!(seen("127.0.0.1", &[(X, "10.0.0.9")]), Client::Proxy([127, 0, 0, 1].into()));
    }

    #[test]
    fn who_is_not_told_is_one_unknown_client_and_never_the_proxy() {
        for line in ["", " ", ",", "unknown", "-", "192.0.2.1:", "192.0.2.1:x", "[2001:db8::1", "\u{e9}", "192.0.2"] {
            let client = seen("127.0.0.1", &[("x-forwarded-for", line)]);
            assert_eq!(
                (client, client.site(), client.address()),
                (Client::Unknown, Some(RateKey::UNKNOWN), None),
                "{line:?}"
            );
        }
        assert_ne!(RateKey::UNKNOWN, RateKey::of(Ipv6Addr::UNSPECIFIED.into()), "no address is in it");
        assert_eq!(seen("10.0.0.1", &[]).site(), None);
    }

    #[test]
    fn two_headers_that_disagree_are_believed_neither() {
        let both = |x: &str, f: &str| seen("127.0.0.1", &[("x-forwarded-for", x), ("forwarded", f)]);
        assert_eq!(seen("127.0.0.1", &[("forwarded", "for=\"[2001:db8::1]:4711\";proto=https")]), is("2001:db8::1"));
        assert_eq!(both("198.51.100.7", "for=198.51.100.7"), is("198.51.100.7"));
        assert_eq!(both("198.51.100.7:5", "for=\"198.51.100.7:6\""), is("198.51.100.7"));
        assert_eq!(both("198.51.100.7", "for=198.51.100.8"), Client::Unknown);
        assert_eq!(both("198.51.100.7", "by=10.0.0.1"), Client::Unknown);
        assert_eq!(both("10.0.0.1", "for=198.51.100.8"), Client::Unknown);
    }
}
