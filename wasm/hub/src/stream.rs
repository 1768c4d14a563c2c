//! The open streams by slot: a small number that JavaScript finds its connection with.

use tinysse::proto::{registry::Pattern, time::Time};
use tinysse_hub::hub::{ClientId, ClientMap};

/// An open stream.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) id: ClientId,
    /// What was asked for, whatever is allowed.
    pub(crate) types: Option<Vec<Pattern>>,
    /// The connection takes frames as chunks of an HTTP/1.1 body.
    pub(crate) chunked: bool,
    /// It is in the queue.
    pub(crate) queued: bool,
    /// Since when the connection takes no bytes.
    pub(crate) full: Option<Time>,
    /// The slot of the wheel that has it.
    pub(crate) wheel: Time,
}

/// The streams.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    slots: Vec<Option<Stream>>,
    free: Vec<u32>,
    by_id: ClientMap<u32>,
}

impl Streams {
    pub(crate) fn insert(&mut self, stream: Stream) -> u32 {
        let id = stream.id;
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            (self.slots.len() - 1) as u32
        });
        self.slots[slot as usize] = Some(stream);
        self.by_id.insert(id, slot);
        slot
    }

    pub(crate) fn remove(&mut self, slot: u32) -> Option<Stream> {
        let stream = self.slots.get_mut(slot as usize)?.take()?;
        self.by_id.remove(&stream.id);
        self.free.push(slot);
        Some(stream)
    }

    pub(crate) fn get_mut(&mut self, slot: u32) -> Option<&mut Stream> {
        self.slots.get_mut(slot as usize)?.as_mut()
    }

    pub(crate) fn get(&self, slot: u32) -> Option<&Stream> {
        self.slots.get(slot as usize)?.as_ref()
    }

    /// Returns the slot of a client.
    pub(crate) fn slot(&self, id: ClientId) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

    pub(crate) fn count(&self) -> usize {
        self.by_id.len()
    }

    /// Returns the slots in use.
    pub(crate) fn slots(&self) -> impl Iterator<Item = u32> + '_ {
        self.slots.iter().enumerate().filter(|(_, stream)| stream.is_some()).map(|(slot, _)| slot as u32)
    }
}
