//! Ids of updates: which life of the log, and which place in it.

use alloc::string::String;
use core::fmt;

use super::split_once_at;

/// Names one life of a log; a new one means that older cursors are void. Written in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Epoch(pub u64);

/// The place of an update in the log: `epoch.seq`, for example `4f9a2c.1042`.
///
/// Filtering leaves holes in `seq`: never infer a gap from numbers.
///
/// ```
/// use tinysse::proto::wire::id::{Epoch, EventId};
/// let id = EventId::parse("4f9a2c.1042").unwrap();
/// assert_eq!(id, EventId { epoch: Epoch(0x4f9a2c), seq: 1042 });
/// assert_eq!(id.to_string(), "4f9a2c.1042");
/// assert_eq!(EventId::parse("4f9a2c.01042"), None); // one id, one spelling
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventId {
    /// The life of the log.
    pub epoch: Epoch,
    /// Counts from 1 inside an epoch; 0 is the place before the first update.
    pub seq: u64,
}

impl EventId {
    /// Reads an id in its one canonical spelling; anything else is `None`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (epoch, seq) = split_once_at(text, b'.')?;
        Some(Self { epoch: Epoch(number(epoch, 16)?), seq: number(seq, 10)? })
    }

    /// True if this id lies after `other` in the same life of the log.
    #[must_use]
    pub fn follows(self, other: Self) -> bool {
        self.epoch == other.epoch && self.seq > other.seq
    }

    /// The id as text, without the formatting machinery (which would cost the wasm kilobytes).
    #[must_use]
    pub fn text(self) -> String {
        // The longest there is.
        let mut out = String::with_capacity(37);
        push_number(self.epoch.0, 16, &mut out);
        out.push('.');
        push_number(self.seq, 10, &mut out);
        out
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

/// A number in its shortest lower-case spelling: no sign, no leading zero, no overflow.
pub(crate) fn number(text: &str, radix: u64) -> Option<u64> {
    if text.is_empty() || (text.len() > 1 && text.starts_with("0")) {
        return None;
    }
    text.bytes().try_fold(0_u64, |sum, byte| {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' if radix == 16 => byte - b'a' + 10,
            0..=255 => return None,
        };
        // An overflow needs a sum this high; asked before, since the checked product of two 64-bit
        // numbers is a call in a wasm.
        if sum >> 59 != 0 && sum.checked_mul(radix)?.checked_add(u64::from(digit)).is_none() {
            return None;
        }
        Some(sum * radix + u64::from(digit))
    })
}

/// Appends a number; the inverse of [`number`]. The radix is 10 or 16.
pub(crate) fn push_number(mut value: u64, radix: u64, out: &mut String) {
    let mut digits = [0_u8; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        // Divisions by constants are compiled to multiplications.
        let digit = if radix == 16 { value & 15 } else { value % 10 } as u8;
        value = if radix == 16 { value >> 4 } else { value / 10 };
        digits[start] = if digit < 10 { b'0' + digit } else { b'a' + digit - 10 };
        if value == 0 || start == 0 {
            break;
        }
    }
    out.push_str(core::str::from_utf8(&digits[start..]).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_has_one_spelling_that_reads_back() {
        for epoch in [0, 1, 9, 10, 0xabcdef, u64::MAX] {
            for seq in [0, 1, 10, 99, u64::MAX] {
                let id = EventId { epoch: Epoch(epoch), seq };
                assert_eq!(EventId::parse(&id.text()), Some(id));
                assert_eq!(id.text(), std::format!("{epoch:x}.{seq}"));
            }
        }
    }

    #[test]
    fn nothing_else_is_an_id() {
        for text in [
            "",
            ".",
            "1",
            "1.",
            ".1",
            "1.1.1",
            "G.1",
            "A.1",
            "1.a",
            "01.1",
            "1.01",
            "+1.1",
            "1.-1",
            " 1.1",
            "1.1 ",
            "1.18446744073709551616",
            "\u{661}.1",
        ] {
            assert_eq!(EventId::parse(text), None, "{text:?}");
        }
    }
}
