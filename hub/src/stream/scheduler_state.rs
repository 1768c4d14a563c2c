//! Who has something to get, and who carries it: the open streams, the queues of those that are to be written to, and the wheel.

use std::{collections::VecDeque, sync::Arc, task::Waker};

use tinysse::proto::{registry::Pattern, rng::Rng, time::Time, wire::control::Reason};
use tokio::sync::watch;

use super::{
    client_ip::RateKey, conn::Conn, deadlines::Deadlines, quota::Permit, stream_socket::StreamSocket, view::Came,
};
use crate::{
    auth::jwt::Claims,
    clock::jitter,
    hub::{ClientId, ClientMap, Hub},
};

/// How much too late beats and ages may be, as a part of the beat, and in milliseconds.
const LATE: (u64, u64) = (16, 250);

#[derive(Debug)]
pub(super) struct State {
    pub(super) hub: Hub,
    /// In boxes, so that a map that grows has little to move.
    pub(super) open: ClientMap<Box<Open>>,
    /// Who is to be written to, each once. Bounded by the number of streams.
    pub(super) queues: Vec<VecDeque<ClientId>>,
    pub(super) deadlines: Deadlines<ClientId>,
    pub(super) rng: Rng,
    pub(super) draining: bool,
    /// Who wants to know whether anybody may see something, by the hub's number for it.
    pub(super) watches: Vec<watch::Sender<bool>>,
    /// How long hyper may ask for nothing, in milliseconds.
    patience: u64,
}

#[derive(Debug)]
pub(super) struct Open {
    pub(super) claims: Arc<Claims>,
    /// What was asked for, whatever is allowed.
    pub(super) types: Option<Vec<Pattern>>,
    _share: (Permit<String>, Permit<RateKey>),
    pub(super) conn: Arc<Conn>,
    pub(super) came: Came,
    pub(super) outlet: Outlet,
    pub(super) queued: bool,
    /// The slot of the wheel that contains it.
    looked_at: Time,
}

/// Who carries a stream's bytes.
#[derive(Debug)]
pub(super) enum Outlet {
    /// Nobody yet, or hyper, which is not waiting.
    Idle,
    /// Hyper waits.
    Body(Waker),
    Socket(Arc<StreamSocket>),
}

impl State {
    pub(super) fn new(hub: Hub, queues: usize, beat_ms: u32, patience: u64) -> Self {
        Self {
            hub,
            open: ClientMap::default(),
            queues: vec![VecDeque::new(); queues],
            deadlines: Deadlines::new((u64::from(beat_ms) / LATE.0).clamp(1, LATE.1)),
            rng: jitter(),
            draining: false,
            watches: Vec::new(),
            patience,
        }
    }

    /// Puts a stream in line; the waker of one that hyper carries.
    pub(super) fn mark(&mut self, id: ClientId) -> Option<Waker> {
        let queue = (id.number() % self.queues.len() as u64) as usize;
        let open = self.open.get_mut(&id)?;
        match &open.outlet {
            Outlet::Idle => {
                // Hyper was woken and has not asked since: is it waiting for the socket?
                if !open.conn.is_clear() {
                    self.stalled(id);
                }
                None
            }
            Outlet::Body(_) => match std::mem::replace(&mut open.outlet, Outlet::Idle) {
                Outlet::Body(waker) => Some(waker),
                Outlet::Idle | Outlet::Socket(_) => None,
            },
            Outlet::Socket(_) => {
                if !std::mem::replace(&mut open.queued, true) {
                    self.queues[queue].push_back(id);
                }
                None
            }
        }
    }

    /// Has a stream end before `span` milliseconds are over: up to a fifth earlier, so that those who came together do not go together.
    pub(super) fn end_within(&mut self, id: ClientId, now: Time, span: u64, reason: Reason) {
        let early = self.rng.below(span / 5 + 1);
        self.hub.end_at(id, now.plus(span - early), reason);
    }

    /// A stream's connection takes no bytes, or took none until now. Cuts it, if those are the rules.
    pub(super) fn stalled(&mut self, id: ClientId) {
        if self.hub.stalled(id)
            && let Some(open) = self.open.get(&id)
        {
            tracing::debug!(target: "tinysse::stream", user = open.claims.sub, "too slow");
            open.conn.give_up();
        }
    }

    /// Hyper asks for more of a stream.
    pub(super) fn asked(&mut self, id: ClientId) {
        if self.open.get(&id).is_some_and(|open| open.conn.was_full()) {
            self.stalled(id);
        }
    }

    /// Has the wheel look at a stream when it wants something; not if the wheel looks earlier anyway.
    pub(super) fn look_again(&mut self, id: ClientId) {
        let (Some(due), Some(open)) = (self.hub.wants(id), self.open.get_mut(&id)) else { return };
        if due.plus(self.deadlines.width()) <= open.looked_at {
            open.looked_at = self.deadlines.insert(due, id);
        }
    }

    /// The connection of a stream that hyper carries and that takes nothing, though something is due for too long: over HTTP/2 the others on
    /// its connection may be well, so that the socket reports nothing.
    pub(super) fn stuck(&self, id: ClientId, now: Time) -> Option<Arc<Conn>> {
        let open = self.open.get(&id).filter(|open| matches!(open.outlet, Outlet::Idle))?;
        self.hub.wants(id).filter(|due| due.plus(self.patience) <= now).map(|_| Arc::clone(&open.conn))
    }

    /// Whether a stream that was in a slot has something to do; else it is put in a later one.
    pub(super) fn is_due(&mut self, id: ClientId, slot: Time, now: Time) -> bool {
        let Some(open) = self.open.get_mut(&id).filter(|open| open.looked_at == slot) else { return false };
        open.looked_at = Time(u64::MAX);
        if self.hub.wants(id).is_some_and(|due| due <= now) {
            if matches!(open.outlet, Outlet::Idle) {
                open.looked_at = self.deadlines.insert(now.plus(self.patience), id);
            }
            return true;
        }
        self.look_again(id);
        false
    }
}

impl Open {
    /// Whether it was given all that it is due, and takes what comes.
    pub(super) fn keeps_up(&self) -> bool {
        match &self.outlet {
            Outlet::Idle => false,
            Outlet::Body(_) => true,
            Outlet::Socket(socket) => !self.queued && !socket.is_full(),
        }
    }

    pub(super) fn new(
        claims: Arc<Claims>,
        types: Option<Vec<Pattern>>,
        share: (Permit<String>, Permit<RateKey>),
        conn: Arc<Conn>,
        came: Came,
    ) -> Self {
        Self {
            claims,
            types,
            _share: share,
            conn,
            came,
            outlet: Outlet::Idle,
            queued: false,
            looked_at: Time(u64::MAX),
        }
    }
}
