//! The addresses that proxies write into `X-Forwarded-For` and `Forwarded` (RFC 7239), the nearest
//! one last.
//!
//! Proxies write more than bare addresses: a port behind it (Azure's gateway), brackets around
//! IPv6, quotation marks, `unknown` (Squid).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV4};

use axum::http::{HeaderMap, HeaderValue};

/// What one proxy wrote: the address of its client, or `None` if that cannot be read.
pub(super) type Hop = Option<IpAddr>;

/// The hops of `X-Forwarded-For`; `None` without that header. Empty elements do not count (RFC
/// 9110, 5.6.1), but nothing else is one hop that cannot be read.
pub(super) fn x_forwarded_for(headers: &HeaderMap) -> Option<Vec<Hop>> {
    hops(headers, "x-forwarded-for", |element| node(unquoted(element)))
}

/// The hops of `Forwarded`; `None` without that header. An element without `for` is a hop that
/// cannot be read.
pub(super) fn forwarded(headers: &HeaderMap) -> Option<Vec<Hop>> {
    hops(headers, "forwarded", |element| {
        let mut named = split(element, b';').filter_map(|pair| pair.split_once('='));
        let (_, value) = named.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
        node(unquoted(value))
    })
}

fn hops(headers: &HeaderMap, name: &str, read: impl Fn(&str) -> Hop) -> Option<Vec<Hop>> {
    let mut lines = headers.get_all(name).iter().peekable();
    lines.peek()?;
    let mut hops = Vec::new();
    for line in lines.map(HeaderValue::to_str) {
        match line {
            Ok(line) => hops.extend(split(line, b',').filter(|element| !element.is_empty()).map(&read)),
            Err(_) => hops.push(None),
        }
    }
    if hops.is_empty() {
        hops.push(None);
    }
    Some(hops)
}

/// The trimmed parts between separators that are not inside quotation marks.
fn split(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let (mut rest, mut over) = (text, false);
    std::iter::from_fn(move || {
        if over {
            return None;
        }
        let (mut quoted, mut escaped) = (false, false);
        let end = rest.bytes().position(|byte| {
            let ends = byte == separator && !quoted;
            quoted ^= byte == b'"' && !escaped;
            escaped = byte == b'\\' && quoted && !escaped;
            ends
        });
        let part = match end {
            Some(end) => {
                let part = &rest[..end];
                rest = &rest[end + 1..];
                part
            }
            None => {
                over = true;
                rest
            }
        };
        Some(part.trim())
    })
}

fn unquoted(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).map_or(text, str::trim)
}

/// An address with or without brackets, zone and port.
fn node(text: &str) -> Hop {
    if let Some(rest) = text.strip_prefix('[') {
        let (address, behind) = rest.split_once(']')?;
        let port = behind.strip_prefix(':');
        return (behind.is_empty() || port.is_some_and(is_port)).then(|| v6(address)).flatten().map(IpAddr::V6);
    }
    let v4 = || text.parse::<Ipv4Addr>().or_else(|_| text.parse::<SocketAddrV4>().map(|socket| *socket.ip()));
    v4().ok().map(IpAddr::V4).or_else(|| v6(text).map(IpAddr::V6))
}

/// The zone of a link-local address (RFC 4007, 11) means something on the proxy's machine only.
fn v6(text: &str) -> Option<Ipv6Addr> {
    text.split('%').next()?.parse().ok()
}

/// A number, or an obfuscated one (RFC 7239, 6.2).
fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok() || text.len() > 1 && text.starts_with('_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &'static str, line: &str) -> Vec<String> {
        let headers: HeaderMap =
            [(name.parse().expect("a name"), HeaderValue::from_str(line).expect("a line"))].into_iter().collect();
        let hops = if name == "forwarded" { forwarded(&headers) } else { x_forwarded_for(&headers) };
        let text = |hop: Hop| hop.map_or_else(|| "?".to_owned(), |address| address.to_string());
        hops.expect("the header").into_iter().map(text).collect()
    }

    #[test]
    fn what_proxies_write_is_read() {
        let x = |line: &str| read("x-forwarded-for", line).join(" ");
        for (line, hops) in [
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.1:4711", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:1234", "2001:db8::1"),
            ("\"[2001:db8::1]:1234\"", "2001:db8::1"),
            ("\"192.0.2.1\"", "192.0.2.1"),
            ("fe80::1%eth0", "fe80::1"),
            ("[fe80::1%eth0]:80", "fe80::1"),
            ("  192.0.2.1 ,\t198.51.100.7:80,2001:db8::1  ", "192.0.2.1 198.51.100.7 2001:db8::1"),
            ("192.0.2.1,,198.51.100.7,", "192.0.2.1 198.51.100.7"),
            ("unknown, 192.0.2.1", "? 192.0.2.1"),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
            ("", "?"),
            (" , ", "?"),
            ("192.0.2.1:99999", "?"),
            ("192.0.2.1:", "?"),
            ("[192.0.2.1]:80", "?"),
            ("[2001:db8::1]x", "?"),
            ("[2001:db8::1]:", "?"),
            ("[2001:db8::1", "?"),
            ("\"192.0.2.1", "?"),
            ("192.0.2.1 198.51.100.7", "?"),
            ("example.org", "?"),
        ] {
            assert_eq!(x(line), hops, "{line:?}");
        }
    }

    #[test]
    fn the_standard_s_own_header_is_read() {
        let f = |line: &str| read("forwarded", line).join(" ");
        for (line, hops) in [
            // RFC 7239, 4, 6.1 and 7.
            ("for=\"_gazonk\"", "?"),
            ("For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
            ("for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"),
            ("for=192.0.2.43, for=198.51.100.17", "192.0.2.43 198.51.100.17"),
            ("for=192.0.2.43, for=\"[2001:db8:cafe::17]\"", "192.0.2.43 2001:db8:cafe::17"),
            ("for=unknown", "?"),
            ("for=\"192.0.2.43:_port\"", "?"),
            ("for=\"[2001:db8::1]:_port\"", "2001:db8::1"),
            ("by=203.0.113.43; For = 192.0.2.60 ;host=\"a;b,c\"", "192.0.2.60"),
            ("host=\"a, for=192.0.2.1\";for=192.0.2.2", "192.0.2.2"),
            ("host=\"a\\\", for=192.0.2.1\";for=192.0.2.2", "192.0.2.2"),
            ("by=203.0.113.43", "?"),
            ("proto=https, for=192.0.2.1", "? 192.0.2.1"),
            ("nonsense", "?"),
        ] {
            assert_eq!(f(line), hops, "{line:?}");
        }
        assert_eq!((forwarded(&HeaderMap::new()), x_forwarded_for(&HeaderMap::new())), (None, None));
    }
}
