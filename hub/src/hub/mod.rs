//! The hub, pure: one log, the connected clients, and who gets what.
//!
//! Absent here, on purpose: a clock (time comes in), sockets, wakers, randomness. Equal calls make
//! equal bytes, so the simulation runs this very hub in virtual time.
//!
//! *Invariant:* a client is a cursor into the log. What was missed and what is live come out of the
//! same walk, in the order of the log, so nothing can fall between replay and live. No client has a
//! queue of its own: a stalled one costs its cursor.
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

mod backlog;
mod client;
mod clients;
mod counts;
mod deadlines;
mod encoded_frame;
mod ending;
mod entry;
pub mod input;
mod latest;
mod log;
mod patterns;
mod position;
mod postings;
pub mod receipts;
mod rights;
mod route;
mod routing;
mod slow;
mod subscription;
mod trimmed;
mod update;
mod view;
mod watched;
mod windows;

use tinysse::proto::{
    audience::{Audience, Identity},
    registry::Pattern,
    time::Time,
    wire::{
        control::{Bye, Gap, Reason},
        id::{Epoch, EventId},
    },
};

use client::{Client, Source};
use clients::Clients;
use entry::Entry;
use log::Log;
use route::Route;
use routing::Routing;
use subscription::Subscription;
use watched::Watched;

pub use clients::{ClientId, ClientMap, Spread};
pub use counts::{Counts, Waits};
pub use deadlines::Deadlines;
pub use encoded_frame::{EncodedFrame, FrameSink};
pub use rights::Rights;
pub use slow::{Slow, SlowRules};
pub use update::{PublishError, Update};
pub use view::{Kept, View, written};
pub use windows::Windows;

