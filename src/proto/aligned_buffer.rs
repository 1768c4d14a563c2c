//! A buffer for the bytes of a stream that begins in the middle of a page of memory.

const PAGE: usize = 1 << 12;

/// A place that JavaScript copies the bytes of a stream to, [`LENGTH`](Self::LENGTH) at most at a
/// time.
///
/// Buffers of a browser begin with a page of memory, or a few bytes after, and processors of AMD
/// copy up to six times more slowly if source and target begin at nearly the same offset of their
/// pages. Source: glibc bug 30994; measured with Chromium 156.
#[repr(C, align(4096))]
#[derive(Clone, Debug)]
pub struct AlignedBuffer {
    before: [u8; PAGE / 2],
    bytes: [u8; Self::LENGTH],
}

impl AlignedBuffer {
    /// The bytes that it holds, 64 KiB; `src/web/fetch.js` and `js/eventsource/parser.ts` have the
    /// same number.
    pub const LENGTH: usize = 1 << 16;

    /// Returns a buffer of zeros.
    #[must_use]
    pub const fn new() -> Self {
        Self { before: [0; PAGE / 2], bytes: [0; Self::LENGTH] }
    }

    /// Returns the first `length` bytes, or none if it does not hold as many.
    #[must_use]
    pub fn filled(&self, length: usize) -> &[u8] {
        self.bytes.get(..length).unwrap_or_default()
    }

    /// Returns all of the bytes, to be written.
    pub const fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl Default for AlignedBuffer {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::boxed::Box;

    use super::*;

    #[test]
    fn it_begins_in_the_middle_of_a_page() {
        let mut buffer = Box::new(AlignedBuffer::new());
        assert_eq!(buffer.bytes_mut().as_ptr().addr() % PAGE, PAGE / 2);
        buffer.bytes_mut()[..3].copy_from_slice(b"abc");
        assert_eq!(buffer.filled(2), b"ab");
        assert_eq!(buffer.filled(AlignedBuffer::LENGTH + 1), b"");
    }
}
