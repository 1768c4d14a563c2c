//! The hub with its open streams: who has something to get, and when to look again. Pure: the time
//! comes in, and bytes go out in rounds.

use std::collections::VecDeque;

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
use tinysse_hub::hub::{
    ClientId, Counts, Deadlines, Hub, Rights, Update, Windows,
    input::{self, BadInput},
    receipts::{Done, Receipt, Receipts, Reused},
};

use crate::{
    Config,
    changes::Changes,
    round::{Due, Round},
    stream::{Stream, Streams},
};

/// How much a stream takes from the log in a round, in bytes.
const BUDGET: usize = 16 * 1024;
/// Streams that one round serves: between rounds the runtime reads its sockets.
const AT_A_TIME: usize = 1_024;
/// How much too late beats and ages may be, as a part of the beat, and in milliseconds.
const LATE: (u64, u64) = (16, 250);

/// A request for a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ask<'a> {
    /// The name of the stream in its hello; unguessable.
    pub name: String,
    /// What the user may see.
    pub rights: Rights,
    /// The types asked for; `None` for all.
    pub types: Option<Vec<Pattern>>,
    /// What the client claims to have seen.
    pub cursor: Option<&'a str>,
    /// The client cannot name the events that it listens to (`wire=native`).
    pub folded: bool,
    /// The connection takes chunks of an HTTP/1.1 body.
    pub chunked: bool,
    /// When the stream ends with its token; `None` if it does not.
    pub ends: Option<Time>,
}

/// What became of an update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// It is in the log.
    Logged(EventId),
    /// It waits for its window to end.
    Held,
    /// It is to be given its place elsewhere (see [`Config::external`]).
    Passed(Update),
}

/// The hub and its streams.
#[derive(Debug)]
pub struct Machine {
    hub: Hub,
    streams: Streams,
    /// Streams that have something to get, each once.
    queue: VecDeque<ClientId>,
    deadlines: Deadlines<ClientId>,
    /// When connections that take no bytes are cut.
    stalls: Deadlines<ClientId>,
    windows: Windows,
    receipts: Receipts,
    changes: Changes,
    rng: Rng,
    round: Round,
    /// Streams to cut in the next round.
    cut: Vec<u32>,
    max_bytes: usize,
    max_age_ms: u64,
    stall_ms: u64,
    external: bool,
}

