//! Who lost their rights, and since when. Pure: the time comes in.
//!
//! Every token names a generation, the millisecond in which its rights were established. A revocation is a place in the same count:
//! what is not newer is worth nothing. So a new login works at once, and nothing about it needs to be stored.
//!
//! Absent here: a store (see `ledger`, and `shared` for several nodes).

use serde::{Deserialize, Serialize};

use super::{dated::Dated, jwt::Claims};

/// Whom a revocation concerns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Revoke {
    /// All that was issued to this user.
    User(String),
    /// The token or session of this `jti`, and the stream tokens that the session asked for.
    Jti(String),
    /// All that was issued before this time, in milliseconds since 1970.
    Before(u64),
}

/// What is known of a token whose signature is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Welcome.
    Good,
    /// The rights are gone.
    Revoked,
    /// To be treated as expired (asked for with `--dev` only).
    Expired,
}

/// The revocations.
#[derive(Debug)]
pub struct Revoked {
    /// No token outlives this, so neither must the memory of a revocation. In milliseconds.
    life_ms: u64,
    users: Dated,
    jtis: Dated,
    /// Those of `jtis` that need not be recorded again.
    recorded: Dated,
    expired: Dated,
    /// Generations below this are gone.
    before: u64,
    /// The last generation given out or revoked: generations never repeat, however coarse the clock.
    last: u64,
}

impl Revoked {
    /// Nobody is revoked; tokens live `life_ms` at most.
    #[must_use]
    pub fn new(life_ms: u64) -> Self {
        Self {
            life_ms,
            users: Dated::default(),
            jtis: Dated::default(),
            recorded: Dated::default(),
            expired: Dated::default(),
            before: 0,
            last: 0,
        }
    }

    /// The generation of rights that are established now.
    pub fn generation(&mut self, now_ms: u64) -> u64 {
        self.last = now_ms.max(self.last + 1);
        self.last
    }

    /// Takes rights away. Answers the place in the count of generations at which that happened.
    pub fn revoke(&mut self, now_ms: u64, whom: &Revoke) -> u64 {
        let now = self.generation(now_ms);
        let oldest = now.saturating_sub(self.life_ms);
        match whom {
            Revoke::User(user) => self.before = self.before.max(self.users.add(user, now, oldest)),
            Revoke::Jti(jti) => self.before = self.before.max(self.jtis.add(jti, now, oldest)),
            Revoke::Before(ms) => self.before = self.before.max(*ms),
        }
        now
    }

    /// Takes a revocation that another node made at its place `at`. Whatever this node gives out from now on is newer.
    ///
    /// Clocks differ, so what this node gave out before it heard of this may have a higher place and be older all the same. Then it falls too:
    /// the answer is the place up to which it does, for the other nodes to know. `None` if there is nothing to add, or nothing new.
    pub fn hear(&mut self, now_ms: u64, at: u64, whom: &Revoke) -> Option<u64> {
        let oldest = now_ms.saturating_sub(self.life_ms);
        let given = self.last;
        self.last = self.last.max(at);
        match whom {
            Revoke::User(user) => {
                if self.users.at(user).is_some_and(|known| known >= at) {
                    return None;
                }
                self.before = self.before.max(self.users.add(user, at.max(given), oldest));
                (given > at).then_some(given)
            }
            Revoke::Jti(jti) => {
                let at = self.jtis.at(jti).map_or(at, |known| known.max(at));
                self.before = self.before.max(self.jtis.add(jti, at, oldest));
                None
            }
            Revoke::Before(ms) => {
                self.before = self.before.max(*ms);
                None
            }
        }
    }

    /// Returns true if a revocation at the place `at` would change nothing: it is known, or a later one is.
    #[must_use]
    pub fn knows(&self, at: u64, whom: &Revoke) -> bool {
        match whom {
            Revoke::User(user) => self.users.at(user).is_some_and(|known| known >= at),
            Revoke::Jti(jti) => self.jtis.at(jti).is_some(),
            Revoke::Before(ms) => self.before >= *ms,
        }
    }

    /// Remembers that a revocation outlives this process. Only those of a `jti` are remembered: a browser may repeat them.
    pub fn recorded(&mut self, now_ms: u64, whom: &Revoke) {
        match whom {
            Revoke::Jti(jti) => drop(self.recorded.add(jti, now_ms, now_ms.saturating_sub(self.life_ms))),
            Revoke::User(_) | Revoke::Before(_) => {}
        }
    }

    /// Returns true if nothing is to be done for this revocation any more; false also if that was forgotten.
    #[must_use]
    pub fn is_recorded(&self, whom: &Revoke) -> bool {
        match whom {
            Revoke::Jti(jti) => self.jtis.at(jti).is_some() && self.recorded.at(jti).is_some(),
            Revoke::User(_) | Revoke::Before(_) => false,
        }
    }

    /// From now on the token of this `jti` counts as expired.
    pub fn expire(&mut self, now_ms: u64, jti: &str) {
        let oldest = now_ms.saturating_sub(self.life_ms);
        self.expired.add(jti, now_ms, oldest);
    }

