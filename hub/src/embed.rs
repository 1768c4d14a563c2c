//! The hub inside a server of your own: routes and a layer for axum, and a handle to publish with.
//! Your app keeps its state, its routes and its way of knowing users.
//!
//! ```
//! use axum::{Extension, Json, Router, extract::State, routing::post};
//! use tinysse::proto::audience::Identity;
//! use tinysse_hub::{
//!     embed::{Hub, Token},
//!     error::Problem,
//!     http::response::Response,
//!     settings::Settings,
//!     values::Secret,
//! };
//!
//! // A handler of yours: it says what it changed.
//! async fn rename(Json(name): Json<String>) -> Response<String> {
//!     Response::new(name).broadcast("projects")
//! }
//!
//! // Whom you know, however you know them, may open a stream.
//! async fn stream_token(State(hub): State<Hub>, Extension(user): Extension<Identity>) -> Result<Token, Problem> {
//!     hub.token(user).await
//! }
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let secret = Secret::from("32 bytes or more, kept to yourself".to_owned());
//! let hub = Hub::start(Settings::in_memory(secret)).unwrap();
//! let app: Router = Router::new()
//!     .route("/projects", post(rename))
//!     .layer(hub.layer()) // publishes what the handlers broadcast
//!     .route("/auth/sse-token", post(stream_token))
//!     .merge(hub.router()) // GET /events
//!     .with_state(hub.clone());
//!
//! hub.notify("projects").await.unwrap(); // from anywhere else
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
//! hub.serve(listener, app, async { /* until Ctrl-C, say */ }).await;
//! # });
//! ```
//!
//! `examples/embed.rs` is a whole app.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Extension, Router,
    extract::{ConnectInfo, Request},
    middleware::{self, Next},
    response::Response,
};
use tinysse::proto::{audience::Identity, wire::id::EventId};
use tokio::{net::TcpListener, sync::broadcast, task::JoinSet};

use crate::{
    access::RightsError,
    app::{App, Overrides},
    auth::revoked::{Revoke, RevokeError},
    error::Problem,
    http::{self, layer::Publishing},
    hub::Update,
    publish::{NotifyError, delivery::Notice},
    settings::Settings,
    stream::Conn,
};

pub use crate::access::Token;

/// A running hub. Clones are handles to the same one; it ends with the last of them and of the
/// routers that it gave away.
#[derive(Clone, Debug)]
pub struct Hub {
    app: Arc<App>,
    background: Arc<Mutex<JoinSet<()>>>,
}

impl Hub {
    /// Starts a hub on this runtime of tokio.
    ///
    /// # Errors
    /// There is a stored log, or a file of revocations, that can't be used.
    ///
    /// # Panics
    /// Outside a runtime.
    pub fn start(settings: impl Into<Settings>) -> io::Result<Self> {
        Self::start_with(settings, Overrides::default())
    }

    /// The same with your own engine or directory of rights.
    ///
    /// # Errors
    /// As [`start`](Self::start), and the errors of your engine.
    ///
    /// # Panics
    /// Outside a runtime.
    pub fn start_with(settings: impl Into<Settings>, own: Overrides) -> io::Result<Self> {
        let app = App::with(settings, own)?;
        let mut background = JoinSet::new();
        app.spawn_background(&mut background);
        Ok(Self { app, background: Arc::new(Mutex::new(background)) })
    }

