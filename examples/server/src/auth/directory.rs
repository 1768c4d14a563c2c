//! Who lost their rights, and since when. Pure: the time comes in.
//!
//! Every token names a generation, the millisecond in which its rights were established. A revocation is a place in the same count:
//! what is not newer is worth nothing. So a new login works at once, and nothing about it needs to be stored.
//!
//! Absent here: a store. A restart forgets revocations; sessions should not outlive what that permits.

use std::collections::{BTreeMap, BTreeSet};

use super::jwt::Claims;

/// Entries kept of each kind. Past that the oldest are merged into `before`: more than the revoked must log in again, never fewer.
const BOUND: usize = 10_000;

/// Whom a revocation concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revoke {
    /// All that was issued to this user.
    User(String),
    /// The token or session of this `jti`, and the stream tokens that the session asked for.
    Jti(String),
    /// All that was issued before this time, in milliseconds since 1970.
    Before(u64),
}

/// What the directory says of a token whose signature is good.
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
pub struct Directory {
    /// No token outlives this, so neither must the memory of a revocation. In milliseconds.
    life_ms: u64,
    users: Dated,
    jtis: Dated,
    expired: Dated,
    /// Generations below this are gone.
    before: u64,
    /// The last generation given out or revoked: generations never repeat, however coarse the clock.
    last: u64,
}

impl Directory {
    /// Nobody is revoked; tokens live `life_ms` at most.
    #[must_use]
    pub fn new(life_ms: u64) -> Self {
        Self { life_ms, users: Dated::default(), jtis: Dated::default(), expired: Dated::default(), before: 0, last: 0 }
    }

    /// The generation of rights that are established now.
    pub fn generation(&mut self, now_ms: u64) -> u64 {
        self.last = now_ms.max(self.last + 1);
        self.last
    }

    /// Takes rights away.
    pub fn revoke(&mut self, now_ms: u64, whom: &Revoke) {
        let now = self.generation(now_ms);
        let oldest = now.saturating_sub(self.life_ms);
        match whom {
            Revoke::User(user) => self.before = self.before.max(self.users.add(user, now, oldest)),
            Revoke::Jti(jti) => self.before = self.before.max(self.jtis.add(jti, now, oldest)),
            Revoke::Before(ms) => self.before = self.before.max(*ms),
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

/// Names with a date each, bounded and oldest first.
#[derive(Debug, Default)]
struct Dated {
    at: BTreeMap<String, u64>,
    order: BTreeSet<(u64, String)>,
}

impl Dated {
    fn at(&self, name: &str) -> Option<u64> {
        self.at.get(name).copied()
    }

    /// Adds a name, forgets those older than `oldest`, and answers up to where (exclusively) dates were dropped for want of room, or 0.
    fn add(&mut self, name: &str, now: u64, oldest: u64) -> u64 {
        if let Some(earlier) = self.at.insert(name.to_owned(), now) {
            self.order.remove(&(earlier, name.to_owned()));
        }
        self.order.insert((now, name.to_owned()));
        let mut dropped = 0;
        while let Some((at, name)) = self.order.first().filter(|(at, _)| *at < oldest || self.order.len() > BOUND) {
            if *at >= oldest {
                dropped = *at + 1;
            }
            self.at.remove(name);
            self.order.pop_first();
        }
        dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(sub: &str, generation: u64) -> Claims {
        Claims {
            iss: "tinysse".into(),
            aud: "tinysse".into(),
            sub: sub.into(),
            role: String::new(),
            channels: vec![],
            generation: Some(generation),
            iat: generation / 1_000,
            exp: u64::MAX,
            jti: format!("{sub}-{generation}"),
            sid: "session".into(),
        }
    }

    #[test]
    fn what_is_older_falls_and_a_new_login_works_within_the_same_millisecond() {
        let mut directory = Directory::new(1_000_000);
        let (ada, bob) = (directory.generation(5_000), directory.generation(5_000));
        assert_ne!(ada, bob);
        directory.revoke(5_000, &Revoke::User("ada".into()));
        assert_eq!(directory.standing(&token("ada", ada)), Standing::Revoked);
        assert_eq!(directory.standing(&token("bob", bob)), Standing::Good);
        let again = directory.generation(5_000);
        assert_eq!(directory.standing(&token("ada", again)), Standing::Good);
        // A foreign issuer says the second only.
        assert_eq!(directory.standing(&Claims { generation: None, iat: 5, ..token("ada", 0) }), Standing::Revoked);
        assert_eq!(directory.standing(&Claims { generation: None, iat: 6, ..token("ada", 0) }), Standing::Good);
    }

    #[test]
    fn by_jti_by_session_and_by_date() {
        let mut directory = Directory::new(1_000_000);
        directory.revoke(9_000, &Revoke::Jti("ada-1".into()));
        assert_eq!(directory.standing(&token("ada", 1)), Standing::Revoked);
        assert_eq!(directory.standing(&token("ada", 2)), Standing::Good);
        directory.revoke(9_000, &Revoke::Jti("session".into()));
        assert_eq!(directory.standing(&token("ada", 2)), Standing::Revoked);
        let mut directory = Directory::new(1_000_000);
        directory.revoke(9_000, &Revoke::Before(8_000));
        assert_eq!(directory.standing(&token("ada", 7_999)), Standing::Revoked);
        assert_eq!(directory.standing(&token("ada", 8_000)), Standing::Good);
        // An empty jti names nothing.
        assert_eq!(
            directory.standing(&Claims { jti: String::new(), sid: String::new(), ..token("ada", 9_000) }),
            Standing::Good
        );
    }

    #[test]
    fn expired_by_order() {
        let mut directory = Directory::new(1_000_000);
        directory.expire(1, "ada-1");
        assert_eq!(directory.standing(&token("ada", 1)), Standing::Expired);
        assert_eq!(directory.standing(&token("ada", 2)), Standing::Good);
    }

    #[test]
    fn memory_is_bounded_and_errs_towards_refusal() {
        let mut directory = Directory::new(1_000_000);
        for n in 0..BOUND as u64 + 5 {
            directory.revoke(10_000 + n, &Revoke::User(format!("user{n}")));
        }
        assert_eq!((directory.users.at.len(), directory.users.order.len()), (BOUND, BOUND));
        assert_eq!(directory.standing(&token("user0", 9_000)), Standing::Revoked);
        assert_eq!(directory.standing(&token("user0", 30_000)), Standing::Good);
        directory.revoke(5_000_000, &Revoke::User("late".into()));
        assert_eq!(directory.users.at.len(), 1);
    }
}
