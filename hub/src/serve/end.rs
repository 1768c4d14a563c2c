//! The end of a server behind its last connection: each step has a limit, so that nothing that
//! hangs keeps the process alive.

use std::time::Duration;

use tokio::{task::JoinSet, time::timeout};

use crate::http::Services;

/// How long tasks in the background may take to notice that they are aborted.
const BACKGROUND: Duration = Duration::from_secs(1);
/// How long the engine may take to write the rest and close its file. What it did not write by then
/// begins a new epoch, or was never acknowledged.
const ENGINE: Duration = Duration::from_secs(5);

/// Ends what runs in the background, publishes what is held and owed, and closes the log.
pub(crate) async fn end(services: &Services, mut background: JoinSet<()>) {
    limited("background tasks", BACKGROUND, background.shutdown()).await;
    // It has limits of its own, behind which what is still owed is written down.
    services.updates.close().await;
    limited("the log", ENGINE, services.engine.close()).await;
}

async fn limited(what: &str, limit: Duration, step: impl Future<Output = ()>) {
    if timeout(limit, step).await.is_err() {
        let limit_ms = limit.as_millis();
        tracing::error!(target: "tinysse::server", what, limit_ms, "did not end in time and is left behind");
    }
}
