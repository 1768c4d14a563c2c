//! Control messages: events of reserved types, with a query string of plain tokens as data, so that
//! core needs no JSON.
//!
//! They are events, not comments, because the native `EventSource` shows a page neither comments
//! nor headers nor statuses.

use alloc::{string::String, vec::Vec};

use super::{
    Frame, FrameRef,
    encode::{Fields, encode},
    id::{EventId, number, push_number},
    split_once_at,
};
use crate::proto::words::words;

words! {
    /// The reserved types of tinysse/1. Readers ignore every other type that begins with
    /// [`RESERVED`](super::kind::RESERVED).
    pub enum ControlFrame {
        /// An update in folded form: see [`wrap`](super::wrap).
        Update = "tinysse.update",
        /// See [`Hello`].
        Hello = "tinysse.hello",
        /// See [`Beat`].
        Beat = "tinysse.beat",
        /// See [`Resync`].
        Resync = "tinysse.resync",
        /// See [`Bye`].
        Bye = "tinysse.bye",
    }
}

const HELLO: &str = ControlFrame::Hello.as_str();
const RESYNC: &str = ControlFrame::Resync.as_str();
const BEAT: &str = ControlFrame::Beat.as_str();
const BYE: &str = ControlFrame::Bye.as_str();

words! {
    /// Why a cursor means nothing: everything but `None` means that updates may be missing and the
    /// client must refetch.
    pub enum Gap {
        /// Nothing is missing.
        None = "none",
        /// No cursor was given: what the page fetched before may be stale already.
        First = "first",
        /// The cursor is of another life of the log.
        Epoch = "epoch",
        /// The log no longer reaches back to the cursor.
        Trimmed = "trimmed",
        /// The cursor was never given out by this log.
        Unknown = "unknown",
        /// In mid-stream: the client read too slowly, the log was trimmed under it.
        Overflow = "overflow",
        /// In mid-stream: the client's rights changed.
        Rights = "rights",
    }
}

words! {
    /// Why the server ends a stream.
    pub enum Reason {
        /// The server shuts down.
        Drain = "drain",
        /// The stream is old enough; open the next one.
        Rotate = "rotate",
        /// The token is used up: come with a new one.
        Token = "token",
        /// The user's rights are gone.
        Revoked = "revoked",
        /// The client read too slowly.
        Slow = "slow",
    }
}

/// A control message.
///
/// ```
/// use tinysse::proto::wire::{control::{Bye, Control, Gap, Hello, Reason}, id::EventId, Frame};
/// let at = EventId::parse("4f9a2c.1042").unwrap();
/// let hello = Hello { client: "c7".into(), after: at, head: at, beat: 15_000, gap: Gap::None, retry: 2_500 };
/// let mut out = Vec::new();
/// hello.encode(&mut out);
/// assert!(out.starts_with(b"retry: 2500\nid: 4f9a2c.1042\nevent: tinysse.hello\ndata: client=c7&after=4f9a2c.1042"));
///
/// let frame = Frame { event: "tinysse.bye".into(), id: at.text(), data: "reason=drain&wait=300".into() };
/// assert_eq!(Control::read(&frame), Some(Control::Bye(Bye { reason: Reason::Drain, wait: 300, retry: None })));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// The first frame, always.
    Hello(Hello),
    /// In mid-stream: refetch.
    Resync(Resync),
    /// Alive; moves the cursor of a quiet or filtered client.
    Beat(Beat),
    /// The server is about to close.
    Bye(Bye),
}

/// First frame of every stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The hub's name for this connection.
    pub client: String,
    /// The place that precedes what follows; also the frame's id.
    pub after: EventId,
    /// The log's head when the stream opened: updates up to it are replayed, later ones live.
    pub head: EventId,
    /// The longest silence of a healthy stream, in milliseconds.
    pub beat: u32,
    /// What the client missed for good. It is in the frame that moves the cursor: a cut between two
    /// frames could otherwise lose the news of the loss.
    pub gap: Gap,
    /// The browser's own reconnection time, in milliseconds. Not part of the data: it is the
    /// frame's `retry:` field, and 0 when read.
    pub retry: u32,
}

/// What you missed cannot be replayed: refetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resync {
    /// The place that precedes what follows; also the frame's id.
    pub at: EventId,
    /// Why.
    pub gap: Gap,
    /// The types concerned; empty means all.
    pub types: Vec<String>,
}

/// Nothing new up to here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beat {
    /// Everything up to here that the client may see was sent; also the frame's id.
    pub at: EventId,
}

/// The server closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bye {
    /// Why.
    pub reason: Reason,
    /// How long to stay away, in milliseconds.
    pub wait: u32,
    /// The browser's own reconnection time in milliseconds, for clients that run none of our code;
    /// a `retry:` field, absent when read.
    pub retry: Option<u32>,
}

