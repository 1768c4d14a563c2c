//! What a frame means: the cursor, duplicates, gaps and control messages. Nothing here changes the
//! state.

use alloc::{string::String, vec::Vec};

use super::{
    Greeting, Session,
    io::{Output, Resync, Ticket, UpdateRef},
};
use crate::proto::wire::{
    Frame, FrameRef,
    control::{Bye, Control, Gap, Hello},
    id::{EventId, number},
    kind::is_reserved,
    wrap::unwrap,
};

/// Bounds on the beat a server may announce, in milliseconds: below, every hiccup would cut the
/// stream; above, nobody is watching.
const BEAT: core::ops::RangeInclusive<u32> = 100..=600_000;

/// What an event means, beyond what the session itself acts on.
#[derive(Debug)]
pub(super) enum FrameEffect<'a> {
    /// Only `step` may act on it.
    Bye(Bye),
    /// The cursor is past it.
    Update(UpdateRef<'a>),
}

impl Session {
    /// Takes one event of a stream that the browser decodes; gives back a bye.
    pub(super) fn take_one(&mut self, ticket: Ticket, frame: &Frame) -> Option<Bye> {
        match self.take_frame(ticket, frame.borrowed())? {
            FrameEffect::Bye(bye) => Some(bye),
            FrameEffect::Update(heard) => {
                self.emit(Output::Update(heard.to_update()));
                None
            }
        }
    }

    /// Takes one event, and gives back what others act on.
    pub(super) fn take_frame<'a>(&mut self, ticket: Ticket, frame: FrameRef<'a>) -> Option<FrameEffect<'a>> {
        self.stream.watchdog.feed(self.now);
        let frame = unwrap(frame);
        let reserved = is_reserved(frame.event);
        if reserved {
            self.trace.frame(self.now, ticket, frame);
        } else {
            self.trace.update(self.now, ticket, frame);
        }
        if self.config.share && !self.follow {
            self.emit(Output::Relay(frame.to_frame()));
        }
        let first = !core::mem::replace(&mut self.stream.got_frame, true);
        let control = if reserved { Control::read(frame) } else { None };
        if first && !matches!(control, Some(Control::Hello(_) | Control::Bye(_))) {
            self.trust_silence();
            self.announce_unknown_server();
        }
        match control {
            Some(Control::Hello(hello)) => self.greet(hello, frame.id),
            Some(Control::Resync(resync)) => {
                // Never backwards: what the next stream, which begins further back, could not give,
                // the old one gave or announced.
                let behind = self.cursor.at().is_some_and(|at| at.follows(resync.at));
                if !behind {
                    self.cursor.set(frame.id);
                }
                if !behind || resync.gap != Gap::Overflow {
                    self.resync(resync.gap, resync.types);
                }
            }
            Some(Control::Beat(beat)) => {
                // Nor here: a beat that lies behind what was delivered is no news.
                if self.cursor.at().is_none_or(|at| beat.at.follows(at)) {
                    self.cursor.set(frame.id);
                }
            }
            Some(Control::Bye(bye)) => return Some(FrameEffect::Bye(bye)),
            None => return self.update(frame, reserved).map(FrameEffect::Update),
        }
        None
    }

    /// A server without hello announces no gaps. It can go on from where the last stream ended only
    /// if it was sent where that is: by the header `Last-Event-ID`, which neither a server without
    /// ids nor a new native stream gets.
    pub(super) fn announce_unknown_server(&mut self) {
        let told = core::mem::replace(&mut self.stream.gap_reported, true);
        let sent = !self.cursor.is_empty() && (!self.config.native || self.stream.retried);
        if !told && !self.server.saw_hello() && !sent {
            self.stream.gap = true;
            let gap = if self.counters.resyncs() == 0 { Gap::First } else { Gap::Unknown };
            self.resync(gap, Vec::new());
        }
    }

    /// Learns how a server without hello numbers its events, and announces what it did not replay.
    fn number_of(&mut self, id: &str) {
        let Some(at) = number(id, 10) else { return };
        let first = !core::mem::replace(&mut self.stream.numbered, true);
        let Some(last) = number(self.cursor.text(), 10) else { return };
        if self.server.number(at, last, first) && !self.stream.gap {
            self.resync(Gap::Unknown, Vec::new());
        }
    }

    fn greet(&mut self, hello: Hello, id: &str) {
        // The hub answers a cursor with the same place, or with a gap. If something on the way lost
        // the header of a native retry, it answers the older cursor of the URL; and the old stream
        // may have brought more since the next one was asked for. Then it repeats what we have, and
        // what was trimmed before that is irrelevant here. Anything else means that it refers to
        // another cursor.
        let had = self.had(hello.after);
        let repeats = had && matches!(hello.gap, Gap::None | Gap::Trimmed);
        let gap = if repeats {
            Gap::None
        } else if hello.gap == Gap::None {
            Gap::Unknown
        } else {
            hello.gap
        };
        self.stream.watchdog.expect_within(2 * u64::from(hello.beat.clamp(*BEAT.start(), *BEAT.end())));
        self.server.mark_hello();
        self.stream.hello = Some(Greeting { client: hello.client, head: hello.head });
        if !repeats {
            self.cursor.set(id);
        }
        if gap != Gap::None {
            self.resync(gap, Vec::new());
        }
    }

    fn resync(&mut self, gap: Gap, types: Vec<String>) {
        self.counters.gap(gap);
        self.emit(Output::Resync(Resync { gap, types }));
    }

    /// The event as an update, if it is one, and new.
    fn update<'a>(&mut self, frame: FrameRef<'a>, reserved: bool) -> Option<UpdateRef<'a>> {
        let id = EventId::parse(frame.id);
        if self.stream.hello.is_none() && self.server.may_number() {
            self.number_of(frame.id);
        }
        let replayed = self.accepts_id(id)?;
        if !frame.id.is_empty() {
            self.cursor.put(frame.id, id);
        }
        if reserved {
            return None; // a control message of a later version
        }
        self.counters.updates = self.counters.updates.saturating_add(1);
        Some(UpdateRef { frame, replayed, envelope: self.stream.hello.is_some() })
    }

    /// True of places up to which everything was delivered or announced.
    fn had(&self, place: EventId) -> bool {
        self.cursor.at().is_some_and(|at| at.epoch == place.epoch && !place.follows(at))
    }

    /// Whether an event of this id is a replayed one; nothing for those that were had already.
    pub(super) fn accepts_id(&mut self, id: Option<EventId>) -> Option<bool> {
        let (Some(hello), Some(id)) = (&self.stream.hello, id) else { return Some(false) };
        if self.had(id) {
            self.counters.duplicates = self.counters.duplicates.saturating_add(1);
            return None;
        }
        Some(!id.follows(hello.head))
    }
}
