//! Writing, for all streams: those that have something to get are queued, and written to in turn.
//!
//! While a round goes over the streams, publishing goes on; a stream that is served later gets all
//! that came meanwhile in one write. So the busier the hub, the less a delivery costs, and no
//! update waits for a timer. Publishing itself only appends to the log and to these queues.

use std::{sync::Arc, time::Duration};

use tokio::{
    task::{JoinSet, yield_now},
    time::{MissedTickBehavior, interval},
};

use super::streams::Streams;

/// Streams that are written to before other tasks (requests, publishers) get their turn.
const TURN: usize = 16;
/// Bytes that are written before they do: a replay gives a stream as much at once as a hundred
/// updates.
const TURN_BYTES: usize = 32 * 1024;

/// Starts what writes to the streams: one task a queue, so that all cores can take part, and one
/// for the deadlines.
pub(super) fn spawn(streams: &Arc<Streams>, into: &mut JoinSet<()>) {
    for queue in 0..streams.queues() {
        let streams = Arc::clone(streams);
        into.spawn(async move { flush(&streams, queue).await });
    }
    let streams = Arc::clone(streams);
    into.spawn(async move { tick(&streams).await });
}

/// Writes to the streams of one queue; for ever.
async fn flush(streams: &Streams, queue: usize) {
    loop {
        let (mut served, mut written) = (0, 0);
        while let Some(bytes) = streams.serve(queue) {
            (served, written) = (served + 1, written + bytes);
            if served >= TURN || written >= TURN_BYTES {
                (served, written) = (0, 0);
                yield_now().await;
            }
        }
        streams.queued(queue).await;
    }
}

/// Looks at the clock for all streams; for ever.
async fn tick(streams: &Streams) {
    let mut ticks = interval(Duration::from_millis(streams.tick_ms()));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        streams.wake_due();
    }
}
