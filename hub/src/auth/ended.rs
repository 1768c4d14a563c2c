//! Sessions that their users ended. Each is remembered as long as it, or a token that it asked for,
//! could still be valid.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::jwt::Claims;

/// Sessions that are remembered of one user. Past that the half of them that began first is
/// forgotten, and all sessions of this user that began before those end with them: a user who ends
/// sessions that often ends their own older ones, and no other user's.
pub(super) const PER_USER: usize = 256;
/// What an entry takes besides its names, in bytes.
const OVERHEAD: usize = 240;

/// A session that its user ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// AffectedUsers it was.
    pub user: String,
    /// Its `jti`.
    pub jti: String,
    /// Its place in the count of logins and revocations, if it has one.
    pub place: Option<u64>,
    /// When it was established, in milliseconds since 1970.
    pub established: u64,
    /// When no token that it asked for is valid any more, in milliseconds since 1970.
    pub until: u64,
}

impl Session {
    /// Whether a token is the session, or was issued to it.
    #[must_use]
    pub fn issued(&self, claims: &Claims) -> bool {
        claims.sub == self.user && (claims.sid == self.jti || claims.jti == self.jti)
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    place: Option<u64>,
    established: u64,
    until: u64,
    /// Whether it outlives this process.
    recorded: bool,
}

/// Up to where a user's sessions are over: a place, and a time for those that have none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct UpTo {
    pub(super) place: u64,
    pub(super) ms: u64,
}

/// The sessions that ended.
#[derive(Debug, Default)]
pub(super) struct Ended {
    users: BTreeMap<String, BTreeMap<String, Entry>>,
    order: BTreeSet<(u64, String, String)>,
    bytes: usize,
}

impl Ended {
    /// Whether a session of this user ended that has one of these names.
    pub(super) fn has(&self, user: &str, names: [&str; 2]) -> bool {
        self.users.get(user).is_some_and(|ended| names.iter().any(|name| ended.contains_key(*name)))
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns the bytes that adding this session would take.
    pub(super) fn cost(&self, session: &Session) -> usize {
        if self.has(&session.user, [&session.jti; 2]) { 0 } else { cost(&session.user, &session.jti) }
    }

    /// Adds a session. Returns up to where sessions of its user are over, if that is more than
    /// those that are remembered.
    pub(super) fn add(&mut self, session: &Session, recorded: bool) -> Option<UpTo> {
        self.bytes += self.cost(session);
        let Session { user, jti, place, established, until } = session;
        let ended = self.users.entry(user.clone()).or_default();
        let entry = Entry { place: *place, established: *established, until: *until, recorded };
        if let Some(known) = ended.insert(jti.clone(), entry) {
            self.order.remove(&(known.until, user.clone(), jti.clone()));
        }
        self.order.insert((*until, user.clone(), jti.clone()));
        (ended.len() > PER_USER).then(|| self.fold(user))
    }

    /// Remembers that the end of a session outlives this process.
    pub(super) fn recorded(&mut self, session: &Session) {
        if let Some(entry) = self.users.get_mut(&session.user).and_then(|ended| ended.get_mut(&session.jti)) {
            entry.recorded = true;
        }
    }

    pub(super) fn is_recorded(&self, session: &Session) -> bool {
        let entry = self.users.get(&session.user).and_then(|ended| ended.get(&session.jti));
        entry.is_some_and(|entry| entry.recorded)
    }

    /// Forgets what no longer matters.
    pub(super) fn forget(&mut self, now_ms: u64) {
        while let Some((_, user, jti)) = self.order.first().filter(|(until, ..)| *until < now_ms).cloned() {
            self.remove(&user, &jti);
        }
    }

    /// All that is remembered.
    pub(super) fn iter(&self) -> impl Iterator<Item = Session> {
        self.users.iter().flat_map(|(user, ended)| {
            ended.iter().map(|(jti, entry)| Session {
                user: user.clone(),
                jti: jti.clone(),
                place: entry.place,
                established: entry.established,
                until: entry.until,
            })
        })
    }

    /// Forgets the half of a user's sessions that began first.
    fn fold(&mut self, user: &str) -> UpTo {
        let ended = self.users.get(user).into_iter().flatten();
        let mut oldest: Vec<_> = ended.map(|(jti, entry)| (entry.established, jti.clone(), entry.place)).collect();
        oldest.sort_unstable();
        oldest.truncate(PER_USER / 2);
        let mut up_to = UpTo::default();
        for (established, jti, place) in oldest {
            match place {
                Some(place) => up_to.place = up_to.place.max(place),
                None => up_to.ms = up_to.ms.max(established),
            }
            self.remove(user, &jti);
        }
        up_to
    }

    fn remove(&mut self, user: &str, jti: &str) {
        let Some(ended) = self.users.get_mut(user) else { return };
        let Some(entry) = ended.remove(jti) else { return };
        if ended.is_empty() {
            self.users.remove(user);
        }
        self.order.remove(&(entry.until, user.to_owned(), jti.to_owned()));
        self.bytes -= cost(user, jti);
    }
}

fn cost(user: &str, jti: &str) -> usize {
    2 * (user.len() + jti.len()) + OVERHEAD
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(user: &str, n: u64) -> Session {
        Session { user: user.into(), jti: n.to_string(), place: Some(n), established: n, until: 1_000 + n }
    }

    #[test]
    fn who_ends_sessions_without_end_ends_their_own_older_ones() {
        let mut ended = Ended::default();
        ended.add(&session("bob", 7), false);
        for n in 0..PER_USER as u64 {
            assert_eq!(ended.add(&session("ada", n), false), None);
        }
        let half = PER_USER as u64 / 2;
        let up_to = ended.add(&session("ada", 999), false);
        assert_eq!(up_to, Some(UpTo { place: half - 1, ms: 0 }));
        assert!(
            !ended.has("ada", ["0", ""]) && ended.has("ada", ["", &half.to_string()]) && ended.has("bob", ["7", ""])
        );
        // Those that have no place are distinguished by their time.
        let mut ended = Ended::default();
        let dated = |n| Session { place: None, ..session("eve", n) };
        let folded: Vec<_> = (0..=PER_USER as u64).filter_map(|n| ended.add(&dated(n), false)).collect();
        assert_eq!(folded, [UpTo { place: 0, ms: half - 1 }]);
    }

    #[test]
    fn what_is_over_takes_no_memory() {
        let mut ended = Ended::default();
        for n in 0..100 {
            ended.add(&session("ada", n), false);
            ended.add(&session("ada", n), false);
        }
        assert_eq!(ended.bytes, ended.iter().map(|known| cost(&known.user, &known.jti)).sum::<usize>());
        ended.forget(1_050);
        assert!(!ended.has("ada", ["49", ""]) && ended.has("ada", ["50", ""]));
        ended.forget(9_999);
        assert!(ended.bytes == 0 && ended.users.is_empty() && ended.order.is_empty());
    }
}
