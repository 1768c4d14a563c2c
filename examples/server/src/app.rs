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
    auth::{
        Auth,
        directory::{Denied, Directory},
        jwt::Claims,
        limit::Limit,
        revoked::Revoke,
        shared::{Heard, Shared},
        spent,
    },
    clock::{Clock, random_u64},
    config::{Config, Keep, Place},
    delivery::Delivery,
    engine::{
        Bounds, Engine, OpenError, Sink,
        memory::Memory,
        redb::Redb,
        redis::{Link, Redis},
    },
    error::Problem,
    http::{self, compute::Compute, projects::Projects},
    metrics::Metrics,
    runtime::{Site, Streams, Tls},
    update_service::UpdateService,
    worker::{BackgroundWorker, Surroundings},
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

/// Makes an engine: from its bounds, a name for the next life of the log, should one begin, and whom it is to tell.
pub type Begin = Box<dyn FnOnce(Bounds, Epoch, Arc<dyn Sink>) -> io::Result<Arc<dyn Engine>> + Send>;

/// Parts of your own, in place of those that the configuration names.
///
/// ```
/// use std::sync::Arc;
/// use tinysse_server::{app::{App, Own}, config::Config, engine::memory::Memory};
///
/// let own = Own {
///     engine: Some(Box::new(|_bounds, fresh, sink| Ok(Arc::new(Memory::start(fresh, sink))))),
///     ..Own::default()
/// };
/// App::with(Config::from_args(["tinysse-server", "--dev"]).unwrap(), own).unwrap();
/// ```
#[derive(Default)]
pub struct Own {
    /// Who knows the rights.
    pub directory: Option<Box<dyn Directory>>,
    /// What keeps the log; see [`engine`](crate::engine) for how to write one.
    pub engine: Option<Begin>,
}

impl std::fmt::Debug for Own {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Own").field("directory", &self.directory).field("engine", &self.engine.is_some()).finish()
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
    /// What nodes tell each other about revocations, if there are several.
    pub shared: Option<Shared>,
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
        Self::with(config, Own::default())
    }

    /// The same with parts of your own.
    ///
    /// # Errors
    /// As [`new`](Self::new), and whatever your engine says.
    pub fn with(config: Config, own: Own) -> io::Result<Arc<Self>> {
        let clock = Clock::start();
        let directory = own.directory.unwrap_or_else(|| config.access.directory());
        let mut auth = Auth::with(&config, clock, directory);
        if let Some(path) = &config.access.revocations {
            let named =
                |error: io::Error| io::Error::new(error.kind(), format!("--revocations {}: {error}", path.display()));
            auth.remember(path).map_err(named)?;
        }
        let metrics = Arc::new(Metrics::default());
        let streams = Streams::new(&config, clock, Arc::clone(&metrics));
        let delivery = Arc::new(Delivery::new(Arc::clone(&streams), Arc::clone(&metrics)));
        // 48 random bits: short on the wire, and no two lives of a log meet.
        let (bounds, fresh) = (Bounds::of(&config.hub), Epoch(random_u64() >> 16));
        let sink = Arc::clone(&delivery) as Arc<dyn Sink>;
        let (engine, link) = match own.engine {
            Some(begin) => (begin(bounds, fresh, sink)?, None),
            None => configured(&config.keep, bounds, fresh, sink).map_err(io::Error::other)?,
        };
        let shared = link.clone().map(|link| Shared::open(link, auth.memory_ms())).transpose();
        let shared = shared.map_err(io::Error::other)?.map(|(shared, known)| {
            known.iter().for_each(|heard| drop(auth.hear(heard)));
            shared
        });
        let updates = UpdateService::new(&config, clock, Arc::clone(&engine), delivery, Arc::clone(&metrics));
        let updates = Arc::new(updates);
        let around = Surroundings {
            clock,
            streams: Arc::clone(&streams),
            updates: Arc::clone(&updates),
            metrics: Arc::clone(&metrics),
        };
        Ok(Arc::new(Self {
            auth,
            shared,
            tls: config.tls.clone().map(Tls::open).transpose().map_err(io::Error::other)?,
            limits: Limiters::new(&config),
            updates,
            engine,
            worker: BackgroundWorker::new(&config, &around, link.as_ref()),
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

    /// Takes rights away, and ends the streams that had them; answers how many ended on this node. With Redis, all nodes do the same.
    ///
    /// # Errors
    /// It is done here, but could not be written down, or the other nodes could not be told.
    pub async fn revoke(&self, whom: &Revoke) -> io::Result<usize> {
        // Marked before the streams are looked at, so that none opens in between.
        let (at, written) = self.auth.revoke(whom);
        let closed = self.close_revoked();
        let told = match &self.shared {
            Some(shared) => shared.say(&Heard { at, whom: whom.clone(), again: false }).await.map_err(io::Error::other),
            None => Ok(()),
        };
        written.and(told).inspect_err(
            |error| tracing::error!(target: "tinysse::auth", %error, "a revocation is not written down"),
        )?;
        Ok(closed)
    }

    /// Takes rights away whenever another node did, for ever.
    async fn listen(&self) {
        let Some(shared) = &self.shared else { return };
        let mut ear = shared.ear();
        loop {
            let again = self.auth.hear(&ear.next().await);
            self.close_revoked();
            if let Some(again) = again
                && let Err(error) = shared.say(&again).await
            {
                tracing::error!(target: "tinysse::auth", error, "what this node gave out is refused here only");
            }
        }
    }

    fn close_revoked(&self) -> usize {
        let closed = self.streams.close(Reason::Revoked, |claims| self.auth.is_revoked(claims));
        tracing::info!(target: "tinysse::auth", closed, "revoked");
        closed
    }

    /// Uses a token up, where it opens one stream only, for all nodes. Answers false if nobody can say now whether it was used.
    ///
    /// # Errors
    /// 401 `token_used` for all but the first.
    pub async fn use_up(&self, claims: &Claims) -> Result<bool, Problem> {
        self.auth.use_up(claims)?;
        let Some(shared) = self.shared.as_ref().filter(|_| self.config.access.single_use) else { return Ok(true) };
        let left = claims.exp.saturating_mul(1_000).saturating_sub(self.clock.unix_ms());
        match shared.use_up(&claims.jti, left).await {
            Ok(true) => Ok(true),
            Ok(false) => Err(spent()),
            Err(_) => {
                self.auth.give_back(claims);
                Ok(false)
            }
        }
    }

    /// Nothing was opened with this token after all.
    pub async fn give_back(&self, claims: &Claims) {
        self.auth.give_back(claims);
        if let Some(shared) = self.shared.as_ref().filter(|_| self.config.access.single_use) {
            shared.give_back(&claims.jti).await;
        }
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
        self.worker.spawn(into);
        let app = Arc::clone(self);
        into.spawn(async move { app.listen().await });
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

/// The engine that the configuration names, and the way to the other nodes if there are any.
fn configured(
    keep: &Keep,
    bounds: Bounds,
    fresh: Epoch,
    sink: Arc<dyn Sink>,
) -> Result<(Arc<dyn Engine>, Option<Link>), OpenError> {
    Ok(match keep {
        Keep::Memory => (Arc::new(Memory::start(fresh, sink)), None),
        Keep::File { folder, durability } => (Arc::new(Redb::open(folder, *durability, bounds, fresh, sink)?), None),
        Keep::Redis(place) => {
            let redis = Redis::open(place.clone(), bounds, fresh, sink)?;
            let link = redis.link();
            (Arc::new(redis), Some(link))
        }
    })
}
