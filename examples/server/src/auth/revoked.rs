//! Which tokens no longer count because rights were taken away. Pure: the time comes in.
//!
//! A token names its place in one count of logins and revocations (`gen`). A revocation has a place in the same count, and ends what has
//! that place or an earlier one. So a new login counts at once, and nothing about it needs to be stored.
//!
//! The count is a hybrid logical clock (Kulkarni et al., 2014): a new place is the time of day in milliseconds, or one more than the last
//! known place if that is later. Many logins in one millisecond, a clock that was set back and a node whose clock is ahead all lead to places
//! ahead of the clock. So a place is compared with places only.
//!
//! Sessions of another issuer have no place. The time at which it established them is compared with the time of the revocation.
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

impl Revoke {
    /// Whether no token that it concerns is valid any more, where tokens are valid for `life_ms` at most.
    pub(super) fn is_over(&self, moment: Moment, now_ms: u64, life_ms: u64) -> bool {
        let last = match self {
            Self::Before(ms) => moment.ms.max(*ms),
            Self::User(_) | Self::Jti(_) => moment.ms,
        };
        last.saturating_add(life_ms) < now_ms
    }
}

/// When a revocation happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Its place in the count of logins and revocations.
    pub at: u64,
    /// The time of day, in milliseconds since 1970.
    pub ms: u64,
}

/// What is known of a token whose signature is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It counts.
    Good,
    /// The rights are gone.
    Revoked,
    /// To be treated as expired (asked for with `--dev` only).
    Expired,
}

/// The revocations.
#[derive(Debug)]
pub struct Revoked {
    /// No token is valid for longer, so no revocation is remembered for longer. In milliseconds.
    life_ms: u64,
    /// By user: the time of the last revocation, and its place.
    users: Dated<u64>,
    jtis: Dated,
    /// Those of `jtis` that need not be recorded again.
    recorded: Dated,
    expired: Dated,
    /// What was established before this time is revoked, in milliseconds since 1970.
    before: u64,
    /// The last place that is known.
    last: u64,
    /// The last place that a token has, as far as this node knows.
    issued: u64,
}

