//! The bytes of an event stream, taken apart: incremental, total, linear and bounded, without a
//! copy of what is not data.
//!
//! What lies beneath [`super::decode`], for readers that want ranges of bytes instead of strings:
//! the wasm of `tinysse/eventsource` passes them to JavaScript, which decodes each data once.

use alloc::vec::Vec;

use super::lines::line_end;

/// An event of a stream. The bytes are as they came: UTF-8, or what ought to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// A dispatched event.
    Event {
        /// The event's type; empty means `message`.
        kind: &'a [u8],
        /// The id if this event named one; otherwise that of the events before holds.
        id: Option<&'a [u8]>,
        /// The data lines, joined with LF.
        data: &'a [u8],
    },
    /// A block without data: no event, but the last event id moves.
    Id(&'a [u8]),
    /// A new reconnection time in milliseconds, saturated at `u32::MAX`.
    Retry(u32),
}

/// The length of what is not there.
pub const ABSENT: usize = usize::MAX;

/// One finding as ranges: `data`, `kind` and `id` follow one another in `held` of the scanner, from
/// `start` on. [`ABSENT`] is the length of what is not there. The layout is read by JavaScript.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Mark {
    /// Where the data begins.
    pub start: usize,
    /// Length of the data; absent in a block that dispatches nothing.
    pub data: usize,
    /// Length of the type.
    pub kind: usize,
    /// Length of the id; absent if the block named none.
    pub id: usize,
    /// Milliseconds; then everything else is absent.
    pub retry: usize,
}

/// The mark of nothing at all.
const NOTHING: Mark = Mark { start: 0, data: ABSENT, kind: ABSENT, id: ABSENT, retry: ABSENT };

/// The stream holds a line or an event larger than the bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge;

/// Takes a stream apart, in chunks of any size.
///
/// ```
/// use tinysse::proto::wire::scan::{Found, Scanner};
/// let mut scanner = Scanner::new(1 << 20);
/// scanner.feed(b"id: 1\ndata: a\nda").unwrap();
/// assert_eq!(scanner.found().count(), 0);
/// scanner.feed(b"ta: b\n\nretry: 5\n").unwrap();
/// let found: Vec<_> = scanner.found().collect();
/// assert_eq!(found, [Found::Event { kind: b"", id: Some(b"1"), data: b"a\nb" }, Found::Retry(5)]);
/// ```
///
/// Linear however the chunks are cut; memory is that of the unfinished event and of what the last
/// chunk finished. Source: WHATWG HTML, §9.2.5 and §9.2.6.
#[derive(Clone, Debug)]
pub struct Scanner {
    /// What the last chunk finished, then the data of the unfinished event, which begins at
    /// `begun`.
    held: Vec<u8>,
    begun: usize,
    marks: Vec<Mark>,
    kind: Vec<u8>,
    id: Vec<u8>,
    has_data: bool,
    has_id: bool,
    field: Field,
    /// The bytes of the line's name so far behind a one, which keeps `\0id` apart from `id`.
    name: u64,
    /// The value of the line, unless it is data.
    value: Vec<u8>,
    /// Whether a space may be left out here.
    space: bool,
    /// Bytes of the line so far.
    line: usize,
    /// Bytes of the event's data before the line.
    before: usize,
    after_cr: bool,
    first_line: bool,
    limit: usize,
}

/// What the line is that is being read: a name as long as no colon was seen; skipped are comments
/// and unknown names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Name,
    Data,
    Event,
    Id,
    Retry,
    Skip,
}

const NAMELESS: u64 = 1;
const DATA: u64 = name(b"data");
const EVENT: u64 = name(b"event");
const ID: u64 = name(b"id");
const RETRY: u64 = name(b"retry");
const BOM: u64 = name("\u{feff}".as_bytes());

const fn name(bytes: &[u8]) -> u64 {
    let (mut name, mut at) = (NAMELESS, 0);
    while at < bytes.len() {
        name = name << 8 | bytes[at] as u64;
        at += 1;
    }
    name
}

