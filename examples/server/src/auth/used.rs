//! Tokens that were used, where a token opens one stream only (`--single-use`).
//!
//! The price: a native `EventSource` that is cut retries with the address it has, so with a used token. That is refused, the browser gives
//! up, and the client asks for a token and opens the next stream: each glitch costs a question for a token, and pages that run none of our
//! code do not come back at all.

use super::{dated::Dated, jwt::Claims};

/// The tokens that were used and would still be good.
#[derive(Debug, Default)]
pub(super) struct Used {
    until: Dated,
    /// Tokens that end before this count as used: there was no room to remember them.
    full: u64,
}

impl Used {
    /// True for the first who shows this token. Without a `jti` a token can't be told from others, so it is never the first.
    pub(super) fn take(&mut self, claims: &Claims, now_ms: u64) -> bool {
        let until = claims.exp.saturating_mul(1_000);
        if claims.jti.is_empty() || until < self.full || self.until.at(&claims.jti).is_some() {
            return false;
        }
        self.full = self.full.max(self.until.add(&claims.jti, until, (), now_ms));
        true
    }

    /// Nothing was opened with it after all.
    pub(super) fn give_back(&mut self, claims: &Claims) {
        self.until.remove(&claims.jti);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::dated::BOUND;

    fn token(jti: &str, exp: u64) -> Claims {
        let text = format!(r#"{{"iss":"","aud":"","sub":"ada","exp":{exp},"jti":"{jti}"}}"#);
        serde_json::from_str(&text).expect("claims")
    }

    #[test]
    fn once_unless_given_back() {
        let mut used = Used::default();
        assert!(used.take(&token("a", 60), 0) && !used.take(&token("a", 60), 0));
        used.give_back(&token("a", 60));
        assert!(used.take(&token("a", 60), 0) && !used.take(&token("a", 60), 59_999));
        assert!(!used.take(&token("", 60), 0));
    }

    #[test]
    fn bounded_and_rather_refused_than_used_twice() {
        let mut used = Used::default();
        for n in 0..=BOUND as u64 {
            assert!(used.take(&token(&n.to_string(), 1_000 + n), 0));
        }
        assert_eq!(used.until.len(), BOUND);
        assert!(!used.take(&token("0", 1_000), 0) && !used.take(&token("other", 1_000), 0));
        assert!(used.take(&token("other", 1_001), 0));
        // What is over needs no memory.
        assert!(used.take(&token("late", 99_999), 50_000_000));
        assert_eq!(used.until.len(), 1);
    }
}
