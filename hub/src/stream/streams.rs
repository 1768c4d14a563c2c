//! The hub and the streams that it feeds, behind one lock. Publishing appends and wakes; it never writes to a socket.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
    time::Duration,
};

use tinysse::proto::{
    registry::Pattern,
    rng::Rng,
    wire::{
        control::Reason,
        id::{Epoch, EventId},
    },
};
use tokio::{
    sync::Notify,
    time::{MissedTickBehavior, interval},
};

use super::{
    body::EventBody,
    changes::Changes,
    client_ip::RateKey,
    conn::Conn,
    quota::Quota,
    scheduler_state::{Open, Outlet, State},
    settings::Settings,
    stream_socket::StreamSocket,
    view::{Came, Transport},
    write_buffer::WriteBuffer,
};
use crate::{
    auth::{directory::Rights, jwt::Claims},
    clock::{Clock, random_name},
    hub::{ClientId, Counts, FrameSink, Hub, HubConfig},
    metrics::Metrics,
};

/// How much a stream takes from the log at a time, in bytes.
const BUDGET: usize = 16 * 1024;

/// All open streams of the server.
#[derive(Debug)]
pub struct Streams {
    state: Mutex<State>,
    /// A writer is in the queue of this number.
    ready: Vec<Notify>,
    clock: Clock,
    metrics: Arc<Metrics>,
    max: usize,
    of_user: Quota<String>,
    of_site: Quota<RateKey>,
    changes: Changes,
    max_age_ms: u64,
    end_with_token: bool,
    retry_ms: u32,
    drain_window_ms: u64,
    linger: Duration,
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

/// No stream can be opened now: too many are open (in all, of the user, of the address), or the server shuts down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// What a stream does next.
pub(super) enum Next {
    Send(Vec<u8>),
    /// It is woken.
    Wait,
    End,
}

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
            max: settings.max_streams,
            of_user: Quota::new(settings.max_streams_user),
            of_site: Quota::new(settings.max_streams_address),
            changes: Changes::default(),
            max_age_ms: settings.max_age.ms(),
            end_with_token: settings.end_with_token,
            retry_ms: log.retry_ms,
            drain_window_ms: settings.drain_window.ms(),
            linger: Duration::from_millis(u64::from(log.linger_ms)),
        })
    }

    /// Opens a stream.
    ///
    /// # Errors
    /// [`Full`]: the client should come again later.
    pub fn open(self: &Arc<Self>, asked: Asked<'_>) -> Result<EventBody, Full> {
        let Asked { claims, rights, cursor, types, folded, transport, site, address, conn } = asked;
        let mut state = self.state();
        if state.draining || state.open.len() >= self.max {
            return Err(Full);
        }
        let of_user = self.of_user.take(Some(claims.sub.clone())).ok_or(Full)?;
        let share = (of_user, self.of_site.take(site).ok_or(Full)?);
        let outdated = self.changes.outdated(&claims, &rights, cursor, &state.hub.cursor());
        let (narrow, identity, now) = (rights.narrow(types.as_deref()), rights.identity, self.clock.now());
        let id = state.hub.connect_as(now, random_name(), identity, cursor, narrow);
        if folded {
            state.hub.fold(id);
        }
        if outdated {
            state.hub.changed(id);
        }
        if self.max_age_ms > 0 {
            state.end_within(id, now, self.max_age_ms, Reason::Rotate);
        }
        if self.end_with_token {
            let left = claims.exp.saturating_mul(1_000).saturating_sub(self.clock.unix_ms());
            state.end_within(id, now, left, Reason::Token);
        }
        let came = Came { transport, address, at: now };
        state.open.insert(id, Box::new(Open::new(claims, types, share, conn, came)));
        state.tell();
        drop(state);
        self.metrics.opened(transport.as_str());
        Ok(EventBody::new(Arc::clone(self), id))
    }

    /// The open streams and whose they are.
    #[must_use]
    pub fn holders(&self, which: impl Fn(&Claims) -> bool) -> Vec<(ClientId, Arc<Claims>)> {
        let state = self.state();
        let open = state.open.iter().filter(|(_, open)| which(&open.claims));
        open.map(|(id, open)| (*id, Arc::clone(&open.claims))).collect()
    }

    /// From now on the stream has these rights. Answers whether that is news to it.
    pub fn refilter(&self, id: ClientId, rights: &Rights) -> bool {
        let mut state = self.state();
        let Some(open) = state.open.get(&id) else { return false };
        let narrow = rights.narrow(open.types.as_deref());
        self.changes.outdated(&open.claims, rights, None, &state.hub.cursor());
        let news = state.hub.rights(id, rights.identity.clone(), narrow);
        state.tell();
        if news {
            self.wake(state, &[id]);
        }
        news
    }

    /// Ends the streams whose token `which` names; answers how many.
    pub fn close(&self, reason: Reason, which: impl Fn(&Claims) -> bool) -> usize {
        let mut state = self.state();
        let ids: Vec<_> = state.open.iter().filter(|(_, open)| which(&open.claims)).map(|(id, _)| *id).collect();
        ids.iter().for_each(|id| state.hub.bye(*id, reason, 0, None));
        self.wake(state, &ids);
        ids.len()
    }

    /// From now on no stream opens. Answers those that are open.
    pub(crate) fn drain(&self) -> Vec<ClientId> {
        let mut state = self.state();
        state.draining = true;
        state.hub.clients().collect()
    }

    /// Ends one stream because of the shutdown.
    pub(crate) fn dismiss(&self, id: ClientId, wait_ms: u32, retry_ms: u32) {
        let mut state = self.state();
        state.hub.bye(id, Reason::Drain, wait_ms, Some(retry_ms));
        self.wake(state, &[id]);
    }

    /// Makes every open stream act on the deadlines that have passed, without waiting for the next tick.
    pub(crate) fn wake_all(&self) {
        let state = self.state();
        let ids: Vec<_> = state.hub.clients().collect();
        self.wake(state, &ids);
    }

    /// Whether the server shuts down.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.state().draining
    }

    /// Returns how long a client that is sent away should stay away, in milliseconds: another time for each, so that they do not come back
    /// as one wave.
    #[must_use]
    pub fn retry_after_ms(&self, rng: &mut Rng) -> u32 {
        let spread = rng.below(self.drain_window_ms.max(1));
        u32::try_from(u64::from(self.retry_ms).saturating_add(spread)).unwrap_or(u32::MAX)
    }

    /// Returns how long closing all streams is spread over, in milliseconds.
    pub(crate) fn drain_window_ms(&self) -> u64 {
        self.drain_window_ms
    }

    /// Returns how long a stream stays open behind a planned goodbye.
    pub(crate) fn linger(&self) -> Duration {
        self.linger
    }

    /// Streams that are open.
    #[must_use]
    pub fn count(&self) -> usize {
        self.state().open.len()
    }

    /// The log's head.
    #[must_use]
    pub fn cursor(&self) -> EventId {
        self.state().hub.cursor()
    }

    /// What the hub has done, and what the log holds: updates and bytes.
    #[must_use]
    pub fn counts(&self) -> (Counts, (usize, usize)) {
        let state = self.state();
        (state.hub.counts().clone(), state.hub.size())
    }

    /// Token and connection of the stream that its hello called `client`, if it is `user`'s.
    #[must_use]
    pub fn of_user(&self, client: &str, user: &str) -> Option<(Arc<Claims>, Arc<Conn>)> {
        let state = self.state();
        let open = state.open.get(&state.hub.find(client)?)?;
        (open.claims.sub == user).then(|| (Arc::clone(&open.claims), Arc::clone(&open.conn)))
    }

    /// What hyper is to write; if that is nothing, `waker` is woken when there is something.
    pub(super) fn next(&self, id: ClientId, waker: &Waker) -> Next {
        let mut out = Vec::new();
        let mut state = self.state();
        state.asked(id);
        if state.hub.poll(self.clock.now(), id, BUDGET, &mut out) {
            state.look_again(id);
            return Next::Send(out);
        }
        if state.hub.closed(id) {
            return Next::End;
        }
        if let Some(open) = state.open.get_mut(&id) {
            open.outlet = Outlet::Body(waker.clone());
        }
        state.look_again(id);
        Next::Wait
    }

    /// From now on the stream's bytes go to `socket`, the head of the response first.
    pub(super) fn attach(&self, id: ClientId, socket: &Arc<StreamSocket>, mut head: WriteBuffer) {
        self.state().hub.poll(self.clock.now(), id, BUDGET, &mut head);
        socket.write(head);
        let mut state = self.state();
        if let Some(open) = state.open.get_mut(&id) {
            open.outlet = Outlet::Socket(Arc::clone(socket));
        }
        state.look_again(id);
        // What came in between did not find the socket.
        if socket.is_full() || !state.hub.has_all(id) {
            self.wake(state, &[id]);
        }
    }

    /// The socket has space again.
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

    /// Writes to the first stream of a queue. Returns how many bytes it was given, or `None` if the queue is empty.
    pub(super) fn serve(&self, queue: usize) -> Option<usize> {
        let mut state = self.state();
        let id = state.queues[queue].pop_front()?;
        let Some(open) = state.open.get_mut(&id) else { return Some(0) };
        open.queued = false;
        let Outlet::Socket(socket) = &open.outlet else { return Some(0) };
        // A socket that is full resumes by itself.
        if socket.is_full() {
            state.stalled(id);
            return Some(0);
        }
        let (socket, mut out) = (Arc::clone(socket), WriteBuffer::default());
        state.hub.poll(self.clock.now(), id, BUDGET, &mut out);
        let closed = state.hub.closed(id);
        if closed {
            out.end();
        } else if out.size() >= BUDGET {
            state.mark(id);
        } else {
            state.look_again(id);
        }
        drop(state);
        let bytes = out.size();
        socket.write(out);
        if closed {
            socket.end();
        }
        Some(bytes)
    }

    /// Looks at the clock for all streams; for ever.
    pub(super) async fn tick(&self) {
        let mut ticks = interval(Duration::from_millis(self.state().deadlines.width()));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let (now, mut state, mut due) = (self.clock.now(), self.state(), Vec::new());
            while let Some((slot, ids)) = state.deadlines.pop(now) {
                due.extend(ids.into_iter().filter(|id| state.is_due(*id, slot, now)));
            }
            let stuck: Vec<_> = due.iter().filter_map(|id| state.stuck(*id, now)).collect();
            self.wake(state, &due);
            stuck.into_iter().for_each(|conn| conn.abort("slow"));
        }
    }

    pub(super) fn gone(&self, id: ClientId) {
        let mut state = self.state();
        let bye = state.hub.leaves(id).filter(|_| state.hub.said_bye(id)).map(Reason::as_str);
        state.hub.disconnect(id);
        state.tell();
        if let Some(open) = state.open.remove(&id) {
            drop(state);
            let reason = open.conn.ended().or(bye).unwrap_or("client");
            tracing::debug!(target: "tinysse::stream", user = open.claims.sub, reason, "closed");
            self.metrics.closed(reason, open.came.transport.as_str());
        }
    }

    /// Puts the streams in line, and notifies the writers.
    pub(super) fn wake(&self, mut state: MutexGuard<'_, State>, ids: &[ClientId]) {
        let wakers: Vec<_> = ids.iter().filter_map(|id| state.mark(*id)).collect();
        let waiting = self.ready.iter().zip(&state.queues).filter(|(_, queue)| !queue.is_empty());
        let ready: Vec<_> = waiting.map(|(ready, _)| ready).collect();
        drop(state);
        ready.into_iter().for_each(Notify::notify_one);
        wakers.into_iter().for_each(Waker::wake);
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
