//! The hub and the streams that it feeds, behind one lock. Publishing appends and wakes; it never writes to a socket.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
};

use tinysse::core::{
    registry::Pattern,
    time::Time,
    wire::{
        control::Reason,
        id::{Epoch, EventId},
    },
};

use super::{conn::Conn, stream::EventBody};
use crate::{
    auth::jwt::Claims,
    clock::{Clock, random_name},
    config::Config,
    hub::{ClientId, Counts, Hub, Update},
    metrics::Metrics,
};

/// How much a stream takes from the log at a time, in bytes.
const BUDGET: usize = 16 * 1024;

/// All open streams of the server.
#[derive(Debug)]
pub struct Streams {
    state: Mutex<State>,
    clock: Clock,
    metrics: Arc<Metrics>,
    max: usize,
}

#[derive(Debug)]
struct State {
    hub: Hub,
    open: BTreeMap<ClientId, Open>,
    draining: bool,
}

#[derive(Debug)]
struct Open {
    claims: Claims,
    conn: Arc<Conn>,
    waker: Option<Waker>,
    bye: Option<Reason>,
}

/// No stream can be opened now: too many are open, or the server shuts down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// What a stream does next.
pub(super) enum Next {
    Send(Vec<u8>),
    Sleep(Time),
    End,
}

impl Streams {
    /// No streams yet, and a log that the engine is still to name (see [`begin`](Self::begin)).
    #[must_use]
    pub fn new(config: &Config, clock: Clock, metrics: Arc<Metrics>) -> Arc<Self> {
        let hub = Hub::new(Epoch(0), config.hub.clone()).spread(config.spread_rate);
        let state = State { hub, open: BTreeMap::new(), draining: false };
        Arc::new(Self { state: Mutex::new(state), clock, metrics, max: config.max_streams })
    }

    /// Opens a stream; `folded` if its reader is a native `EventSource` (see [`Hub::fold`]).
    ///
    /// # Errors
    /// [`Full`]: the client should come again later.
    pub fn open(
        self: &Arc<Self>,
        claims: Claims,
        cursor: Option<&str>,
        types: Option<Vec<Pattern>>,
        folded: bool,
        conn: Arc<Conn>,
    ) -> Result<EventBody, Full> {
        let mut state = self.state();
        if state.draining || state.open.len() >= self.max {
            return Err(Full);
        }
        let identity = claims.identity();
        let id = state.hub.connect_as(self.clock.now(), random_name(), identity, cursor, types);
        if folded {
            state.hub.fold(id);
        }
        state.open.insert(id, Open { claims, conn, waker: None, bye: None });
        self.metrics.opened();
        Ok(EventBody::new(Arc::clone(self), self.clock, id))
    }

    /// The log is this one from now on (see [`Hub::begin`]).
    pub fn begin(&self, epoch: Epoch, after: u64) {
        let mut state = self.state();
        let wakers = state.begin(epoch, after);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Takes an update that the engine logged as `id` and wakes the streams that get it; answers how many.
    pub fn deliver(&self, id: EventId, logged: Time, update: Update) -> usize {
        let mut state = self.state();
        let EventId { epoch, seq } = id;
        let mut wakers = Vec::new();
        let head = state.hub.cursor();
        if head.epoch != epoch || head.seq + 1 != seq {
            wakers = state.begin(epoch, seq - 1);
        }
        let receivers = match state.hub.publish(logged, update) {
            Ok((_, receivers)) => receivers,
            // It was logged by a server that keeps more than this one: its place stays, and whoever lacks it is told.
            Err(_) => {
                wakers.extend(state.begin(epoch, seq));
                Vec::new()
            }
        };
        wakers.extend(receivers.iter().filter_map(|id| state.open.get_mut(id)?.waker.take()));
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        receivers.len()
    }

    /// Ends the streams whose token `which` names; answers how many.
    pub fn close(&self, reason: Reason, which: impl Fn(&Claims) -> bool) -> usize {
        let mut state = self.state();
        let ids: Vec<_> = state.open.iter().filter(|(_, open)| which(&open.claims)).map(|(id, _)| *id).collect();
        let wakers: Vec<_> = ids.iter().filter_map(|id| state.bye(*id, reason, 0, None)).collect();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        ids.len()
    }

    /// From now on no stream opens. Answers those that are open.
    pub(super) fn drain(&self) -> Vec<ClientId> {
        let mut state = self.state();
        state.draining = true;
        state.open.keys().copied().collect()
    }

    /// Ends one stream because of the shutdown.
    pub(super) fn dismiss(&self, id: ClientId, wait_ms: u32, retry_ms: u32) {
        let waker = self.state().bye(id, Reason::Drain, wait_ms, Some(retry_ms));
        waker.into_iter().for_each(Waker::wake);
    }

    /// Whether the server shuts down.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.state().draining
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
    pub fn of_user(&self, client: &str, user: &str) -> Option<(Claims, Arc<Conn>)> {
        let state = self.state();
        let open = state.open.get(&state.hub.find(client)?)?;
        (open.claims.sub == user).then(|| (open.claims.clone(), Arc::clone(&open.conn)))
    }

    pub(super) fn next(&self, id: ClientId, waker: &Waker) -> Next {
        let mut out = Vec::new();
        let mut state = self.state();
        if state.hub.poll(self.clock.now(), id, BUDGET, &mut out) {
            return Next::Send(out);
        }
        let Some(due) = state.hub.wants(id) else { return Next::End };
        if let Some(open) = state.open.get_mut(&id) {
            match &mut open.waker {
                Some(known) => known.clone_from(waker),
                None => open.waker = Some(waker.clone()),
            }
        }
        Next::Sleep(due)
    }

    pub(super) fn gone(&self, id: ClientId) {
        let mut state = self.state();
        let closed = state.hub.closed(id);
        state.hub.disconnect(id);
        if let Some(open) = state.open.remove(&id) {
            let bye = open.bye.filter(|_| closed).map(Reason::as_str);
            let reason = open.conn.ended().or(bye).unwrap_or("client");
            tracing::debug!(target: "tinysse::stream", user = open.claims.sub, reason, "closed");
            self.metrics.closed(reason);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn begin(&mut self, epoch: Epoch, after: u64) -> Vec<Waker> {
        let concerned = self.hub.begin(epoch, after);
        concerned.iter().filter_map(|id| self.open.get_mut(id)?.waker.take()).collect()
    }

    fn bye(&mut self, id: ClientId, reason: Reason, wait_ms: u32, retry_ms: Option<u32>) -> Option<Waker> {
        self.hub.bye(id, reason, wait_ms, retry_ms);
        let open = self.open.get_mut(&id)?;
        open.bye.get_or_insert(reason);
        open.waker.take()
    }
}
