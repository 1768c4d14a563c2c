//! Ends all streams with a bye, at a steady pace, so that they do not come back as one wave.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::{clock::jitter, stream::Streams};

/// Ends every stream within the drain window, and answers when all have ended or the grace is over.
pub(crate) async fn drain(streams: &Streams, grace: Duration) {
    let window_ms = streams.drain_window_ms();
    let open = streams.drain();
    tracing::info!(target: "tinysse::server", streams = open.len(), window_ms, "draining");
    let mut rng = jitter();
    let begun = Instant::now();
    let total = open.len().max(1) as u64;
    for (n, id) in (0..).zip(open) {
        tokio::select! {
            () = sleep_until(begun + Duration::from_millis(window_ms * n / total)) => {}
            () = all_gone(streams) => break,
        }
        streams.dismiss(id, streams.retry_after_ms(&mut rng), streams.retry_after_ms(&mut rng));
    }
    if timeout(streams.linger(), all_gone(streams)).await.is_err() {
        // The deadlines of streams are coarse: without this a stream could end only when the grace
        // is over.
        streams.wake_all();
    }
    if timeout(grace, all_gone(streams)).await.is_err() {
        tracing::warn!(target: "tinysse::server", streams = streams.count(), "streams that do not end are cut");
    }
}

async fn all_gone(streams: &Streams) {
    while streams.count() > 0 {
        sleep(Duration::from_millis(10)).await;
    }
}
