//! What the log has forgotten, in outline: enough to tell a client that it missed nothing.
//!
//! A client that is filtered or quiet may come back with a cursor that lies before the oldest kept update though nothing for it was
//! trimmed. Telling it to refetch everything would be a false alarm. So the newest trimmed place is kept by topic (type and audience).

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use tinysse::core::audience::{Audience, Identity};

/// What decides who gets an update.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Topic {
    pub(super) kind: String,
    /// Sorted; empty means everybody.
    pub(super) to: Vec<Audience>,
}

impl Topic {
    pub(super) fn new(kind: String, mut to: Vec<Audience>) -> Arc<Self> {
        if to.contains(&Audience::All) {
            to.clear();
        }
        to.sort_unstable();
        to.dedup();
        Arc::new(Self { kind, to })
    }

    pub(super) fn admits(&self, identity: &Identity) -> bool {
        self.to.is_empty() || self.to.iter().any(|audience| audience.admits(identity))
    }
}

#[derive(Debug)]
pub(super) struct Trimmed {
    /// The newest trimmed place of each topic; only ever asked for one topic, so its order shows nowhere.
    newest: HashMap<Arc<Topic>, u64>,
    by_seq: BTreeMap<u64, Arc<Topic>>,
    /// Up to here topics were forgotten too: anybody may have missed something.
    unknown: u64,
    bound: usize,
}

impl Trimmed {
    /// Nothing was trimmed, except that of the updates up to and with `unknown` nothing is known.
    pub(super) fn new(bound: usize, unknown: u64) -> Self {
        Self { newest: HashMap::new(), by_seq: BTreeMap::new(), unknown, bound }
    }

    /// Takes note that the update at `seq` was trimmed. Places must rise.
    pub(super) fn note(&mut self, seq: u64, topic: Arc<Topic>) {
        if let Some(older) = self.newest.insert(Arc::clone(&topic), seq) {
            self.by_seq.remove(&older);
        }
        self.by_seq.insert(seq, topic);
        if self.by_seq.len() > self.bound
            && let Some((seq, topic)) = self.by_seq.pop_first()
        {
            self.newest.remove(&topic);
            self.unknown = seq;
        }
    }

    /// True unless it is certain that no trimmed update behind `cursor` was one that `sees`.
    pub(super) fn missed(&self, cursor: u64, sees: impl Fn(&Topic) -> bool) -> bool {
        cursor < self.unknown || self.by_seq.range(cursor + 1..).any(|(_, topic)| sees(topic))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(kind: &str) -> Arc<Topic> {
        Topic::new(kind.into(), vec![])
    }

    #[test]
    fn only_the_topics_behind_the_cursor_count() {
        let mut trimmed = Trimmed::new(8, 0);
        for (seq, kind) in [(1, "a"), (2, "b"), (3, "a")] {
            trimmed.note(seq, topic(kind));
        }
        let missed = |cursor, kind: &str| trimmed.missed(cursor, |topic| topic.kind == kind);
        assert!(missed(0, "a") && missed(2, "a") && !missed(3, "a"));
        assert!(missed(1, "b") && !missed(2, "b"));
        assert!(!missed(0, "c"));
        assert_eq!(trimmed.by_seq.len(), 2);
    }

    #[test]
    fn past_the_bound_it_alarms_rather_too_often() {
        let mut trimmed = Trimmed::new(2, 0);
        for (seq, kind) in [(1, "a"), (2, "b"), (3, "c")] {
            trimmed.note(seq, topic(kind));
        }
        assert!(trimmed.missed(0, |_| false));
        assert!(!trimmed.missed(1, |topic| topic.kind == "a"));
        assert!(trimmed.missed(1, |topic| topic.kind == "b"));
        assert_eq!((trimmed.newest.len(), trimmed.by_seq.len()), (2, 2));
    }

    #[test]
    fn one_audience_for_all_is_everybody() {
        let topic = Topic::new("a".into(), vec![Audience::User("ada".into()), Audience::All]);
        assert!(topic.to.is_empty() && topic.admits(&Identity::default()));
    }
}