impl Machine {
    /// Returns a hub with an empty log and no streams.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let Config { epoch, seed, hub, spread, slow, windows, max_age_ms, stall_ms, external } = config;
        let width = (u64::from(hub.beat_ms) / LATE.0).clamp(1, LATE.1);
        let max_bytes = hub.max_bytes;
        Self {
            hub: Hub::new(epoch, hub).spread(spread).slow(slow),
            streams: Streams::default(),
            queue: VecDeque::new(),
            deadlines: Deadlines::new(width),
            stalls: Deadlines::new(width),
            windows: Windows::new(windows),
            receipts: Receipts::default(),
            changes: Changes::default(),
            rng: Rng::new(seed),
            round: Round::default(),
            cut: Vec::new(),
            max_bytes,
            max_age_ms,
            stall_ms,
            external,
        }
    }

    /// Opens a stream. Returns its slot; the next round gives its hello.
    pub fn connect(&mut self, now: Time, ask: Ask<'_>) -> u32 {
        let Ask { name, rights, types, cursor, folded, chunked, ends } = ask;
        let changed = self.changes.outdated(&rights, cursor, self.hub.cursor());
        let narrow = rights.narrow(types.as_deref());
        let id = self.hub.connect_as(now, name, rights.identity, cursor, narrow);
        if folded {
            self.hub.fold(id);
        }
        if changed {
            self.hub.changed(id);
        }
        if self.max_age_ms > 0 {
            // Up to a fifth earlier, so that streams that were opened together do not end together.
            let early = self.rng.below(self.max_age_ms / 5 + 1);
            self.hub.end_at(id, now.plus(self.max_age_ms - early), Reason::Rotate);
        }
        if let Some(ends) = ends {
            self.hub.end_at(id, ends, Reason::Token);
        }
        let wheel = Time(u64::MAX);
        let slot = self.streams.insert(Stream { id, types, chunked, queued: false, full: None, wheel });
        self.mark(id);
        slot
    }

    /// Removes a stream whose connection ended.
    pub fn disconnect(&mut self, slot: u32) {
        if let Some(stream) = self.streams.remove(slot) {
            // The slot may be another's before the next round.
            self.cut.retain(|cut| *cut != slot);
            self.hub.disconnect(stream.id);
        }
    }

    /// Replaces what the user of a stream may see. Returns true if that is something else.
    pub fn rights(&mut self, slot: u32, rights: &Rights) -> bool {
        let Some(stream) = self.streams.get(slot) else { return false };
        let (id, narrow) = (stream.id, rights.narrow(stream.types.as_deref()));
        let news = self.hub.rights(id, rights.identity.clone(), narrow);
        if news {
            self.mark(id);
        }
        news
    }

    /// Notes that the connection of a stream takes no bytes.
    pub fn full(&mut self, now: Time, slot: u32) {
        let due = now.plus(self.stall_ms);
        if let Some(stream) = self.streams.get_mut(slot)
            && stream.full.is_none()
        {
            stream.full = Some(now);
            self.stalls.insert(due, stream.id);
        }
    }

    /// Notes that the connection of a stream takes bytes again.
    pub fn drained(&mut self, slot: u32) {
        if let Some(stream) = self.streams.get_mut(slot)
            && stream.full.take().is_some()
        {
            let id = stream.id;
            if self.hub.stalled(id) {
                self.cut.push(slot);
            }
            self.mark(id);
        }
    }

    /// Publishes an update, unless it waits for its window to end.
    ///
    /// # Errors
    /// [`BadInput`]: nothing happened.
    pub fn publish(&mut self, now: Time, update: Update) -> Result<Published, BadInput> {
        input::check_update(&update)?;
        update.fits(self.max_bytes)?;
        match self.windows.hold(now, update) {
            None => Ok(Published::Held),
            Some(update) if self.external => Ok(Published::Passed(update)),
            Some(update) => self.log(now, update).map(Published::Logged),
        }
    }

    /// Publishes several updates whatever the windows: all of them or none, once for each receipt.
    /// Returns the place of the first, and how many there are.
    ///
    /// # Errors
    /// [`BadInput`]; with the code `idempotency_mismatch` if the key was used for something else.
    pub fn publish_all(
        &mut self,
        now: Time,
        unix_ms: u64,
        updates: Vec<Update>,
        receipt: Option<Receipt>,
    ) -> Result<(EventId, u64), BadInput> {
        if let Some(receipt) = &receipt {
            let known = self.receipts.find(unix_ms, receipt).map_err(|Reused| BadInput {
                code: "idempotency_mismatch",
                detail: "this idempotency key was used for another body".to_owned(),
            })?;
            if let Some(done) = known {
                return Ok((EventId { seq: done.first, ..self.hub.cursor() }, done.count));
            }
        }
        for update in &updates {
            input::check_update(update)?;
            update.fits(self.max_bytes)?;
        }
        let (head, count) = (self.hub.cursor(), updates.len() as u64);
        for update in updates {
            self.log(now, update)?;
        }
        let first = head.seq + 1;
        if let Some(Receipt { key, fingerprint }) = receipt {
            self.receipts.note(key, Done { fingerprint, first, count, at: unix_ms });
        }
        Ok((EventId { seq: first, ..head }, count))
    }

    /// Announces to every client that updates of any type may have been lost. Returns its place.
    pub fn announce_everything(&mut self) -> EventId {
        let head = self.hub.cursor();
        let woken = self.hub.begin(head.epoch, head.seq + 1);
        woken.into_iter().for_each(|id| self.mark(id));
        self.hub.cursor()
    }

    /// Takes an update that was given its place elsewhere.
    pub fn deliver(&mut self, id: EventId, logged: Time, update: Update) {
        let head = self.hub.cursor();
        if head.epoch != id.epoch || head.seq + 1 != id.seq {
            self.begin(id.epoch, id.seq.saturating_sub(1));
        }
        match self.hub.publish(logged, update) {
            Ok((_, woken)) => woken.into_iter().for_each(|id| self.mark(id)),
            // Another node announces that everything is owed, or keeps more than this one.
            Err(_) => self.begin(id.epoch, id.seq),
        }
    }

    /// Begins another log, behind the place `after`.
    pub fn begin(&mut self, epoch: Epoch, after: u64) {
        let woken = self.hub.begin(epoch, after);
        woken.into_iter().for_each(|id| self.mark(id));
    }

    /// Ends the windows that are over at `now`, all of them for `None`. Returns their updates, with
    /// their ids unless they get their places elsewhere.
    pub fn flush(&mut self, now: Time, all: bool) -> Vec<(Option<EventId>, Update)> {
        let held = self.windows.flush(if all { Time(u64::MAX) } else { now });
        let mut flushed = Vec::with_capacity(held.len());
        for update in held {
            let id = if self.external { None } else { self.log(now, update.clone()).ok() };
            flushed.push((id, update));
        }
        flushed
    }

    /// Ends a stream with a bye. Returns false if there is no such stream.
    pub fn bye(&mut self, slot: u32, reason: Reason, wait_ms: u32, retry_ms: Option<u32>) -> bool {
        let Some(id) = self.streams.get(slot).map(|stream| stream.id) else { return false };
        self.hub.bye(id, reason, wait_ms, retry_ms);
        self.mark(id);
        true
    }

    /// Serves the streams that have something to get, up to [`AT_A_TIME`]. Look at
    /// [`has_more`](Self::has_more) behind it.
    pub fn round(&mut self, now: Time) -> &Round {
        self.round.clear();
        self.cut.drain(..).for_each(|slot| self.round.cut_off(slot));
        self.wake_due(now);
        for _ in 0..AT_A_TIME {
            let Some(id) = self.queue.pop_front() else { break };
            let Some(slot) = self.streams.slot(id) else { continue };
            let Some(stream) = self.streams.get_mut(slot) else { continue };
            stream.queued = false;
            if stream.full.is_some() {
                if self.hub.stalled(id) {
                    self.round.cut_off(slot);
                }
                continue;
            }
            let mut due = Due::new(stream.chunked);
            let sent = self.hub.poll(now, id, BUDGET, &mut due);
            let ends = self.hub.closed(id);
            let many = tinysse_hub::hub::FrameSink::size(&due) >= BUDGET;
            if sent || ends {
                self.round.give(slot, due, ends);
            }
            if many && !ends {
                self.mark(id);
            } else {
                self.look_again(id);
            }
        }
        &self.round
    }

    /// Returns the last round.
    #[must_use]
    pub fn last_round(&self) -> &Round {
        &self.round
    }

    /// Returns true if streams wait to be served.
    #[must_use]
    pub fn has_more(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Returns when a round is due though nothing happens; `None` while there is none.
    #[must_use]
    pub fn next(&self) -> Option<Time> {
        [self.deadlines.next(), self.stalls.next(), self.windows.due()].into_iter().flatten().min()
    }

    /// Counts, from now on, the streams that would get such an update. Returns the number to ask
    /// [`watchers`](Self::watchers) with.
    pub fn watch(&mut self, kind: &str, to: Vec<Audience>) -> usize {
        self.hub.watch(kind, to)
    }

    /// Returns how many streams may see it.
    #[must_use]
    pub fn watchers(&self, number: usize) -> usize {
        self.hub.watchers(number)
    }

    /// Returns the head of the log.
    #[must_use]
    pub fn cursor(&self) -> EventId {
        self.hub.cursor()
    }

    /// Returns what the hub has done.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        self.hub.counts()
    }

    /// Returns the number of open streams, of updates in the log, and of their bytes; and the
    /// number of updates that a later one of their window replaced.
    #[must_use]
    pub fn sizes(&self) -> [u64; 4] {
        let (count, bytes) = self.hub.size();
        [self.streams.count() as u64, count as u64, bytes as u64, self.windows.coalesced()]
    }

    /// Returns the slots of the open streams.
    #[must_use]
    pub fn slots(&self) -> Vec<u32> {
        self.streams.slots().collect()
    }

    /// Returns a time up to `limit` milliseconds, another one each time.
    pub fn jitter(&mut self, limit: u64) -> u64 {
        self.rng.below(limit.max(1))
    }

    fn log(&mut self, now: Time, update: Update) -> Result<EventId, BadInput> {
        let (id, woken) = self.hub.publish(now, update)?;
        woken.into_iter().for_each(|id| self.mark(id));
        Ok(id)
    }

    fn mark(&mut self, id: ClientId) {
        let Some(stream) = self.streams.slot(id).and_then(|slot| self.streams.get_mut(slot)) else { return };
        if !std::mem::replace(&mut stream.queued, true) {
            self.queue.push_back(id);
        }
    }

    /// Has the wheel look at a stream when it wants something; not if the wheel looks earlier
    /// anyway.
    fn look_again(&mut self, id: ClientId) {
        let Some(due) = self.hub.wants(id) else { return };
        let Some(stream) = self.streams.slot(id).and_then(|slot| self.streams.get_mut(slot)) else { return };
        if due.plus(self.deadlines.width()) <= stream.wheel {
            stream.wheel = self.deadlines.insert(due, id);
        }
    }

    /// Queues the streams that have something to do by themselves.
    fn wake_due(&mut self, now: Time) {
        while let Some((wheel, ids)) = self.deadlines.pop(now) {
            for id in ids {
                let Some(stream) = self.streams.slot(id).and_then(|slot| self.streams.get_mut(slot)) else { continue };
                if stream.wheel != wheel {
                    continue;
                }
                stream.wheel = Time(u64::MAX);
                if self.hub.wants(id).is_some_and(|due| due <= now) {
                    self.mark(id);
                } else {
                    self.look_again(id);
                }
            }
        }
        while let Some((_, ids)) = self.stalls.pop(now) {
            for id in ids {
                let Some(slot) = self.streams.slot(id) else { continue };
                let Some(since) = self.streams.get(slot).and_then(|stream| stream.full) else { continue };
                let due = since.plus(self.stall_ms);
                if due <= now {
                    self.round.cut_off(slot);
                } else {
                    self.stalls.insert(due, id);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