    /// `GET /events` and `GET /.well-known/jwks.json`, and with a publish key `POST /publish`,
    /// `/revoke` and `/rights` for services. A client that has a [token](Self::token) may open a
    /// stream.
    ///
    /// Limits by address need to know it: serve with [`serve`](Self::serve), or with axum's
    /// `into_make_service_with_connect_info::<SocketAddr>`.
    pub fn router<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        // The extension is not read: it keeps the hub running as long as there are routes.
        http::embedded(&self.app.services).layer(middleware::from_fn(named)).layer(Extension(self.clone()))
    }

    /// The layer that publishes what your handlers [broadcast](crate::http::response), on success
    /// only.
    #[must_use]
    pub fn layer(&self) -> Publishing {
        self.app.services.publishing()
    }

    /// A token with which `user` may open a stream, for your handler of `POST /auth/sse-token`: you
    /// know who asks.
    ///
    /// # Errors
    /// 429 if this user asks too often, 403 if the directory knows no such user or the login was
    /// revoked, 422 if a name is not taken, 503 if the directory can't be asked.
    pub async fn token(&self, user: Identity) -> Result<Token, Problem> {
        self.token_of(user, "").await
    }

    /// The same for a user's login that you call `session`: [`revoke`](Self::revoke) of that name
    /// ends the streams it opened.
    ///
    /// # Errors
    /// As [`token`](Self::token).
    pub async fn token_of(&self, user: Identity, session: &str) -> Result<Token, Problem> {
        self.app.services.issuer.for_user(user, session).await
    }

    /// Publishes that something of this type changed, for everybody. Returns its id, or `None` if
    /// it waits for its window (`--batch`) to end.
    ///
    /// What the log does not take is [owed](crate::publish::owed): the type is announced as soon as
    /// it does, so there is no need to call again.
    ///
    /// # Errors
    /// [`NotifyError`].
    pub async fn notify(&self, kind: &str) -> Result<Option<EventId>, NotifyError> {
        self.app.services.updates.notify(kind).await
    }

    /// Publishes an update with data, key, audience and so on. Of what the log does not take, type
    /// and audience are owed.
    ///
    /// # Errors
    /// [`NotifyError`].
    pub async fn publish(&self, update: impl Into<Update>) -> Result<Option<EventId>, NotifyError> {
        self.app.services.updates.notify_with(update.into()).await
    }

    /// Every update from now on, for code inside the process.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Notice>> {
        self.app.services.updates.subscribe()
    }

    /// Takes rights away, and ends the streams that had them; answers how many ended here.
    ///
    /// # Errors
    /// [`RevokeError`]: nothing was revoked, since memory is full; or it is done here, but could
    /// not be recorded (`--revocations`), or the other nodes could not be notified.
    pub async fn revoke(&self, whom: &Revoke) -> Result<usize, RevokeError> {
        self.app.services.cluster.revoke(whom).await
    }

    /// Reports that the rights of this user changed, or with `None` those of all: asks the
    /// directory anew and notifies the open streams; returns for how many here it was news. With
    /// Redis, all nodes do the same.
    ///
    /// # Errors
    /// [`RightsError`].
    pub async fn rights_changed(&self, user: Option<&str>) -> Result<usize, RightsError> {
        self.app.services.cluster.rights_changed(user.into()).await
    }

    /// The text for Prometheus.
    #[must_use]
    pub fn metrics(&self) -> String {
        http::render_metrics(&self.app.services)
    }

    /// The parts, for whatever is not offered here.
    #[must_use]
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Serves your routes, the hub's among them, until `stop` resolves, then [drains](Self::drain)
    /// and [closes](Self::close). Streams cost less than in any other server: their sockets leave
    /// the HTTP layer, and readers that read nothing are noticed.
    pub async fn serve(&self, listener: TcpListener, routes: Router, stop: impl Future<Output = ()>) {
        self.app.carry(routes, listener, stop).await;
        self.close().await;
    }

    /// Sends all streams away at a steady pace, so that their clients do not come back as one wave;
    /// no new one opens. For servers of your own, whose graceful shutdown would wait for streams
    /// that never end:
    ///
    /// ```no_run
    /// # async fn run(hub: tinysse_hub::embed::Hub, listener: tokio::net::TcpListener, app: axum::Router) -> std::io::Result<()> {
    /// let stop = { let hub = hub.clone(); async move { tokio::signal::ctrl_c().await.ok(); hub.drain().await } };
    /// axum::serve(listener, app).with_graceful_shutdown(stop).await?;
    /// hub.close().await;
    /// # Ok(()) }
    /// ```
    pub async fn drain(&self) {
        self.app.drain().await;
    }

    /// Publishes what windows still hold and what is owed, writes what is still to be written, and
    /// ends, in twelve seconds at most; publishing is refused afterwards.
    pub async fn close(&self) {
        let background = std::mem::take(&mut *self.background.lock().unwrap_or_else(PoisonError::into_inner));
        self.app.end(background).await;
    }
}

/// Passes the address that axum's own server knows to the limits by address.
async fn named(mut request: Request, next: Next) -> Response {
    let extensions = request.extensions_mut();
    if extensions.get::<Arc<Conn>>().is_none()
        && let Some(ConnectInfo(from)) = extensions.get::<ConnectInfo<SocketAddr>>().copied()
    {
        extensions.insert(Arc::new(Conn::from(from.ip())));
    }
    next.run(request).await
}
