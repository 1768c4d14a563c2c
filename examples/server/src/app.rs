//! The parts of one server, put together.

use std::sync::Arc;

use axum::Router;
use tinysse::core::rng::Rng;
use tokio::task::JoinSet;

use crate::{
    auth::Auth,
    clock::Clock,
    config::Config,
    http::{self, compute::Compute, projects::Projects, publish::Receipts},
    metrics::Metrics,
    runtime::Streams,
    update_service::UpdateService,
    worker::BackgroundWorker,
};

/// Everything that handlers and tasks share.
#[derive(Debug)]
pub struct App {
    /// The settings.
    pub config: Config,
    /// The time.
    pub clock: Clock,
    /// Sessions, tokens, revocations.
    pub auth: Auth,
    /// The hub and its open streams.
    pub streams: Arc<Streams>,
    /// The way into the hub.
    pub updates: Arc<UpdateService>,
    /// The pollers.
    pub worker: BackgroundWorker,
    /// The counters.
    pub metrics: Arc<Metrics>,
    /// An example of an app's data.
    pub projects: Projects,
    /// Another one.
    pub compute: Compute,
    /// What was published under which idempotency key.
    pub receipts: Receipts,
}

impl App {
    /// A server that is not yet listening. See [`serve`](crate::runtime::serve).
    #[must_use]
    pub fn new(config: Config) -> Arc<Self> {
        let clock = Clock::start();
        let metrics = Arc::new(Metrics::default());
        let streams = Streams::new(&config, clock, Arc::clone(&metrics));
        Arc::new(Self {
            auth: Auth::new(&config, clock),
            updates: Arc::new(UpdateService::new(&config, clock, Arc::clone(&streams), Arc::clone(&metrics))),
            worker: BackgroundWorker::new(&config),
            projects: Projects::new(config.dev),
            compute: Compute::new(config.dev),
            receipts: Receipts::default(),
            streams,
            metrics,
            clock,
            config,
        })
    }

    /// All routes, for [`serve`](crate::runtime::serve) or for embedding in another axum app. Without
    /// [`spawn_background`](Self::spawn_background) there are no beats.
    pub fn router(self: &Arc<Self>) -> Router {
        http::router(self)
    }

    /// Starts pollers, the batching of updates, and what writes to the streams.
    pub fn spawn_background(&self, into: &mut JoinSet<()>) {
        self.worker.spawn(into, self.clock, &self.updates, &self.metrics);
        self.streams.spawn(into);
        let updates = Arc::clone(&self.updates);
        into.spawn(async move { updates.run().await });
    }

    /// How long a client that is sent away should stay away, in milliseconds: different for each, so that they do not come back as one wave.
    pub fn away(&self, rng: &mut Rng) -> u32 {
        let spread = rng.below(self.config.drain_window.ms().max(1));
        u32::try_from(u64::from(self.config.hub.retry_ms).saturating_add(spread)).unwrap_or(u32::MAX)
    }
}
