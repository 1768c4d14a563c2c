//! The parts of one server, put together.

use std::{io, sync::Arc, time::Duration};

use axum::Router;
use tinysse::core::{
    rng::Rng,
    wire::{control::Reason, id::Epoch},
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::{
    auth::{Auth, directory::Denied, jwt::Claims, limit::Limit, revoked::Revoke},
    clock::{Clock, random_u64},
    config::{Config, Keep, Place},
    delivery::Delivery,
    engine::{Bounds, Engine, OpenError, Sink, memory::Memory, redb::Redb, redis::Redis},
    http::{self, compute::Compute, projects::Projects},
    metrics::Metrics,
    runtime::{Site, Streams, Tls},
    update_service::UpdateService,
    worker::BackgroundWorker,
};

/// How often buckets of those who no longer ask are thrown away.
const TIDY_EVERY: Duration = Duration::from_secs(60);

/// The rates of this server.
#[derive(Debug)]
pub struct Limiters {
    /// Tokens, by user.
    pub token: Limit<String>,
    /// Tokens, by address.
    pub token_address: Limit<Site>,
    /// Streams, by address.
    pub connect: Limit<Site>,
}

impl Limiters {
    fn new(config: &Config) -> Self {
        let limits = &config.limits;
        Self {
            token: Limit::new(limits.token_rate),
            token_address: Limit::new(limits.token_rate_address),
            connect: Limit::new(limits.connect_rate_address),
        }
    }

    fn tidy(&self) {
        self.token.tidy();
        self.token_address.tidy();
        self.connect.tidy();
    }
}

/// Everything that handlers and tasks share.
#[derive(Debug)]
pub struct App {
    /// The settings.
    pub config: Config,
    /// The time.
    pub clock: Clock,
    /// Sessions, tokens, revocations.
    pub auth: Auth,
    /// Certificate and key, for HTTPS.
    pub tls: Option<Tls>,
    /// How often somebody may ask.
    pub limits: Limiters,
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
    /// There is a stored log, or a file of revocations, that can't be used: without it somebody would miss something, or be let in again.
    pub fn new(config: Config) -> io::Result<Arc<Self>> {
        let clock = Clock::start();
        let mut auth = Auth::new(&config, clock);
        if let Some(path) = &config.access.revocations {
            let named =
                |error: io::Error| io::Error::new(error.kind(), format!("--revocations {}: {error}", path.display()));
            auth.remember(path).map_err(named)?;
        }
        let metrics = Arc::new(Metrics::default());
        let streams = Streams::new(&config, clock, Arc::clone(&metrics));
        let delivery = Arc::new(Delivery::new(Arc::clone(&streams), Arc::clone(&metrics)));
        let engine = start(&config, Arc::clone(&delivery) as Arc<dyn Sink>).map_err(io::Error::other)?;
        let updates = UpdateService::new(&config, clock, Arc::clone(&engine), delivery, Arc::clone(&metrics));
        Ok(Arc::new(Self {
            auth,
            tls: config.tls.clone().map(Tls::open).transpose().map_err(io::Error::other)?,
            limits: Limiters::new(&config),
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

    /// All routes, for [`serve`](crate::runtime::serve) or for embedding in another axum app. Without
    /// [`spawn_background`](Self::spawn_background) there are no beats.
    pub fn router(self: &Arc<Self>) -> Router {
        http::router(self)
    }

    /// Takes rights away here, and ends the streams that had them; answers how many. What a service asks of one node, the others are told
    /// by whatever connects them: they do the same.
    ///
    /// # Errors
    /// It is done, but could not be written down.
    pub fn revoke(&self, whom: &Revoke) -> io::Result<usize> {
        // Marked before the streams are looked at, so that none opens in between.
        let written = self.auth.revoke(whom);
        let closed = self.streams.close(Reason::Revoked, |claims| self.auth.is_revoked(claims));
        tracing::info!(target: "tinysse::auth", closed, "revoked");
        written.inspect_err(
            |error| tracing::error!(target: "tinysse::auth", %error, "a revocation is not written down"),
        )?;
        Ok(closed)
    }

    /// Asks the directory anew what the holders of open streams may see, and tells those for whom it is news; answers how many.
    pub async fn refilter(&self, which: impl Fn(&Claims) -> bool) -> usize {
        let mut changed = 0;
        for (id, claims) in self.streams.holders(which) {
            match self.auth.rights(&claims).await {
                Ok(rights) => changed += usize::from(self.streams.refilter(id, &rights)),
                Err(Denied::Gone) => {
                    changed += self.streams.close(Reason::Revoked, |open| *open == claims);
                }
                // A live stream keeps what it has.
                Err(Denied::Unavailable) => {}
            }
        }
        changed
    }

    /// Looks at keys and rights from time to time, for ever.
    async fn watch(&self) {
        let access = &self.config.access;
        // An address says nothing by itself: it is asked anew when its answers are too old.
        let ask_every = matches!(access.directory, Some(Place::Url(_))).then(|| access.directory_ttl.duration());
        let (mut version, mut asked, mut tidied) = (self.auth.directory().version(), Instant::now(), Instant::now());
        loop {
            sleep(access.reload_every.duration()).await;
            self.auth.refresh().await;
            if let Some(tls) = &self.tls {
                tls.refresh();
            }
            let known = self.auth.directory().version();
            let too_old = ask_every.is_some_and(|every| asked.elapsed() > every);
            if known != version || too_old {
                (version, asked) = (known, Instant::now());
                let changed = self.refilter(|_| true).await;
                tracing::debug!(target: "tinysse::auth", changed, "rights were asked for anew");
            }
            if tidied.elapsed() > TIDY_EVERY {
                tidied = Instant::now();
                self.limits.tidy();
            }
        }
    }

    /// Starts pollers, the batching of updates, what writes to the streams, and looking for other keys and rights.
    pub fn spawn_background(self: &Arc<Self>, into: &mut JoinSet<()>) {
        let app = Arc::clone(self);
        into.spawn(async move { app.watch().await });
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
