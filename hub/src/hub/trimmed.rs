//! What the log has forgotten, in outline: enough to know that a client missed nothing.
//!
//! A client that is filtered or quiet may come back with a cursor that lies before the oldest kept
//! update though nothing for it was trimmed. Making it refetch everything would be a false alarm.
//! So the newest trimmed place is kept by topic (type and audience).

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::route::Route;

#[derive(Debug)]
pub(super) struct Trimmed {
    /// The newest trimmed place of each topic; only ever asked for one topic, so its order shows
    /// nowhere.
    newest: HashMap<Arc<Route>, u64>,
    by_seq: BTreeMap<u64, Arc<Route>>,
    /// Up to here topics were forgotten too: any client may have missed something.
    unknown: u64,
    /// What the topics weigh.
    bytes: usize,
    max_count: usize,
    max_bytes: usize,
}

/// The bytes of an entry in both maps, beside the topic.
const ENTRY: usize = 64;

impl Trimmed {
    /// An empty outline of at most `max_count` topics and `max_bytes`. Nothing is known of the
    /// updates up to and with `unknown`.
    pub(super) fn new(max_count: usize, max_bytes: usize, unknown: u64) -> Self {
        Self { newest: HashMap::new(), by_seq: BTreeMap::new(), unknown, bytes: 0, max_count, max_bytes }
    }

    /// Takes note that the update at `seq` was trimmed. Places must rise.
    pub(super) fn note(&mut self, seq: u64, topic: Arc<Route>) {
        match self.newest.insert(Arc::clone(&topic), seq) {
            Some(older) => drop(self.by_seq.remove(&older)),
            None => self.bytes += ENTRY + topic.weight(),
        }
        self.by_seq.insert(seq, topic);
        while self.by_seq.len() > self.max_count || self.bytes > self.max_bytes {
            let Some((seq, topic)) = self.by_seq.pop_first() else { return };
            self.newest.remove(&topic);
            self.bytes -= ENTRY + topic.weight();
            self.unknown = seq;
        }
    }

    /// True unless it is certain that no trimmed update behind `cursor` was one that `sees`.
    pub(super) fn missed(&self, cursor: u64, sees: impl Fn(&Route) -> bool) -> bool {
        cursor < self.unknown || self.by_seq.range(cursor + 1..).any(|(_, topic)| sees(topic))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tinysse::proto::audience::Audience;

    fn topic(kind: &str) -> Arc<Route> {
        Route::new(kind.into(), vec![])
    }

    #[test]
    fn only_the_topics_behind_the_cursor_count() {
        let mut trimmed = Trimmed::new(8, 4_096, 0);
        for (seq, kind) in [(1, "a"), (2, "b"), (3, "a")] {
            trimmed.note(seq, topic(kind));
        }
        let missed = |cursor, kind: &str| trimmed.missed(cursor, |topic| topic.kind() == kind);
        assert!(missed(0, "a") && missed(2, "a") && !missed(3, "a"));
        assert!(missed(1, "b") && !missed(2, "b"));
        assert!(!missed(0, "c"));
        assert_eq!(trimmed.by_seq.len(), 2);
    }

    #[test]
    fn past_the_bound_it_alarms_rather_too_often() {
        let mut trimmed = Trimmed::new(2, 4_096, 0);
        for (seq, kind) in [(1, "a"), (2, "b"), (3, "c")] {
            trimmed.note(seq, topic(kind));
        }
        assert!(trimmed.missed(0, |_| false));
        assert!(!trimmed.missed(1, |topic| topic.kind() == "a"));
        assert!(trimmed.missed(1, |topic| topic.kind() == "b"));
        assert_eq!((trimmed.newest.len(), trimmed.by_seq.len()), (2, 2));
    }

    #[test]
    fn bounded_by_bytes_and_what_is_forgotten_is_unknown() {
        let mut trimmed = Trimmed::new(100, 2_000, 0);
        for seq in 1..=1_000 {
            let to = vec![Audience::User(format!("{seq:0>200}"))];
            trimmed.note(seq, Route::new("a".into(), to));
            assert!(trimmed.bytes <= 2_000);
        }
        let kept = trimmed.by_seq.len() as u64;
        assert!(kept > 2 && trimmed.missed(1_000 - kept - 1, |_| false) && !trimmed.missed(1_000 - kept, |_| false));
        trimmed.note(1_001, Route::new("a".into(), vec![Audience::User("x".repeat(3_000))]));
        assert_eq!((trimmed.by_seq.len(), trimmed.newest.len(), trimmed.bytes, trimmed.unknown), (0, 0, 0, 1_001));
    }
}
