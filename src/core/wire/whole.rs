//! An event that lies whole and in its plainest shape at the beginning of the bytes, read where it lies.
//!
//! That is how nearly all events come, and the way through [`super::scan`], which copies what it keeps from chunk to chunk, takes three
//! times as long. Whatever is not plain (a carriage return, a second data line, a comment, a field that says nothing) is left to it.

use super::lines::line_end;

/// The parts of an event, as they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Whole<'a> {
    /// Empty if the event named none.
    pub kind: &'a [u8],
    pub id: Option<&'a [u8]>,
    pub data: &'a [u8],
    /// What is behind the event.
    pub rest: &'a [u8],
}

/// The first event of these bytes, if it is whole and plain. They begin between events.
pub(super) fn whole(bytes: &[u8]) -> Option<Whole<'_>> {
    let (mut kind, mut id, mut data) = (&[][..], None, None);
    let mut rest = bytes;
    loop {
        let (line, tail) = rest.split_at_checked(line_end(rest))?;
        let [b'\n', behind @ ..] = tail else { return None };
        rest = behind;
        match line {
            [b'd', b'a', b't', b'a', b':', value @ ..] if data.is_none() => data = Some(unspaced(value)),
            [b'i', b'd', b':', value @ ..] if !value.contains(&0) => id = Some(unspaced(value)),
            [b'e', b'v', b'e', b'n', b't', b':', value @ ..] => kind = unspaced(value),
            [] => return Some(Whole { kind, id, data: data?, rest }),
            _ => return None,
        }
    }
}

/// "If value starts with a U+0020 SPACE character, remove it from value."
fn unspaced(value: &[u8]) -> &[u8] {
    if let [b' ', rest @ ..] = value { rest } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_events_are_read_and_others_left_alone() {
        let event = whole(b"id: 1\nevent:a\ndata:  b \n\nrest").expect("plain");
        assert_eq!(event, Whole { kind: b"a", id: Some(b"1"), data: b" b ", rest: b"rest" });
        let event = whole(b"data\xff:\n\n");
        assert_eq!(event, None);
        assert_eq!(whole(b"data:\n\n"), Some(Whole { kind: b"", id: None, data: b"", rest: b"" }));
        for other in [
            &b""[..],
            b"\n",
            b"data: a",
            b"data: a\n",
            b"data: a\r\n\r\n",
            b"data: a\ndata: b\n\n",
            b"data\n\n",
            b"id: 1\n\n",
            b"id: \0\ndata: a\n\n",
            b": a\ndata: a\n\n",
            b"retry: 1\ndata: a\n\n",
        ] {
            assert_eq!(whole(other), None, "{}", other.escape_ascii());
        }
    }
}
