//! What a frame means: the cursor, duplicates, gaps and control messages. Nothing here changes the state.

use alloc::{string::String, vec::Vec};

use super::{
    Greeting, Session,
    io::{Output, Resync, Ticket, Update},
};
use crate::core::wire::{
    Seen,
    control::{Bye, Control, Gap, Hello, is_reserved},
    decode::{Decoder, TooLarge, Word},
    fold::unfold,
    id::EventId,
};

/// Bounds on the beat a server may announce, in milliseconds: below, every hiccup would cut the stream; above, nobody is watching.
const BEAT: core::ops::RangeInclusive<u32> = 100..=600_000;

impl Session {
    /// Takes bytes of a stream that core decodes. The first bye ends it.
    pub(super) fn take_bytes(
        &mut self,
        ticket: Ticket,
        bytes: &[u8],
        wants: &dyn Fn(&str) -> bool,
    ) -> Result<Option<Bye>, TooLarge> {
        self.stream.heard = self.now; // comments are signs of life too
        self.counters.bytes = self.counters.bytes.saturating_add(bytes.len() as u64);
        let mut decoder = core::mem::replace(&mut self.stream.decoder, Decoder::new("", 0));
        let (mut silent, mut bye) = (true, None);
        let shared = self.config.share;
        let wanted = |kind: &str| shared || is_reserved(kind) || wants(kind);
        let read = decoder.read(bytes, &wanted, &mut |word| {
            silent = false;
            match word {
                Word::Event(_) | Word::Id(_) | Word::Retry(_) if bye.is_some() => {}
                Word::Retry(ms) => {
                    self.trace.retry(self.now, ticket, ms);
                    self.backoff.set_base(ms);
                }
                Word::Id(id) => keep(&mut self.cursor, id),
                Word::Event(seen) => {
                    if seen.id.is_empty() {
                        self.cursor.clear(); // the server took its id back; of a stream that the browser reads, only it knows
                    }
                    bye = self.take_frame(ticket, seen, wants);
                }
            }
        });
        self.stream.decoder = decoder;
        if silent {
            self.trace.alive(self.now, ticket);
        }
        if bye.is_none() {
            read?;
        }
        Ok(bye)
    }

    /// Takes one event, of whose updates only those are told that somebody wants; gives back a bye, since only `step` may act on it.
    pub(super) fn take_frame(&mut self, ticket: Ticket, seen: Seen<'_>, wants: &dyn Fn(&str) -> bool) -> Option<Bye> {
        self.stream.heard = self.now;
        let seen = unfold(seen);
        self.trace.frame(self.now, ticket, seen);
        if self.config.share && !self.follow {
            self.say(Output::Heard(seen.to_frame()));
        }
        let first = !core::mem::replace(&mut self.stream.spoken, true);
        let control = Control::read(seen);
        if first && !matches!(control, Some(Control::Hello(_) | Control::Bye(_))) {
            self.greet_stranger();
        }
        match control {
            Some(Control::Hello(hello)) => self.greet(hello, seen.id),
            Some(Control::Resync(resync)) => {
                keep(&mut self.cursor, seen.id);
                self.resync(resync.gap, resync.types);
            }
            Some(Control::Beat(beat)) => {
                // Never backwards: a beat that lies behind what was delivered says nothing new.
                if EventId::parse(&self.cursor).is_none_or(|at| beat.at.follows(at)) {
                    keep(&mut self.cursor, seen.id);
                }
            }
            Some(Control::Bye(bye)) => return Some(bye),
            None => self.deliver(seen, wants),
        }
        None
    }

    /// A server without hello tells no gaps: if it gives no ids either, what happened between two streams is lost, so say so.
    pub(super) fn greet_stranger(&mut self) {
        let told = core::mem::replace(&mut self.stream.told, true);
        if !told && !self.greeted && self.cursor.is_empty() {
            let gap = if self.counters.resyncs() == 0 { Gap::First } else { Gap::Unknown };
            self.resync(gap, Vec::new());
        }
    }

    fn greet(&mut self, hello: Hello, id: &str) {
        // The hub answers a cursor with the same place, or with a gap. If something on the way lost the header of a native retry, it
        // answers the older cursor of the URL: then it repeats what we have. Anything else means that it talks of another cursor.
        let at = EventId::parse(&self.cursor);
        let repeats = hello.gap == Gap::None && at.is_some_and(|at| at.follows(hello.after));
        let gap = if hello.gap == Gap::None && at != Some(hello.after) && !repeats { Gap::Unknown } else { hello.gap };
        self.stream.silence = 2 * u64::from(hello.beat.clamp(*BEAT.start(), *BEAT.end()));
        self.greeted = true;
        self.stream.hello = Some(Greeting { client: hello.client, head: hello.head });
        if !repeats {
            keep(&mut self.cursor, id);
        }
        if gap != Gap::None {
            self.resync(gap, Vec::new());
        }
    }

    fn resync(&mut self, gap: Gap, types: Vec<String>) {
        self.counters.gap(gap);
        self.say(Output::Resync(Resync { gap, types }));
    }

    fn deliver(&mut self, seen: Seen<'_>, wants: &dyn Fn(&str) -> bool) {
        let id = EventId::parse(seen.id);
        let mut replayed = false;
        if let (Some(hello), Some(id)) = (&self.stream.hello, id) {
            let at = EventId::parse(&self.cursor);
            if at.is_some_and(|at| at.epoch == id.epoch && !id.follows(at)) {
                self.counters.duplicates = self.counters.duplicates.saturating_add(1);
                return;
            }
            replayed = !id.follows(hello.head);
        }
        if !seen.id.is_empty() {
            keep(&mut self.cursor, seen.id);
        }
        if is_reserved(seen.event) {
            return; // a control message of a later version
        }
        self.counters.updates = self.counters.updates.saturating_add(1);
        if wants(seen.event) {
            let envelope = self.stream.hello.is_some();
            self.say(Output::Update(Update { frame: seen.to_frame(), replayed, envelope }));
        }
    }
}

/// Into the memory that is there.
fn keep(text: &mut String, new: &str) {
    text.clear();
    text.push_str(new);
}
