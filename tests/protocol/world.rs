//! A hub, and a client that was written from the document, in virtual time.

use std::collections::BTreeSet;

use tinysse::proto::{
    audience::Identity,
    registry::Pattern,
    rng::Rng,
    time::Time,
    wire::{control::Reason, id::Epoch},
};
use tinysse_hub::hub::{ClientId, Hub, HubConfig, Slow, SlowRules, Update};

use crate::reader::{Event, Reader, Stream};

/// A hub whose streams are cut, replaced and slowed down at random, and a client that was written
/// from the document.
pub(crate) struct World {
    hub: Hub,
    rng: Rng,
    now: u64,
    pub(crate) reader: Reader,
    /// The streams that are read, the newest last.
    streams: Vec<(ClientId, Stream)>,
    /// Updates that the client may see and has neither received nor had announced.
    pending: BTreeSet<String>,
    /// Updates that were delivered since the last resync.
    delivered: BTreeSet<String>,
    seen: usize,
}

impl World {
    /// Returns a world without streams, whose future is the seed.
    pub(crate) fn new(seed: u64) -> Self {
        let config = HubConfig { max_count: 12, beat_ms: 500, linger_ms: 300, ..HubConfig::default() };
        let rules = SlowRules { lag: 2, rules: vec![(Pattern::parse("slow.*").unwrap(), Slow::Resync)] };
        Self {
            hub: Hub::new(Epoch(seed), config).slow(rules),
            rng: Rng::new(seed),
            now: 0,
            reader: Reader::default(),
            streams: Vec::new(),
            pending: BTreeSet::new(),
            delivered: BTreeSet::new(),
            seen: 0,
        }
    }

    fn connect(&mut self) {
        let ada = Identity { user: "ada".into(), ..Identity::default() };
        let cursor = self.reader.cursor();
        let cursor = Some(cursor.as_str()).filter(|text| !text.is_empty());
        let id = self.hub.connect_as(Time(self.now), "c".into(), ada, cursor, None);
        if self.rng.below(2) == 0 {
            self.hub.fold(id);
        }
        self.streams.push((id, Stream::default()));
    }

    fn publish(&mut self) {
        let to = ["user:ada", "all", "user:bob", "role:x"][self.rng.below(4) as usize];
        let kind = ["a", "slow.b"][self.rng.below(2) as usize];
        let update = Update { to: vec![to.parse().unwrap()], ..Update::new(kind) };
        let (id, _) = self.hub.publish(Time(self.now), update).unwrap();
        if matches!(to, "user:ada" | "all") {
            self.pending.insert(id.text());
        }
    }

    /// Reads what a stream is due, up to a cut.
    fn serve(&mut self, at: usize, cut: bool) {
        let (id, stream) = &mut self.streams[at];
        let mut out = Vec::new();
        while self.hub.poll(Time(self.now), *id, 64, &mut out) {}
        let text = String::from_utf8(out).unwrap();
        let end = if cut { self.rng.below(text.len() as u64 + 1) as usize } else { text.len() };
        self.reader.read(stream, &text[..end]);
        if cut || self.hub.closed(*id) {
            self.hub.disconnect(*id);
            self.streams.remove(at);
        }
        for event in &self.reader.events[self.seen..] {
            match event {
                Event::Update { id, kind, envelope } => {
                    assert!(self.delivered.insert(id.clone()), "{id} ({kind}) was delivered twice");
                    assert_eq!(envelope, "{}");
                    self.pending.remove(id);
                }
                Event::Resync { gap, types } => {
                    assert!(gap != "none" && types.iter().all(|kind| kind == "slow.b"), "{gap} {types:?}");
                    // The client fetches everything that was published until now; what still waits
                    // may follow.
                    self.pending.clear();
                    self.delivered.clear();
                }
            }
        }
        self.seen = self.reader.events.len();
    }

    /// Does one thing at random.
    pub(crate) fn turn(&mut self) {
        self.now += self.rng.below(300);
        match self.rng.below(10) {
            0..=3 => self.publish(),
            4 => (0..self.rng.below(20)).for_each(|_| {
                self.publish();
                self.streams.iter().for_each(|(id, _)| {
                    self.hub.stalled(*id);
                });
            }),
            // The next stream is opened while the former one is still read (7.4).
            5 if self.streams.len() < 3 => {
                if let Some((id, _)) = self.streams.last() {
                    self.hub.bye(*id, Reason::Rotate, 0, None);
                }
                self.connect();
            }
            6 if !self.streams.is_empty() => self.serve(0, true),
            7 => {
                drop(self.hub.begin(Epoch(self.rng.next_u64()), 0));
            }
            _ if self.streams.is_empty() => self.connect(),
            _ => {
                let at = self.rng.below(self.streams.len() as u64) as usize;
                self.serve(at, false);
            }
        }
    }

    /// Ends every stream, opens a last one, and panics if the client misses anything.
    pub(crate) fn settle(&mut self) {
        while !self.streams.is_empty() {
            self.serve(0, true);
        }
        self.connect();
        self.serve(0, false);
        assert!(self.pending.is_empty(), "lost without an announcement: {:?}", self.pending);
    }
}
