//! An event that lies whole and in its plainest shape at the beginning of the bytes, read where it
//! lies.
//!
//! That is how nearly all events come, and the way through [`super::scan`], which copies what it
//! keeps from chunk to chunk, takes three times as long. Whatever is not plain (a carriage return,
//! a second data line, a comment, a field without meaning) is left to it.

use core::ops::Range;

use super::lines::line_end;

/// Where the parts of an event lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Whole {
    /// Empty if the event named none.
    pub kind: Range<usize>,
    pub id: Option<Range<usize>>,
    pub data: Range<usize>,
    /// Where the next one begins.
    pub end: usize,
}

/// The first event of these bytes, if it is whole and plain. They begin between events.
pub(super) fn whole(bytes: &[u8]) -> Option<Whole> {
    let (mut kind, mut id, mut data) = (0..0, None, None);
    let mut start = 0;
    loop {
        let rest = bytes.get(start..)?;
        let (line, tail) = rest.split_at_checked(line_end(rest))?;
        let [b'\n', ..] = tail else { return None };
        let end = start + line.len();
        match line {
            [b'd', b'a', b't', b'a', b':', value @ ..] if data.is_none() => data = Some(unspaced(value, end)),
            [b'i', b'd', b':', value @ ..] if !value.contains(&0) => id = Some(unspaced(value, end)),
            [b'e', b'v', b'e', b'n', b't', b':', value @ ..] => kind = unspaced(value, end),
            [] => return Some(Whole { kind, id, data: data?, end: end + 1 }),
            _ => return None,
        }
        start = end + 1;
    }
}

/// "If value starts with a U+0020 SPACE character, remove it from value."
fn unspaced(value: &[u8], end: usize) -> Range<usize> {
    let start = end - value.len();
    if let [b' ', ..] = value { start + 1..end } else { start..end }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_events_are_read_and_others_left_alone() {
        let bytes = b"id: 1\nevent:a\ndata:  b \n\nrest";
        let Whole { kind, id, data, end } = whole(bytes).expect("plain");
        assert_eq!(
            [kind, id.expect("one"), data, end..bytes.len()].map(|part| &bytes[part]),
            [&b"a"[..], b"1", b" b ", b"rest"]
        );
        assert_eq!(whole(b"data\xff:\n\n"), None);
        assert_eq!(whole(b"data:\n\n"), Some(Whole { kind: 0..0, id: None, data: 5..5, end: 7 }));
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
