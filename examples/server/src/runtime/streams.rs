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

use super::{
    changes::Changes,
    conn::Conn,
    peer::{Share, Shares, Site},
    stream::EventBody,
};
use crate::{
    auth::{directory::Rights, jwt::Claims},
    clock::{Clock, random_name, random_u64},
    config::Config,
    hub::{ClientId, Counts, Hub, PublishError, Update},
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
    of_user: Shares<String>,
    of_site: Shares<Site>,
    changes: Changes,
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
    /// What was asked for, whatever is allowed.
    types: Option<Vec<Pattern>>,
    _share: (Share<String>, Share<Site>),
    conn: Arc<Conn>,
    waker: Option<Waker>,
    bye: Option<Reason>,
}

/// How a stream is asked for.
#[derive(Debug)]
pub struct Asked<'a> {
    /// Who asks.
    pub claims: Claims,
    /// What they may see.
    pub rights: Rights,
    /// What they say they have seen.
    pub cursor: Option<&'a str>,
    /// What they want to see; `None` for everything.
    pub types: Option<Vec<Pattern>>,
    /// Whether the reader is a native `EventSource` (see [`Hub::fold`]).
    pub folded: bool,
    /// From where, if that is limited.
    pub site: Option<Site>,
    /// Over which connection.
    pub conn: Arc<Conn>,
}

/// An update that is in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// Its id.
    pub id: EventId,
    /// The streams that get it now.
    pub receivers: usize,
}

/// No stream can be opened now: too many are open (in all, of the user, of the address), or the server shuts down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// What a stream does next.
pub(super) enum Next {
    Send(Vec<u8>),
    Sleep(Time),
    End,
}

impl Streams {
    /// No streams yet, an empty log, a fresh epoch.
    #[must_use]
    pub fn new(config: &Config, clock: Clock, metrics: Arc<Metrics>) -> Arc<Self> {
        // 48 random bits: short on the wire, and no two lives of a log meet.
        let hub = Hub::new(Epoch(random_u64() >> 16), config.hub.clone()).spread(config.spread_rate);
        let state = State { hub, open: BTreeMap::new(), draining: false };
        Arc::new(Self {
            state: Mutex::new(state),
            clock,
            metrics,
            max: config.max_streams,
            of_user: Shares::new(config.limits.streams_user),
            of_site: Shares::new(config.limits.streams_address),
            changes: Changes::default(),
        })
    }

    /// Opens a stream.
    ///
    /// # Errors
    /// [`Full`]: the client should come again later.
    pub fn open(self: &Arc<Self>, asked: Asked<'_>) -> Result<EventBody, Full> {
        let Asked { claims, rights, cursor, types, folded, site, conn } = asked;
        let mut state = self.state();
        if state.draining || state.open.len() >= self.max {
            return Err(Full);
        }
        let of_user = self.of_user.take(Some(claims.sub.clone())).ok_or(Full)?;
        let share = (of_user, self.of_site.take(site).ok_or(Full)?);
        let outdated = self.changes.outdated(&claims, &rights, cursor, &state.hub.cursor());
        let (narrow, identity) = (rights.narrow(types.as_deref()), rights.identity);
        let id = state.hub.connect_as(self.clock.now(), random_name(), identity, cursor, narrow);
        if folded {
            state.hub.fold(id);
        }
        if outdated {
            state.hub.changed(id);
        }
        state.open.insert(id, Open { claims, types, _share: share, conn, waker: None, bye: None });
        self.metrics.opened();
        Ok(EventBody::new(Arc::clone(self), self.clock, id))
    }

    /// The open streams and whose they are.
    #[must_use]
    pub fn holders(&self, which: impl Fn(&Claims) -> bool) -> Vec<(ClientId, Claims)> {
        let state = self.state();
        let open = state.open.iter().filter(|(_, open)| which(&open.claims));
        open.map(|(id, open)| (*id, open.claims.clone())).collect()
    }

    /// From now on the stream has these rights. Answers whether that is news to it.
    pub fn refilter(&self, id: ClientId, rights: &Rights) -> bool {
        let mut state = self.state();
        let Some(open) = state.open.get(&id) else { return false };
        let narrow = rights.narrow(open.types.as_deref());
        self.changes.outdated(&open.claims, rights, None, &state.hub.cursor());
        let news = state.hub.rights(id, rights.identity.clone(), narrow);
        let waker = if news { state.open.get_mut(&id).and_then(|open| open.waker.take()) } else { None };
        drop(state);
        waker.into_iter().for_each(Waker::wake);
        news
    }

    /// Takes an update into the log and wakes the streams that get it.
    ///
    /// # Errors
    /// [`PublishError`]; nothing is published then.
    pub fn publish(&self, update: Update) -> Result<Published, PublishError> {
        let mut state = self.state();
        let (id, receivers) = state.hub.publish(self.clock.now(), update)?;
        let wakers: Vec<_> = receivers.iter().filter_map(|id| state.open.get_mut(id)?.waker.take()).collect();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        Ok(Published { id, receivers: receivers.len() })
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
    fn bye(&mut self, id: ClientId, reason: Reason, wait_ms: u32, retry_ms: Option<u32>) -> Option<Waker> {
        self.hub.bye(id, reason, wait_ms, retry_ms);
        let open = self.open.get_mut(&id)?;
        open.bye.get_or_insert(reason);
        open.waker.take()
    }
}
