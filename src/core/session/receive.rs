//! What a frame means: the cursor, duplicates, gaps and control messages. Nothing here changes the state.

use alloc::{string::String, vec::Vec};

use super::{
    Greeting, Session,
    io::{Output, Resync, Ticket, Update},
};
use crate::core::wire::{
    Frame,
    control::{Bye, Control, Gap, Hello, is_reserved},
    decode::{Item, TooLarge},
    fold::unfold,
    id::EventId,
};

/// Bounds on the beat a server may announce, in milliseconds: below, every hiccup would cut the stream; above, nobody is watching.
const BEAT: core::ops::RangeInclusive<u32> = 100..=600_000;

impl Session {
    /// Takes bytes of a stream that core decodes. The first bye ends it.
    pub(super) fn take_bytes(&mut self, ticket: Ticket, bytes: &[u8]) -> Result<Option<Bye>, TooLarge> {
        self.stream.heard = self.now; // comments are signs of life too
        self.counters.bytes = self.counters.bytes.saturating_add(bytes.len() as u64);
        let mut items = Vec::new();
        let fed = self.stream.decoder.feed(bytes, &mut |item| items.push(item));
        if items.is_empty() {
            self.trace.alive(self.now, ticket);
        }
        for item in items {
            match item {
                Item::Retry(ms) => {
                    self.trace.retry(self.now, ticket, ms);
                    self.backoff.set_base(ms);
                }
                Item::Id(id) => self.cursor = id,
                Item::Frame(frame) => {
                    if frame.id.is_empty() {
                        self.cursor.clear(); // the server took its id back; of a stream that the browser reads, only it knows
                    }
                    if let Some(bye) = self.take_frame(ticket, frame) {
                        return Ok(Some(bye));
                    }
                }
            }
        }
        fed.map(|()| None)
    }

    /// Takes one event; gives back a bye, since only `step` may act on it.
    pub(super) fn take_frame(&mut self, ticket: Ticket, frame: Frame) -> Option<Bye> {
        self.stream.heard = self.now;
        let frame = unfold(frame);
        self.trace.frame(self.now, ticket, &frame);
        if self.config.share && !self.follow {
            self.say(Output::Heard(frame.clone()));
        }
        let first = !core::mem::replace(&mut self.stream.spoken, true);
        let control = Control::read(&frame);
        if first && !matches!(control, Some(Control::Hello(_) | Control::Bye(_))) {
            self.greet_stranger();
        }
        match control {
            Some(Control::Hello(hello)) => self.greet(hello, frame.id),
            Some(Control::Resync(resync)) => {
                self.cursor = frame.id;
                self.resync(resync.gap, resync.types);
            }
            Some(Control::Beat(beat)) => {
                // Never backwards: a beat that lies behind what was delivered says nothing new.
                if EventId::parse(&self.cursor).is_none_or(|at| beat.at.follows(at)) {
                    self.cursor = frame.id;
                }
            }
            Some(Control::Bye(bye)) => return Some(bye),
            None => self.deliver(frame),
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

    fn greet(&mut self, hello: Hello, id: String) {
        // The hub answers a cursor with the same place, or with a gap. If something on the way lost the header of a native retry, it
        // answers the older cursor of the URL: then it repeats what we have. Anything else means that it talks of another cursor.
        let at = EventId::parse(&self.cursor);
        let repeats = hello.gap == Gap::None && at.is_some_and(|at| at.follows(hello.after));
        let gap = if hello.gap == Gap::None && at != Some(hello.after) && !repeats { Gap::Unknown } else { hello.gap };
        self.stream.silence = 2 * u64::from(hello.beat.clamp(*BEAT.start(), *BEAT.end()));
        self.greeted = true;
        self.stream.hello = Some(Greeting { client: hello.client, head: hello.head });
        if !repeats {
            self.cursor = id;
        }
        if gap != Gap::None {
            self.resync(gap, Vec::new());
        }
    }

    fn resync(&mut self, gap: Gap, types: Vec<String>) {
        self.counters.gap(gap);
        self.say(Output::Resync(Resync { gap, types }));
    }

    fn deliver(&mut self, frame: Frame) {
        let id = EventId::parse(&frame.id);
        let mut replayed = false;
        if let (Some(hello), Some(id)) = (&self.stream.hello, id) {
            let at = EventId::parse(&self.cursor);
            if at.is_some_and(|at| at.epoch == id.epoch && !id.follows(at)) {
                self.counters.duplicates = self.counters.duplicates.saturating_add(1);
                return;
            }
            replayed = !id.follows(hello.head);
        }
        if !frame.id.is_empty() {
            self.cursor.clone_from(&frame.id);
        }
        if is_reserved(&frame.event) {
            return; // a control message of a later version
        }
        self.counters.updates = self.counters.updates.saturating_add(1);
        let envelope = self.stream.hello.is_some();
        self.say(Output::Update(Update { frame, replayed, envelope }));
    }
}
