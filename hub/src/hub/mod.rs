//! The hub, pure: one log, the connected clients, and who gets what.
//!
//! Absent here, on purpose: a clock (time comes in), sockets, wakers, randomness. Equal calls make equal bytes, so the simulation
//! runs this very hub in virtual time.
//!
//! *Invariant:* a client is a cursor into the log. What was missed and what is live come out of the same walk, in the order of the
//! log, so nothing can fall between replay and live. No client has a queue of its own: a stalled one costs its cursor.
//!
//! ```
//! use tinysse::proto::{audience::Identity, time::Time, wire::id::Epoch};
//! use tinysse_hub::hub::{Hub, HubConfig, Update};
//!
//! let mut hub = Hub::new(Epoch(0x4f9a2c), HubConfig::default());
//! let ada = hub.connect(Time(0), Identity { user: "ada".into(), ..Identity::default() }, None, None);
//! let (id, wake) = hub.publish(Time(5), Update::new("projects")).unwrap();
//! assert_eq!((id.to_string().as_str(), wake), ("4f9a2c.1", vec![ada]));
//!
//! let mut out = Vec::new();
//! assert!(hub.poll(Time(5), ada, 64 * 1024, &mut out));
//! let text = String::from_utf8(out).unwrap();
//! assert!(text.starts_with("retry: 2500\nid: 4f9a2c.0\nevent: tinysse.hello\n"));
//! assert!(text.ends_with("id: 4f9a2c.1\nevent: projects\ndata: {}\n\n"));
//! ```

mod clients;
mod counts;
mod encoded_frame;
mod latest;
mod log;
mod patterns;
mod poll;
mod postings;
mod rights;
mod routing;
mod slow;
mod trimmed;
mod update;
mod view;
mod watched;

use std::sync::Arc;

use tinysse::proto::{
    audience::Identity,
    registry::Pattern,
    time::Time,
    wire::{
        control::Gap,
        id::{Epoch, EventId},
    },
};

use clients::{Client, Clients};
use encoded_frame::EncodedFrames;
use latest::CoalesceKey;
use log::{Entry, Log};
use routing::Routing;
use watched::Watched;

pub use clients::{ClientId, ClientMap, Spread};
pub use counts::{Counts, Waits};
pub use encoded_frame::{EncodedFrame, FrameSink};
pub use slow::{Slow, SlowRules};
pub use update::{PublishError, Update};
pub use view::{Kept, View, written};

/// The bounds of the log and the rhythm of the streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubConfig {
    /// The log keeps at most this many updates (at least one).
    pub max_count: usize,
    /// The log forgets updates that are older, in milliseconds.
    pub max_age_ms: u64,
    /// The log keeps at most this many bytes of frames; one update that alone is larger is refused.
    pub max_bytes: usize,
    /// A stream that is silent for so long gets a beat, in milliseconds.
    pub beat_ms: u32,
    /// The browser's own reconnection time, in milliseconds.
    pub retry_ms: u32,
    /// How long a stream stays open after a bye for a planned end, in milliseconds, so that the client can open the next one first.
    pub linger_ms: u32,
}

impl Default for HubConfig {
    fn default() -> Self {
        Self {
            max_count: 10_000,
            max_age_ms: 3_600_000,
            max_bytes: 16 << 20,
            beat_ms: 15_000,
            retry_ms: 2_500,
            linger_ms: 5_000,
        }
    }
}

/// The log, the clients, and the one walk that serves them.
#[derive(Debug)]
pub struct Hub {
    config: HubConfig,
    log: Log,
    clients: Clients,
    routing: Routing,
    watched: Watched,
    counts: Counts,
    spread_per_second: u32,
    slow: SlowRules,
}

/// Nobody is asked to wait longer before a refetch than this.
const MAX_SPREAD_MS: u64 = 30_000;
/// A spread below this would cost bytes and change nothing.
const MIN_SPREAD_MS: u64 = 100;

impl Hub {
    /// A hub with an empty log. The epoch must differ from that of any earlier life of the log.
    #[must_use]
    pub fn new(epoch: Epoch, config: HubConfig) -> Self {
        Self {
            log: Log::new(epoch, 0, &config),
            config,
            clients: Clients::default(),
            routing: Routing::default(),
            watched: Watched::default(),
            counts: Counts::default(),
            spread_per_second: 0,
            slow: SlowRules::default(),
        }
    }

    /// Asks clients to spread their refetches so that about `per_second` arrive; 0, the default, asks for nothing.
    #[must_use]
    pub fn spread(mut self, per_second: u32) -> Self {
        self.spread_per_second = per_second;
        self
    }

