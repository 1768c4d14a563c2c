//! Writing, for all lanes: whoever has something to get stands in a queue, and is written to in turn.
//!
//! While a round goes over the streams, publishing goes on; whoever is served later gets all that came meanwhile in one write. So the busier
//! the hub, the less a delivery costs, and no update waits for a timer. Publishing itself only appends to the log and to these queues.

use std::sync::Arc;

use tokio::task::{JoinSet, yield_now};

use super::streams::Streams;

/// So many streams are written to before others (requests, publishers) get their turn.
const TURN: usize = 16;

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
            let mut served = 0;
            while self.serve(queue) {
                served += 1;
                if served % TURN == 0 {
                    yield_now().await;
                }
            }
            self.queued(queue).await;
        }
    }
}
