//! The connection, and what hangs on it.

use std::{future::Future, time::Duration};

use futures_util::{StreamExt, future::abortable, stream};
use gloo_timers::future::sleep;
use serde::de::IgnoredAny;
use tinysse::{Error, Phase, Queue, SseClient, Status};
use yew::{platform::spawn_local, prelude::*};

use crate::api::{self, Project};

/// One for the page. Of a burst, at most four updates a second are delivered, the last always.
pub fn connect() -> Result<SseClient, Error> {
    SseClient::builder("/events").token(api::token).coalesce(Duration::from_millis(250)).build()
}

/// Fetches at once, and again after each update and each gap. What comes during a fetch makes one
/// more when that is over.
async fn keep_fresh(client: SseClient, show: impl Fn(Result<Vec<Project>, String>)) -> Result<(), Error> {
    let changes = client.subscribe::<IgnoredAny>("projects")?.with_queue(Queue::latest(1));
    let mut stale = stream::select(changes.map(drop), client.resyncs().map(drop));
    client.start();
    drop(client); // closing it elsewhere ends this too
    show(api::projects().await);
    while let Some(()) = stale.next().await {
        show(api::projects().await);
    }
    Ok(())
}

/// The projects, fresh for as long as the component is there.
#[hook]
pub fn use_projects(client: &SseClient) -> UseStateHandle<Result<Vec<Project>, String>> {
    let projects = use_state(|| Ok(Vec::new()));
    let (client, shown) = (client.clone(), projects.clone());
    use_task(move || async move {
        let kept = keep_fresh(client, |fetched| shown.set(fetched)).await;
        if let Err(error) = kept {
            shown.set(Err(error.to_string()));
        }
    });
    projects
}

/// The state of the connection.
#[hook]
pub fn use_status(client: &SseClient) -> UseStateHandle<Status> {
    let status = use_state(|| client.status());
    let (client, shown) = (client.clone(), status.clone());
    use_task(move || async move {
        let mut statuses = client.statuses();
        drop(client); // closing it elsewhere ends this too
        while let Some(status) = statuses.next().await {
            shown.set(status);
        }
    });
    status
}

/// The seconds until the next attempt, counted down while the client waits for it.
#[hook]
pub fn use_seconds_left(status: &Status) -> UseStateHandle<u64> {
    let left = use_state(|| 0);
    let shown = left.clone();
    use_effect_with(status.clone(), move |status| {
        let seconds = status.retry_in.map_or(0, |wait| wait.as_secs());
        shown.set(seconds);
        let (task, handle) = abortable(async move {
            for second in (0..seconds).rev() {
                sleep(Duration::from_secs(1)).await;
                shown.set(second);
            }
        });
        spawn_local(async move {
            let _aborted = task.await;
        });
        move || handle.abort()
    });
    left
}

/// The word for people.
pub fn label(phase: Phase) -> &'static str {
    match phase {
        Phase::Idle => "Idle",
        Phase::Connecting => "Connecting",
        Phase::Open => "Live",
        Phase::Reconnecting => "Reconnecting",
        Phase::Offline => "Offline",
        Phase::Paused => "Paused",
        Phase::Failed => "Failed",
    }
}

/// Runs a task for as long as the component is there, and drops it then: its streams unsubscribe.
#[hook]
fn use_task<F: Future<Output = ()> + 'static>(task: impl FnOnce() -> F + 'static) {
    use_effect_with((), move |()| {
        let (task, handle) = abortable(task());
        spawn_local(async move {
            let _aborted = task.await;
        });
        move || handle.abort()
    });
}
