//! The hub and the streams that it feeds, behind one lock. Publishing appends and wakes; it never
//! writes to a socket.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
    time::Duration,
};

use tinysse::proto::{
    audience::Audience,
    registry::Pattern,
    rng::Rng,
    time::Time,
    wire::{
        control::Reason,
        id::{Epoch, EventId},
    },
};
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
};

use super::{
    admission::Admission,
    body::EventBody,
    changes::Changes,
    client_ip::RateKey,
    conn::Conn,
    lifetime::Lifetime,
    open::{Open, Origin},
    settings::Settings,
    state::{Next, State, Turn},
    stream_socket::StreamSocket,
    view::{Lag, Seen, Transport, TypeSeen, UpdateSeen, Which},
    write_buffer::WriteBuffer,
    writer,
};
use crate::{
    auth::{directory::Rights, jwt::Claims},
    clock::Clock,
    hub::{ClientId, Counts, FrameSink, Hub, HubConfig, Update},
    metrics::Metrics,
};

/// All open streams of the server.
#[derive(Debug)]
pub struct Streams {
    state: Mutex<State>,
    /// A writer is in the queue of this number.
    ready: Vec<Notify>,
    clock: Clock,
    metrics: Arc<Metrics>,
    admission: Admission,
    changes: Changes,
    lifetime: Lifetime,
}

/// How a stream is asked for.
#[derive(Debug)]
pub struct Asked<'a> {
    /// Who asks.
    pub claims: Arc<Claims>,
    /// What they may see.
    pub rights: Rights,
    /// What they claim to have seen.
    pub cursor: Option<&'a str>,
    /// What they want to see; `None` for everything.
    pub types: Option<Vec<Pattern>>,
    /// Whether the reader is a native `EventSource` (see [`Hub::fold`]).
    pub folded: bool,
    /// How the client came.
    pub transport: Transport,
    /// From where, if that is limited.
    pub site: Option<RateKey>,
    /// From which address, as far as that is known.
    pub address: Option<IpAddr>,
    /// Over which connection.
    pub conn: Arc<Conn>,
}

