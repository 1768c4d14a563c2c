//! The parts of one server, put together.

use std::{io, sync::Arc, time::Duration};

use axum::Router;
use tinysse::proto::wire::id::Epoch;
use tokio::{
    net::TcpListener,
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::{
    access::{Cluster, Issuer, LiveRights},
    auth::{Auth, affected_users::AffectedUsers, cluster_bus::ClusterBus, directory::Directory},
    clock::{Clock, random_u64},
    engine::{Bounds, Engine, OpenError, Sink, memory::Memory, redb::Redb, redis::Redis},
    http::{self, Limits, Services},
    metrics::Metrics,
    poll::{BackgroundWorker, PollContext},
    publish::{UpdateService, delivery::Delivery, owed::Owed},
    redis::Link,
    serve::{self, FastPath, Serving, Tls, carry, drain, end},
    settings::{Settings, Storage},
    stream::Streams,
    values::{Place, Span},
};

/// How often buckets of those who no longer ask are thrown away.
const TIDY_EVERY: Duration = Duration::from_secs(60);

/// Makes an engine: from its bounds, a name for the next epoch of the log, should one begin, and
/// the sink that receives the log.
pub type Begin = Box<dyn FnOnce(Bounds, Epoch, Arc<dyn Sink>) -> io::Result<Arc<dyn Engine>> + Send>;

/// Parts of your own, in place of those that the configuration names.
///
/// ```
/// use std::sync::Arc;
/// use tinysse_hub::{app::{App, Overrides}, engine::memory::Memory, settings::Settings, values::Secret};
///
/// let own = Overrides {
///     engine: Some(Box::new(|_bounds, fresh, sink| Ok(Arc::new(Memory::start(fresh, sink))))),
///     ..Overrides::default()
/// };
/// let secret = Secret::from("32 bytes or more, kept to yourself".to_owned());
/// App::with(Settings::in_memory(secret), own).unwrap();
/// ```
#[derive(Default)]
pub struct Overrides {
    /// Who knows the rights.
    pub directory: Option<Box<dyn Directory>>,
    /// What keeps the log; see [`engine`](crate::engine) for how to write one.
    pub engine: Option<Begin>,
    /// The time; the system's if `None`.
    pub clock: Option<Clock>,
}

impl std::fmt::Debug for Overrides {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Overrides").field("directory", &self.directory).field("engine", &self.engine.is_some()).finish()
    }
}

/// A server: its parts, and what runs in the background.
#[derive(Debug)]
pub struct App {
    /// What handlers and tasks share.
    pub services: Services,
    tls: Option<Arc<Tls>>,
    serve: serve::Settings,
    stall_timeout: Duration,
    reload_every: Span,
    /// How old answers of the directory may be for open streams, if it is an address.
    ask_every: Option<Duration>,
}

impl App {
    /// A server that is not yet listening. See [`serve`](Self::serve).
    ///
    /// # Errors
    /// There is a stored log, or a file of revocations, that can't be used: without it a client
    /// would miss something, or be let in again.
    pub fn new(settings: impl Into<Settings>) -> io::Result<Arc<Self>> {
        Self::with(settings, Overrides::default())
    }

