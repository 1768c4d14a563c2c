//! From a channel to the clients whose patterns cover it: a trie of segments, so that the cost is that of the name's length and not of
//! how many patterns there are. The meaning of a pattern is `core::audience::covers`; a test holds the two together.

use std::collections::{BTreeMap, BTreeSet};

use super::clients::ClientId;

/// True if `covers` takes the name for more than itself.
pub(super) fn is_pattern(name: &str) -> bool {
    name.split('.').any(|segment| segment == "*") || name == ">" || name.ends_with(".>")
}

#[derive(Debug, Default)]
pub(super) struct Patterns {
    /// Those whose pattern ends here.
    here: BTreeSet<ClientId>,
    /// Those whose pattern goes on with a closing `>`.
    below: BTreeSet<ClientId>,
    /// `*` stands among the names: as the name of a channel's segment it means the same.
    next: BTreeMap<String, Self>,
}

impl Patterns {
    pub(super) fn insert(&mut self, pattern: &str, id: ClientId) {
        match pattern.split_once('.') {
            _ if pattern == ">" => drop(self.below.insert(id)),
            Some((segment, rest)) => self.next.entry(segment.to_owned()).or_default().insert(rest, id),
            None => drop(self.next.entry(pattern.to_owned()).or_default().here.insert(id)),
        }
    }

    pub(super) fn remove(&mut self, pattern: &str, id: ClientId) {
        let (segment, rest) = match pattern.split_once('.') {
            _ if pattern == ">" => {
                self.below.remove(&id);
                return;
            }
            Some((segment, rest)) => (segment, Some(rest)),
            None => (pattern, None),
        };
        let Some(next) = self.next.get_mut(segment) else { return };
        match rest {
            Some(rest) => next.remove(rest, id),
            None => drop(next.here.remove(&id)),
        }
        if next.is_empty() {
            self.next.remove(segment);
        }
    }

    pub(super) fn reach(&self, channel: &str, found: &mut BTreeSet<ClientId>) {
        found.extend(&self.below);
        let (segment, rest) = channel.split_once('.').map_or((channel, None), |(segment, rest)| (segment, Some(rest)));
        let named = self.next.get(segment);
        let starred = self.next.get("*").filter(|_| segment != "*");
        for next in named.into_iter().chain(starred) {
            match rest {
                Some(rest) => next.reach(rest, found),
                None => found.extend(&next.here),
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.here.is_empty() && self.below.is_empty() && self.next.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use tinysse::core::{
        audience::{Identity, covers},
        time::Time,
    };

    use super::*;
    use crate::hub::clients::{Client, Clients};

    #[test]
    fn it_reaches_whom_the_pattern_covers_and_forgets() {
        let names = ["a", "*", ">", "a.*", "a.>", "*.b", "a.*.b", "a.>.b", "*.*", "a.b", "a.b.>", "", ".", "a.."];
        let channels = ["a", "b", "a.b", "a.c", "a.x.b", "a.b.c.d", "*", "a.*", ">", "", ".", "a..", "a.>.b"];
        let (mut patterns, mut clients) = (Patterns::default(), Clients::default());
        let ids = names.map(|name| clients.insert(Client::new(name.into(), Identity::default(), None, Time(0))));
        for (name, id) in names.iter().zip(ids) {
            patterns.insert(name, id);
        }
        for channel in channels {
            let mut found = BTreeSet::new();
            patterns.reach(channel, &mut found);
            let wanted = names.iter().zip(ids).filter(|(name, _)| covers(name, channel)).map(|(_, id)| id);
            assert_eq!(found, wanted.collect(), "{channel}");
        }
        for (name, id) in names.iter().zip(ids) {
            assert!(!patterns.is_empty());
            patterns.remove(name, id);
            patterns.remove("no.such.pattern", id);
        }
        assert!(patterns.is_empty());
    }

    #[test]
    fn only_whole_segments_make_a_pattern() {
        for name in ["*", ">", "a.*", "*.a", "a.>", "a.*.b"] {
            assert!(is_pattern(name), "{name}");
        }
        for name in ["a", "", "a*", "a.*b", ">a", "a.>.b", "a>"] {
            assert!(!is_pattern(name), "{name}");
        }
    }
}
