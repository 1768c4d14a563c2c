//! Where the bytes of a stream come into the memory of the wasm.

use alloc::{vec, vec::Vec};

use wasm_bindgen::JsValue;

use super::page::fill;

/// Bytes that come at a time; `fetch.js` has the same number.
const PIECE: usize = 1 << 16;
const PAGE: usize = 1 << 12;

/// Keeps its memory, which the first bytes ask for.
#[derive(Debug, Default)]
pub(super) struct Room(Vec<u8>);

impl Room {
    /// Copies them to where the middle of a page is. Buffers of a browser begin with a page, or a few bytes behind, and processors of AMD copy
    /// up to six times more slowly if both begin at nearly the same place of theirs. Source: glibc bug 30994; measured with Chromium 156.
    pub(super) fn take(&mut self, bytes: &JsValue) -> &[u8] {
        if self.0.is_empty() {
            self.0 = vec![0; 2 * PAGE + PIECE];
        }
        let start = self.0.as_ptr().align_offset(PAGE) + PAGE / 2;
        let room = self.0.get_mut(start..start + PIECE).unwrap_or_default();
        let length = fill(room, bytes);
        room.get(..length).unwrap_or_default()
    }
}
