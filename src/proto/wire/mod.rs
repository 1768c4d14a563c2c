//! The wire (tinysse/1): what hub and client exchange, encoded and decoded by the same files.

pub mod control;
pub mod decode;
pub mod encode;
pub mod id;
pub mod kind;
mod lines;
pub mod names;
pub mod scan;
mod whole;
pub mod wrap;

use alloc::string::String;

/// One dispatched event of a stream, as the standard's dispatch step leaves it.
///
/// Source: WHATWG HTML, §9.2.6 "Interpreting an event stream".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// The event's type; `message` when the stream named none.
    pub event: String,
    /// The last event id at dispatch: this event's own, or the one inherited from earlier events.
    pub id: String,
    /// The data lines, joined with LF.
    pub data: String,
}

/// A [`Frame`] in borrowed words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameRef<'a> {
    /// See [`Frame::event`].
    pub event: &'a str,
    /// See [`Frame::id`].
    pub id: &'a str,
    /// See [`Frame::data`].
    pub data: &'a str,
}

impl Frame {
    /// The same, borrowed.
    #[must_use]
    pub fn borrowed(&self) -> FrameRef<'_> {
        FrameRef { event: &self.event, id: &self.id, data: &self.data }
    }
}

impl<'a> From<&'a Frame> for FrameRef<'a> {
    fn from(frame: &'a Frame) -> Self {
        frame.borrowed()
    }
}

impl FrameRef<'_> {
    /// The same, owned.
    #[must_use]
    pub fn to_frame(self) -> Frame {
        Frame { event: self.event.into(), id: self.id.into(), data: self.data.into() }
    }
}

/// Splits a text at the first of an ASCII character. What `split_once` does, without the general
/// search that it brings along.
pub(crate) fn split_once_at(text: &str, at: u8) -> Option<(&str, &str)> {
    let place = text.bytes().position(|byte| byte == at)?;
    Some((text.get(..place)?, text.get(place + 1..)?))
}
