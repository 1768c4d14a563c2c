//! Encoding of a frame: total, and no field can open another.

use alloc::{string::String, vec::Vec};

use super::id::push_number;

/// The fields of one event, ready to be written.
///
/// ```
/// use tinysse::proto::wire::encode::{encode, Fields};
/// let mut out = Vec::new();
/// encode(&Fields { id: Some("4f9a2c.7"), event: "projects", data: "{}", retry: None }, &mut out).unwrap();
/// assert_eq!(out, b"id: 4f9a2c.7\nevent: projects\ndata: {}\n\n");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fields<'a> {
    /// The reconnection time to announce, in milliseconds.
    pub retry: Option<u32>,
    /// The id that becomes the client's cursor when the event is dispatched.
    pub id: Option<&'a str>,
    /// The type; empty writes no `event:` line, and the client sees `message`.
    pub event: &'a str,
    /// The payload; LF parts it into several `data:` lines, which the client joins again.
    pub data: &'a str,
}

/// A field that cannot be written without changing its meaning, or that would open another field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// CR, LF or NUL in the id (a client ignores an id with NUL).
    Id,
    /// CR, LF or NUL in the type.
    Event,
    /// CR in the data: the format has no way to carry it.
    Data,
}

/// Appends one event to `out`, or changes nothing and names the field it refuses.
///
/// # Errors
/// [`Refused`] for control characters that the event stream format cannot carry.
///
/// Source: WHATWG HTML, §9.2.5 "Parsing an event stream" (the ABNF).
pub fn encode(fields: &Fields<'_>, out: &mut Vec<u8>) -> Result<(), Refused> {
    if fields.id.is_some_and(breaks_line) {
        return Err(Refused::Id);
    }
    if breaks_line(fields.event) {
        return Err(Refused::Event);
    }
    if fields.data.contains('\r') {
        return Err(Refused::Data);
    }
    if let Some(ms) = fields.retry {
        let mut digits = String::new();
        push_number(u64::from(ms), 10, &mut digits);
        line("retry", &digits, out);
    }
    if let Some(id) = fields.id {
        line("id", id, out);
    }
    if !fields.event.is_empty() {
        line("event", fields.event, out);
    }
    for part in fields.data.split('\n') {
        line("data", part, out);
    }
    out.push(b'\n');
    Ok(())
}

fn breaks_line(value: &str) -> bool {
    value.bytes().any(|byte| matches!(byte, b'\r' | b'\n' | 0))
}

/// The space after the colon is always written: it keeps a leading space of the value.
fn line(name: &str, value: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value.as_bytes());
    out.push(b'\n');
}