    /// The same with parts of your own.
    ///
    /// # Errors
    /// As [`new`](Self::new), and the errors of your engine.
    pub fn with(settings: impl Into<Settings>, own: Overrides) -> io::Result<Arc<Self>> {
        let settings: Settings = settings.into();
        let clock = own.clock.unwrap_or_else(Clock::start);
        let directory = own.directory.unwrap_or_else(|| settings.auth.directory());
        let mut auth = Auth::with(&settings.auth, clock, directory);
        if let Some(path) = &settings.auth.revocations {
            let named = |error: io::Error| io::Error::new(error.kind(), format!("--revocations: {error}"));
            auth.remember(path).map_err(named)?;
        }
        let metrics = Arc::new(Metrics::default());
        let streams = Streams::new(&settings.stream, &settings.log, clock, Arc::clone(&metrics));
        let delivery = Arc::new(Delivery::new(Arc::clone(&streams), Arc::clone(&metrics)));
        // 48 random bits: short on the wire, and no two lives of a log meet.
        let (bounds, fresh) = (Bounds::of(&settings.log), Epoch(random_u64() >> 16));
        let sink = Arc::clone(&delivery) as Arc<dyn Sink>;
        let (engine, link, owed) = match own.engine {
            Some(begin) => (begin(bounds, fresh, sink)?, None, Owed::in_memory()),
            None => {
                let opened = configured(&settings.storage, bounds, clock, fresh, sink);
                let (engine, link) = opened.map_err(io::Error::other)?;
                // Once the log is open, its folder is no other process's.
                let owed = match &settings.storage {
                    Storage::File { folder, .. } => Owed::open(folder)?,
                    Storage::Memory | Storage::Redis(_) => Owed::in_memory(),
                };
                (engine, link, owed)
            }
        };
        let shared = link.clone().map(|link| ClusterBus::open(link, auth.memory_ms())).transpose();
        let shared = shared.map_err(io::Error::other)?.map(|(shared, known)| {
            auth.restore(known.iter().map(|known| (known.moment, &known.whom)));
            Arc::new(shared)
        });
        let auth = Arc::new(auth);
        let rights = Arc::new(LiveRights::new(Arc::clone(&auth), shared.clone(), Arc::clone(&streams)));
        let rate = settings.auth.token_rate;
        let cluster =
            Cluster::new(Arc::clone(&auth), Arc::clone(&rights), Arc::clone(&streams), shared.clone(), rate, clock);
        let updates = UpdateService::new(
            &settings.publish,
            settings.log.max_bytes,
            clock,
            Arc::clone(&engine),
            delivery,
            Arc::new(owed),
            Arc::clone(&metrics),
        );
        let updates = Arc::new(updates);
        let around = PollContext {
            clock,
            streams: Arc::clone(&streams),
            updates: Arc::clone(&updates),
            metrics: Arc::clone(&metrics),
        };
        // An address does not announce changes: it is asked anew when its answers are too old.
        let address = matches!(settings.auth.directory, Some(Place::Url(_)));
        Ok(Arc::new(Self {
            tls: settings.serve.tls.clone().map(Tls::open).transpose().map_err(io::Error::other)?.map(Arc::new),
            stall_timeout: settings.stream.stall_timeout.duration(),
            reload_every: settings.auth.reload_every,
            ask_every: address.then(|| settings.auth.directory_ttl.duration()),
            serve: settings.serve,
            services: Services {
                issuer: Arc::new(Issuer::new(Arc::clone(&auth), Arc::clone(&rights), rate)),
                cluster: Arc::new(cluster),
                pollers: Arc::new(BackgroundWorker::new(&settings.poll, &around, link.as_ref())),
                limits: Arc::new(Limits::new(&settings.http)),
                settings: Arc::new(settings.http),
                clock,
                auth,
                rights,
                streams,
                engine,
                updates,
                metrics,
            },
        }))
    }

    /// All routes, for embedding in another axum app. Without
    /// [`spawn_background`](Self::spawn_background) there are no beats.
    pub fn router(&self) -> Router {
        http::router(&self.services, Router::new())
    }

    /// Serves until `stop` resolves, then drains and ends, in bounded time: the drain window, the
    /// linger, and 19 seconds at most if everything hangs: 2 for streams, 3 for other connections,
    /// 2 for updates that wait, 1 for background tasks, 6 for what is owed, 5 for the log.
    ///
    /// Meanwhile `/readyz` answers 503, publishing goes on, and new streams are sent away with a
    /// time to come back.
    pub async fn serve(self: &Arc<Self>, listener: TcpListener, stop: impl Future<Output = ()>) {
        self.serve_with(Router::new(), listener, stop).await;
    }

