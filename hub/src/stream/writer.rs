//! Writing, for all streams: those that have something to get are queued, and written to in turn.
//!
//! While a round goes over the streams, publishing goes on; a stream that is served later gets all that came meanwhile in one write. So the
//! busier the hub, the less a delivery costs, and no update waits for a timer. Publishing itself only appends to the log and to these queues.

use std::sync::Arc;

use tokio::task::{JoinSet, yield_now};

use super::streams::Streams;

/// Streams that are written to before other tasks (requests, publishers) get their turn.
const TURN: usize = 16;
/// Bytes that are written before they do: a replay gives a stream as much at once as a hundred updates.
const TURN_BYTES: usize = 32 * 1024;

impl Streams {
    /// Starts what writes to the streams: one task a queue, so that all cores can take part, and one for the timers.
    pub fn spawn(self: &Arc<Self>, into: &mut JoinSet<()>) {
        for queue in 0..self.queues() {
            let this = Arc::clone(self);
            into.spawn(async move { this.flush(queue).await });
        }
        let this = Arc::clone(self);
        into.spawn(async move { this.tick().await });
    }

    async fn flush(&self, queue: usize) {
        loop {
            let (mut served, mut written) = (0, 0);
            while let Some(bytes) = self.serve(queue) {
                (served, written) = (served + 1, written + bytes);
                if served >= TURN || written >= TURN_BYTES {
                    (served, written) = (0, 0);
                    yield_now().await;
                }
            }
            self.queued(queue).await;
        }
    }
}
