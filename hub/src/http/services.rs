//! The parts of a server that routes work with. A handler takes those it needs
//! (`State<Arc<Streams>>`), or all of them.

use std::sync::Arc;

use axum::extract::FromRef;

use super::{Settings, layer::Publishing};
use crate::{
    access::{Cluster, Issuer, LiveRights},
    auth::{Auth, limit::Limit},
    clock::Clock,
    engine::Engine,
    metrics::Metrics,
    poll::BackgroundWorker,
    publish::UpdateService,
    stream::{RateKey, Streams},
};

/// The parts. Clones are handles to the same ones.
#[derive(Clone, Debug)]
pub struct Services {
    /// The settings of the routes.
    pub settings: Arc<Settings>,
    /// The time.
    pub clock: Clock,
    /// Sessions, tokens, revocations.
    pub auth: Arc<Auth>,
    /// The rights of open streams.
    pub rights: Arc<LiveRights>,
    /// Revocations and changes of rights, on all nodes.
    pub cluster: Arc<Cluster>,
    /// Issues stream tokens.
    pub issuer: Arc<Issuer>,
    /// The hub and its open streams.
    pub streams: Arc<Streams>,
    /// What keeps the log.
    pub engine: Arc<dyn Engine>,
    /// The way into the log.
    pub updates: Arc<UpdateService>,
    /// The pollers.
    pub pollers: Arc<BackgroundWorker>,
    /// The counters.
    pub metrics: Arc<Metrics>,
    /// How often one address may ask.
    pub limits: Arc<Limits>,
}

impl Services {
    /// Returns the layer that publishes what handlers broadcast.
    #[must_use]
    pub fn publishing(&self) -> Publishing {
        Publishing::new(Arc::clone(&self.updates), Arc::clone(&self.streams))
    }
}

/// Rates of one address.
#[derive(Debug)]
pub struct Limits {
    pub(super) token: Limit<RateKey>,
    pub(super) connect: Limit<RateKey>,
}

impl Limits {
    /// Returns limits as configured.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        Self { token: Limit::new(settings.token_rate_address), connect: Limit::new(settings.connect_rate_address) }
    }

    /// Forgets the addresses whose rates are full again; from time to time.
    pub(crate) fn tidy(&self) {
        self.token.tidy();
        self.connect.tidy();
    }
}

/// Lets a handler take one part.
macro_rules! parts {
    ($($field:ident: $part:ty),* $(,)?) => {$(
        impl FromRef<Services> for $part {
            fn from_ref(services: &Services) -> Self {
                services.$field.clone()
            }
        }
    )*};
}

parts! {
    clock: Clock,
    auth: Arc<Auth>,
    rights: Arc<LiveRights>,
    cluster: Arc<Cluster>,
    issuer: Arc<Issuer>,
    streams: Arc<Streams>,
    engine: Arc<dyn Engine>,
    updates: Arc<UpdateService>,
    pollers: Arc<BackgroundWorker>,
    metrics: Arc<Metrics>,
}
