//! The parts of one server, put together.

use std::{io, sync::Arc, time::Duration};

use axum::Router;
use tinysse::proto::{rng::Rng, wire::id::Epoch};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::{
    auth::{Auth, directory::Directory, limit::Limit, shared::Shared, whose::Whose},
    clock::{Clock, random_u64},
    config::{Config, Keep, Place},
    delivery::Delivery,
    engine::{
        Bounds, Engine, OpenError, Sink,
        memory::Memory,
        redb::Redb,
        redis::{Link, Redis},
    },
    http::{self, compute::Compute, projects::Projects},
    metrics::Metrics,
    owed::Owed,
    rights::Due,
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
    /// Sessions that a user ends: as many as tokens.
    pub logout: Limit<String>,
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
            logout: Limit::new(limits.token_rate),
            token_address: Limit::new(limits.token_rate_address),
            connect: Limit::new(limits.connect_rate_address),
        }
    }

    fn tidy(&self) {
        self.token.tidy();
        self.logout.tidy();
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
    /// The time; the system's, if there is none.
    pub clock: Option<Clock>,
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
    /// What nodes tell each other about revocations and rights, if there are several.
    pub shared: Option<Shared>,
    /// Whose open streams are to be judged anew.
    pub due: Due,
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
        let clock = own.clock.unwrap_or_else(Clock::start);
        let directory = own.directory.unwrap_or_else(|| config.access.directory());
        let mut auth = Auth::with(&config, clock, directory);
        if let Some(path) = &config.access.revocations {
            let named = |error: io::Error| io::Error::new(error.kind(), format!("--revocations: {error}"));
            auth.remember(path).map_err(named)?;
        }
        let metrics = Arc::new(Metrics::default());
        let streams = Streams::new(&config, clock, Arc::clone(&metrics));
        let delivery = Arc::new(Delivery::new(Arc::clone(&streams), Arc::clone(&metrics)));
        // 48 random bits: short on the wire, and no two lives of a log meet.
        let (bounds, fresh) = (Bounds::of(&config.hub), Epoch(random_u64() >> 16));
        let sink = Arc::clone(&delivery) as Arc<dyn Sink>;
        let (engine, link, owed) = match own.engine {
            Some(begin) => (begin(bounds, fresh, sink)?, None, Owed::in_memory()),
            None => {
                let (engine, link) = configured(&config.keep, bounds, clock, fresh, sink).map_err(io::Error::other)?;
                // Once the log is open, its folder is no other process's.
                let owed = match &config.keep {
                    Keep::File { folder, .. } => Owed::open(folder)?,
                    Keep::Memory | Keep::Redis(_) => Owed::in_memory(),
                };
                (engine, link, owed)
            }
        };
        let shared = link.clone().map(|link| Shared::open(link, auth.memory_ms())).transpose();
        let shared = shared.map_err(io::Error::other)?.map(|(shared, known)| {
            auth.restore(known.iter().map(|known| (known.moment, &known.whom)));
            shared
        });
        let updates =
            UpdateService::new(&config, clock, Arc::clone(&engine), delivery, Arc::new(owed), Arc::clone(&metrics));
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
            due: Due::default(),
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
                self.due.add(Whose::Everybody);
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
        let app = Arc::clone(self);
        into.spawn(async move { app.judge().await });
        self.streams.spawn(into);
        let updates = Arc::clone(&self.updates);
        into.spawn(async move { updates.run().await });
        let updates = Arc::clone(&self.updates);
        into.spawn(async move { updates.settle().await });
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
    clock: Clock,
    fresh: Epoch,
    sink: Arc<dyn Sink>,
) -> Result<(Arc<dyn Engine>, Option<Link>), OpenError> {
    Ok(match keep {
        Keep::Memory => (Arc::new(Memory::start(fresh, sink)), None),
        Keep::File { folder, durability } => (Arc::new(Redb::open(folder, *durability, bounds, fresh, sink)?), None),
        Keep::Redis(place) => {
            let redis = Redis::open(place.clone(), bounds, clock, fresh, sink)?;
            let link = redis.link();
            (Arc::new(redis), Some(link))
        }
    })
}
