//! Restrains connections whose requests are refused all the time. Connections of trusted proxies
//! are not: they carry many clients.

use std::sync::Arc;

use axum::{
    extract::Request,
    http::{HeaderMap, StatusCode},
};
use tokio::time::sleep;

use super::Services;
use crate::{
    clock::Clock,
    stream::{Client, Conn},
};

/// A request that counts as refused until it is answered otherwise: its client may give it up.
pub(super) struct Restraint {
    clock: Clock,
    conn: Option<Arc<Conn>>,
}

impl Restraint {
    /// For this request.
    pub(super) fn of(services: &Services, request: &Request) -> Self {
        let direct = |conn: &&Arc<Conn>| {
            let client =
                conn.peer().map(|peer| Client::of(peer, &HeaderMap::new(), &services.settings.trusted_proxies));
            matches!(client, Some(Client::Address(_)))
        };
        let conn = request.extensions().get::<Arc<Conn>>().filter(direct).cloned();
        Self { clock: services.clock, conn }
    }

    /// Waits until the request may be looked at.
    pub(super) async fn wait(&self) {
        if let Some(wait) = self.conn.as_ref().and_then(|conn| conn.wait(self.clock.now())) {
            sleep(wait).await;
        }
    }

    /// It is answered.
    pub(super) fn answered(mut self, status: StatusCode) {
        if !status.is_client_error() {
            self.conn = None;
        }
    }
}

impl Drop for Restraint {
    fn drop(&mut self) {
        if let Some(conn) = &self.conn {
            conn.refused(self.clock.now());
        }
    }
}
