//! The parts of one server, put together.

use std::sync::Arc;

use axum::Router;
use tinysse::core::{rng::Rng, wire::id::Epoch};
use tokio::task::JoinSet;

use crate::{
    auth::Auth,
    clock::{Clock, random_u64},
    config::{Config, Keep},
    delivery::Delivery,
    engine::{Bounds, Engine, OpenError, Sink, memory::Memory, redb::Redb, redis::Redis},
    http::{self, compute::Compute, projects::Projects},
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
    /// What keeps the log.
    pub engine: Arc<dyn Engine>,
    /// The way into the log.
    pub updates: Arc<UpdateService>,
    /// The pollers.
    pub worker: BackgroundWorker,
    /// The counters.
    pub metrics: Arc<Metrics>,
    /// An example of an app's data.
    pub projects: Projects,
    /// Another one.
    pub compute: Compute,
}

impl App {
    /// A server that is not yet listening. See [`serve`](crate::runtime::serve).
    ///
    /// # Errors
    /// [`OpenError`] if there is a stored log that can't be used.
    pub fn new(config: Config) -> Result<Arc<Self>, OpenError> {
        let clock = Clock::start();
        let metrics = Arc::new(Metrics::default());
        let streams = Streams::new(&config, clock, Arc::clone(&metrics));
        let delivery = Arc::new(Delivery::new(Arc::clone(&streams), Arc::clone(&metrics)));
        let engine = start(&config, Arc::clone(&delivery) as Arc<dyn Sink>)?;
        let updates = UpdateService::new(&config, clock, Arc::clone(&engine), delivery, Arc::clone(&metrics));
        Ok(Arc::new(Self {
            auth: Auth::new(&config, clock),
            updates: Arc::new(updates),
            engine,
            worker: BackgroundWorker::new(&config),
            projects: Projects::new(config.dev),
            compute: Compute::new(config.dev),
            streams,
            metrics,
            clock,
            config,
        }))
    }

    /// All routes, for [`serve`](crate::runtime::serve) or for embedding in another axum app.
    pub fn router(self: &Arc<Self>) -> Router {
        http::router(self)
    }

    /// Starts pollers and the batching of updates.
    pub fn spawn_background(&self, into: &mut JoinSet<()>) {
        self.worker.spawn(into, self.clock, &self.updates, &self.metrics);
        let updates = Arc::clone(&self.updates);
        into.spawn(async move { updates.run().await });
    }

    /// How long a client that is sent away should stay away, in milliseconds: different for each, so that they do not come back as one wave.
    pub fn away(&self, rng: &mut Rng) -> u32 {
        let spread = rng.below(self.config.drain_window.ms().max(1));
        u32::try_from(u64::from(self.config.hub.retry_ms).saturating_add(spread)).unwrap_or(u32::MAX)
    }
}

fn start(config: &Config, sink: Arc<dyn Sink>) -> Result<Arc<dyn Engine>, OpenError> {
    // 48 random bits: short on the wire, and no two lives of a log meet.
    let fresh = Epoch(random_u64() >> 16);
    Ok(match &config.keep {
        Keep::Memory => Arc::new(Memory::start(fresh, sink)),
        Keep::File { folder, durability } => {
            Arc::new(Redb::open(folder, *durability, Bounds::of(&config.hub), fresh, sink)?)
        }
        Keep::Redis(place) => Arc::new(Redis::open(place.clone(), Bounds::of(&config.hub), fresh, sink)?),
    })
}
