//! From a channel to the clients whose patterns cover it: a trie of segments, so that the cost is
//! that of the name's length and not of how many patterns there are. The meaning of a pattern is
//! `tinysse::proto::audience::covers`; a test holds the two together.

use std::collections::{BTreeMap, BTreeSet};

use super::clients::ClientId;

/// True if `covers` takes the name for more than itself.
pub(super) fn is_pattern(name: &str) -> bool {
    name.split('.').any(|segment| segment == "*") || name == ">" || name.ends_with(".>")
}

/// A trie in one vector. Names come from tokens, so nothing here recurses: a name of ten thousand
/// segments costs time, not stack.
#[derive(Debug)]
pub(super) struct Patterns {
    /// The root is the first.
    nodes: Vec<Node>,
    /// Nodes that are not in use.
    free: Vec<usize>,
}

#[derive(Debug, Default)]
struct Node {
    /// Clients whose pattern ends here.
    here: BTreeSet<ClientId>,
    /// Clients whose pattern continues with a closing `>`.
    below: BTreeSet<ClientId>,
    /// The next segment. `*` is among the names: as a segment of a channel it means the same.
    next: BTreeMap<String, usize>,
}

const ROOT: usize = 0;

impl Default for Patterns {
    fn default() -> Self {
        Self { nodes: vec![Node::default()], free: Vec::new() }
    }
}

impl Patterns {
    pub(super) fn insert(&mut self, pattern: &str, id: ClientId) {
        let (path, open) = segments(pattern);
        let mut at = ROOT;
        for segment in path {
            at = match self.nodes[at].next.get(segment) {
                Some(next) => *next,
                None => {
                    let next = self.free.pop().unwrap_or_else(|| {
                        self.nodes.push(Node::default());
                        self.nodes.len() - 1
                    });
                    self.nodes[at].next.insert(segment.to_owned(), next);
                    next
                }
            };
        }
        self.nodes[at].clients(open).insert(id);
    }

    pub(super) fn remove(&mut self, pattern: &str, id: ClientId) {
        let (path, open) = segments(pattern);
        let mut way = Vec::new();
        let mut at = ROOT;
        for segment in path {
            let Some(next) = self.nodes[at].next.get(segment) else { return };
            way.push((at, segment));
            at = *next;
        }
        self.nodes[at].clients(open).remove(&id);
        while let Some((parent, segment)) = way.pop() {
            if !self.nodes[at].is_empty() {
                return;
            }
            self.nodes[parent].next.remove(segment);
            self.free.push(at);
            at = parent;
        }
        // Nobody has a pattern any more: give the memory back.
        if self.is_empty() {
            *self = Self::default();
        }
    }

    /// Adds the clients whose pattern covers `channel` to `found`.
    pub(super) fn reach(&self, channel: &str, found: &mut BTreeSet<ClientId>) {
        let mut open = vec![(ROOT, Some(channel))];
        while let Some((at, rest)) = open.pop() {
            let node = &self.nodes[at];
            let Some(rest) = rest else {
                found.extend(&node.here);
                continue;
            };
            found.extend(&node.below);
            let (segment, rest) = rest.split_once('.').map_or((rest, None), |(segment, rest)| (segment, Some(rest)));
            let named = node.next.get(segment);
            let starred = node.next.get("*").filter(|_| segment != "*");
            open.extend(named.into_iter().chain(starred).map(|next| (*next, rest)));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.nodes[ROOT].is_empty()
    }
}

impl Node {
    fn clients(&mut self, open: bool) -> &mut BTreeSet<ClientId> {
        if open { &mut self.below } else { &mut self.here }
    }

    fn is_empty(&self) -> bool {
        self.here.is_empty() && self.below.is_empty() && self.next.is_empty()
    }
}

/// The segments of a pattern without a closing `>`, and whether it has one.
fn segments(pattern: &str) -> (impl Iterator<Item = &str>, bool) {
    let open = pattern == ">" || pattern.ends_with(".>");
    let count = pattern.split('.').count() - usize::from(open);
    (pattern.split('.').take(count), open)
}

#[cfg(test)]
mod tests {
    use tinysse::proto::audience::{Identity, covers};

    use super::*;
    use crate::hub::{client::Client, clients::Clients};

    #[test]
    fn it_reaches_whom_the_pattern_covers_and_forgets() {
        let names = ["a", "*", ">", "a.*", "a.>", "*.b", "a.*.b", "a.>.b", "*.*", "a.b", "a.b.>", "", ".", "a.."];
        let channels = ["a", "b", "a.b", "a.c", "a.x.b", "a.b.c.d", "*", "a.*", ">", "", ".", "a..", "a.>.b"];
        let (mut patterns, mut clients) = (Patterns::default(), Clients::default());
        let ids = names.map(|_| clients.insert(Client::of(Identity::default())));
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
        assert!(patterns.is_empty() && patterns.nodes.len() == 1);
    }

    #[test]
    fn ten_thousand_segments_need_no_stack() {
        let (mut patterns, mut clients) = (Patterns::default(), Clients::default());
        let id = clients.insert(Client::of(Identity::default()));
        let long = vec!["a"; 100_000].join(".");
        patterns.insert(&format!("{long}.*"), id);
        let mut found = BTreeSet::new();
        patterns.reach(&format!("{long}.b"), &mut found);
        assert_eq!(found.len(), 1);
        patterns.remove(&format!("{long}.*"), id);
        patterns.insert(&format!("{long}.>"), id);
        drop(patterns);
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
