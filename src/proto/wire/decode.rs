//! Decoding of an event stream into frames: incremental, total, linear and bounded.
//!
//! Absent here: connections. A new stream gets a new decoder, so an unfinished event dies with its
//! stream and its id is never committed. The bytes are taken apart by [`super::scan`].
//!
//! *The one place where a lower module calls a higher one:* the decoder asks its [`Reader`] which
//! events are wanted, instead of returning each. Events of one type that follow one another are
//! decided once for the run, and only the last of them is handed out. Handing out every event,
//! which is what an iterator would do, was measured with `npm run bench:parser` (60 B events,
//! chunks of 16 KiB, relative to eventsource-parser, coalesced / nobody subscribed): the parser
//! alone falls from 1.42 / 1.88 to 1.15 / 1.49, and delivery from a stream of the page from 1.38 /
//! 1.41 to 0.91 / 0.97, behind the peer.

use alloc::{borrow::Cow, string::String};
use core::ops::Range;

use super::{
    Frame, FrameRef,
    scan::{Found, Scanner},
    whole::whole,
};

pub use super::scan::TooLarge;

/// An event of a stream, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A dispatched event.
    Frame(Frame),
    /// A block without data: no event, but the last event id moves.
    Id(String),
    /// A new reconnection time in milliseconds, saturated at `u32::MAX`.
    Retry(u32),
}

/// The same in borrowed words, for readers that keep little of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemRef<'a> {
    /// See [`Item::Frame`].
    Event(FrameRef<'a>),
    /// The last of a run: of events of one type behind one another, each of which was admitted. And
    /// how many came before it.
    Newest(FrameRef<'a>, u32),
    /// See [`Item::Id`].
    Id(&'a str),
    /// See [`Item::Retry`].
    Retry(u32),
}

/// Which events of a type are delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Each, as a [`ItemRef::Event`].
    Each,
    /// As a [`ItemRef::Newest`] only the last one of a run.
    Newest,
    /// The same, and its data is empty: nobody looks at it.
    Ignored,
}

/// Receives the events of a stream, in order.
pub trait Reader {
    /// Asked before the events of a type.
    fn interest(&mut self, kind: &str) -> Interest;

    /// Asked of each event of a run, whose id this is: may it replace those before it?
    fn accepts(&mut self, id: &str) -> bool;

    /// An event arrived.
    fn on_item(&mut self, word: ItemRef<'_>);
}

/// Bytes taken apart at a time, so that what they complete needs little memory.
const PIECE: usize = 1 << 16;

/// An event stream parser, fed with bytes as they come.
///
/// ```
/// use tinysse::proto::wire::{decode::{Decoder, Item}, Frame};
/// let mut decoder = Decoder::new("", 1 << 20);
/// let mut items = Vec::new();
/// decoder.feed(b"id: 1\nevent: projects\nda", &mut |item| items.push(item)).unwrap();
/// assert!(items.is_empty());
/// decoder.feed(b"ta: {}\r\n\r\n", &mut |item| items.push(item)).unwrap();
/// assert_eq!(items, [Item::Frame(Frame { event: "projects".into(), id: "1".into(), data: "{}".into() })]);
/// ```
///
/// Source: WHATWG HTML, §9.2.5 and §9.2.6.
#[derive(Clone, Debug)]
pub struct Decoder {
    scanner: Scanner,
    /// The standard's "last event ID buffer": not reset by a dispatch, and on a new stream still
    /// that of the old one.
    id: String,
    /// Bytes of the unfinished event that were looked at, and by how many their replacement marks
    /// are longer than they are.
    looked: usize,
    longer: usize,
    limit: usize,
}

impl Decoder {
    /// A decoder for a new stream; `last_id` is the cursor it resumes from, `limit` the most bytes
    /// that one event may hold.
    #[must_use]
    pub fn new(last_id: &str, limit: usize) -> Self {
        Self { scanner: Scanner::new(limit), id: String::from(last_id), looked: 0, longer: 0, limit }
    }

    /// Returns true if no event is unfinished, and the next byte begins a line.
    #[must_use]
    pub fn between(&self) -> bool {
        self.scanner.between()
    }

    /// Takes the next bytes, in chunks of any size, and hands out what they complete.
    ///
    /// # Errors
    /// [`TooLarge`] when a line or an event passes the bound; the stream must then be given up.
    pub fn feed(&mut self, bytes: &[u8], emit: &mut dyn FnMut(Item)) -> Result<(), TooLarge> {
        self.read(bytes, &mut Owned(emit))
    }

    /// [`feed`](Self::feed), without a copy, and no more than the reader is interested in.
    ///
    /// # Errors
    /// The same.
    pub fn read(&mut self, bytes: &[u8], reader: &mut dyn Reader) -> Result<(), TooLarge> {
        for piece in bytes.chunks(PIECE) {
            let (mut rest, mut text) = (piece, None);
            while !rest.is_empty() {
                rest = self.read_whole(piece, rest, &mut text, reader);
                let fed = self.scanner.feed_one(rest);
                for found in self.scanner.found() {
                    match found {
                        Found::Retry(ms) => reader.on_item(ItemRef::Retry(ms)),
                        Found::Id(id) => {
                            keep(&mut self.id, id);
                            reader.on_item(ItemRef::Id(&self.id));
                        }
                        Found::Event { kind, id, data } => {
                            if let Some(id) = id {
                                keep(&mut self.id, id);
                            }
                            let kind = if kind.is_empty() { "message".into() } else { lossy(kind) };
                            let mut run = Run::of(&kind, reader);
                            let data = lossy(if run.interest == Interest::Ignored { &[] } else { data });
                            if data.len() > self.limit {
                                return Err(TooLarge);
                            }
                            run.event(&self.id, &data, reader);
                            run.end(reader);
                        }
                    }
                }
                rest = fed?;
                self.weigh()?;
            }
        }
        Ok(())
    }

    /// Hands out the events that lie whole at the beginning of `rest`, the end of a piece, and
    /// gives back what is behind them. `text` is what of the piece can be read as text, once it was
    /// asked.
    fn read_whole<'a>(
        &mut self,
        piece: &'a [u8],
        rest: &'a [u8],
        text: &mut Option<&'a str>,
        reader: &mut dyn Reader,
    ) -> &'a [u8] {
        let (mut rest, mut id) = (rest, None);
        let mut run: Option<Run<'_>> = None;
        while self.scanner.between()
            && let Some(event) = whole(rest)
            && event.end <= self.limit
            && let text = *text.get_or_insert_with(|| lines(piece))
            && let Some(text) = text.get(piece.len() - rest.len()..)
            && let Some((text, _)) = text.split_at_checked(event.end)
        {
            let part = |range: Range<usize>| text.get(range).unwrap_or_default();
            rest = rest.get(event.end..).unwrap_or_default();
            id = event.id.map(part).or(id);
            let kind = if event.kind.is_empty() { "message" } else { part(event.kind) };
            if run.as_ref().is_none_or(|run| run.kind != kind) {
                if let Some(run) = run {
                    run.end(reader);
                }
                run = Some(Run::of(kind, reader));
            }
            if let Some(run) = &mut run {
                run.event(id.unwrap_or(&self.id), part(event.data), reader);
            }
        }
        if let Some(run) = run {
            run.end(reader);
        }
        if let Some(id) = id {
            self.id.clear();
            self.id.push_str(id);
        }
        rest
    }

    /// A byte that is no UTF-8 becomes a mark of three: what is held is bounded as it will be
    /// handed out.
    fn weigh(&mut self) -> Result<(), TooLarge> {
        if !self.scanner.marks().is_empty() {
            (self.looked, self.longer) = (0, 0);
        }
        let unfinished = self.scanner.unfinished();
        if unfinished.len() <= self.limit / 3 {
            return Ok(()); // however bad it is
        }
        loop {
            let fresh = unfinished.get(self.looked..).unwrap_or_default();
            let Err(bad) = core::str::from_utf8(fresh) else {
                self.looked += fresh.len();
                break;
            };
            self.looked += bad.valid_up_to();
            let Some(length) = bad.error_len() else { break };
            self.looked += length;
            self.longer += 3 - length;
        }
        if unfinished.len() + self.longer > self.limit { Err(TooLarge) } else { Ok(()) }
    }
}

