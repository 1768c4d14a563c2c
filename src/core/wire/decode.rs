//! Decoding of an event stream: incremental, total, linear and bounded.
//!
//! Absent here: connections. A new stream gets a new decoder, so an unfinished event dies with its stream and its id is never
//! committed.

use alloc::{string::String, vec::Vec};

use super::Frame;

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

/// The stream holds a line or an event larger than the decoder's bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge;

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
    line: Vec<u8>,
    data: String,
    event: String,
    /// The standard's "last event ID buffer": not reset by a dispatch, and on a new stream still that of the old one.
    id: String,
    /// True once a data field was seen: an empty one still dispatches.
    has_data: bool,
    /// True once an id field was seen in this block, which then moves the cursor even without data.
    has_id: bool,
    /// The last byte was CR: a LF that follows belongs to the same line end.
    after_cr: bool,
    /// No line was finished yet: a byte order mark may stand here, once.
    first_line: bool,
    limit: usize,
}

impl Decoder {
    /// A decoder for a new stream; `last_id` is the cursor it resumes from, `limit` the most bytes that one event may hold.
    #[must_use]
    pub fn new(last_id: &str, limit: usize) -> Self {
        Self {
            line: Vec::new(),
            data: String::new(),
            event: String::new(),
            id: String::from(last_id),
            has_data: false,
            has_id: false,
            after_cr: false,
            first_line: true,
            limit,
        }
    }

    /// Takes the next bytes, in chunks of any size, and hands out what they complete.
    ///
    /// # Errors
    /// [`TooLarge`] when a line or an event passes the bound; the stream must then be given up.
    pub fn feed(&mut self, bytes: &[u8], emit: &mut dyn FnMut(Item)) -> Result<(), TooLarge> {
        let mut rest = bytes;
        if self.after_cr && !rest.is_empty() {
            self.after_cr = false;
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        while let Some(at) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            let (head, tail) = rest.split_at(at);
            self.check(head.len())?;
            if self.line.is_empty() {
                self.take_line(head, emit);
            } else {
                let mut line = core::mem::take(&mut self.line);
                line.extend_from_slice(head);
                self.take_line(&line, emit);
                line.clear();
                self.line = line; // keeps the allocation
            }
            rest = match tail {
                [b'\r', b'\n', rest @ ..] => rest,
                [b'\r'] => {
                    self.after_cr = true;
                    &[]
                }
                [_, rest @ ..] => rest,
                [] => &[],
            };
        }
        self.check(rest.len())?;
        self.line.extend_from_slice(rest);
        Ok(())
    }

    fn check(&self, more: usize) -> Result<(), TooLarge> {
        let held = self.line.len() + self.data.len() + more;
        if held > self.limit { Err(TooLarge) } else { Ok(()) }
    }

    fn take_line(&mut self, mut line: &[u8], emit: &mut dyn FnMut(Item)) {
        if core::mem::take(&mut self.first_line) {
            line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
        }
        if line.is_empty() {
            return self.dispatch(emit);
        }
        let (name, value) = match line.iter().position(|byte| *byte == b':') {
            Some(colon) => {
                let (name, value) = line.split_at(colon);
                let value = value.strip_prefix(b":").unwrap_or(value);
                (name, value.strip_prefix(b" ").unwrap_or(value))
            }
            None => (line, &[][..]),
        };
        // A line may be cut anywhere, but never inside a character: CR and LF are no part of one. So decoding line by line
        // equals decoding the whole stream.
        match name {
            b"event" => self.event = String::from_utf8_lossy(value).into_owned(),
            b"data" => {
                if self.has_data {
                    self.data.push('\n');
                }
                self.has_data = true;
                self.data.push_str(&String::from_utf8_lossy(value));
            }
            b"id" if !value.contains(&0) => {
                self.id = String::from_utf8_lossy(value).into_owned();
                self.has_id = true;
            }
            b"retry" => {
                if let Some(ms) = digits(value) {
                    emit(Item::Retry(ms));
                }
            }
            _ => {} // "The field is ignored": unknown names, comments (an empty name), ids with NUL
        }
    }

    fn dispatch(&mut self, emit: &mut dyn FnMut(Item)) {
        let event = core::mem::take(&mut self.event);
        let data = core::mem::take(&mut self.data);
        let has_id = core::mem::take(&mut self.has_id);
        if core::mem::take(&mut self.has_data) {
            let event = if event.is_empty() { String::from("message") } else { event };
            emit(Item::Frame(Frame { event, id: self.id.clone(), data }));
        } else if has_id {
            emit(Item::Id(self.id.clone()));
        }
    }
}

/// "If the field value consists of only ASCII digits"; an empty value has none.
fn digits(value: &[u8]) -> Option<u32> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let sum = value.iter().fold(0_u32, |sum, digit| sum.saturating_mul(10).saturating_add(u32::from(digit - b'0')));
    Some(sum)
}
