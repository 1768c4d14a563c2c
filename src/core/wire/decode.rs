//! Decoding of an event stream into frames: incremental, total, linear and bounded.
//!
//! Absent here: connections. A new stream gets a new decoder, so an unfinished event dies with its stream and its id is never
//! committed. The bytes are taken apart by [`super::scan`].

use alloc::{borrow::Cow, string::String};

use super::{
    Frame, Seen,
    scan::{Found, Scanner},
    whole::whole,
};

pub use super::scan::TooLarge;

/// What a stream says, in order.
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
pub enum Word<'a> {
    /// See [`Item::Frame`]; whether somebody wants it, as was asked.
    Event(Seen<'a>, bool),
    /// See [`Item::Id`].
    Id(&'a str),
    /// See [`Item::Retry`].
    Retry(u32),
}

/// Bytes taken apart at a time, so that what they complete needs little memory.
const PIECE: usize = 1 << 16;

/// An event stream parser, fed with bytes as they come.
///
/// ```
/// use tinysse::core::wire::{decode::{Decoder, Item}, Frame};
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
    /// The standard's "last event ID buffer": not reset by a dispatch, and on a new stream still that of the old one.
    id: String,
    /// Bytes of the unfinished event that were looked at, and by how many their replacement marks are longer than they are.
    looked: usize,
    longer: usize,
    limit: usize,
}

impl Decoder {
    /// A decoder for a new stream; `last_id` is the cursor it resumes from, `limit` the most bytes that one event may hold.
    #[must_use]
    pub fn new(last_id: &str, limit: usize) -> Self {
        Self { scanner: Scanner::new(limit), id: String::from(last_id), looked: 0, longer: 0, limit }
    }

    /// Takes the next bytes, in chunks of any size, and hands out what they complete.
    ///
    /// # Errors
    /// [`TooLarge`] when a line or an event passes the bound; the stream must then be given up.
    pub fn feed(&mut self, bytes: &[u8], emit: &mut dyn FnMut(Item)) -> Result<(), TooLarge> {
        self.read(bytes, &|_| true, &mut |word| {
            emit(match word {
                Word::Event(seen, _) => Item::Frame(seen.to_frame()),
                Word::Id(id) => Item::Id(id.into()),
                Word::Retry(ms) => Item::Retry(ms),
            });
        })
    }

    /// [`feed`](Self::feed), without a copy. Of events whose type nobody `wants`, the data is not looked at, and empty here.
    ///
    /// # Errors
    /// The same.
    pub fn read(
        &mut self,
        bytes: &[u8],
        wants: &dyn Fn(&str) -> bool,
        emit: &mut dyn FnMut(Word<'_>),
    ) -> Result<(), TooLarge> {
        for piece in bytes.chunks(PIECE) {
            let mut rest = piece;
            while !rest.is_empty() {
                rest = self.read_whole(rest, wants, emit)?;
                let fed = self.scanner.feed_one(rest);
                for found in self.scanner.found() {
                    match found {
                        Found::Retry(ms) => emit(Word::Retry(ms)),
                        Found::Id(id) => {
                            keep(&mut self.id, id);
                            emit(Word::Id(&self.id));
                        }
                        Found::Event { kind, id, data } => {
                            if let Some(id) = id {
                                keep(&mut self.id, id);
                            }
                            Kind::of(kind, wants).tell(&self.id, data, self.limit, emit)?;
                        }
                    }
                }
                rest = fed?;
                self.weigh()?;
            }
        }
        Ok(())
    }

    /// Hands out the events that lie whole at the beginning of the bytes, and gives back what is behind them.
    fn read_whole<'a>(
        &mut self,
        bytes: &'a [u8],
        wants: &dyn Fn(&str) -> bool,
        emit: &mut dyn FnMut(Word<'_>),
    ) -> Result<&'a [u8], TooLarge> {
        let (mut rest, mut id) = (bytes, None);
        // Updates of one type come in runs: what was found out about it holds for the next one.
        let mut kind = Kind::of(&[], wants);
        while self.scanner.between()
            && let Some(event) = whole(rest)
            && rest.len() - event.rest.len() <= self.limit
        {
            rest = event.rest;
            id = event.id.or(id);
            if kind.bytes != event.kind {
                kind = Kind::of(event.kind, wants);
            }
            match id {
                Some(id) => kind.tell(&text(id), event.data, self.limit, emit)?,
                None => kind.tell(&self.id, event.data, self.limit, emit)?,
            }
        }
        if let Some(id) = id {
            keep(&mut self.id, id);
        }
        Ok(rest)
    }

    /// A byte that is no UTF-8 becomes a mark of three: what is held is bounded as it will be handed out.
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

/// The type of an event.
struct Kind<'a> {
    bytes: &'a [u8],
    text: Cow<'a, str>,
    wanted: bool,
}

impl<'a> Kind<'a> {
    fn of(bytes: &'a [u8], wants: &dyn Fn(&str) -> bool) -> Self {
        let text = if bytes.is_empty() { "message".into() } else { text(bytes) };
        let wanted = wants(&text);
        Self { bytes, text, wanted }
    }

    /// Hands out an event of this type.
    fn tell(&self, id: &str, data: &[u8], limit: usize, emit: &mut dyn FnMut(Word<'_>)) -> Result<(), TooLarge> {
        let data = text(if self.wanted { data } else { &[] });
        if data.len() > limit {
            return Err(TooLarge);
        }
        emit(Word::Event(Seen { event: &self.text, id, data: &data }, self.wanted));
        Ok(())
    }
}

fn keep(id: &mut String, bytes: &[u8]) {
    id.clear();
    id.push_str(&text(bytes));
}

/// Looks for a fault first: `from_utf8_lossy` alone goes the slow way always.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    core::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}
