//! Whose rights changed, and at which place of the log: so that a client that was away meanwhile
//! refetches.
//!
//! A replay is filtered by the rights of now. What lies before the cursor is not sent again, and
//! who gained a right has never seen it.

use std::hash::{DefaultHasher, Hash, Hasher};

use moka::sync::Cache;
use tinysse::proto::{registry::Pattern, wire::id::EventId};

use crate::auth::{directory::Rights, jwt::Claims};

/// Users whose rights are remembered. Of who is forgotten no change is seen; a new epoch resyncs
/// them anyway.
const REMEMBERED: u64 = 100_000;

/// The rights that users had last.
#[derive(Debug)]
pub(super) struct Changes(Cache<u64, Known>);

#[derive(Clone, Copy, Debug)]
struct Known {
    rights: u64,
    /// The head of the log when they became these, if they were others before.
    since: Option<u64>,
}

impl Default for Changes {
    fn default() -> Self {
        Self(Cache::new(REMEMBERED))
    }
}

impl Changes {
    /// Takes note of what `claims` are worth now. True if they were worth something else since
    /// `cursor`.
    pub(super) fn outdated(&self, claims: &Claims, rights: &Rights, cursor: Option<&str>, head: &EventId) -> bool {
        let who = print(|into| {
            claims.sub.hash(into);
            claims.role.hash(into);
            claims.channels.hash(into);
        });
        let now = print(|into| {
            rights.identity.role.hash(into);
            rights.identity.channels.hash(into);
            rights.types.as_ref().map(|types| types.iter().map(text).collect::<Vec<_>>()).hash(into);
        });
        let known = self.0.get(&who);
        let since = match known {
            None => None,
            Some(known) if known.rights == now => known.since,
            Some(_) => Some(head.seq),
        };
        if known.is_none_or(|known| known.rights != now) {
            self.0.insert(who, Known { rights: now, since });
        }
        let cursor = cursor.and_then(EventId::parse).filter(|cursor| cursor.epoch == head.epoch);
        cursor.zip(since).is_some_and(|(cursor, since)| cursor.seq <= since)
    }
}

fn print(write: impl FnOnce(&mut DefaultHasher)) -> u64 {
    let mut hasher = DefaultHasher::new();
    write(&mut hasher);
    hasher.finish()
}

fn text(pattern: &Pattern) -> (u8, &str) {
    match pattern {
        Pattern::Everything => (0, ""),
        Pattern::Below(prefix) => (1, prefix),
        Pattern::Exactly(name) => (2, name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_away_while_the_rights_changed_is_told() {
        let claims: Claims = serde_json::from_str(r#"{"iss":"","aud":"","sub":"ada","exp":9}"#).expect("claims");
        let rights = |types: &str| Rights { types: Pattern::parse(types).map(|one| vec![one]), ..Rights::default() };
        let (old, new) = (rights("a"), rights("*"));
        let at = |text: &str| EventId::parse(text).expect("an id");
        let changes = Changes::default();
        assert!(!changes.outdated(&claims, &old, Some("7.1"), &at("7.2")), "never seen");
        assert!(!changes.outdated(&claims, &old, Some("7.1"), &at("7.3")), "the same");
        assert!(changes.outdated(&claims, &new, Some("7.4"), &at("7.5")), "changed now");
        assert!(changes.outdated(&claims, &new, Some("7.5"), &at("7.9")), "another tab, away since");
        assert!(!changes.outdated(&claims, &new, Some("7.6"), &at("7.9")), "it was here since");
        assert!(
            !changes.outdated(&claims, &new, Some("8.1"), &at("7.9"))
                && !changes.outdated(&claims, &new, None, &at("7.9"))
        );
        let other = Claims { role: "admin".into(), ..claims };
        assert!(!changes.outdated(&other, &old, Some("7.1"), &at("7.9")), "another session's claims");
    }
}
