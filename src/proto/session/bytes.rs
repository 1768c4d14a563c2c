//! Streams whose bytes core decodes: no more is looked at than a subscriber wants. Nothing here
//! changes the state.

use alloc::boxed::Box;

use super::{
    Session,
    io::{Output, Ticket, UpdateRef},
    receive::FrameEffect,
};
use crate::proto::wire::{
    control::Bye,
    decode::{Decoder, Interest, ItemRef, Reader, TooLarge},
    id::EventId,
    kind::is_reserved,
};

/// Who gets the updates of a stream whose bytes core decodes.
pub trait UpdateSink {
    /// Which updates of this type are wanted. With [`Interest::Newest`], the next one of it must be
    /// taken.
    fn interest(&mut self, kind: &str) -> Interest;

    /// Consumes an update and the `before` earlier ones it replaces. Returns `false` if the update
    /// must be queued instead.
    fn consume(&mut self, update: UpdateRef<'_>, before: u32) -> bool;
}

/// Listens to a decoder.
struct StreamReader<'a> {
    session: &'a mut Session,
    wants: &'a mut dyn UpdateSink,
    ticket: Ticket,
    /// Of the type that was asked for last.
    interest: Interest,
    /// The update that was admitted last is a replayed one.
    replayed: bool,
    silent: bool,
    bye: Option<Bye>,
}

impl Session {
    /// Takes bytes of a stream, and returns the updates that are wanted and not consumed already.
    /// The first bye ends it.
    pub(super) fn take_bytes(
        &mut self,
        ticket: Ticket,
        bytes: &[u8],
        wants: &mut dyn UpdateSink,
    ) -> Result<Option<Bye>, TooLarge> {
        self.stream.watchdog.feed(self.now); // comments are signs of life too
        self.counters.bytes = self.counters.bytes.saturating_add(bytes.len() as u64);
        let mut decoder = self
            .stream
            .decoder
            .take()
            .unwrap_or_else(|| Box::new(Decoder::new(self.cursor.text(), self.config.event_limit)));
        // A comment behind a whole event is a chunk of its own.
        if bytes.starts_with(b":") && decoder.between() && self.stream.hello.is_none() {
            self.stream.watchdog.comment(&self.config, self.now);
        }
        let (interest, replayed, silent, bye) = (Interest::Each, false, true, None);
        let mut ear = StreamReader { session: self, wants, ticket, interest, replayed, silent, bye };
        let read = decoder.read(bytes, &mut ear);
        let StreamReader { silent, bye, .. } = ear;
        self.stream.decoder = Some(decoder);
        if silent {
            self.trace.alive(self.now, ticket);
        }
        if bye.is_none() {
            read?;
        }
        Ok(bye)
    }
}

impl Reader for StreamReader<'_> {
    fn interest(&mut self, kind: &str) -> Interest {
        self.silent = false;
        self.interest = self.wants.interest(kind);
        let Session { config, stream, .. } = &*self.session;
        // The first event of a stream means more than itself, and other tabs want them all.
        if is_reserved(kind) || config.share || !stream.got_frame { Interest::Each } else { self.interest }
    }

    fn accepts(&mut self, id: &str) -> bool {
        let session = &mut *self.session;
        let at = EventId::parse(id);
        let Some(replayed) = (if self.bye.is_none() { session.accepts_id(at) } else { None }) else { return false };
        self.replayed = replayed;
        session.cursor.pass(at);
        session.counters.updates = session.counters.updates.saturating_add(1);
        true
    }

    fn on_item(&mut self, word: ItemRef<'_>) {
        self.silent = false;
        if self.bye.is_some() {
            return;
        }
        let Self { session, wants, ticket, .. } = self;
        let ticket = *ticket;
        let (heard, before) = match word {
            ItemRef::Retry(ms) => {
                session.trace.retry(session.now, ticket, ms);
                session.retries.set_base(ms);
                return;
            }
            ItemRef::Id(id) => return session.cursor.set(id),
            ItemRef::Event(seen) => {
                if seen.id.is_empty() {
                    session.cursor.clear(); // the server took its id back; of a stream that the browser reads, only it knows
                }
                match session.take_frame(ticket, seen) {
                    Some(FrameEffect::Update(heard)) => (heard, 0),
                    Some(FrameEffect::Bye(bye)) => {
                        self.bye = Some(bye);
                        return;
                    }
                    None => return,
                }
            }
            ItemRef::Newest(seen, before) => {
                session.trace.update(session.now, ticket, seen);
                session.cursor.put(seen.id, session.cursor.at());
                let envelope = session.stream.hello.is_some();
                (UpdateRef { frame: seen, replayed: self.replayed, envelope }, before)
            }
        };
        if self.interest != Interest::Ignored && !wants.consume(heard, before) {
            session.emit(Output::Update(heard.to_update()));
        }
    }
}
