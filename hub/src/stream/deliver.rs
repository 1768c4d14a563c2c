//! What the engine logged reaches the hub, and the streams that get it are put in line.

use tinysse::proto::{
    time::Time,
    wire::id::{Epoch, EventId},
};

use super::streams::Streams;
use crate::hub::Update;

impl Streams {
    /// The log is this one from now on, see [`begin`](crate::hub::Hub::begin) of the hub.
    pub fn begin(&self, epoch: Epoch, after: u64) {
        let mut state = self.state();
        let concerned = state.hub.begin(epoch, after);
        self.wake(state, &concerned);
    }

    /// Takes an update that the engine logged as `id` and wakes the streams that get it; answers how many.
    pub fn deliver(&self, id: EventId, logged: Time, update: Update) -> usize {
        let mut state = self.state();
        let EventId { epoch, seq } = id;
        let mut concerned = Vec::new();
        let head = state.hub.cursor();
        if head.epoch != epoch || head.seq + 1 != seq {
            concerned = state.hub.begin(epoch, seq - 1);
        }
        let receivers = match state.hub.publish(logged, update) {
            Ok((_, receivers)) => receivers,
            // It announces that everything is owed (`owed::EVERYTHING`), or was logged by a server that keeps more than this one: its place
            // stays, and every client behind it gets a resync.
            Err(_) => {
                concerned.extend(state.hub.begin(epoch, seq));
                Vec::new()
            }
        };
        let count = receivers.len();
        concerned.extend(receivers);
        self.wake(state, &concerned);
        count
    }
}
