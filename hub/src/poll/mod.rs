//! The background worker: asks other servers over HTTP and publishes what changed.
//!
//! A poller works only while a client may see its type, and in a cluster on one node only. What it
//! knows is served while the other server fails, with its age.

mod ask;
mod cluster;
mod coding;
pub mod compare;
pub mod lease;
pub mod poller;
mod settings;
mod task;

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::{clock::Clock, metrics::Metrics, publish::UpdateService, redis::Link, stream::Streams};

pub use settings::{Settings, Target};
pub use task::Poll;

/// All pollers of the server.
#[derive(Debug)]
pub struct BackgroundWorker {
    polls: Vec<Arc<Poll>>,
}

/// What every poller needs.
#[derive(Clone, Debug)]
pub struct PollContext {
    /// The time.
    pub clock: Clock,
    /// Who looks.
    pub streams: Arc<Streams>,
    /// The way into the log.
    pub updates: Arc<UpdateService>,
    /// The counters.
    pub metrics: Arc<Metrics>,
}

impl BackgroundWorker {
    /// As configured; nothing is asked yet. With a `link`, nodes share the work.
    #[must_use]
    pub fn new(settings: &Settings, around: &PollContext, link: Option<&Link>) -> Self {
        let poll = |target: &Target| Arc::new(Poll::new(target, settings.lease, around.clone(), link));
        Self { polls: settings.targets.iter().map(poll).collect() }
    }

    /// The pollers, in the order of the configuration.
    #[must_use]
    pub fn polls(&self) -> &[Arc<Poll>] {
        &self.polls
    }

    /// The poller that publishes `kind`.
    #[must_use]
    pub fn find(&self, kind: &str) -> Option<&Poll> {
        self.polls.iter().map(AsRef::as_ref).find(|poll| poll.kind() == kind)
    }

    /// Starts the pollers.
    pub fn spawn(&self, into: &mut JoinSet<()>) {
        for poll in &self.polls {
            let poll = Arc::clone(poll);
            into.spawn(async move { poll.run().await });
        }
    }
}
