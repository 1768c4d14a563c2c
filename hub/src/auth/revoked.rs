//! Which tokens no longer count because rights were taken away. Pure: the time comes in.
//!
//! A token names its place in one count of logins and revocations (`gen`). A revocation has a place
//! in the same count, and ends what has that place or an earlier one. So a new login counts at
//! once, and nothing about it needs to be stored.
//!
//! The count is a hybrid logical clock (Kulkarni et al., 2014): a new place is the time of day in
//! milliseconds, or one more than the last known place if that is later. Many logins in one
//! millisecond, a clock that was set back and a node whose clock is ahead all lead to places ahead
//! of the clock. So a place is compared with places only.
//!
//! Sessions of another issuer have no place. The time at which it established them is compared with
//! the time of the revocation.
//!
//! *Invariant:* no revocation is forgotten while a token that it concerns could be valid, and none
//! revokes more than it names, but for a user who ends more than 256 sessions. What is remembered
//! has a bound in bytes. At the bound new revocations are refused: those of users, who are
//! strangers, at three quarters of it, so that services can revoke still. What another node
//! revoked, or a file has, was bounded there, and is taken over.
//!
//! Absent here: a store (see `ledger`, and `shared` for several nodes).

use std::io;

use serde::{Deserialize, Serialize};

use super::{
    ended::{Ended, Session, UpTo},
    expiring_map::ExpiringMap,
    jwt::Claims,
};

/// What the revocations may take in memory, in bytes: about 300,000 users and tokens.
pub const BYTES: usize = 64 << 20;
/// Up to where users may add to them by ending their sessions: about 150,000 sessions.
const BYTES_USERS: usize = BYTES / 4 * 3;
/// Tokens that are treated as expired.
const EXPIRED: usize = 10_000;

/// Whom a revocation concerns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Revoke {
    /// All that was issued to this user.
    User(String),
    /// The token or session of this `jti`, and the stream tokens that the session asked for.
    Jti(String),
    /// The same for a session that its user ends.
    Session(Session),
    /// All that was issued before this time, in milliseconds since 1970.
    Before(u64),
}

impl Revoke {
    /// Whether no token that it concerns is valid any more, where tokens are valid for `life_ms` at
    /// most.
    pub(super) fn is_over(&self, moment: Moment, now_ms: u64, life_ms: u64) -> bool {
        let last = match self {
            Self::Session(session) => return session.until < now_ms,
            Self::Before(ms) => moment.ms.max(*ms),
            Self::User(_) | Self::Jti(_) => moment.ms,
        };
        last.saturating_add(life_ms) < now_ms
    }

    /// Whether a token is one that it names. Those of a session are ended by this also if the
    /// session is over.
    #[must_use]
    pub fn names(&self, claims: &Claims) -> bool {
        match self {
            Self::Session(session) => session.issued(claims),
            Self::User(_) | Self::Jti(_) | Self::Before(_) => false,
        }
    }
}