/// No stream can be opened now: too many are open (in all, of the user, of the address), or the
/// server shuts down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl Streams {
    /// No streams yet, and a log that the engine is still to name (see [`begin`](Self::begin)).
    #[must_use]
    pub fn new(settings: &Settings, log: &HubConfig, clock: Clock, metrics: Arc<Metrics>) -> Arc<Self> {
        let hub = Hub::new(Epoch(0), log.clone()).spread(settings.spread_rate).slow(settings.slow.clone());
        let queues = std::thread::available_parallelism().map_or(1, usize::from);
        let state = State::new(hub, queues, log.beat_ms, settings.stall_timeout.ms());
        Arc::new(Self {
            state: Mutex::new(state),
            ready: (0..queues).map(|_| Notify::new()).collect(),
            clock,
            metrics,
            admission: Admission::new(settings),
            changes: Changes::default(),
            lifetime: Lifetime::new(settings, log),
        })
    }

    /// Starts the tasks that write to the streams and watch their deadlines.
    pub fn spawn(self: &Arc<Self>, into: &mut JoinSet<()>) {
        writer::spawn(self, into);
    }

    /// Opens a stream.
    ///
    /// # Errors
    /// [`Full`]: the client should come again later.
    pub fn open(self: &Arc<Self>, asked: Asked<'_>) -> Result<EventBody, Full> {
        let Asked { claims, rights, cursor, types, folded, transport, site, address, conn } = asked;
        let mut state = self.state();
        if state.is_draining() {
            return Err(Full);
        }
        let share = self.admission.admit(state.count(), &claims.sub, site).ok_or(Full)?;
        let outdated = self.changes.outdated(&claims, &rights, cursor, &state.cursor());
        let now = self.clock.now();
        let id = state.connect(now, rights, types.as_deref(), cursor, [folded, outdated]);
        for (span, reason) in self.lifetime.ends(&claims, self.clock.unix_ms()) {
            state.end_within(id, now, span, reason);
        }
        state.insert(id, Open::new(claims, types, share, conn, Origin::new(transport, address, now)));
        drop(state);
        self.metrics.opened(transport.as_str());
        Ok(EventBody::new(Arc::clone(self), id))
    }

    /// The open streams and whose they are.
    #[must_use]
    pub fn holders(&self, which: impl Fn(&Claims) -> bool) -> Vec<(ClientId, Arc<Claims>)> {
        self.state().holders(which).map(|(id, claims)| (id, Arc::clone(claims))).collect()
    }

    /// From now on the stream has these rights. Answers whether that is news to it.
    pub fn refilter(&self, id: ClientId, rights: &Rights) -> bool {
        let mut state = self.state();
        let Some(open) = state.get(id) else { return false };
        self.changes.outdated(open.claims(), rights, None, &state.cursor());
        let news = state.set_rights(id, rights);
        if news {
            self.wake(state, &[id]);
        }
        news
    }

    /// Ends the streams whose token `which` names; answers how many.
    pub fn close(&self, reason: Reason, which: impl Fn(&Claims) -> bool) -> usize {
        let mut state = self.state();
        let ids: Vec<_> = state.holders(which).map(|(id, _)| id).collect();
        ids.iter().for_each(|id| state.bye(*id, reason, 0, None));
        self.wake(state, &ids);
        ids.len()
    }

    /// From now on no stream opens. Answers those that are open.
    pub(crate) fn drain(&self) -> Vec<ClientId> {
        let mut state = self.state();
        state.drain();
        state.ids()
    }

    /// Ends one stream because of the shutdown.
    pub(crate) fn dismiss(&self, id: ClientId, wait_ms: u32, retry_ms: u32) {
        let mut state = self.state();
        state.bye(id, Reason::Drain, wait_ms, Some(retry_ms));
        self.wake(state, &[id]);
    }

    /// Makes every open stream act on the deadlines that have passed, without waiting for the next
    /// tick.
    pub(crate) fn wake_all(&self) {
        let state = self.state();
        let ids = state.ids();
        self.wake(state, &ids);
    }

    /// Whether the server shuts down.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.state().is_draining()
    }

    /// Returns how long a client that is sent away should stay away, in milliseconds: another time
    /// for each, so that they do not come back as one wave.
    #[must_use]
    pub fn retry_after_ms(&self, rng: &mut Rng) -> u32 {
        self.lifetime.retry_after_ms(rng)
    }

    /// Returns how long closing all streams is spread over, in milliseconds.
    pub(crate) fn drain_window_ms(&self) -> u64 {
        self.lifetime.drain_window_ms()
    }

    /// Returns how long a stream stays open behind a planned goodbye.
    pub(crate) fn linger(&self) -> Duration {
        self.lifetime.linger()
    }

    /// Streams that are open.
    #[must_use]
    pub fn count(&self) -> usize {
        self.state().count()
    }

    /// The log's head.
    #[must_use]
    pub fn cursor(&self) -> EventId {
        self.state().cursor()
    }

    /// What the hub has done, and what the log holds: updates and bytes.
    #[must_use]
    pub fn counts(&self) -> (Counts, (usize, usize)) {
        self.state().counts()
    }

    /// Token and connection of the stream that its hello called `client`, if it is `user`'s.
    #[must_use]
    pub fn of_user(&self, client: &str, user: &str) -> Option<(Arc<Claims>, Arc<Conn>)> {
        let state = self.state();
        let open = state.find(client)?;
        (open.claims().sub == user).then(|| (Arc::clone(open.claims()), Arc::clone(open.conn())))
    }

    /// Continues in another log, see [`begin`](Hub::begin) of the hub.
    pub fn begin(&self, epoch: Epoch, after: u64) {
        let mut state = self.state();
        let concerned = state.begin(epoch, after);
        self.wake(state, &concerned);
    }

    /// Takes an update that the engine logged as `id` and wakes the streams that get it. Returns
    /// how many.
    pub fn deliver(&self, id: EventId, logged: Time, update: Update) -> usize {
        let mut state = self.state();
        let (concerned, count) = state.deliver(id, logged, update);
        self.wake(state, &concerned);
        count
    }

    /// Observes whether a stream is open that would get an update of this type to these audiences
    /// (none for all).
    #[must_use]
    pub fn watch(&self, kind: &str, to: Vec<Audience>) -> watch::Receiver<bool> {
        self.state().watch(kind, to)
    }

    /// Returns how far streams are behind.
    #[must_use]
    pub fn lag(&self) -> Lag {
        self.state().lag()
    }

    /// Returns open streams in the order in which they were opened, and how many `which` names,
    /// these and later ones.
    #[must_use]
    pub fn seen(&self, which: &Which) -> (Vec<Seen>, usize) {
        self.state().seen(which)
    }

    /// Returns the newest updates, newest first.
    #[must_use]
    pub fn tail(&self, limit: usize) -> Vec<UpdateSeen> {
        self.state().tail(limit)
    }

    /// Returns the types of the newest updates, the one that was published last first.
    #[must_use]
    pub fn types(&self) -> Vec<TypeSeen> {
        self.state().types()
    }

    /// Returns what hyper is to write; if that is nothing, `waker` is woken when there is
    /// something.
    pub(super) fn next(&self, id: ClientId, waker: &Waker) -> Next {
        self.state().next(id, waker, &self.clock)
    }

    /// Has the stream's bytes go to `socket` from now on, the head of the response first.
    pub(super) fn attach(&self, id: ClientId, socket: &Arc<StreamSocket>, mut head: WriteBuffer) {
        self.state().begin_stream(id, &self.clock, &mut head);
        socket.write(head);
        let mut state = self.state();
        if state.attach(id, socket) {
            self.wake(state, &[id]);
        }
    }

    /// Continues writing to a stream whose socket has space again.
    pub(super) fn resume(&self, id: ClientId) {
        let mut state = self.state();
        state.stalled(id);
        self.wake(state, &[id]);
    }

    pub(super) fn queues(&self) -> usize {
        self.ready.len()
    }

    /// Waits until a stream is in the queue.
    pub(super) async fn queued(&self, queue: usize) {
        self.ready[queue].notified().await;
    }

    /// Writes to the first stream of a queue. Returns how many bytes it was given, or `None` if the
    /// queue is empty.
    pub(super) fn serve(&self, queue: usize) -> Option<usize> {
        // The lock is released before the socket is written to.
        let turn = self.state().serve(queue, &self.clock)?;
        let Turn::Write { socket, out, closed } = turn else { return Some(0) };
        let bytes = out.size();
        socket.write(out);
        if closed {
            socket.end();
        }
        Some(bytes)
    }

    /// Returns how often [`wake_due`](Self::wake_due) is to be called, in milliseconds.
    pub(super) fn tick_ms(&self) -> u64 {
        self.state().tick_ms()
    }

    /// Wakes the streams that have something to do by now, and closes the connections that take
    /// nothing.
    pub(super) fn wake_due(&self) {
        let (now, mut state) = (self.clock.now(), self.state());
        let due = state.due(now);
        let stuck: Vec<_> = due.iter().filter_map(|id| state.stuck(*id, now)).collect();
        self.wake(state, &due);
        stuck.into_iter().for_each(|conn| conn.close("slow"));
    }

    /// Removes a stream that ended.
    pub(super) fn gone(&self, id: ClientId) {
        let Some((open, bye)) = self.state().remove(id) else { return };
        let reason = open.conn().ended().or(bye).unwrap_or("client");
        tracing::debug!(target: "tinysse::stream", user = open.claims().sub, reason, "closed");
        self.metrics.closed(reason, open.transport().as_str());
    }

    /// Puts the streams in line, and notifies the writers.
    fn wake(&self, mut state: MutexGuard<'_, State>, ids: &[ClientId]) {
        let wakers: Vec<_> = ids.iter().filter_map(|id| state.mark(*id)).collect();
        let waiting = self.ready.iter().zip(state.queued()).filter(|(_, queued)| *queued);
        let ready: Vec<_> = waiting.map(|(ready, _)| ready).collect();
        drop(state);
        ready.into_iter().for_each(Notify::notify_one);
        wakers.into_iter().for_each(Waker::wake);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