impl Control {
    /// Reads a frame of a reserved type; `None` for types and data this version does not know.
    #[must_use]
    pub fn read<'a>(frame: impl Into<FrameRef<'a>>) -> Option<Self> {
        let seen = frame.into();
        let data = seen.data;
        match seen.event {
            HELLO => Some(Self::Hello(Hello {
                client: String::from(field(data, "client")?),
                after: EventId::parse(field(data, "after")?)?,
                head: EventId::parse(field(data, "head").or_else(|| field(data, "after"))?)?,
                beat: milliseconds(field(data, "beat")?)?,
                gap: Gap::parse(field(data, "gap")?)?,
                retry: 0,
            })),
            RESYNC => Some(Self::Resync(Resync {
                at: EventId::parse(seen.id)?,
                gap: Gap::parse(field(data, "gap")?)?,
                types: field(data, "types").map_or_else(Vec::new, list),
            })),
            BEAT => Some(Self::Beat(Beat { at: EventId::parse(seen.id)? })),
            BYE => Some(Self::Bye(Bye {
                reason: Reason::parse(field(data, "reason")?)?,
                wait: milliseconds(field(data, "wait")?)?,
                retry: None,
            })),
            _ => None,
        }
    }
}

impl Hello {
    /// Appends the frame. Characters of `client` that are no plain token are left out.
    pub fn encode(&self, out: &mut Vec<u8>) {
        write(&self.frame(), Some(self.retry), out);
    }

    /// The message as it is read, without its `retry`.
    #[must_use]
    pub fn frame(&self) -> Frame {
        let after = self.after.text();
        // Every connection gets one: it is made without growing.
        let mut data = String::with_capacity(160);
        push(&mut data, "client", &self.client);
        push(&mut data, "after", &after);
        push(&mut data, "head", &self.head.text());
        push(&mut data, "beat", &decimal(self.beat));
        push(&mut data, "gap", self.gap.as_str());
        Frame { event: HELLO.into(), id: after, data }
    }
}

impl Resync {
    /// Appends the frame.
    pub fn encode(&self, out: &mut Vec<u8>) {
        write(&self.frame(), None, out);
    }

    /// The message as it is read.
    #[must_use]
    pub fn frame(&self) -> Frame {
        let mut data = String::new();
        push(&mut data, "gap", self.gap.as_str());
        if !self.types.is_empty() {
            push(&mut data, "types", &self.types.join(","));
        }
        Frame { event: RESYNC.into(), id: self.at.text(), data }
    }
}

impl Beat {
    /// Appends the frame.
    pub fn encode(&self, out: &mut Vec<u8>) {
        write(&self.frame(), None, out);
    }

    /// The message as it is read.
    #[must_use]
    pub fn frame(&self) -> Frame {
        Frame { event: BEAT.into(), id: self.at.text(), data: String::new() }
    }
}

impl Bye {
    /// Appends the frame.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut data = String::new();
        push(&mut data, "reason", self.reason.as_str());
        push(&mut data, "wait", &decimal(self.wait));
        write(&Frame { event: BYE.into(), id: String::new(), data }, self.retry, out);
    }
}

fn field<'a>(data: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = data;
    loop {
        let (pair, more) = split_once_at(rest, b'&').unwrap_or((rest, ""));
        match split_once_at(pair, b'=') {
            Some((key, value)) if key == name => return Some(value),
            _ if more.is_empty() => return None,
            _ => rest = more,
        }
    }
}

fn list(text: &str) -> Vec<String> {
    let (mut rest, mut found) = (text, Vec::new());
    while !rest.is_empty() {
        let (part, more) = split_once_at(rest, b',').unwrap_or((rest, ""));
        if !part.is_empty() {
            found.push(String::from(part));
        }
        rest = more;
    }
    found
}

fn milliseconds(text: &str) -> Option<u32> {
    number(text, 10)?.try_into().ok()
}

fn decimal(value: u32) -> String {
    let mut out = String::with_capacity(10);
    push_number(u64::from(value), 10, &mut out);
    out
}

/// Only characters that a type may have, and the comma of lists: nothing here can end a pair, a
/// line or a frame.
fn push(data: &mut String, name: &str, value: &str) {
    if !data.is_empty() {
        data.push('&');
    }
    data.push_str(name);
    data.push('=');
    let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':' | '-' | ',');
    if value.chars().all(|c| plain(&c)) {
        data.push_str(value);
    } else {
        data.extend(value.chars().filter(plain));
    }
}

fn write(frame: &Frame, retry: Option<u32>, out: &mut Vec<u8>) {
    let Frame { event, id, data } = frame;
    let id = Some(id.as_str()).filter(|id| !id.is_empty());
    let wrote = encode(&Fields { retry, id, event, data }, out);
    debug_assert_eq!(wrote, Ok(()), "control data holds plain tokens only");
}