    /// The same with routes of an application beside those of the hub. They get the same limits,
    /// headers and log lines.
    pub async fn serve_with(
        self: &Arc<Self>,
        application: Router<Services>,
        listener: TcpListener,
        stop: impl Future<Output = ()>,
    ) {
        let mut background = JoinSet::new();
        self.spawn_background(&mut background);
        let (router, fast_path) = (http::router(&self.services, application), FastPath::new(&self.services).await);
        carry(self.serving(router, Some(fast_path)), listener, stop).await;
        self.end(background).await;
        tracing::info!(target: "tinysse::server", "stopped");
    }

    /// Carries the connections of routes of others, which may have layers that see every request.
    pub(crate) async fn carry(&self, routes: Router, listener: TcpListener, stop: impl Future<Output = ()>) {
        carry(self.serving(routes, None), listener, stop).await;
    }

    /// Ends every stream within the drain window.
    pub(crate) async fn drain(&self) {
        drain(&self.services.streams, self.serve.grace.duration()).await;
    }

    /// Ends what runs in the background, publishes what is held and owed, and closes the log.
    pub(crate) async fn end(&self, background: JoinSet<()>) {
        end(&self.services, background).await;
    }

    fn serving(&self, router: Router, fast_path: Option<FastPath>) -> Serving {
        let (settings, tls, services) = (self.serve.clone(), self.tls.clone(), self.services.clone());
        Serving { settings, stall_timeout: self.stall_timeout, tls, services, router, fast_path }
    }

    /// Looks at keys and rights from time to time, for ever.
    async fn watch(&self) {
        let Services { auth, rights, cluster, issuer, limits, .. } = &self.services;
        let (mut version, mut asked, mut tidied) = (auth.directory().version(), Instant::now(), Instant::now());
        loop {
            sleep(self.reload_every.duration()).await;
            auth.refresh().await;
            if let Some(tls) = &self.tls {
                tls.refresh();
            }
            let known = auth.directory().version();
            let too_old = self.ask_every.is_some_and(|every| asked.elapsed() > every);
            if known != version || too_old {
                (version, asked) = (known, Instant::now());
                rights.refresh_soon(AffectedUsers::Everybody);
            }
            if tidied.elapsed() > TIDY_EVERY {
                tidied = Instant::now();
                limits.tidy();
                issuer.tidy();
                cluster.tidy();
            }
        }
    }

    /// Starts pollers, the batching of updates, what writes to the streams, and looking for other
    /// keys and rights.
    pub fn spawn_background(self: &Arc<Self>, into: &mut JoinSet<()>) {
        let Services { rights, cluster, streams, updates, pollers, .. } = &self.services;
        let app = Arc::clone(self);
        into.spawn(async move { app.watch().await });
        pollers.spawn(into);
        let cluster = Arc::clone(cluster);
        into.spawn(async move { cluster.listen().await });
        let rights = Arc::clone(rights);
        into.spawn(async move { rights.judge().await });
        streams.spawn(into);
        let publishing = Arc::clone(updates);
        into.spawn(async move { publishing.run().await });
        let owing = Arc::clone(updates);
        into.spawn(async move { owing.settle().await });
    }
}

/// The engine that the configuration names, and the way to the other nodes if there are any.
fn configured(
    storage: &Storage,
    bounds: Bounds,
    clock: Clock,
    fresh: Epoch,
    sink: Arc<dyn Sink>,
) -> Result<(Arc<dyn Engine>, Option<Link>), OpenError> {
    Ok(match storage {
        Storage::Memory => (Arc::new(Memory::start(fresh, sink)), None),
        Storage::File { folder, durability } => (Arc::new(Redb::open(folder, *durability, bounds, fresh, sink)?), None),
        Storage::Redis(place) => {
            let redis = Redis::open(place.clone(), bounds, clock, fresh, sink)?;
            let link = redis.link();
            (Arc::new(redis), Some(link))
        }
    })
}
