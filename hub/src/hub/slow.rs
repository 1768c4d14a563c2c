//! Readers that do not keep up, and what becomes of what waits for them.
//!
//! A reader is slow when its connection takes no bytes and more than [`lag`](SlowRules::lag) updates wait for it that came since it did: a
//! replay may be as long as it is. Then each type has its rule. There is no queue: what waits is what follows the client's cursor in the log, and a rule only defines what the walk passes over.
//!
//! ```
//! use tinysse::proto::{audience::Identity, registry::Pattern, time::Time, wire::id::Epoch};
//! use tinysse_hub::hub::{Hub, HubConfig, Slow, SlowRules, Update};
//!
//! let rules = SlowRules { lag: 2, rules: vec![(Pattern::parse("progress").unwrap(), Slow::Coalesce)] };
//! let mut hub = Hub::new(Epoch(7), HubConfig::default()).slow(rules);
//! let ada = hub.connect(Time(0), Identity::default(), None, None);
//! hub.poll(Time(0), ada, 1 << 16, &mut Vec::new());
//! for percent in ["1", "2", "3", "4"] {
//!     hub.publish(Time(1), Update { data: Some(percent.into()), ..Update::new("progress") }).unwrap();
//!     assert!(!hub.stalled(ada), "nobody is cut off for this type");
//! }
//! let mut out = Vec::new();
//! hub.poll(Time(2), ada, 1 << 16, &mut out);
//! assert_eq!(String::from_utf8(out).unwrap(), "id: 7.4\nevent: progress\ndata: {\"data\":4}\n\n");
//! ```

use std::{collections::BTreeSet, str::FromStr};

use tinysse::proto::{
    registry::Pattern,
    wire::control::{Gap, Resync},
};

use super::{ClientId, FrameSink, Hub, clients::Client, log::Entry, log::Log, poll::encoded};

/// More types than this are not named in a resync: then it is one of everything.
const MAX_NAMED: usize = 16;

/// What a slow reader gets of a type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Slow {
    /// Everything in order, as long as the log holds it; when it no longer does, a resync.
    #[default]
    Deliver,
    /// The newest of each key: a newer one repeats what an older one announced.
    Coalesce,
    /// Nothing of what waits; a resync names the type, and the client refetches.
    Resync,
    /// Its connection is cut. It comes back with its cursor, and then gets everything.
    Disconnect,
}

impl Slow {
    /// The word in the settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deliver => "deliver",
            Self::Coalesce => "coalesce",
            Self::Resync => "resync",
            Self::Disconnect => "disconnect",
        }
    }
}

/// When a reader is slow, and what that means for each type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlowRules {
    /// This many updates may wait for a connection that takes no bytes.
    pub lag: usize,
    /// The first pattern that matches a type counts; without one, [`Slow::Deliver`].
    pub rules: Vec<(Pattern, Slow)>,
}

/// What waits for a client whose connection takes no bytes, as far as it was counted.
#[derive(Debug)]
pub(super) struct Waiting {
    /// Up to this place.
    upto: u64,
    count: usize,
    /// Some of it is of a type whose slow readers are cut off.
    cut: bool,
    /// The types that are refetched instead.
    refetched: BTreeSet<String>,
}

impl SlowRules {
    /// What a slow reader gets of a type.
    #[must_use]
    pub fn of(&self, kind: &str) -> Slow {
        self.rules.iter().find(|(pattern, _)| pattern.matches(kind)).map_or(Slow::Deliver, |(_, rule)| *rule)
    }

    /// Whether the log must know which updates are the newest of their kind.
    pub(super) fn coalesces(&self, kind: &str) -> bool {
        self.of(kind) == Slow::Coalesce
    }
}

impl FromStr for Slow {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "deliver" => Ok(Self::Deliver),
            "coalesce" => Ok(Self::Coalesce),
            "resync" => Ok(Self::Resync),
            "disconnect" => Ok(Self::Disconnect),
            _ => Err(format!("`{text}` is none of deliver, coalesce, resync and disconnect")),
        }
    }
}

impl Hub {
    /// From now on slow readers are treated so. By default everything is delivered.
    #[must_use]
    pub fn slow(mut self, rules: SlowRules) -> Self {
        self.slow = rules;
        self
    }

    /// Reports that the client's connection takes no bytes, or took none until now: to be called whenever there is something for it, and before the poll that
    /// follows. True if the connection is to be cut.
    pub fn stalled(&mut self, id: ClientId) -> bool {
        if self.slow.rules.is_empty() {
            return false;
        }
        let Some(client) = self.clients.get_mut(id).filter(|client| client.hello.is_none()) else { return false };
        let mut waiting =
            client.waiting.take().unwrap_or_else(|| Box::new(Waiting::behind(client.at.max(client.came))));
        waiting.count(&self.log, &self.slow, client);
        let cut = waiting.cut && waiting.count > self.slow.lag;
        client.waiting = Some(waiting);
        cut
    }
}

impl Waiting {
    fn behind(at: u64) -> Self {
        Self { upto: at, count: 0, cut: false, refetched: BTreeSet::new() }
    }

    /// Goes on counting to the head of the log.
    fn count(&mut self, log: &Log, rules: &SlowRules, client: &Client) {
        for (seq, entry) in log.since(self.upto, &client.identity) {
            self.upto = seq;
            if !client.wants(entry) || passed_over(log, rules, client, seq, entry) {
                continue;
            }
            self.count += 1;
            match rules.of(&entry.topic.kind) {
                Slow::Deliver | Slow::Coalesce => {}
                Slow::Resync => {
                    if self.refetched.len() <= MAX_NAMED {
                        self.refetched.insert(entry.topic.kind.clone());
                    }
                }
                Slow::Disconnect => self.cut = true,
            }
        }
        self.upto = log.head();
    }
}

/// Prepares a client that had stalled for being served: if it is slow, from its cursor to the head the walk passes over what the rules drop, and
/// a resync names what it lacks. Returns true if one was sent.
pub(super) fn judge(log: &Log, rules: &SlowRules, client: &mut Client, out: &mut impl FrameSink) -> bool {
    let Some(mut waiting) = client.waiting.take() else { return false };
    waiting.count(log, rules, client);
    if waiting.count <= rules.lag {
        return false;
    }
    client.slow_until = log.head();
    if waiting.refetched.is_empty() {
        return false;
    }
    let named = waiting.refetched.len() <= MAX_NAMED;
    let types = if named { waiting.refetched.into_iter().collect() } else { Vec::new() };
    let resync = Resync { at: log.id(client.at), gap: Gap::Overflow, types };
    out.own(&encoded(|out| resync.encode(out)));
    true
}

/// Whether the walk of this client passes over an update that it may see.
pub(super) fn passed_over(log: &Log, rules: &SlowRules, client: &Client, seq: u64, entry: &Entry) -> bool {
    seq <= client.slow_until
        && match rules.of(&entry.topic.kind) {
            Slow::Deliver | Slow::Disconnect => false,
            Slow::Coalesce => log.replaced(seq, entry),
            Slow::Resync => true,
        }
}

#[cfg(test)]
mod tests;
