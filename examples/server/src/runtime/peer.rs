//! Where a request comes from, as far as limits are concerned: one IPv4 address, or the /64 that a site has of IPv6.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
};

use axum::http::HeaderMap;
use ipnet::IpNet;

/// An address as limits count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Site(IpAddr);

impl Site {
    /// The site of an address. An IPv4 address in IPv6 clothes (RFC 4291, 2.5.5.2) is an IPv4 address.
    ///
    /// ```
    /// use tinysse_server::runtime::Site;
    /// let site = |text: &str| Site::of(text.parse().unwrap());
    /// assert_eq!(site("2001:db8::1"), site("2001:db8::ffff:1"));
    /// assert_ne!(site("2001:db8::1"), site("2001:db8:0:1::1"));
    /// assert_eq!(site("::ffff:192.0.2.1"), site("192.0.2.1"));
    /// ```
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        })
    }
}

/// The site behind a connection: that of its [`address`]. `None` for a proxy that speaks for itself: it is not limited.
#[must_use]
pub fn site(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> Option<Site> {
    address(peer, headers, proxies).map(Site::of)
}

/// The address behind a connection and its `X-Forwarded-For`: the nearest one that is no proxy of ours. What stands further left in the
/// header anybody may have written. `None` for a proxy that speaks for itself.
#[must_use]
pub fn address(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> Option<IpAddr> {
    let trusted = |address: IpAddr| proxies.iter().any(|net| net.contains(&address.to_canonical()));
    if !trusted(peer) {
        return Some(peer);
    }
    let lines: Vec<_> = headers.get_all("x-forwarded-for").iter().collect();
    let hops = lines.iter().rev().flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
    for hop in hops {
        match hop.trim().parse::<IpAddr>() {
            Ok(address) if trusted(address) => {}
            Ok(address) => return Some(address),
            // Behind what can't be read nothing can be believed.
            Err(_) => return None,
        }
    }
    None
}

/// How much each site has now, with a cap.
#[derive(Clone, Debug)]
pub struct Shares<K> {
    taken: Arc<Mutex<HashMap<K, usize>>>,
    cap: usize,
}

/// One of a site's share; given back when it is dropped.
#[derive(Debug)]
pub struct Share<K: std::hash::Hash + Eq> {
    of: Option<(Shares<K>, K)>,
}

impl<K: std::hash::Hash + Eq + Clone> Shares<K> {
    /// Nobody has anything, and nobody more than `cap`.
    #[must_use]
    pub fn new(cap: usize) -> Self {
        Self { taken: Arc::default(), cap }
    }

    /// One more for `who`, or for nobody, who is not limited. `None` if that would be too many.
    #[must_use]
    pub fn take(&self, who: Option<K>) -> Option<Share<K>> {
        let Some(who) = who else { return Some(Share { of: None }) };
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(who.clone()).or_insert(0);
        if *count >= self.cap {
            return None;
        }
        *count += 1;
        drop(taken);
        Some(Share { of: Some((self.clone(), who)) })
    }
}

impl<K: std::hash::Hash + Eq> Drop for Share<K> {
    fn drop(&mut self) {
        let Some((shares, who)) = &self.of else { return };
        let mut taken = shares.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(who) {
            *count -= 1;
            if *count == 0 {
                taken.remove(who);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_proxies_are_believed_and_only_as_far_as_they_go() {
        let proxies: Vec<IpNet> = ["127.0.0.0/8", "10.0.0.0/8"].iter().map(|net| net.parse().expect("a net")).collect();
        let at = |text: &str| text.parse::<IpAddr>().expect("an address");
        let seen = |peer: &str, lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("x-forwarded-for", HeaderValue::from_str(line).expect("a line"));
            }
            site(at(peer), &headers, &proxies)
        };
        let is = |text: &str| Some(Site::of(at(text)));
        assert_eq!(seen("192.0.2.1", &["198.51.100.7"]), is("192.0.2.1"), "anybody may write a header");
        assert_eq!(seen("127.0.0.1", &["198.51.100.7"]), is("198.51.100.7"));
        assert_eq!(seen("::ffff:127.0.0.1", &["198.51.100.7"]), is("198.51.100.7"));
        assert_eq!(seen("127.0.0.1", &["203.0.113.9, 198.51.100.7, 10.1.2.3"]), is("198.51.100.7"));
        assert_eq!(seen("127.0.0.1", &["203.0.113.9", "198.51.100.7"]), is("198.51.100.7"));
        assert_eq!(seen("127.0.0.1", &["198.51.100.7, nonsense"]), None);
        assert_eq!(seen("127.0.0.1", &[]), None);
        assert_eq!(seen("127.0.0.1", &["10.0.0.9"]), None);
    }

    #[test]
    fn a_share_comes_back_and_leaves_nothing_behind() {
        let shares = Shares::new(2);
        let (one, two) = (shares.take(Some("a")), shares.take(Some("a")));
        assert!(one.is_some() && two.is_some() && shares.take(Some("a")).is_none() && shares.take(Some("b")).is_some());
        drop(one);
        assert!(shares.take(Some("a")).is_some());
        drop(two);
        assert!(shares.taken.lock().expect("sound").is_empty());
        assert!((0..9).map(|_| shares.take(None)).all(|share| share.is_some()));
    }
}
