//! The hub and the open streams behind the lock: which of them have something to get, and when they
//! are looked at.

use std::{collections::VecDeque, sync::Arc, task::Waker};

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
use tokio::sync::watch;

use super::{
    conn::Conn,
    open::{Marked, Open},
    stream_socket::StreamSocket,
    view::{Lag, Seen, TypeSeen, UpdateSeen, Which, tail, types},
    watches::Watches,
    write_buffer::WriteBuffer,
};
use crate::{
    auth::{directory::Rights, jwt::Claims},
    clock::{Clock, jitter, random_name},
    hub::{ClientId, ClientMap, Counts, Deadlines, FrameSink, Hub, Update},
};

/// How much a stream takes from the log at a time, in bytes.
const BUDGET: usize = 16 * 1024;
/// How much too late beats and ages may be, as a part of the beat, and in milliseconds.
const LATE: (u64, u64) = (16, 250);

/// What the lock protects.
#[derive(Debug)]
pub(super) struct State {
    hub: Hub,
    /// In boxes, so that a map that grows has little to move.
    open: ClientMap<Box<Open>>,
    /// The streams that are to be written to, each once. Bounded by the number of streams.
    queues: Vec<VecDeque<ClientId>>,
    deadlines: Deadlines<ClientId>,
    rng: Rng,
    draining: bool,
    watches: Watches,
    /// How long hyper may ask for nothing, in milliseconds.
    patience: u64,
}

/// What a stream does next.
pub(super) enum Next {
    Send(Vec<u8>),
    /// It is woken.
    Wait,
    End,
}

