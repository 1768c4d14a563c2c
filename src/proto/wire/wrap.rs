//! Folded updates: one event type for all, for readers that must name the events they listen to.
//!
//! A native `EventSource` gives a named event only to listeners of that very name. A client that
//! wants `*` or `compute.*`, or whose types carry ids, cannot name them all beforehand; and an
//! event nobody listens to would move the browser's cursor but not ours. So a native client asks
//! for `wire=native`, and every update comes as `tinysse.update` with the type as its first data
//! line.

use alloc::vec::Vec;

use super::{FrameRef, control::ControlFrame, split_once_at};

/// The one type of folded updates.
pub const UPDATE: &str = ControlFrame::Update.as_str();

/// Appends an encoded update in folded form. A frame is encoded once; its two forms differ by what
/// is put in here.
///
/// ```
/// use tinysse::proto::wire::{encode::{encode, Fields}, wrap::{unwrap, wrap}, FrameRef};
/// let (mut frame, mut out) = (Vec::new(), Vec::new());
/// encode(&Fields { id: Some("1.7"), event: "projects", data: "{}", retry: None }, &mut frame).unwrap();
/// wrap(&frame, &mut out);
/// assert_eq!(out, b"id: 1.7\nevent: tinysse.update\ndata: projects\ndata: {}\n\n");
///
/// let read = FrameRef { event: "tinysse.update", id: "1.7", data: "projects\n{}" };
/// assert_eq!(unwrap(read), FrameRef { event: "projects", id: "1.7", data: "{}" });
/// ```
pub fn wrap(frame: &[u8], out: &mut Vec<u8>) {
    const NAME: &[u8] = b"event: ";
    let mut start = 0;
    for line in frame.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(NAME) {
            let (head, tail) = frame.split_at(start + NAME.len());
            out.extend_from_slice(head);
            out.extend_from_slice(UPDATE.as_bytes());
            out.extend_from_slice(b"\ndata: ");
            out.extend_from_slice(tail);
            return;
        }
        start += line.len();
    }
    out.extend_from_slice(frame);
}

/// Gives a folded update its own type back; leaves every other frame alone.
#[must_use]
pub fn unwrap(seen: FrameRef<'_>) -> FrameRef<'_> {
    let folded = if seen.event == UPDATE { split_once_at(seen.data, b'\n') } else { None };
    folded.map_or(seen, |(event, data)| FrameRef { event, data, ..seen })
}