/// The bounds of the log and the rhythm of the streams.
///
/// ```
/// use tinysse::proto::{time::Time, wire::id::Epoch};
/// use tinysse_hub::hub::{Hub, HubConfig, Update};
///
/// let mut hub = Hub::new(Epoch(1), HubConfig { max_count: 2, ..HubConfig::default() });
/// for _ in 0..3 {
///     hub.publish(Time(0), Update::new("projects")).unwrap();
/// }
/// assert_eq!((hub.cursor().seq, hub.kept().count()), (3, 2));
/// ```
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
    /// How long a stream stays open after a bye for a planned end, in milliseconds, so that the
    /// client can open the next one first.
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

    /// Asks clients to spread their refetches so that about `per_second` arrive; 0, the default,
    /// asks for nothing.
    ///
    /// ```
    /// use tinysse::proto::{audience::Identity, time::Time, wire::id::Epoch};
    /// use tinysse_hub::hub::{Hub, HubConfig, Update};
    ///
    /// let mut hub = Hub::new(Epoch(1), HubConfig::default()).spread(10);
    /// for _ in 0..20 {
    ///     hub.connect(Time(0), Identity::default(), None, None);
    /// }
    /// hub.publish(Time(0), Update::new("projects")).unwrap();
    /// let frame = hub.kept().next().unwrap().frame;
    /// assert!(frame.ends_with(b"data: {\"spread\":2000}\n\n"), "20 clients, 10 a second");
    /// ```
    #[must_use]
    pub fn spread(mut self, per_second: u32) -> Self {
        self.spread_per_second = per_second;
        self
    }

    /// Sets what slow readers get. By default everything is delivered.
    #[must_use]
    pub fn slow(mut self, rules: SlowRules) -> Self {
        self.slow = rules;
        self
    }

    /// Replaces the log by an empty one whose next update has the place behind `after`: a stored
    /// log that is about to be read back in, or one whose epoch ended. Every client that may miss
    /// something is notified. Returns the connected clients: wake them.
    ///
    /// ```
    /// use tinysse::proto::{time::Time, wire::id::Epoch};
    /// use tinysse_hub::hub::{Hub, HubConfig, Update};
    ///
    /// let mut hub = Hub::new(Epoch(0), HubConfig::default());
    /// hub.begin(Epoch(7), 40); // the stored log begins behind 7.28 (hexadecimal)
    /// let (id, _) = hub.publish(Time(0), Update::new("projects")).unwrap();
    /// assert_eq!(id.seq, 41);
    /// ```
    pub fn begin(&mut self, epoch: Epoch, after: u64) -> Vec<ClientId> {
        let gap = if epoch == self.log.epoch() { Gap::Overflow } else { Gap::Epoch };
        self.log = Log::new(epoch, after, &self.config);
        self.clients.iter_mut().for_each(|client| client.restart(after, gap));
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

    /// A client comes under a name that the shell chose (unguessable, where that matters). The
    /// first [`poll`](Self::poll) gives its hello.
    ///
    /// `cursor` is what the client claims to have seen; `types` what it asks for, `None` for
    /// everything.
    ///
    /// ```
    /// use tinysse::proto::{audience::Identity, registry::Pattern, time::Time, wire::id::Epoch};
    /// use tinysse_hub::hub::{Hub, HubConfig, Update};
    ///
    /// let mut hub = Hub::new(Epoch(7), HubConfig::default());
    /// hub.publish(Time(0), Update::new("projects")).unwrap();
    /// hub.publish(Time(0), Update::new("compute.done")).unwrap();
    /// let types = Pattern::parse("compute.*").map(|pattern| vec![pattern]);
    /// let tab = hub.connect_as(Time(1), "tab-1".into(), Identity::default(), Some("7.0"), types);
    /// let mut out = Vec::new();
    /// hub.poll(Time(1), tab, usize::MAX, &mut out);
    /// assert!(out.ends_with(b"id: 7.2\nevent: compute.done\ndata: {}\n\n"));
    /// assert_eq!(hub.find("tab-1"), Some(tab));
    /// ```
    pub fn connect_as(
        &mut self,
        now: Time,
        name: String,
        identity: Identity,
        cursor: Option<&str>,
        types: Option<Vec<Pattern>>,
    ) -> ClientId {
        self.log.expire(now);
        let client = Client::new(&self.log, cursor, Subscription::new(name.into(), identity, types), now);
        self.routing.insert(self.clients.next_id(), client.identity());
        self.watched.add(client.subscription());
        self.clients.insert(client)
    }

    /// This client is a native `EventSource`: give it folded updates (`wire=native`, see
    /// `tinysse::proto::wire::wrap`).
    pub fn fold(&mut self, id: ClientId) {
        if let Some(client) = self.clients.get_mut(id) {
            client.fold();
        }
    }

    /// Takes an update into the log. Answers its id and the connected clients that will get it:
    /// wake them.
    ///
    /// # Errors
    /// [`PublishError`] for a type that is malformed or reserved, and for an update that the log
    /// could never hold. Nothing is logged then.
    pub fn publish(&mut self, now: Time, update: Update) -> Result<(EventId, Vec<ClientId>), PublishError> {
        update.check()?;
        let mut reached = self.routing.reach(&update.to);
        reached.retain(|id| {
            self.clients
                .get(*id)
                .map(Client::subscription)
                .is_some_and(|client| client.asked_for(&update.kind) && !client.is_excluded(update.except.as_deref()))
        });
        let id = self.log.id(self.log.head() + 1);
        let frame = update.encode(&id, self.spread_of(reached.len()))?;
        let coalesced = self.slow.coalesces(&update.kind);
        self.log.append(Entry::new(now, &frame, update, coalesced)).map_err(|()| PublishError::TooLarge)?;
        Ok((id, reached))
    }

    /// Appends what the client is due: hello, updates, resync, beat, bye. Returns true if something
    /// was appended.
    ///
    /// `budget` is soft: the frame that crosses it is the last one. Poll until false, then again
    /// when woken and at [`wants`](Self::wants). A client that is gone or [`closed`](Self::closed)
    /// gets nothing.
    pub fn poll(&mut self, now: Time, id: ClientId, budget: usize, out: &mut impl FrameSink) -> bool {
        self.log.expire(now);
        let Some(client) = self.clients.get_mut(id) else { return false };
        client.poll(Source::new(&mut self.log, &self.config, &self.slow, &mut self.counts), now, budget, out)
    }

    /// Returns when to poll a client that nothing wakes: at its next beat, when it is to end or to
    /// close, or at once if a hello, a bye or the notice of other rights is still to be sent.
    /// `None` if it is gone or closed.
    #[must_use]
    pub fn wants(&self, id: ClientId) -> Option<Time> {
        self.clients.get(id)?.wants(&self.config)
    }

    /// Returns true if a poll would give the client nothing before it is woken, or
    /// [`wants`](Self::wants) something.
    #[must_use]
    pub fn has_all(&self, id: ClientId) -> bool {
        self.clients.get(id).is_some_and(|client| client.has_all(self.log.head()))
    }

    /// Reports that the client's connection takes no bytes, or took none until now. To be called
    /// whenever there is something for the client, and before the poll that follows. Returns true
    /// if the connection is to be closed.
    pub fn stalled(&mut self, id: ClientId) -> bool {
        if self.slow.rules.is_empty() {
            return false;
        }
        self.clients.get_mut(id).is_some_and(|client| client.stalled(&self.log, &self.slow))
    }

    /// Replaces the client's rights: what is still due is judged by them, after a resync that
    /// announces it.
    ///
    /// Nothing moves the cursor: what waits and is still allowed follows. Returns true if the
    /// rights are other ones.
    ///
    /// ```
    /// use tinysse::proto::{audience::Identity, time::Time, wire::id::Epoch};
    /// use tinysse_hub::hub::{Hub, HubConfig};
    ///
    /// let mut hub = Hub::new(Epoch(7), HubConfig::default());
    /// let ada = hub.connect(Time(0), Identity::default(), None, None);
    /// hub.poll(Time(0), ada, usize::MAX, &mut Vec::new());
    /// let admin = Identity { role: "admin".into(), ..Identity::default() };
    /// assert!(hub.rights(ada, admin.clone(), None) && !hub.rights(ada, admin, None));
    /// let mut out = Vec::new();
    /// hub.poll(Time(0), ada, usize::MAX, &mut out);
    /// assert_eq!(out, b"id: 7.0\nevent: tinysse.resync\ndata: gap=rights\n\n");
    /// ```
    pub fn rights(&mut self, id: ClientId, identity: Identity, types: Option<Vec<Pattern>>) -> bool {
        let Some(client) = self.clients.get_mut(id) else { return false };
        if client.subscription().is(&identity, types.as_deref()) {
            return false;
        }
        self.routing.remove(id, client.identity());
        self.routing.insert(id, &identity);
        self.watched.remove(client.subscription());
        client.set_rights(identity, types);
        self.watched.add(client.subscription());
        true
    }

    /// Notes that the client's rights changed since its last stream: whatever its cursor, it missed
    /// something. To be called before the first poll.
    pub fn changed(&mut self, id: ClientId) {
        if let Some(client) = self.clients.get_mut(id) {
            client.miss_rights_change();
        }
    }

    /// Plans when the client is asked to open its next stream: because the stream is old (bye
    /// `rotate`), so that load spreads over new servers, or because its token is (bye `token`). The
    /// earliest time counts.
    pub fn end_at(&mut self, id: ClientId, at: Time, reason: Reason) {
        if let Some(client) = self.clients.get_mut(id) {
            client.end_at(at, reason);
        }
    }

    /// Ends a stream: the next poll gives the bye (behind what is still due, unless the client lost
    /// its rights). The first reason counts, but lost rights beat every other.
    ///
    /// After `drain`, `rotate` and `token` the stream stays open for
    /// [`linger_ms`](HubConfig::linger_ms); after others it closes.
    ///
    /// ```
    /// use tinysse::proto::{audience::Identity, time::Time, wire::control::Reason, wire::id::Epoch};
    /// use tinysse_hub::hub::{Hub, HubConfig};
    ///
    /// let mut hub = Hub::new(Epoch(7), HubConfig { linger_ms: 500, ..HubConfig::default() });
    /// let ada = hub.connect(Time(0), Identity::default(), None, None);
    /// hub.bye(ada, Reason::Drain, 0, None);
    /// hub.poll(Time(0), ada, usize::MAX, &mut Vec::new());
    /// assert!(hub.is_bye_sent(ada) && !hub.closed(ada));
    /// assert_eq!(hub.wants(ada), Some(Time(500)));
    /// hub.poll(Time(500), ada, usize::MAX, &mut Vec::new());
    /// assert!(hub.closed(ada));
    /// hub.disconnect(ada);
    /// ```
    pub fn bye(&mut self, id: ClientId, reason: Reason, wait_ms: u32, retry_ms: Option<u32>) {
        if let Some(client) = self.clients.get_mut(id) {
            client.bye(Bye { reason, wait: wait_ms, retry: retry_ms });
        }
    }

    /// Returns true when the stream is to end: behind its bye, and for a client that is gone.
    #[must_use]
    pub fn closed(&self, id: ClientId) -> bool {
        self.clients.get(id).is_none_or(Client::is_closed)
    }

    /// Returns why a stream is to end, if it is: the reason of its bye, sent or still to be sent.
    #[must_use]
    pub fn end_reason(&self, id: ClientId) -> Option<Reason> {
        self.clients.get(id)?.reason()
    }

    /// Returns true once the bye was polled, whether or not the stream is still open.
    #[must_use]
    pub fn is_bye_sent(&self, id: ClientId) -> bool {
        self.clients.get(id).is_some_and(Client::is_bye_sent)
    }

    /// Removes a client whose stream ended.
    pub fn disconnect(&mut self, id: ClientId) {
        if let Some(client) = self.clients.remove(id) {
            self.routing.remove(id, client.identity());
            self.watched.remove(client.subscription());
        }
    }

    /// Counts, from now on, the clients that would get an update of this type to these audiences.
    /// Returns the number to ask [`watchers`](Self::watchers) with.
    ///
    /// ```
    /// use tinysse::proto::{audience::Identity, time::Time, wire::id::Epoch};
    /// use tinysse_hub::hub::{Hub, HubConfig};
    /// let mut hub = Hub::new(Epoch(1), HubConfig::default());
    /// let weather = hub.watch("weather", vec!["user:ada".parse().unwrap()]);
    /// let ada = hub.connect(Time(0), Identity { user: "ada".into(), ..Identity::default() }, None, None);
    /// let _bob = hub.connect(Time(0), Identity { user: "bob".into(), ..Identity::default() }, None, None);
    /// assert_eq!(hub.watchers(weather), 1);
    /// hub.disconnect(ada);
    /// assert_eq!(hub.watchers(weather), 0);
    /// ```
    pub fn watch(&mut self, kind: impl Into<String>, to: Vec<Audience>) -> usize {
        self.watched.watch(Route::new(kind.into(), to), &self.clients)
    }

    /// Returns how many clients may see it; 0 for a number that was not given out.
    #[must_use]
    pub fn watchers(&self, number: usize) -> usize {
        self.watched.count(number)
    }

    /// Returns a connected client as it is now.
    ///
    /// ```
    /// use tinysse::proto::{audience::Identity, time::Time, wire::id::Epoch};
    /// use tinysse_hub::hub::{Hub, HubConfig, Update};
    ///
    /// let mut hub = Hub::new(Epoch(7), HubConfig::default());
    /// let ada = hub.connect(Time(0), Identity { user: "ada".into(), ..Identity::default() }, None, None);
    /// hub.publish(Time(0), Update::new("projects")).unwrap();
    /// let view = hub.view(ada).unwrap();
    /// assert_eq!((view.identity.user.as_str(), view.behind), ("ada", 1));
    /// ```
    #[must_use]
    pub fn view(&self, id: ClientId) -> Option<View<'_>> {
        self.clients.get(id).map(|client| client.view(&self.log))
    }

    /// Returns the kept updates, newest first.
    ///
    /// ```
    /// use tinysse::proto::{time::Time, wire::id::Epoch};
    /// use tinysse_hub::hub::{Hub, HubConfig, Update};
    ///
    /// let mut hub = Hub::new(Epoch(7), HubConfig::default());
    /// hub.publish(Time(0), Update::new("projects")).unwrap();
    /// hub.publish(Time(0), Update::new("people")).unwrap();
    /// let kinds: Vec<_> = hub.kept().map(|kept| kept.kind).collect();
    /// assert_eq!(kinds, ["people", "projects"]);
    /// ```
    pub fn kept(&self) -> impl Iterator<Item = Kept<'_>> {
        self.log.newest().map(|(seq, entry)| Kept {
            id: self.log.id(seq),
            at: entry.at(),
            kind: entry.kind(),
            to: entry.to(),
            frame: entry.frame(),
        })
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
        self.clients.get(id).map(Client::identity)
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

    /// Returns what the hub has done so far.
    ///
    /// ```
    /// use tinysse::proto::{audience::Identity, time::Time, wire::control::Gap, wire::id::Epoch};
    /// use tinysse_hub::hub::{Hub, HubConfig};
    ///
    /// let mut hub = Hub::new(Epoch(7), HubConfig::default());
    /// let ada = hub.connect(Time(0), Identity::default(), Some("6.1"), None);
    /// hub.poll(Time(0), ada, usize::MAX, &mut Vec::new());
    /// assert_eq!((hub.counts().misses, &hub.counts().resyncs[..]), (1, &[(Gap::Epoch, 1)][..]));
    /// ```
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
