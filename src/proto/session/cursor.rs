//! The place of a client in the log.

use alloc::string::String;

use crate::proto::wire::id::EventId;

/// The id up to which everything was delivered; empty for none.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    text: String,
    /// The same, read once; nothing if it is no id of a tinysse hub.
    at: Option<EventId>,
}

impl Cursor {
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn at(&self) -> Option<EventId> {
        self.at
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.set("");
    }

    pub(super) fn set(&mut self, text: &str) {
        self.put(text, EventId::parse(text));
    }

    /// Advances past an event without storing its id as text; call [`put`](Self::put) with the last
    /// event of the chunk.
    pub(super) fn pass(&mut self, at: Option<EventId>) {
        self.at = at;
    }

    /// [`set`](Self::set) by an id that was read already.
    pub(super) fn put(&mut self, text: &str, at: Option<EventId>) {
        self.text.clear(); // the memory stays
        self.text.push_str(text);
        self.at = at;
    }
}
