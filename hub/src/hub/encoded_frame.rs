//! One update as bytes, in the forms that clients ask for. Each is encoded once, whatever the
//! number of clients, and shared.

use std::{cell::OnceCell, io::Write, sync::Arc};

use tinysse::proto::wire::wrap::wrap;

/// A frame, and the same frame as a chunk of an HTTP/1.1 body.
///
/// ```
/// use tinysse_hub::hub::EncodedFrame;
/// let form = EncodedFrame::new(b"data: x\n\n");
/// assert_eq!(form.bare(), b"data: x\n\n");
/// assert_eq!(form.chunk().as_ref(), b"9\r\ndata: x\n\n\r\n");
/// ```
///
/// Source: RFC 9112, §7.1 "Chunked Transfer Coding".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedFrame {
    chunk: Arc<[u8]>,
    head: usize,
}

impl EncodedFrame {
    /// The form of a frame.
    #[must_use]
    pub fn new(frame: &[u8]) -> Self {
        // Exactly: the log keeps it.
        let digits = (usize::BITS - frame.len().leading_zeros()).div_ceil(4).max(1) as usize;
        let mut chunk = Vec::with_capacity(digits + frame.len() + 4);
        let head = Self::write(frame, &mut chunk);
        Self { chunk: chunk.into(), head }
    }

    /// Appends a frame as a chunk; answers how long the chunk's own head is.
    pub fn write(frame: &[u8], out: &mut Vec<u8>) -> usize {
        let before = out.len();
        // Writing to memory can't fail.
        let _ = write!(out, "{:x}\r\n", frame.len());
        let head = out.len() - before;
        out.extend_from_slice(frame);
        out.extend_from_slice(b"\r\n");
        head
    }

    /// The frame.
    #[must_use]
    pub fn bare(&self) -> &[u8] {
        &self.chunk[self.head..self.chunk.len() - 2]
    }

    /// The frame as a chunk.
    #[must_use]
    pub fn chunk(&self) -> &Arc<[u8]> {
        &self.chunk
    }
}

/// Where a poll puts what a client is due.
///
/// ```
/// use tinysse_hub::hub::{EncodedFrame, FrameSink};
///
/// /// Counts frames instead of sending them.
/// #[derive(Default)]
/// struct Counter { frames: usize, bytes: usize }
///
/// impl FrameSink for Counter {
///     fn size(&self) -> usize {
///         self.bytes
///     }
///     fn shared(&mut self, form: &EncodedFrame) {
///         self.own(form.bare());
///     }
///     fn own(&mut self, frame: &[u8]) {
///         (self.frames, self.bytes) = (self.frames + 1, self.bytes + frame.len());
///     }
/// }
///
/// # use tinysse::proto::{audience::Identity, time::Time, wire::id::Epoch};
/// # use tinysse_hub::hub::{Hub, HubConfig};
/// let mut hub = Hub::new(Epoch(1), HubConfig::default());
/// let ada = hub.connect(Time(0), Identity::default(), None, None);
/// let mut counter = Counter::default();
/// hub.poll(Time(0), ada, usize::MAX, &mut counter);
/// assert_eq!(counter.frames, 1, "the hello");
/// ```
pub trait FrameSink {
    /// How many bytes it holds.
    fn size(&self) -> usize;
    /// A frame that many clients get.
    fn shared(&mut self, form: &EncodedFrame);
    /// A frame for this client alone.
    fn own(&mut self, frame: &[u8]);
}

impl FrameSink for Vec<u8> {
    fn size(&self) -> usize {
        self.len()
    }

    fn shared(&mut self, form: &EncodedFrame) {
        self.extend_from_slice(form.bare());
    }

    fn own(&mut self, frame: &[u8]) {
        self.extend_from_slice(frame);
    }
}

/// The forms of one update. The folded one is made when the first client needs it.
#[derive(Debug)]
pub(super) struct EncodedFrames {
    plain: EncodedFrame,
    folded: OnceCell<Box<EncodedFrame>>,
}

impl EncodedFrames {
    pub(super) fn new(frame: &[u8]) -> Self {
        Self { plain: EncodedFrame::new(frame), folded: OnceCell::new() }
    }

    /// The form for a client; `made` grows by the bytes of a form that is new.
    pub(super) fn form(&self, folded: bool, made: &mut usize) -> &EncodedFrame {
        if !folded {
            return &self.plain;
        }
        self.folded.get_or_init(|| {
            let mut frame = Vec::new();
            wrap(self.plain.bare(), &mut frame);
            let form = EncodedFrame::new(&frame);
            *made += form.chunk.len();
            Box::new(form)
        })
    }

    /// The frame as it was encoded.
    pub(super) fn frame(&self) -> &[u8] {
        self.plain.bare()
    }

    /// The bytes of all forms.
    pub(super) fn size(&self) -> usize {
        self.plain.chunk.len() + self.folded.get().map_or(0, |form| form.chunk.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folded_form_is_made_once_and_counted_once() {
        let forms = EncodedFrames::new(b"id: 1.1\nevent: a\ndata: {}\n\n");
        let (mut made, before) = (0, forms.size());
        let first = forms.form(true, &mut made).chunk().as_ptr();
        assert_eq!((forms.form(true, &mut made).chunk().as_ptr(), forms.size()), (first, before + made));
        assert_eq!(forms.form(true, &mut made).bare(), b"id: 1.1\nevent: tinysse.update\ndata: a\ndata: {}\n\n");
    }
}
