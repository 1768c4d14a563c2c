//! The routes of an example application: projects, compute instances, and what the pollers know.

mod compute;
mod progress;
mod projects;
mod store;

use std::sync::Arc;

use axum::{
    Router,
    extract::FromRef,
    routing::{get, patch},
};

use crate::{auth::Auth, http::Services};
use compute::Instance;
use projects::Project;
use store::Store;

/// What the handlers share.
#[derive(Clone, Debug)]
struct Demo {
    services: Services,
    projects: Arc<Store<Project>>,
    instances: Arc<Store<Instance>>,
}

/// The proofs that handlers ask for ([`extract`](crate::http::extract)) are checked by the hub.
impl FromRef<Demo> for Arc<Auth> {
    fn from_ref(demo: &Demo) -> Self {
        Self::clone(&demo.services.auth)
    }
}

/// Returns the routes, with a few rows to look at in development.
pub fn routes(services: &Services) -> Router<Services> {
    let rows = services.settings.dev;
    let demo = Demo {
        services: services.clone(),
        projects: Arc::new(projects::rows(rows)),
        instances: Arc::new(compute::rows(rows)),
    };
    let api = Router::new()
        .route("/projects", get(projects::list).post(projects::create))
        .route("/projects/{id}", patch(projects::update).delete(projects::delete))
        .route("/compute", get(compute::list).post(compute::create))
        .route("/compute/{id}", patch(compute::update).delete(compute::delete))
        .route("/progress", get(progress::progress))
        .route("/polls/{type}", get(progress::poll))
        // Publishes what the handlers broadcast.
        .layer(services.publishing());
    Router::new().nest("/api", api.with_state(demo))
}