/// What to do for the first stream of a queue.
pub(super) enum Turn {
    /// Nothing: it is closed, or its socket is full.
    Skip,
    /// Write this. `closed` if it is the last.
    Write { socket: Arc<StreamSocket>, out: WriteBuffer, closed: bool },
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
            watches: Watches::default(),
            patience,
        }
    }

    /// Connects a client. `folded`: see [`Hub::fold`]; `changed`: see [`Hub::changed`].
    pub(super) fn connect(
        &mut self,
        now: Time,
        rights: Rights,
        types: Option<&[Pattern]>,
        cursor: Option<&str>,
        [folded, changed]: [bool; 2],
    ) -> ClientId {
        let narrow = rights.narrow(types);
        let id = self.hub.connect_as(now, random_name(), rights.identity, cursor, narrow);
        if folded {
            self.hub.fold(id);
        }
        if changed {
            self.hub.changed(id);
        }
        id
    }

    /// Has a stream end before `span` milliseconds are over: up to a fifth earlier, so that streams
    /// that were opened together do not end together.
    pub(super) fn end_within(&mut self, id: ClientId, now: Time, span: u64, reason: Reason) {
        let early = self.rng.below(span / 5 + 1);
        self.hub.end_at(id, now.plus(span - early), reason);
    }

    pub(super) fn insert(&mut self, id: ClientId, open: Open) {
        self.open.insert(id, Box::new(open));
        self.watches.notify(&self.hub);
    }

    /// Removes a stream. Returns it, and the reason of its bye if that was sent.
    pub(super) fn remove(&mut self, id: ClientId) -> Option<(Box<Open>, Option<&'static str>)> {
        let bye = self.hub.end_reason(id).filter(|_| self.hub.is_bye_sent(id)).map(Reason::as_str);
        self.hub.disconnect(id);
        self.watches.notify(&self.hub);
        Some((self.open.remove(&id)?, bye))
    }

    pub(super) fn count(&self) -> usize {
        self.open.len()
    }

    pub(super) fn get(&self, id: ClientId) -> Option<&Open> {
        self.open.get(&id).map(|open| &**open)
    }

    pub(super) fn find(&self, client: &str) -> Option<&Open> {
        self.get(self.hub.find(client)?)
    }

    /// Returns the open streams whose token `which` names.
    pub(super) fn holders(&self, which: impl Fn(&Claims) -> bool) -> impl Iterator<Item = (ClientId, &Arc<Claims>)> {
        let open = self.open.iter().map(|(id, open)| (*id, open.claims()));
        open.filter(move |(_, claims)| which(claims))
    }

    /// Returns the open streams in the order in which they were opened.
    pub(super) fn ids(&self) -> Vec<ClientId> {
        self.hub.clients().collect()
    }

    /// Replaces the rights of a stream. Returns true if they are other ones.
    pub(super) fn set_rights(&mut self, id: ClientId, rights: &Rights) -> bool {
        let Some(open) = self.open.get(&id) else { return false };
        let narrow = rights.narrow(open.types());
        let news = self.hub.rights(id, rights.identity.clone(), narrow);
        self.watches.notify(&self.hub);
        news
    }

    pub(super) fn bye(&mut self, id: ClientId, reason: Reason, wait_ms: u32, retry_ms: Option<u32>) {
        self.hub.bye(id, reason, wait_ms, retry_ms);
    }

    /// From now on no stream is opened.
    pub(super) fn drain(&mut self) {
        self.draining = true;
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining
    }

    pub(super) fn cursor(&self) -> EventId {
        self.hub.cursor()
    }

    /// Returns what the hub has done, and the updates and bytes of the log.
    pub(super) fn counts(&self) -> (Counts, (usize, usize)) {
        (self.hub.counts().clone(), self.hub.size())
    }

    pub(super) fn watch(&mut self, kind: &str, to: Vec<Audience>) -> watch::Receiver<bool> {
        let number = self.hub.watch(kind, to);
        self.watches.add(self.hub.watchers(number) > 0)
    }

    /// Begins another log. Returns the streams to wake.
    pub(super) fn begin(&mut self, epoch: Epoch, after: u64) -> Vec<ClientId> {
        self.hub.begin(epoch, after)
    }

    /// Takes an update that the engine logged as `id`. Returns the streams to wake, and how many
    /// get the update.
    pub(super) fn deliver(&mut self, id: EventId, logged: Time, update: Update) -> (Vec<ClientId>, usize) {
        let EventId { epoch, seq } = id;
        let mut concerned = Vec::new();
        let head = self.hub.cursor();
        if head.epoch != epoch || head.seq + 1 != seq {
            concerned = self.hub.begin(epoch, seq - 1);
        }
        let receivers = match self.hub.publish(logged, update) {
            Ok((_, receivers)) => receivers,
            // It announces that everything is owed (`owed::EVERYTHING`), or was logged by a server
            // that keeps more than this one: its place stays, and every client behind it gets a
            // resync.
            Err(_) => {
                concerned.extend(self.hub.begin(epoch, seq));
                Vec::new()
            }
        };
        let count = receivers.len();
        concerned.extend(receivers);
        (concerned, count)
    }

    /// Returns what hyper is to write. If that is nothing, `waker` is woken when there is
    /// something.
    pub(super) fn next(&mut self, id: ClientId, waker: &Waker, clock: &Clock) -> Next {
        if self.open.get(&id).is_some_and(|open| open.conn().was_full()) {
            self.stalled(id);
        }
        let mut out = Vec::new();
        if self.hub.poll(clock.now(), id, BUDGET, &mut out) {
            self.look_again(id);
            return Next::Send(out);
        }
        if self.hub.closed(id) {
            return Next::End;
        }
        if let Some(open) = self.open.get_mut(&id) {
            open.wait(waker);
        }
        self.look_again(id);
        Next::Wait
    }

    /// Appends what a stream is due to the head of its response.
    pub(super) fn begin_stream(&mut self, id: ClientId, clock: &Clock, head: &mut WriteBuffer) {
        self.hub.poll(clock.now(), id, BUDGET, head);
    }

    /// Has a stream's bytes go to `socket`. Returns true if the stream is to be woken: what came in
    /// between did not find the socket.
    pub(super) fn attach(&mut self, id: ClientId, socket: &Arc<StreamSocket>) -> bool {
        if let Some(open) = self.open.get_mut(&id) {
            open.attach(socket);
        }
        self.look_again(id);
        socket.is_full() || !self.hub.has_all(id)
    }

    /// Takes the first stream of a queue. Returns `None` if the queue is empty.
    pub(super) fn serve(&mut self, queue: usize, clock: &Clock) -> Option<Turn> {
        let id = self.queues[queue].pop_front()?;
        let Some(socket) = self.open.get_mut(&id).and_then(|open| open.unqueue()) else { return Some(Turn::Skip) };
        // A socket that is full resumes by itself.
        if socket.is_full() {
            self.stalled(id);
            return Some(Turn::Skip);
        }
        let (socket, mut out) = (Arc::clone(socket), WriteBuffer::default());
        self.hub.poll(clock.now(), id, BUDGET, &mut out);
        let closed = self.hub.closed(id);
        if closed {
            out.end();
        } else if out.size() >= BUDGET {
            self.mark(id);
        } else {
            self.look_again(id);
        }
        Some(Turn::Write { socket, out, closed })
    }

    /// Notes that a stream has something to get. Returns the waker of one that hyper carries.
    pub(super) fn mark(&mut self, id: ClientId) -> Option<Waker> {
        match self.open.get_mut(&id)?.mark() {
            Marked::Wake(waker) => return Some(waker),
            Marked::Queue => {
                let queue = (id.number() % self.queues.len() as u64) as usize;
                self.queues[queue].push_back(id);
            }
            Marked::Stalled => self.stalled(id),
            Marked::Known => {}
        }
        None
    }

    /// Returns for each queue whether a stream is in it.
    pub(super) fn queued(&self) -> impl Iterator<Item = bool> {
        self.queues.iter().map(|queue| !queue.is_empty())
    }

    /// Notes that a stream's connection takes no bytes, or took none until now. Closes it, if those
    /// are the rules.
    pub(super) fn stalled(&mut self, id: ClientId) {
        if self.hub.stalled(id)
            && let Some(open) = self.open.get(&id)
        {
            tracing::debug!(target: "tinysse::stream", user = open.claims().sub, "too slow");
            open.conn().close("slow");
        }
    }

    /// Returns how often to look at the deadlines, in milliseconds.
    pub(super) fn tick_ms(&self) -> u64 {
        self.deadlines.width()
    }

    /// Returns the streams that have something to do now.
    pub(super) fn due(&mut self, now: Time) -> Vec<ClientId> {
        let mut due = Vec::new();
        while let Some((slot, ids)) = self.deadlines.pop(now) {
            due.extend(ids.into_iter().filter(|id| self.is_due(*id, slot, now)));
        }
        due
    }

    /// Returns the connection of a stream that hyper carries and that takes nothing, though
    /// something is due for too long. Over HTTP/2 the others on its connection may be well, so that
    /// the socket reports nothing.
    pub(super) fn stuck(&self, id: ClientId, now: Time) -> Option<Arc<Conn>> {
        let open = self.open.get(&id).filter(|open| open.is_idle())?;
        self.hub.wants(id).filter(|due| due.plus(self.patience) <= now).map(|_| Arc::clone(open.conn()))
    }

    /// Returns how far streams are behind.
    pub(super) fn lag(&self) -> Lag {
        let late = self.open.iter().filter(|(_, open)| !open.keeps_up());
        Lag::of(late.map(|(id, _)| self.hub.view(*id).map_or(0, |view| view.behind)))
    }

    /// Returns the first of the streams that `which` names, and how many there are.
    pub(super) fn seen(&self, which: &Which) -> (Vec<Seen>, usize) {
        let wanted = |user: &str| which.user.as_ref().is_none_or(|wanted| wanted == user);
        let later = self.open.iter().filter(|(id, open)| id.number() > which.after && wanted(&open.claims().sub));
        let mut ids: Vec<ClientId> = later.map(|(id, _)| *id).collect();
        ids.sort_unstable();
        let first = ids.iter().take(which.limit);
        let seen = first.filter_map(|id| Some(self.open.get(id)?.seen(*id, self.hub.view(*id)?)));
        (seen.collect(), ids.len())
    }

    pub(super) fn tail(&self, limit: usize) -> Vec<UpdateSeen> {
        tail(self.hub.kept(), limit)
    }

    pub(super) fn types(&self) -> Vec<TypeSeen> {
        types(self.hub.kept())
    }

    /// Has the wheel look at a stream when it wants something; not if the wheel looks earlier
    /// anyway.
    fn look_again(&mut self, id: ClientId) {
        let (Some(due), Some(open)) = (self.hub.wants(id), self.open.get_mut(&id)) else { return };
        if due.plus(self.deadlines.width()) <= open.slot() {
            open.set_slot(self.deadlines.insert(due, id));
        }
    }

    /// Returns true if a stream that was in a slot has something to do; else it is put in a later
    /// one.
    fn is_due(&mut self, id: ClientId, slot: Time, now: Time) -> bool {
        let Some(open) = self.open.get_mut(&id) else { return false };
        if !open.leave_slot(slot) {
            return false;
        }
        if self.hub.wants(id).is_some_and(|due| due <= now) {
            if open.is_idle() {
                open.set_slot(self.deadlines.insert(now.plus(self.patience), id));
            }
            return true;
        }
        self.look_again(id);
        false
    }
}