/// Events of one type behind one another.
struct Run<'a> {
    kind: &'a str,
    interest: Interest,
    newest: Option<FrameRef<'a>>,
    before: u32,
}

impl<'a> Run<'a> {
    fn of(kind: &'a str, reader: &mut dyn Reader) -> Self {
        Self { kind, interest: reader.interest(kind), newest: None, before: 0 }
    }

    fn event(&mut self, id: &'a str, data: &'a str, reader: &mut dyn Reader) {
        let seen = FrameRef { event: self.kind, id, data };
        match self.interest {
            Interest::Each => reader.on_item(ItemRef::Event(seen)),
            Interest::Newest | Interest::Ignored if reader.accepts(id) => {
                self.before += u32::from(self.newest.replace(seen).is_some());
            }
            Interest::Newest | Interest::Ignored => {}
        }
    }

    fn end(self, reader: &mut dyn Reader) {
        if let Some(seen) = self.newest {
            let data = if self.interest == Interest::Ignored { "" } else { seen.data };
            reader.on_item(ItemRef::Newest(FrameRef { data, ..seen }, self.before));
        }
    }
}

/// UpdateSink it all, and keeps it.
struct Owned<'a>(&'a mut dyn FnMut(Item));

impl Reader for Owned<'_> {
    fn interest(&mut self, _: &str) -> Interest {
        Interest::Each
    }

    fn accepts(&mut self, _: &str) -> bool {
        true
    }

    fn on_item(&mut self, word: ItemRef<'_>) {
        (self.0)(match word {
            ItemRef::Event(seen) | ItemRef::Newest(seen, _) => Item::Frame(seen.to_frame()),
            ItemRef::Id(id) => Item::Id(id.into()),
            ItemRef::Retry(ms) => Item::Retry(ms),
        });
    }
}

fn keep(id: &mut String, bytes: &[u8]) {
    id.clear();
    id.push_str(&lossy(bytes));
}

/// The whole lines of these bytes, if they are UTF-8: what is cut in the middle of a character is
/// behind them.
fn lines(bytes: &[u8]) -> &str {
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    bytes.get(..end).and_then(text).unwrap_or_default()
}

/// `String::from_utf8_lossy`, which would bring the wasm a second reader of UTF-8, and a slow one.
fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    if let Some(text) = text(bytes) {
        return Cow::Borrowed(text);
    }
    let (mut out, mut rest) = (String::new(), bytes);
    while let Err(bad) = core::str::from_utf8(rest) {
        let (good, tail) = rest.split_at(bad.valid_up_to());
        out.push_str(text(good).unwrap_or_default());
        out.push(char::REPLACEMENT_CHARACTER);
        rest = tail.get(bad.error_len().unwrap_or(tail.len())..).unwrap_or_default();
    }
    out.push_str(text(rest).unwrap_or_default());
    Cow::Owned(out)
}

fn text(bytes: &[u8]) -> Option<&str> {
    #[cfg(all(feature = "simd", target_feature = "simd128"))]
    return simdutf8::basic::from_utf8(bytes).ok();
    #[cfg(not(all(feature = "simd", target_feature = "simd128")))]
    core::str::from_utf8(bytes).ok()
}
