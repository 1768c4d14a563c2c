//! Tokens that were used, where a token opens one stream only (`--single-use`).
//!
//! The price: a native `EventSource` that is cut retries with the address it has, so with a used
//! token. That is refused, the browser gives up, and the client asks for a token and opens the next
//! stream: each glitch costs a request for a token, and pages that do not run this project's client
//! stay disconnected.

use std::collections::BTreeMap;

use super::{expiring_map::ExpiringMap, jwt::Claims};

/// What used tokens may take in memory, in bytes: about 290,000 tokens.
const BYTES: usize = 64 << 20;
/// What those of one user may take: about 4,500 tokens within `--token-ttl`. So no user takes the
/// memory that others need.
const BYTES_USER: usize = BYTES / 64;
/// What an entry takes besides its names.
const OVERHEAD: usize = 180;

/// What a token is that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// It was not used before, and now it is.
    First,
    /// It was used, or can't be distinguished from others.
    Again,
    /// It can't be remembered, so it must not be used now. It stays as it is.
    Full,
}

/// The tokens that were used and would otherwise be valid. A token is never forgotten while it is
/// valid.
#[derive(Debug, Default)]
pub(super) struct ReplayCache {
    /// Until when each would be valid, and whose it is.
    until: ExpiringMap<String>,
    /// What the tokens of each user take.
    bytes: BTreeMap<String, usize>,
    total: usize,
}

impl ReplayCache {
    /// Uses a token, unless it was used. Without a `jti` it can't be distinguished from others, so
    /// it is as good as used.
    pub(super) fn take(&mut self, claims: &Claims, now_ms: u64) -> Use {
        let Claims { jti, sub, exp, .. } = claims;
        if jti.is_empty() || self.until.has(jti) {
            return Use::Again;
        }
        let (bytes, total) = (&mut self.bytes, &mut self.total);
        self.until.forget(now_ms, |jti, user| give(bytes, total, jti, &user));
        let cost = cost(jti, sub);
        if self.total + cost > BYTES || self.bytes.get(sub).copied().unwrap_or(0) + cost > BYTES_USER {
            return Use::Full;
        }
        self.until.add(jti, exp.saturating_mul(1_000), sub.clone());
        *self.bytes.entry(sub.clone()).or_default() += cost;
        self.total += cost;
        Use::First
    }

    /// Nothing was opened with it after all.
    pub(super) fn give_back(&mut self, claims: &Claims) {
        if let Some(user) = self.until.remove(&claims.jti) {
            give(&mut self.bytes, &mut self.total, &claims.jti, &user);
        }
    }
}

/// A token is forgotten.
fn give(bytes: &mut BTreeMap<String, usize>, total: &mut usize, jti: &str, user: &str) {
    let cost = cost(jti, user);
    *total -= cost;
    if let Some(left) = bytes.get_mut(user) {
        *left -= cost;
        if *left == 0 {
            bytes.remove(user);
        }
    }
}

fn cost(jti: &str, user: &str) -> usize {
    2 * jti.len() + user.len() + OVERHEAD
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(user: &str, jti: &str, exp: u64) -> Claims {
        let text = format!(r#"{{"iss":"","aud":"","sub":"{user}","exp":{exp},"jti":"{jti}"}}"#);
        serde_json::from_str(&text).expect("claims")
    }

    #[test]
    fn once_unless_given_back() {
        let mut used = ReplayCache::default();
        let ada = token("ada", "a", 60);
        assert_eq!((used.take(&ada, 0), used.take(&ada, 0)), (Use::First, Use::Again));
        used.give_back(&ada);
        assert!(used.bytes.is_empty() && used.total == 0);
        assert_eq!((used.take(&ada, 0), used.take(&ada, 59_999)), (Use::First, Use::Again));
        assert_eq!(used.take(&token("ada", "", 60), 0), Use::Again);
        // What is over needs no memory.
        assert_eq!(used.take(&token("bob", "b", 99), 60_001), Use::First);
        assert_eq!((used.until.len(), used.bytes.len(), used.total), (1, 1, cost("b", "bob")));
    }

    #[test]
    fn a_user_with_tokens_without_end_is_the_only_one_who_waits() {
        let mut used = ReplayCache::default();
        let first = token("ada", "0", 1_000);
        assert_eq!(used.take(&first, 0), Use::First);
        let mut count = 1;
        while used.take(&token("eve", &count.to_string(), 1_000), 0) == Use::First {
            count += 1;
        }
        assert!(count > 3_000, "{count}");
        // Neither is a token refused that was not used, nor one taken that was.
        assert_eq!(used.take(&token("bob", "other", 1_000), 0), Use::First);
        assert_eq!(used.take(&first, 0), Use::Again);
        assert_eq!(used.take(&token("eve", "1", 1_000), 0), Use::Again);
        assert_eq!(used.take(&token("eve", "late", 2_000), 1_000_001), Use::First);
    }

    #[test]
    fn memory_is_bounded_however_many_they_are() {
        let mut used = ReplayCache::default();
        let mut n: u64 = 0;
        while used.take(&token(&(n % 1_000).to_string(), &n.to_string(), 1_000), 0) == Use::First {
            n += 1;
        }
        assert!(n > 250_000 && used.total <= BYTES, "{n}");
        assert_eq!(used.take(&token("0", "0", 1_000), 0), Use::Again);
    }
}