    /// What to think of a token now.
    #[must_use]
    pub fn standing(&self, claims: &Claims) -> Standing {
        let generation = claims.generation();
        let revoked = generation < self.before
            || self.users.at(&claims.sub).is_some_and(|at| generation <= at)
            || self.jtis.at(&claims.jti).is_some()
            || self.jtis.at(&claims.sid).is_some();
        if revoked {
            Standing::Revoked
        } else if self.expired.at(&claims.jti).is_some() {
            Standing::Expired
        } else {
            Standing::Good
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::dated::BOUND;

    fn token(sub: &str, generation: u64) -> Claims {
        Claims {
            iss: "tinysse".into(),
            aud: "tinysse".into(),
            sub: sub.into(),
            role: String::new(),
            channels: vec![],
            generation: Some(generation),
            iat: generation / 1_000,
            nbf: 0,
            exp: u64::MAX,
            jti: format!("{sub}-{generation}"),
            sid: "session".into(),
        }
    }

    #[test]
    fn what_is_older_falls_and_a_new_login_works_within_the_same_millisecond() {
        let mut revoked = Revoked::new(1_000_000);
        let (ada, bob) = (revoked.generation(5_000), revoked.generation(5_000));
        assert_ne!(ada, bob);
        revoked.revoke(5_000, &Revoke::User("ada".into()));
        assert_eq!(revoked.standing(&token("ada", ada)), Standing::Revoked);
        assert_eq!(revoked.standing(&token("bob", bob)), Standing::Good);
        let again = revoked.generation(5_000);
        assert_eq!(revoked.standing(&token("ada", again)), Standing::Good);
        // A foreign issuer says the second only.
        assert_eq!(revoked.standing(&Claims { generation: None, iat: 5, ..token("ada", 0) }), Standing::Revoked);
        assert_eq!(revoked.standing(&Claims { generation: None, iat: 6, ..token("ada", 0) }), Standing::Good);
    }

    #[test]
    fn by_jti_by_session_and_by_date() {
        let mut revoked = Revoked::new(1_000_000);
        revoked.revoke(9_000, &Revoke::Jti("ada-1".into()));
        assert_eq!(revoked.standing(&token("ada", 1)), Standing::Revoked);
        assert_eq!(revoked.standing(&token("ada", 2)), Standing::Good);
        revoked.revoke(9_000, &Revoke::Jti("session".into()));
        assert_eq!(revoked.standing(&token("ada", 2)), Standing::Revoked);
        let mut revoked = Revoked::new(1_000_000);
        revoked.revoke(9_000, &Revoke::Before(8_000));
        assert_eq!(revoked.standing(&token("ada", 7_999)), Standing::Revoked);
        assert_eq!(revoked.standing(&token("ada", 8_000)), Standing::Good);
        // An empty jti names nothing.
        assert_eq!(
            revoked.standing(&Claims { jti: String::new(), sid: String::new(), ..token("ada", 9_000) }),
            Standing::Good
        );
    }

    #[test]
    fn two_nodes_whose_clocks_differ_agree() {
        let (mut early, mut late) = (Revoked::new(1_000_000), Revoked::new(1_000_000));
        // The clock of the second is half a second ahead.
        let (ada, bob) = (token("ada", late.generation(10_500)), token("bob", late.generation(10_510)));
        let whom = Revoke::User("ada".into());
        let at = early.revoke(10_100, &whom);
        let again = late.hear(10_610, at, &whom).expect("what it gave out has a higher place");
        assert_eq!((late.standing(&ada), early.standing(&ada)), (Standing::Revoked, Standing::Good));
        assert_eq!(early.hear(10_120, again, &whom), None, "they do not go on for ever");
        assert_eq!(early.standing(&ada), Standing::Revoked);
        for node in [&mut early, &mut late] {
            let next = node.generation(10_130);
            assert_eq!(node.standing(&token("ada", next)), Standing::Good, "who logs in again is welcome");
            assert_eq!(node.standing(&bob), Standing::Good);
            // Heard once more, after the connection was lost.
            assert_eq!(node.hear(10_700, at, &whom), None);
            assert_eq!(node.standing(&token("ada", next)), Standing::Good);
        }
    }

    #[test]
    fn what_is_heard_of_tokens_and_dates_counts_too() {
        let mut revoked = Revoked::new(1_000_000);
        revoked.generation(9_500);
        assert_eq!(revoked.hear(9_600, 9_000, &Revoke::Jti("session".into())), None);
        assert_eq!(revoked.standing(&token("ada", 2)), Standing::Revoked);
        assert_eq!(revoked.hear(9_600, 9_000, &Revoke::Before(8_000)), None);
        assert_eq!(revoked.standing(&Claims { sid: String::new(), ..token("bob", 7_999) }), Standing::Revoked);
    }

    #[test]
    fn a_revocation_needs_no_repetition_once_it_is_recorded() {
        let (mut revoked, ada) = (Revoked::new(1_000), Revoke::Jti("ada-1".into()));
        revoked.revoke(9_000, &ada);
        assert!(!revoked.is_recorded(&ada), "nobody said so");
        revoked.recorded(9_000, &ada);
        assert!(revoked.is_recorded(&ada) && !revoked.is_recorded(&Revoke::Jti("ada-2".into())));
        // Both are forgotten together, when no token of that time is good any more.
        revoked.revoke(10_001, &Revoke::Jti("bob-1".into()));
        assert!(!revoked.is_recorded(&ada));
    }

    #[test]
    fn expired_by_order() {
        let mut revoked = Revoked::new(1_000_000);
        revoked.expire(1, "ada-1");
        assert_eq!(revoked.standing(&token("ada", 1)), Standing::Expired);
        assert_eq!(revoked.standing(&token("ada", 2)), Standing::Good);
    }

    #[test]
    fn memory_is_bounded_and_errs_towards_refusal() {
        let mut revoked = Revoked::new(1_000_000);
        for n in 0..BOUND as u64 + 5 {
            revoked.revoke(10_000 + n, &Revoke::User(format!("user{n}")));
        }
        assert_eq!(revoked.users.len(), BOUND);
        assert_eq!(revoked.standing(&token("user0", 9_000)), Standing::Revoked);
        assert_eq!(revoked.standing(&token("user0", 30_000)), Standing::Good);
        revoked.revoke(5_000_000, &Revoke::User("late".into()));
        assert_eq!(revoked.users.len(), 1);
    }
}
