//! Folded updates: one event type for all, for readers that must name the events they listen to.
//!
//! A native `EventSource` gives a named event only to listeners of that very name. A client that wants `*` or `compute.*`, or whose
//! types carry ids, cannot name them all beforehand; and an event nobody listens to would move the browser's cursor but not ours.
//! So a native client asks for `wire=native`, and every update comes as `tinysse.update` with the type as its first data line.

use alloc::{string::String, vec::Vec};

use super::{
    Frame,
    encode::{Fields, Refused, encode},
};

/// The one type of folded updates.
pub const UPDATE: &str = "tinysse.update";

/// Appends an update in folded form.
///
/// # Errors
/// [`Refused`] as for [`encode`].
///
/// ```
/// use tinysse::core::wire::{encode::Fields, fold::{fold, unfold}, Frame};
/// let mut out = Vec::new();
/// fold(&Fields { id: Some("1.7"), event: "projects", data: "{}", retry: None }, &mut out).unwrap();
/// assert_eq!(out, b"id: 1.7\nevent: tinysse.update\ndata: projects\ndata: {}\n\n");
///
/// let frame = Frame { event: "tinysse.update".into(), id: "1.7".into(), data: "projects\n{}".into() };
/// assert_eq!(unfold(frame), Frame { event: "projects".into(), id: "1.7".into(), data: "{}".into() });
/// ```
pub fn fold(fields: &Fields<'_>, out: &mut Vec<u8>) -> Result<(), Refused> {
    if fields.event.bytes().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
        return Err(Refused::Event);
    }
    let mut data = String::with_capacity(fields.event.len() + 1 + fields.data.len());
    data.push_str(fields.event);
    data.push('\n');
    data.push_str(fields.data);
    encode(
        &Fields {
            event: UPDATE,
            data: &data,
            ..*fields
        },
        out,
    )
}

/// Gives a folded update its own type back; leaves every other frame alone.
#[must_use]
pub fn unfold(mut frame: Frame) -> Frame {
    if frame.event == UPDATE
        && let Some(at) = frame.data.find('\n')
    {
        let data = frame.data.split_off(at + 1);
        frame.data.pop();
        frame.event = core::mem::replace(&mut frame.data, data);
    }
    frame
}
