//! What one write takes: all that a client is due, as chunks of an HTTP/1.1 body.

use std::sync::Arc;

use bytes::Bytes;

use crate::hub::{EncodedFrame, FrameSink};

/// A single update stays the bytes that all clients share; several are joined, so that they cost
/// one system call.
#[derive(Debug, Default)]
pub(super) struct WriteBuffer {
    one: Option<Arc<[u8]>>,
    many: Vec<u8>,
}

impl WriteBuffer {
    /// Behind bytes that are no chunk: the head of the response.
    pub(super) fn behind(head: Vec<u8>) -> Self {
        Self { one: None, many: head }
    }

    /// The chunk that ends the body.
    pub(super) fn end(&mut self) {
        self.room().extend_from_slice(b"0\r\n\r\n");
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        self.one.as_deref().unwrap_or(&self.many)
    }

    pub(super) fn bytes(self) -> Bytes {
        self.one.map_or_else(|| self.many.into(), Bytes::from_owner)
    }

    fn room(&mut self) -> &mut Vec<u8> {
        if let Some(one) = self.one.take() {
            self.many.extend_from_slice(&one);
        }
        &mut self.many
    }
}

impl FrameSink for WriteBuffer {
    fn size(&self) -> usize {
        self.as_slice().len()
    }

    fn shared(&mut self, form: &EncodedFrame) {
        if self.size() == 0 {
            self.one = Some(form.chunk().clone());
        } else {
            self.room().extend_from_slice(form.chunk());
        }
    }

    fn own(&mut self, frame: &[u8]) {
        EncodedFrame::write(frame, self.room());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_shared_and_several_are_joined() {
        let form = EncodedFrame::new(b"data: x\n\n");
        let mut one = WriteBuffer::default();
        one.shared(&form);
        assert_eq!(one.bytes().as_ptr(), form.chunk().as_ptr());
        let mut many = WriteBuffer::behind(b"HEAD\r\n\r\n".to_vec());
        many.own(b"data: a\n\n");
        many.shared(&form);
        many.end();
        assert_eq!(many.bytes().as_ref(), b"HEAD\r\n\r\n9\r\ndata: a\n\n\r\n9\r\ndata: x\n\n\r\n0\r\n\r\n");
    }
}
