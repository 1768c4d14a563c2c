//! Saying goodbye to all streams, at a steady pace, so that they do not come back as one wave.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::{app::App, clock::jitter};

/// Ends every stream within the drain window, and answers when all have ended or the grace is over.
pub(crate) async fn drain(app: &App) {
    let window = app.config.drain_window;
    let open = app.streams.drain();
    tracing::info!(target: "tinysse::server", streams = open.len(), window_ms = window.ms(), "draining");
    let mut rng = jitter();
    let begun = Instant::now();
    let total = open.len().max(1) as u64;
    for (n, id) in (0..).zip(open) {
        tokio::select! {
            () = sleep_until(begun + Duration::from_millis(window.ms() * n / total)) => {}
            () = all_gone(app) => break,
        }
        app.streams.dismiss(id, app.away(&mut rng), app.away(&mut rng));
    }
    let linger = Duration::from_millis(u64::from(app.config.hub.linger_ms));
    if timeout(linger + app.config.grace.duration(), all_gone(app)).await.is_err() {
        tracing::warn!(target: "tinysse::server", streams = app.streams.count(), "streams that do not end are cut");
    }
}

async fn all_gone(app: &App) {
    while app.streams.count() > 0 {
        sleep(Duration::from_millis(10)).await;
    }
}
