//! `GET /healthz` and `GET /readyz`, for load balancers and supervisors.

use axum::extract::State;

use super::Services;
use crate::{engine::Health, error::Problem};

/// The process works.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// It wants traffic. Not any more as soon as it begins to drain, and not while it is cut off from
/// the other nodes.
///
/// What the log refused is no reason to take traffic away: streams are served from memory, and
/// another node would have the same log.
pub(super) async fn ready(State(services): State<Services>) -> Result<String, Problem> {
    if services.streams.is_draining() {
        return Err(Problem::unavailable("draining", "the server shuts down", 1));
    }
    match services.engine.health() {
        // Nothing is lost by serving streams while the disk is full.
        Health::Good | Health::Refusing(_) => {}
        Health::Away(error) => return Err(Problem::unavailable("log_away", error.to_string(), 1)),
    }
    // Else a client whose rights are gone would be let in.
    if !services.cluster.is_connected() {
        return Err(Problem::unavailable("nodes_away", "reports of other nodes on rights do not arrive", 1));
    }
    Ok(match services.updates.owed().count() {
        0 => "ok\n".to_owned(),
        owed => format!("ok\nowed: {owed} types wait for the log\n"),
    })
}