impl Scanner {
    /// For a new stream; `limit` is the most bytes that one line or event may hold.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self {
            held: Vec::new(),
            begun: 0,
            marks: Vec::new(),
            kind: Vec::new(),
            id: Vec::new(),
            has_data: false,
            has_id: false,
            field: Field::Name,
            name: NAMELESS,
            value: Vec::new(),
            space: false,
            line: 0,
            before: 0,
            after_cr: false,
            first_line: true,
            limit,
        }
    }

    /// Takes the next bytes. What they complete is there until the next call.
    ///
    /// # Errors
    /// [`TooLarge`] when a line or an event passes the bound; the stream must then be given up.
    /// What came before it is found.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), TooLarge> {
        self.forget();
        // A buffer of a power of two stays one when it doubles, and fills its block of an allocator
        // that knows no other sizes.
        let held = self.held.len();
        self.held.reserve((held + bytes.len()).next_power_of_two() - held);
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = self.step(rest)?;
        }
        Ok(())
    }

    /// [`feed`](Self::feed) up to the end of an event, and gives back what is behind it.
    ///
    /// # Errors
    /// The same.
    pub fn feed_one<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], TooLarge> {
        self.forget();
        self.step(bytes)
    }

    /// True between events: nothing of the next one was read.
    #[must_use]
    pub fn between(&self) -> bool {
        self.field == Field::Name
            && self.name == NAMELESS
            && !(self.first_line || self.after_cr || self.has_data || self.has_id)
            && self.kind.is_empty()
    }

    fn step<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], TooLarge> {
        let mut rest = bytes;
        if self.after_cr && !rest.is_empty() {
            self.after_cr = false;
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        loop {
            let (part, tail) = rest.split_at(line_end(rest));
            if part.len() > self.limit.saturating_sub(self.before + self.line) {
                return Err(TooLarge);
            }
            self.take(part);
            rest = match tail {
                [] => return Ok(tail),
                [b'\r', b'\n', rest @ ..] => rest,
                [b'\r'] => {
                    self.after_cr = true;
                    &[]
                }
                [_, rest @ ..] => rest,
            };
            if self.line_ended() {
                return Ok(rest);
            }
        }
    }

    /// What the last chunk completed, in order.
    pub fn found(&self) -> impl Iterator<Item = Found<'_>> {
        self.marks.iter().map(|mark| {
            if mark.retry != ABSENT {
                return Found::Retry(u32::try_from(mark.retry).unwrap_or(u32::MAX));
            }
            let bytes = self.held.get(mark.start..).unwrap_or_default();
            let (data, bytes) = bytes.split_at_checked(mark.data).unwrap_or((&[], bytes));
            let (kind, bytes) = bytes.split_at_checked(mark.kind).unwrap_or((&[], bytes));
            let id = bytes.get(..mark.id);
            if mark.data == ABSENT { Found::Id(id.unwrap_or_default()) } else { Found::Event { kind, id, data } }
        })
    }

    /// The same as ranges of [`Scanner::held`].
    #[must_use]
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// The bytes that marks speak of.
    #[must_use]
    pub fn held(&self) -> &[u8] {
        &self.held
    }

    /// The data of the unfinished event, as far as it came.
    #[must_use]
    pub fn unfinished(&self) -> &[u8] {
        self.held.get(self.begun..).unwrap_or_default()
    }

    /// Removes what was found. An unfinished event moves to the front at most once.
    fn forget(&mut self) {
        self.marks.clear();
        if self.begun > 0 {
            self.held.copy_within(self.begun.., 0);
            self.held.truncate(self.held.len() - self.begun);
            self.begun = 0;
        }
    }

    /// Takes a part of a line, cut anywhere: CR and LF are no part of a character.
    fn take(&mut self, part: &[u8]) {
        self.line += part.len();
        let mut rest = part;
        if self.field == Field::Name {
            rest = self.take_name(rest);
        }
        if self.space
            && let Some((first, tail)) = rest.split_first()
        {
            self.space = false;
            rest = if *first == b' ' { tail } else { rest };
        }
        match self.field {
            Field::Data => self.held.extend_from_slice(rest),
            Field::Event | Field::Id | Field::Retry => self.value.extend_from_slice(rest),
            Field::Name | Field::Skip => {}
        }
    }

    /// Answers what follows the colon.
    fn take_name<'a>(&mut self, part: &'a [u8]) -> &'a [u8] {
        for (at, byte) in part.iter().enumerate() {
            if *byte == b':' {
                self.named();
                self.space = true;
                return part.get(at + 1..).unwrap_or_default();
            }
            if self.name >> 40 != 0 {
                self.field = Field::Skip; // longer than any name there is
                break;
            }
            self.name = self.name << 8 | u64::from(*byte);
            // "The UTF-8 decode algorithm strips one leading UTF-8 Byte Order Mark (BOM), if any."
            if self.first_line && self.name == BOM {
                (self.name, self.first_line) = (NAMELESS, false);
            }
        }
        &[]
    }

    fn named(&mut self) {
        self.field = match self.name {
            DATA => {
                if self.has_data {
                    self.held.extend_from_slice(b"\n");
                }
                self.has_data = true;
                Field::Data
            }
            EVENT => Field::Event,
            ID => Field::Id,
            RETRY => Field::Retry,
            _ => Field::Skip,
        };
    }

    /// True if the line ended an event, or what might have become one.
    fn line_ended(&mut self) -> bool {
        let blank = self.field == Field::Name && self.name == NAMELESS;
        if self.field == Field::Name {
            if blank {
                self.dispatch();
            } else {
                self.named(); // "using the whole line as the field name, and the empty string as the field value"
            }
        }
        match self.field {
            Field::Event => core::mem::swap(&mut self.kind, &mut self.value),
            Field::Id if !self.value.contains(&0) => {
                core::mem::swap(&mut self.id, &mut self.value);
                self.has_id = true;
            }
            Field::Retry => {
                if let Some(ms) = digits(&self.value) {
                    self.marks.push(Mark { retry: ms as usize, ..NOTHING });
                }
            }
            Field::Name | Field::Data | Field::Id | Field::Skip => {}
        }
        self.value.clear();
        (self.field, self.name, self.space) = (Field::Name, NAMELESS, false);
        (self.line, self.before, self.first_line) = (0, self.held.len() - self.begun, false);
        blank
    }

    fn dispatch(&mut self) {
        let (start, data) = (self.begun, self.held.len() - self.begun);
        let mut mark = Mark { start, ..NOTHING };
        if self.has_data {
            (mark.data, mark.kind) = (data, self.kind.len());
            self.held.extend_from_slice(&self.kind);
        }
        if self.has_id {
            mark.id = self.id.len();
            self.held.extend_from_slice(&self.id);
        }
        if self.has_data || self.has_id {
            self.marks.push(mark);
        }
        self.kind.clear();
        (self.has_data, self.has_id, self.begun) = (false, false, self.held.len());
    }
}

/// "If the field value consists of only ASCII digits"; an empty value has none.
fn digits(value: &[u8]) -> Option<u32> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(value.iter().fold(0_u32, |sum, digit| sum.saturating_mul(10).saturating_add(u32::from(digit - b'0'))))
}
