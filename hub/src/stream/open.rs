//! One open stream: whose it is, what it asked for, and what carries its bytes.

use std::{net::IpAddr, sync::Arc, task::Waker};

use tinysse::proto::{registry::Pattern, time::Time};

use super::{
    admission::Share,
    conn::Conn,
    stream_socket::StreamSocket,
    view::{Seen, Transport},
};
use crate::{
    auth::jwt::Claims,
    hub::{ClientId, View, written},
};

/// An open stream.
#[derive(Debug)]
pub(super) struct Open {
    claims: Arc<Claims>,
    /// What was asked for, whatever is allowed.
    types: Option<Vec<Pattern>>,
    _share: Share,
    conn: Arc<Conn>,
    origin: Origin,
    outlet: Outlet,
    queued: bool,
    /// The slot of the wheel that contains it.
    slot: Time,
}

/// How, from where and when a stream was opened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    transport: Transport,
    address: Option<IpAddr>,
    at: Time,
}

/// What carries a stream's bytes.
#[derive(Debug)]
enum Outlet {
    /// Nothing yet, or hyper, which is not waiting.
    Idle,
    /// Hyper waits.
    Body(Waker),
    Socket(Arc<StreamSocket>),
}

/// How a stream that has something to get is reached.
#[derive(Debug)]
pub(super) enum Marked {
    /// Hyper waits: wake it.
    Wake(Waker),
    /// It is to be put in the queue of a writer.
    Queue,
    /// It is in the queue already, or hyper asks by itself.
    Known,
    /// Hyper was woken and has not asked since, and its socket takes no bytes.
    Stalled,
}

impl Origin {
    pub(super) fn new(transport: Transport, address: Option<IpAddr>, at: Time) -> Self {
        Self { transport, address, at }
    }
}

impl Open {
    pub(super) fn new(
        claims: Arc<Claims>,
        types: Option<Vec<Pattern>>,
        share: Share,
        conn: Arc<Conn>,
        origin: Origin,
    ) -> Self {
        let slot = Time(u64::MAX);
        Self { claims, types, _share: share, conn, origin, outlet: Outlet::Idle, queued: false, slot }
    }

    pub(super) fn claims(&self) -> &Arc<Claims> {
        &self.claims
    }

    pub(super) fn types(&self) -> Option<&[Pattern]> {
        self.types.as_deref()
    }

    pub(super) fn conn(&self) -> &Arc<Conn> {
        &self.conn
    }

    pub(super) fn transport(&self) -> Transport {
        self.origin.transport
    }

    /// Notes that hyper waits for more.
    pub(super) fn wait(&mut self, waker: &Waker) {
        self.outlet = Outlet::Body(waker.clone());
    }

    /// Has the stream's bytes go to `socket`.
    pub(super) fn attach(&mut self, socket: &Arc<StreamSocket>) {
        self.outlet = Outlet::Socket(Arc::clone(socket));
    }

    /// Notes that the stream has something to get. Returns what is to be done for it.
    pub(super) fn mark(&mut self) -> Marked {
        match &self.outlet {
            Outlet::Idle if self.conn.is_clear() => Marked::Known,
            Outlet::Idle => Marked::Stalled,
            Outlet::Body(_) => match std::mem::replace(&mut self.outlet, Outlet::Idle) {
                Outlet::Body(waker) => Marked::Wake(waker),
                Outlet::Idle | Outlet::Socket(_) => Marked::Known,
            },
            Outlet::Socket(_) if std::mem::replace(&mut self.queued, true) => Marked::Known,
            Outlet::Socket(_) => Marked::Queue,
        }
    }

    /// Takes the stream out of its queue. Returns its socket.
    pub(super) fn unqueue(&mut self) -> Option<&Arc<StreamSocket>> {
        self.queued = false;
        match &self.outlet {
            Outlet::Socket(socket) => Some(socket),
            Outlet::Idle | Outlet::Body(_) => None,
        }
    }

    /// Returns true while nothing carries the stream, or hyper, which is not waiting.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.outlet, Outlet::Idle)
    }

    /// Returns true if it was given all that it is due, and takes what comes.
    pub(super) fn keeps_up(&self) -> bool {
        match &self.outlet {
            Outlet::Idle => false,
            Outlet::Body(_) => true,
            Outlet::Socket(socket) => !self.queued && !socket.is_full(),
        }
    }

    pub(super) fn slot(&self) -> Time {
        self.slot
    }

    pub(super) fn set_slot(&mut self, slot: Time) {
        self.slot = slot;
    }

    /// Takes the stream out of a slot. Returns false if it is in another one.
    pub(super) fn leave_slot(&mut self, slot: Time) -> bool {
        if self.slot != slot {
            return false;
        }
        self.slot = Time(u64::MAX);
        true
    }

    /// Returns the stream as it is reported; `view` is its client.
    pub(super) fn seen(&self, id: ClientId, view: View<'_>) -> Seen {
        Seen {
            number: id.number(),
            client: view.name.to_owned(),
            user: view.identity.user.clone(),
            role: view.identity.role.clone(),
            channels: view.identity.channels.clone(),
            types: view.types.map(|types| types.iter().map(written).collect()),
            transport: self.origin.transport,
            address: self.origin.address,
            cursor: view.cursor.text(),
            lag: if self.keeps_up() { 0 } else { view.behind },
            since: self.origin.at.0,
        }
    }
}