    /// The log is another one from now on, empty, whose next update has the place behind `after`: a stored one that is about to be read back
    /// in, or one whose epoch ended. Every client that may miss something by that is notified. Returns the connected clients: wake them.
    pub fn begin(&mut self, epoch: Epoch, after: u64) -> Vec<ClientId> {
        let gap = if epoch == self.log.epoch() { Gap::Overflow } else { Gap::Epoch };
        self.log = Log::new(epoch, after, &self.config);
        for client in self.clients.iter_mut() {
            if gap == Gap::Epoch || client.at < after {
                // A hello that is still to be sent announces it; a client that continues is notified in mid-stream.
                if client.hello.is_some() {
                    client.gap = if client.gap == Gap::None { Gap::Epoch } else { client.gap };
                } else {
                    client.renewed = Some(gap);
                }
            }
            client.at = after;
            (client.waiting, client.slow_until, client.came) = (None, 0, after);
            client.hello = client.hello.map(|_| after);
        }
        self.clients.ids().collect()
    }

    /// A client comes, named by the hub. See [`connect_as`](Self::connect_as).
    pub fn connect(
        &mut self,
        now: Time,
        identity: Identity,
        cursor: Option<&str>,
        types: Option<Vec<Pattern>>,
    ) -> ClientId {
        let name = self.clients.next_name();
        self.connect_as(now, name, identity, cursor, types)
    }

    /// A client comes under a name that the shell chose (unguessable, where that matters). The first [`poll`](Self::poll) gives its hello.
    ///
    /// `cursor` is what the client claims to have seen; `types` what it asks for, `None` for everything.
    pub fn connect_as(
        &mut self,
        now: Time,
        name: String,
        identity: Identity,
        cursor: Option<&str>,
        types: Option<Vec<Pattern>>,
    ) -> ClientId {
        self.log.expire(now);
        let head = self.log.head();
        let mut client = Client::new(name.into(), identity, types, now);
        (client.at, client.gap) = match self.log.resume_from(cursor, |topic| client.may_see(topic)) {
            Ok(seq) => (seq, Gap::None),
            Err(gap) => (head, gap),
        };
        (client.hello, client.came) = (Some(head), head);
        self.routing.insert(self.clients.next_id(), &client.identity);
        self.watched.come(&client);
        self.clients.insert(client)
    }

    /// This client is a native `EventSource`: give it folded updates (`wire=native`, see `tinysse::proto::wire::wrap`).
    pub fn fold(&mut self, id: ClientId) {
        if let Some(client) = self.clients.get_mut(id) {
            client.folded = true;
        }
    }

    /// Takes an update into the log. Answers its id and the connected clients that will get it: wake them.
    ///
    /// # Errors
    /// [`PublishError`] for a type that is malformed or reserved, and for an update that the log could never hold. Nothing is logged then.
    pub fn publish(&mut self, now: Time, update: Update) -> Result<(EventId, Vec<ClientId>), PublishError> {
        update.check()?;
        let Update { kind, data, key, to, origin, except, at } = update;
        let topic = trimmed::Route::new(kind, to);
        let mut reached = self.routing.reach(&topic.to);
        reached.retain(|id| {
            self.clients
                .get(*id)
                .is_some_and(|client| client.asked_for(&topic.kind) && !client.is_named(except.as_deref()))
        });
        let id = self.log.id(self.log.head() + 1);
        let same = self.slow.coalesces(&topic.kind).then(|| {
            let (topic, key) = (Arc::clone(&topic), key.clone());
            Arc::new(CoalesceKey { topic, key, origin: origin.clone(), except: except.clone() })
        });
        let body = update::Body { data, key, origin, spread: self.spread_of(reached.len()), at };
        let forms = EncodedFrames::new(&body.encode(&id, &topic.kind)?);
        self.log.append(Entry { at: now, forms, topic, except, same }).map_err(|()| PublishError::TooLarge)?;
        Ok((id, reached))
    }

    /// The client's stream ended; forget it.
    pub fn disconnect(&mut self, id: ClientId) {
        if let Some(client) = self.clients.remove(id) {
            self.routing.remove(id, &client.identity);
            self.watched.leave(&client);
        }
    }

    /// The log's head: the id of the newest update.
    #[must_use]
    pub fn cursor(&self) -> EventId {
        self.log.id(self.log.head())
    }

    /// The connected clients in the order in which they came.
    pub fn clients(&self) -> impl Iterator<Item = ClientId> + '_ {
        self.clients.ids()
    }

    /// Whom a connection belongs to.
    #[must_use]
    pub fn identity(&self, id: ClientId) -> Option<&Identity> {
        self.clients.get(id).map(|client| &client.identity)
    }

    /// The connection that its hello called `name`.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<ClientId> {
        self.clients.find(name)
    }

    /// Updates in the log and bytes they take.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        self.log.size()
    }

    /// What the hub has done so far.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    fn spread_of(&self, receivers: usize) -> Option<u64> {
        let spread = (receivers as u64 * 1_000).checked_div(u64::from(self.spread_per_second))?;
        (spread >= MIN_SPREAD_MS).then(|| spread.min(MAX_SPREAD_MS))
    }
}

#[cfg(test)]
mod tests;