/// Why rights were not taken away, or not for good.
#[derive(Debug, thiserror::Error)]
pub enum RevokeError {
    /// Nothing was revoked.
    #[error("as many revocations are remembered as there is memory for; nothing was revoked")]
    Full,
    /// It holds in this process until the next restart.
    #[error("revoked here until the next restart: {0}")]
    NotDurable(#[from] io::Error),
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
    /// By user, with the time at which it was last revoked.
    users: ExpiringMap<UpTo>,
    jtis: ExpiringMap,
    ended: Ended,
    expired: ExpiringMap,
    /// What was established before this time is revoked, in milliseconds since 1970.
    before: u64,
    /// The last place that is known.
    last: u64,
    /// The last place that a token has, as far as this node knows.
    issued: u64,
    /// When the count began, in milliseconds since 1970. What was established before may have any
    /// place.
    begun: u64,
}

impl Revoked {
    /// Nothing is revoked at `now_ms`; tokens are valid for `life_ms` at most.
    #[must_use]
    pub fn new(life_ms: u64, now_ms: u64) -> Self {
        Self {
            life_ms,
            begun: now_ms,
            users: ExpiringMap::default(),
            jtis: ExpiringMap::default(),
            ended: Ended::default(),
            expired: ExpiringMap::default(),
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

    /// Takes note of the place of a token that counts. Whatever this node revokes from now on has a
    /// later one, also if another node, whose clock is ahead, issued the token.
    pub fn seen(&mut self, claims: &Claims) {
        let place = claims.generation.unwrap_or(0);
        self.issued = self.issued.max(place);
        self.last = self.last.max(place);
    }

    /// Takes rights away. Returns the moment at which that happened.
    ///
    /// # Errors
    /// [`RevokeError::Full`].
    pub fn revoke(&mut self, now_ms: u64, whom: &Revoke) -> Result<Moment, RevokeError> {
        self.forget(now_ms);
        let (cost, bound) = match whom {
            Revoke::User(user) => (self.users.cost(user), BYTES),
            Revoke::Jti(jti) => (self.jtis.cost(jti), BYTES),
            Revoke::Session(session) => (self.ended.cost(session), BYTES_USERS),
            Revoke::Before(_) => (0, BYTES),
        };
        if cost > 0 && self.bytes() + cost > bound {
            return Err(RevokeError::Full);
        }
        let moment = Moment { at: self.next(now_ms), ms: now_ms };
        self.add(now_ms, moment, whom, false);
        Ok(moment)
    }

    /// Takes over a revocation that was recorded before this node issued anything.
    pub fn restore(&mut self, now_ms: u64, moment: Moment, whom: &Revoke) {
        self.last = self.last.max(moment.at);
        self.add(now_ms, moment, whom, true);
    }

    /// Takes over a revocation by another node. What this node issues from now on has a later
    /// place.
    ///
    /// The nodes' clocks differ, so what this node issued before may have a later place than the
    /// revocation and be older all the same. So it is revoked, too: the answer is the place up to
    /// which it is, for the other nodes to know. `None` if nothing more is revoked than was asked
    /// for, or if the revocation is known or over.
    pub fn adopt(&mut self, now_ms: u64, moment: Moment, whom: &Revoke) -> Option<u64> {
        self.forget(now_ms);
        self.last = self.last.max(moment.at);
        let Revoke::User(user) = whom else {
            self.add(now_ms, moment, whom, true);
            return None;
        };
        let known = self.users.get(user).is_some_and(|(_, known)| known.place >= moment.at);
        if known || whom.is_over(moment, now_ms, self.life_ms) {
            return None;
        }
        let at = moment.at.max(self.issued);
        self.add(now_ms, Moment { at, ..moment }, whom, true);
        (at > moment.at).then_some(at)
    }

    /// Corrects the time of a revocation that this node made, by a clock that is the same for all
    /// nodes.
    pub fn correct(&mut self, whom: &Revoke, ms: u64) {
        if let Revoke::User(user) = whom
            && let Some((date, up_to)) = self.users.get(user)
        {
            self.users.add(user, date, UpTo { ms, ..up_to });
        }
    }

    /// Returns true if a revocation by another node would change nothing: it is known, or a later
    /// one is.
    #[must_use]
    pub fn knows(&self, moment: Moment, whom: &Revoke) -> bool {
        match whom {
            Revoke::User(user) => self.users.get(user).is_some_and(|(_, known)| known.place >= moment.at),
            Revoke::Jti(jti) => self.jtis.has(jti),
            Revoke::Session(session) => self.ended.has(&session.user, [&session.jti, &session.jti]),
            Revoke::Before(ms) => self.before >= *ms,
        }
    }

    /// Remembers that the end of a session outlives this process: a browser may repeat it.
    pub fn recorded(&mut self, whom: &Revoke) {
        match whom {
            Revoke::Session(session) => self.ended.recorded(session),
            Revoke::User(_) | Revoke::Jti(_) | Revoke::Before(_) => {}
        }
    }

    /// Returns true if nothing is to be done for this revocation any more; false also if that was
    /// forgotten.
    #[must_use]
    pub fn is_recorded(&self, whom: &Revoke) -> bool {
        match whom {
            Revoke::Session(session) => self.ended.is_recorded(session),
            Revoke::User(_) | Revoke::Jti(_) | Revoke::Before(_) => false,
        }
    }

    /// All that is remembered, as revocations: for a file that is written anew.
    #[must_use]
    pub fn all(&self) -> Vec<(Moment, Revoke)> {
        let users = self.users.iter().map(|(user, date, up_to)| {
            // Without a time of its own, it is kept for as long as it counts here.
            let ms = if up_to.ms > 0 { up_to.ms } else { date };
            (Moment { at: up_to.place, ms }, Revoke::User(user.to_owned()))
        });
        let jtis = self.jtis.iter().map(|(jti, ms, ())| (Moment { at: 0, ms }, Revoke::Jti(jti.to_owned())));
        let ended = self.ended.iter().map(|session| (Moment { at: 0, ms: 0 }, Revoke::Session(session)));
        let before = (Moment { at: self.last, ms: self.before }, Revoke::Before(self.before));
        users.chain(jtis).chain(ended).chain([before]).collect()
    }

    /// From now on the token of this `jti` counts as expired.
    pub fn expire(&mut self, now_ms: u64, jti: &str) {
        self.expired.add(jti, now_ms, ());
        if self.expired.len() > EXPIRED {
            self.expired.pop();
        }
    }

    /// Returns what a token counts for now.
    #[must_use]
    pub fn standing(&self, claims: &Claims) -> Standing {
        let by_user = |(_, up_to): (u64, UpTo)| match claims.generation {
            // Before a restart the count may have been ahead of where it began then.
            Some(place) => place <= up_to.place || claims.established() < self.begun.min(up_to.ms),
            None => claims.established() <= up_to.ms,
        };
        let revoked = claims.established() < self.before
            || self.users.get(&claims.sub).is_some_and(by_user)
            || self.jtis.has(&claims.jti)
            || self.jtis.has(&claims.sid)
            || self.ended.has(&claims.sub, [&claims.jti, &claims.sid]);
        if revoked {
            Standing::Revoked
        } else if self.expired.has(&claims.jti) {
            Standing::Expired
        } else {
            Standing::Good
        }
    }

    fn bytes(&self) -> usize {
        self.users.bytes() + self.jtis.bytes() + self.ended.bytes()
    }

    fn next(&mut self, now_ms: u64) -> u64 {
        self.last = now_ms.max(self.last.saturating_add(1));
        self.last
    }

    fn forget(&mut self, now_ms: u64) {
        let oldest = now_ms.saturating_sub(self.life_ms);
        self.users.forget(oldest, |_, _| {});
        self.jtis.forget(oldest, |_, ()| {});
        self.ended.forget(now_ms);
    }

    fn add(&mut self, now_ms: u64, moment: Moment, whom: &Revoke, recorded: bool) {
        if whom.is_over(moment, now_ms, self.life_ms) {
            return;
        }
        match whom {
            Revoke::User(user) => self.up_to(user, moment.ms, UpTo { place: moment.at, ms: moment.ms }),
            Revoke::Jti(jti) => {
                let ms = self.jtis.get(jti).map_or(moment.ms, |(known, ())| known.max(moment.ms));
                self.jtis.add(jti, ms, ());
            }
            Revoke::Session(session) => {
                if let Some(up_to) = self.ended.add(session, recorded) {
                    self.up_to(&session.user, now_ms, up_to);
                }
            }
            Revoke::Before(ms) => self.before = self.before.max(*ms),
        }
    }

    fn up_to(&mut self, user: &str, ms: u64, up_to: UpTo) {
        let (known_ms, known) = self.users.get(user).unwrap_or_default();
        let up_to = UpTo { place: known.place.max(up_to.place), ms: known.ms.max(up_to.ms) };
        self.users.add(user, known_ms.max(ms), up_to);
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
            types: None,
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
        let mut revoked = Revoked::new(1_000_000, 0);
        let (ada, bob) = (revoked.generation(5_000), revoked.generation(5_000));
        assert_ne!(ada, bob);
        revoked.revoke(5_000, &Revoke::User("ada".into())).expect("room");
        assert_eq!(revoked.standing(&token("ada", ada)), Standing::Revoked);
        assert_eq!(revoked.standing(&token("bob", bob)), Standing::Good);
        let again = revoked.generation(5_000);
        assert_eq!(revoked.standing(&token("ada", again)), Standing::Good);
        // A foreign issuer gives the second only.
        assert_eq!(revoked.standing(&Claims { generation: None, iat: 5, ..token("ada", 0) }), Standing::Revoked);
        assert_eq!(revoked.standing(&Claims { generation: None, iat: 6, ..token("ada", 0) }), Standing::Good);
    }

    #[test]
    fn by_jti_by_session_and_by_date() {
        let mut revoked = Revoked::new(1_000_000, 0);
        revoked.revoke(9_000, &Revoke::Jti("ada-1".into())).expect("room");
        assert_eq!(revoked.standing(&token("ada", 1)), Standing::Revoked);
        assert_eq!(revoked.standing(&token("ada", 2)), Standing::Good);
        revoked.revoke(9_000, &Revoke::Jti("session".into())).expect("room");
        assert_eq!(revoked.standing(&token("ada", 2)), Standing::Revoked);
        let mut revoked = Revoked::new(1_000_000, 0);
        revoked.revoke(9_000, &Revoke::Before(8_000)).expect("room");
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
        let (mut early, mut late) = (Revoked::new(1_000_000, 0), Revoked::new(1_000_000, 0));
        // The clock of the second is half a second ahead.
        let (ada, bob) = (token("ada", late.generation(10_500)), token("bob", late.generation(10_510)));
        let whom = Revoke::User("ada".into());
        let moment = early.revoke(10_100, &whom).expect("room");
        let again = late.adopt(10_610, moment, &whom).expect("what it issued has a later place");
        assert_eq!((late.standing(&ada), early.standing(&ada)), (Standing::Revoked, Standing::Good));
        let again = Moment { at: again, ..moment };
        assert_eq!(early.adopt(10_120, again, &whom), None, "they do not go on for ever");
        assert_eq!(early.standing(&ada), Standing::Revoked);
        for node in [&mut early, &mut late] {
            let next = node.generation(10_130);
            assert_eq!(node.standing(&token("ada", next)), Standing::Good, "a new login counts");
            assert_eq!(node.standing(&bob), Standing::Good);
            // Read once more, after the connection was lost.
            assert_eq!(node.adopt(10_700, moment, &whom), None);
            assert_eq!(node.standing(&token("ada", next)), Standing::Good);
        }
    }

    #[test]
    fn a_revocation_by_a_node_ahead_ends_no_later_login_anywhere() {
        let (mut ahead, mut right) = (Revoked::new(1_000_000, 0), Revoked::new(1_000_000, 0));
        let whom = Revoke::User("ada".into());
        let old = token("ada", right.generation(99_000));
        let moment = recorded(ahead.revoke(160_000, &whom).expect("room"), 100_000);
        assert_eq!(right.adopt(100_000, moment, &whom), None);
        assert_eq!(right.standing(&old), Standing::Revoked);
        // Issued with a place ahead of the clock, and good on both nodes.
        let new = Claims { iat: 100, ..token("ada", right.generation(100_001)) };
        assert!(new.generation > Some(160_000));
        assert_eq!((right.standing(&new), ahead.standing(&new)), (Standing::Good, Standing::Good));
        // A node that starts now reads the same, and a session of another issuer is judged by the
        // time.
        let mut third = Revoked::new(1_000_000, 0);
        third.restore(100_002, moment, &whom);
        assert_eq!(third.standing(&new), Standing::Good);
        for (iat, standing) in [(100, Standing::Revoked), (101, Standing::Good)] {
            let foreign = Claims { generation: None, iat, ..token("ada", 0) };
            assert_eq!((right.standing(&foreign), third.standing(&foreign)), (standing, standing));
        }
    }

    #[test]
    fn a_restart_does_not_revoke_more_than_was_asked_for() {
        let (mut node, bob, ada) = (Revoked::new(1_000_000, 0), Revoke::User("bob".into()), Revoke::User("ada".into()));
        // By a node whose clock is ahead, then by one that did not know of it yet.
        node.restore(100_000, Moment { at: 160_000, ms: 99_000 }, &bob);
        node.restore(100_000, Moment { at: 99_500, ms: 99_500 }, &ada);
        assert_eq!(node.standing(&token("ada", 99_501)), Standing::Good, "she logged in again behind that");
    }

    #[test]
    fn a_token_of_a_node_ahead_can_be_revoked_where_it_was_shown() {
        let mut node = Revoked::new(1_000_000, 0);
        let ada = token("ada", 160_000);
        node.seen(&ada);
        node.revoke(100_000, &Revoke::User("ada".into())).expect("room");
        assert_eq!(node.standing(&ada), Standing::Revoked);
        assert_eq!(node.standing(&token("ada", node.last + 1)), Standing::Good);
    }

    #[test]
    fn a_clock_that_is_set_back_ends_no_login_and_no_revocation() {
        let mut node = Revoked::new(1_000_000, 0);
        let before = token("ada", node.generation(100_000));
        let after = token("ada", node.generation(70_000));
        assert_eq!((node.standing(&before), node.standing(&after)), (Standing::Good, Standing::Good));
        node.revoke(70_001, &Revoke::User("ada".into())).expect("room");
        assert_eq!((node.standing(&before), node.standing(&after)), (Standing::Revoked, Standing::Revoked));
        let again = token("ada", node.generation(70_002));
        assert_eq!(node.standing(&again), Standing::Good);
    }

    #[test]
    fn a_date_is_compared_with_dates_however_many_log_in() {
        let mut node = Revoked::new(1_000_000, 0);
        let places: Vec<_> = (0..8_000).map(|_| node.generation(100_000)).collect();
        let last = Claims { iat: 100, ..token("ada", places[7_999]) };
        assert_eq!((last.generation, last.established()), (Some(107_999), 100_000));
        node.revoke(103_000, &Revoke::Before(102_000)).expect("room");
        assert_eq!(node.standing(&last), Standing::Revoked);
        let later = Claims { iat: 102, ..token("ada", node.generation(102_000)) };
        assert_eq!(node.standing(&later), Standing::Good);
    }

    #[test]
    fn what_is_over_is_not_taken_for_news() {
        let (mut node, whom) = (Revoked::new(1_000, 0), Revoke::User("ada".into()));
        let ada = token("ada", node.generation(90_000));
        // Redis trims its stream by whole nodes of it, so it may show what is long over.
        assert_eq!(node.adopt(90_001, Moment { at: 50_000, ms: 50_000 }, &whom), None);
        assert_eq!(node.standing(&ada), Standing::Good);
    }

    #[test]
    fn what_other_nodes_report_of_tokens_and_dates_counts_too() {
        let mut revoked = Revoked::new(1_000_000, 0);
        revoked.generation(9_500);
        let moment = Moment { at: 9_000, ms: 9_000 };
        assert_eq!(revoked.adopt(9_600, moment, &Revoke::Jti("session".into())), None);
        assert_eq!(revoked.standing(&token("ada", 2)), Standing::Revoked);
        assert_eq!(revoked.adopt(9_600, moment, &Revoke::Before(8_000)), None);
        assert_eq!(revoked.standing(&Claims { sid: String::new(), ..token("bob", 7_999) }), Standing::Revoked);
    }

    fn session(user: &str, n: u64) -> Revoke {
        let until = 500_000 + n;
        Revoke::Session(Session { user: user.into(), jti: format!("s{n}"), place: Some(n), established: n, until })
    }

    #[test]
    fn the_end_of_a_session_needs_no_repetition_once_it_is_recorded() {
        let (mut revoked, ada) = (Revoked::new(1_000, 0), session("ada", 1));
        revoked.revoke(9_000, &ada).expect("room");
        assert!(!revoked.is_recorded(&ada), "that was not reported");
        revoked.recorded(&ada);
        assert!(revoked.is_recorded(&ada) && !revoked.is_recorded(&session("ada", 2)));
        let of = |user: &str, sid: &str| Claims { sid: sid.into(), ..token(user, 9_999) };
        assert_eq!(revoked.standing(&of("ada", "s1")), Standing::Revoked);
        assert_eq!(
            (revoked.standing(&of("ada", "s2")), revoked.standing(&of("bob", "s1"))),
            (Standing::Good, Standing::Good)
        );
        // Both are forgotten together, when no token of the session is valid any more; and what is
        // over is not even remembered.
        revoked.revoke(500_002, &session("bob", 3)).expect("room");
        revoked.revoke(500_002, &session("bob", 0)).expect("room");
        assert!(!revoked.is_recorded(&ada));
        assert_eq!(revoked.ended.iter().count(), 1);
    }

    #[test]
    fn a_restart_loses_no_revocation_of_what_had_a_place_ahead_of_the_clock() {
        let mut node = Revoked::new(1_000_000, 90_000);
        let places: Vec<_> = (0..20_000).map(|_| node.generation(100_000)).collect();
        let ada = Claims { iat: 100, ..token("ada", places[19_999]) };
        let mut node = Revoked::new(1_000_000, 102_000);
        node.revoke(103_000, &Revoke::User("ada".into())).expect("room");
        assert!(ada.generation > Some(103_000) && node.standing(&ada) == Standing::Revoked);
        let again = token("ada", node.generation(103_001));
        assert_eq!(node.standing(&again), Standing::Good);
    }

    #[test]
    fn what_is_written_anew_says_the_same() {
        let (mut node, bob) = (Revoked::new(1_000_000, 0), Revoke::Jti("bob-7".into()));
        for whom in [Revoke::User("ada".into()), bob, session("eve", 3), Revoke::Before(1_000)] {
            node.revoke(9_000, &whom).expect("room");
        }
        let mut again = Revoked::new(1_000_000, 9_001);
        node.all().iter().for_each(|(moment, whom)| again.restore(9_001, *moment, whom));
        assert_eq!(again.all(), node.all());
        let mut tokens = vec![token("ada", 9_000), token("bob", 7), token("zoe", 999), token("zoe", 1_000)];
        tokens.push(Claims { sid: "s3".into(), ..token("eve", 9_999) });
        let standing = |node: &Revoked| tokens.iter().map(|token| node.standing(token)).collect::<Vec<_>>();
        assert_eq!(standing(&again), standing(&node));
        assert_eq!(standing(&node).iter().filter(|standing| **standing == Standing::Good).count(), 1);
    }

    #[test]
    fn expired_by_order() {
        let mut revoked = Revoked::new(1_000_000, 0);
        revoked.expire(1, "ada-1");
        assert_eq!(revoked.standing(&token("ada", 1)), Standing::Expired);
        assert_eq!(revoked.standing(&token("ada", 2)), Standing::Good);
    }

    #[test]
    fn strangers_fill_their_part_of_the_memory_and_end_no_session_of_others() {
        let mut node = Revoked::new(1_000_000, 0);
        let zoe = token("zoe", node.generation(9_000));
        let mut n = 0;
        while node.revoke(10_000, &session(&format!("user{}", n % 5_000), n)).is_ok() {
            n += 1;
        }
        assert!(n > 150_000 && node.bytes() <= BYTES_USERS, "{n}");
        assert_eq!(node.standing(&zoe), Standing::Good);
        // What is known costs nothing, services still have capacity, and what other nodes revoked
        // is never refused.
        node.revoke(10_000, &session("user0", 0)).expect("known");
        node.revoke(10_000, &Revoke::User("zoe".into())).expect("room");
        node.adopt(10_000, Moment { at: 10_000, ms: 10_000 }, &session("eve", 8));
        assert_eq!(node.standing(&zoe), Standing::Revoked);
        assert_eq!(node.standing(&Claims { sid: "s8".into(), ..token("eve", 8) }), Standing::Revoked);
        while node.revoke(10_000, &Revoke::User(format!("user{n}"))).is_ok() {
            n += 1;
        }
        assert!(matches!(node.revoke(10_000, &Revoke::Jti("one more".into())), Err(RevokeError::Full)));
        node.revoke(10_000, &Revoke::User("zoe".into())).expect("known");
        // There is capacity again when they are over.
        node.revoke(2_000_000, &session("eve", 1_999_999)).expect("room");
        assert_eq!(node.ended.iter().count(), 1);
    }

    #[test]
    fn who_ends_very_many_sessions_ends_their_own_older_ones() {
        let mut node = Revoked::new(1_000_000, 0);
        for n in 0..300 {
            node.revoke(10_000, &session("ada", 1_000 + 2 * n)).expect("room");
        }
        let standing = |user: &str, place| node.standing(&Claims { sid: "other".into(), ..token(user, place) });
        assert_eq!((standing("ada", 1_001), standing("ada", 1_599)), (Standing::Revoked, Standing::Good));
        assert_eq!(standing("bob", 1_001), Standing::Good);
        assert!(node.ended.iter().count() <= 256);
    }
}
