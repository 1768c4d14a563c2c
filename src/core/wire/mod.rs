//! The wire (tinysse/1): what hub and client say to each other, encoded and decoded by the same files.

pub mod control;
pub mod decode;
pub mod encode;
pub mod fold;
pub mod id;
pub mod names;
pub mod scan;

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

/// Splits a text at the first of an ASCII character. What `split_once` does, without the general search that it brings along.
pub(crate) fn cut(text: &str, at: u8) -> Option<(&str, &str)> {
    let place = text.bytes().position(|byte| byte == at)?;
    Some((text.get(..place)?, text.get(place + 1..)?))
}