impl Revoked {
    /// Nothing is revoked; tokens are valid for `life_ms` at most.
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
            issued: 0,
        }
    }

    /// Returns the place of a login that happens now.
    pub fn generation(&mut self, now_ms: u64) -> u64 {
        self.issued = self.next(now_ms);
        self.issued
    }

    /// Takes note of the place of a token that counts. Whatever this node revokes from now on has a later one, also if another node, whose
    /// clock is ahead, issued the token.
    pub fn seen(&mut self, claims: &Claims) {
        let place = claims.generation.unwrap_or(0);
        self.issued = self.issued.max(place);
        self.last = self.last.max(place);
    }

    /// Takes rights away. Returns the moment at which that happened.
    pub fn revoke(&mut self, now_ms: u64, whom: &Revoke) -> Moment {
        let moment = Moment { at: self.next(now_ms), ms: now_ms };
        self.add(now_ms, moment, whom);
        moment
    }

    /// Takes over a revocation that was recorded before this node issued anything.
    pub fn restore(&mut self, now_ms: u64, moment: Moment, whom: &Revoke) {
        self.last = self.last.max(moment.at);
        if !whom.is_over(moment, now_ms, self.life_ms) {
            self.add(now_ms, moment, whom);
        }
    }

    /// Takes over a revocation by another node. What this node issues from now on has a later place.
    ///
    /// The nodes' clocks differ, so what this node issued before may have a later place than the revocation and be older all the same. So it
    /// is revoked, too: the answer is the place up to which it is, for the other nodes to know. `None` if nothing more is revoked than was
    /// asked for, or if the revocation is known or over.
    pub fn hear(&mut self, now_ms: u64, moment: Moment, whom: &Revoke) -> Option<u64> {
        self.last = self.last.max(moment.at);
        if whom.is_over(moment, now_ms, self.life_ms) {
            return None;
        }
        let Revoke::User(user) = whom else {
            self.add(now_ms, moment, whom);
            return None;
        };
        let known = self.users.get(user);
        if known.is_some_and(|(_, at)| at >= moment.at) {
            return None;
        }
        let at = moment.at.max(self.issued);
        self.add(now_ms, Moment { at, ..moment }, whom);
        (at > moment.at).then_some(at)
    }

    /// Remembers that a revocation outlives this process. Only those of a `jti` are remembered: a browser may repeat them.
    pub fn recorded(&mut self, now_ms: u64, whom: &Revoke) {
        match whom {
            Revoke::Jti(jti) => drop(self.recorded.add(jti, now_ms, (), now_ms.saturating_sub(self.life_ms))),
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
        self.expired.add(jti, now_ms, (), oldest);
    }

    /// Returns what a token counts for now.
    #[must_use]
    pub fn standing(&self, claims: &Claims) -> Standing {
        let by_user = |(ms, at)| claims.generation.map_or_else(|| claims.established() <= ms, |place| place <= at);
        let revoked = claims.established() < self.before
            || self.users.get(&claims.sub).is_some_and(by_user)
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

    fn next(&mut self, now_ms: u64) -> u64 {
        self.last = now_ms.max(self.last.saturating_add(1));
        self.last
    }

    fn add(&mut self, now_ms: u64, moment: Moment, whom: &Revoke) {
        let oldest = now_ms.saturating_sub(self.life_ms);
        let dropped = match whom {
            Revoke::User(user) => {
                let (ms, at) = self.users.get(user).unwrap_or_default();
                self.users.add(user, moment.ms.max(ms), moment.at.max(at), oldest)
            }
            Revoke::Jti(jti) => {
                let ms = self.jtis.at(jti).map_or(moment.ms, |known| known.max(moment.ms));
                self.jtis.add(jti, ms, (), oldest)
            }
            Revoke::Before(ms) => *ms,
        };
        self.before = self.before.max(dropped);
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
            auth_ms: None,
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

    /// What Redis makes of a revocation: its clock is right, whatever the node's is.
    fn recorded(moment: Moment, ms: u64) -> Moment {
        Moment { ms, ..moment }
    }

    #[test]
    fn two_nodes_whose_clocks_differ_agree() {
        let (mut early, mut late) = (Revoked::new(1_000_000), Revoked::new(1_000_000));
        // The clock of the second is half a second ahead.
        let (ada, bob) = (token("ada", late.generation(10_500)), token("bob", late.generation(10_510)));
        let whom = Revoke::User("ada".into());
        let moment = early.revoke(10_100, &whom);
        let again = late.hear(10_610, moment, &whom).expect("what it issued has a later place");
        assert_eq!((late.standing(&ada), early.standing(&ada)), (Standing::Revoked, Standing::Good));
        let again = Moment { at: again, ..moment };
        assert_eq!(early.hear(10_120, again, &whom), None, "they do not go on for ever");
        assert_eq!(early.standing(&ada), Standing::Revoked);
        for node in [&mut early, &mut late] {
            let next = node.generation(10_130);
            assert_eq!(node.standing(&token("ada", next)), Standing::Good, "a new login counts");
            assert_eq!(node.standing(&bob), Standing::Good);
            // Read once more, after the connection was lost.
            assert_eq!(node.hear(10_700, moment, &whom), None);
            assert_eq!(node.standing(&token("ada", next)), Standing::Good);
        }
    }

    #[test]
    fn a_revocation_by_a_node_ahead_ends_no_later_login_anywhere() {
        let (mut ahead, mut right) = (Revoked::new(1_000_000), Revoked::new(1_000_000));
        let whom = Revoke::User("ada".into());
        let old = token("ada", right.generation(99_000));
        let moment = recorded(ahead.revoke(160_000, &whom), 100_000);
        assert_eq!(right.hear(100_000, moment, &whom), None);
        assert_eq!(right.standing(&old), Standing::Revoked);
        // Issued with a place ahead of the clock, and good on both nodes.
        let new = Claims { iat: 100, ..token("ada", right.generation(100_001)) };
        assert!(new.generation > Some(160_000));
        assert_eq!((right.standing(&new), ahead.standing(&new)), (Standing::Good, Standing::Good));
        // A node that starts now reads the same, and a session of another issuer is judged by the time.
        let mut third = Revoked::new(1_000_000);
        third.restore(100_002, moment, &whom);
        assert_eq!(third.standing(&new), Standing::Good);
        for (iat, standing) in [(100, Standing::Revoked), (101, Standing::Good)] {
            let foreign = Claims { generation: None, iat, ..token("ada", 0) };
            assert_eq!((right.standing(&foreign), third.standing(&foreign)), (standing, standing));
        }
    }

    #[test]
    fn a_restart_does_not_revoke_more_than_was_asked_for() {
        let (mut node, bob, ada) = (Revoked::new(1_000_000), Revoke::User("bob".into()), Revoke::User("ada".into()));
        // By a node whose clock is ahead, then by one that did not know of it yet.
        node.restore(100_000, Moment { at: 160_000, ms: 99_000 }, &bob);
        node.restore(100_000, Moment { at: 99_500, ms: 99_500 }, &ada);
        assert_eq!(node.standing(&token("ada", 99_501)), Standing::Good, "she logged in again behind that");
    }

    #[test]
    fn a_token_of_a_node_ahead_can_be_revoked_where_it_was_shown() {
        let mut node = Revoked::new(1_000_000);
        let ada = token("ada", 160_000);
        node.seen(&ada);
        node.revoke(100_000, &Revoke::User("ada".into()));
        assert_eq!(node.standing(&ada), Standing::Revoked);
        assert_eq!(node.standing(&token("ada", node.last + 1)), Standing::Good);
    }

    #[test]
    fn a_clock_that_is_set_back_ends_no_login_and_no_revocation() {
        let mut node = Revoked::new(1_000_000);
        let before = token("ada", node.generation(100_000));
        let after = token("ada", node.generation(70_000));
        assert_eq!((node.standing(&before), node.standing(&after)), (Standing::Good, Standing::Good));
        node.revoke(70_001, &Revoke::User("ada".into()));
        assert_eq!((node.standing(&before), node.standing(&after)), (Standing::Revoked, Standing::Revoked));
        let again = token("ada", node.generation(70_002));
        assert_eq!(node.standing(&again), Standing::Good);
    }

    #[test]
    fn a_date_is_compared_with_dates_however_many_log_in() {
        let mut node = Revoked::new(1_000_000);
        let places: Vec<_> = (0..8_000).map(|_| node.generation(100_000)).collect();
        let last = Claims { iat: 100, ..token("ada", places[7_999]) };
        assert_eq!((last.generation, last.established()), (Some(107_999), 100_000));
        node.revoke(103_000, &Revoke::Before(102_000));
        assert_eq!(node.standing(&last), Standing::Revoked);
        let later = Claims { iat: 102, ..token("ada", node.generation(102_000)) };
        assert_eq!(node.standing(&later), Standing::Good);
    }

    #[test]
    fn what_is_over_is_not_taken_for_news() {
        let (mut node, whom) = (Revoked::new(1_000), Revoke::User("ada".into()));
        let ada = token("ada", node.generation(90_000));
        // Redis trims its stream by whole nodes of it, so it may show what is long over.
        assert_eq!(node.hear(90_001, Moment { at: 50_000, ms: 50_000 }, &whom), None);
        assert_eq!(node.standing(&ada), Standing::Good);
    }

    #[test]
    fn what_is_heard_of_tokens_and_dates_counts_too() {
        let mut revoked = Revoked::new(1_000_000);
        revoked.generation(9_500);
        let moment = Moment { at: 9_000, ms: 9_000 };
        assert_eq!(revoked.hear(9_600, moment, &Revoke::Jti("session".into())), None);
        assert_eq!(revoked.standing(&token("ada", 2)), Standing::Revoked);
        assert_eq!(revoked.hear(9_600, moment, &Revoke::Before(8_000)), None);
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
