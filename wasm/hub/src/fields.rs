//! Arguments as JavaScript writes them: numbers and texts, one behind the other.
//!
//! A number is a double, little-endian. A text is its length in bytes as a 32-bit integer, then
//! UTF-8; the length `ABSENT` means that there is none. A list is its length as a 32-bit integer,
//! then its items; `ABSENT` again for no list.

/// The length of what is absent.
const ABSENT: u32 = u32::MAX;

/// The arguments end early, or a text is not UTF-8: the two sides disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Reads arguments.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// Returns a reader of these bytes.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Takes a whole number of 0 or more; fractions are cut off.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn number(&mut self) -> Result<u64, Malformed> {
        let number = f64::from_le_bytes(self.take()?);
        if number.is_nan() || number < 0.0 { Err(Malformed) } else { Ok(number as u64) }
    }

    /// Takes a text, if there is one.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn text(&mut self) -> Result<Option<&'a str>, Malformed> {
        let Some(length) = self.length()? else { return Ok(None) };
        let (text, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        core::str::from_utf8(text).map(Some).map_err(|_| Malformed)
    }

    /// Takes a text that is always there.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn some(&mut self) -> Result<&'a str, Malformed> {
        self.text()?.ok_or(Malformed)
    }

    /// Takes a list, if there is one.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn list<T>(&mut self, item: impl Fn(&mut Self) -> Result<T, Malformed>) -> Result<Option<Vec<T>>, Malformed> {
        let Some(length) = self.length()? else { return Ok(None) };
        // Each item has four bytes at least: a length beyond them is wrong, and reserves nothing.
        if length > self.0.len() {
            return Err(Malformed);
        }
        (0..length).map(|_| item(self)).collect::<Result<_, _>>().map(Some)
    }

    /// Checks that nothing is left.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn end(self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed) }
    }

    fn length(&mut self) -> Result<Option<usize>, Malformed> {
        let length = u32::from_le_bytes(self.take()?);
        Ok((length != ABSENT).then_some(length as usize))
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&12.0f64.to_le_bytes());
        bytes.extend_from_slice(b"\x02\0\0\0hi\xff\xff\xff\xff\x01\0\0\0\x01\0\0\0x");
        let mut fields = Fields::new(&bytes);
        assert_eq!((fields.number(), fields.text(), fields.text()), (Ok(12), Ok(Some("hi")), Ok(None)));
        assert_eq!((fields.list(Fields::some), fields.end()), (Ok(Some(vec!["x"])), Ok(())));
    }

    #[test]
    fn what_is_cut_or_out_of_bounds_is_malformed() {
        let text = b"\x05\0\0\0hi";
        assert_eq!(Fields::new(text).text(), Err(Malformed));
        assert_eq!(Fields::new(&text[..3]).text(), Err(Malformed));
        assert_eq!(Fields::new(b"\x01\0\0\0\xff").text(), Err(Malformed));
        assert_eq!(Fields::new(b"\xfe\xff\xff\xff").list(Fields::some), Err(Malformed));
        for bad in [f64::NAN, -1.0] {
            assert_eq!(Fields::new(&bad.to_le_bytes()).number(), Err(Malformed));
        }
        assert_eq!(Fields::new(b"x").end(), Err(Malformed));
    }
}
