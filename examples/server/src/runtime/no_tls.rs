//! A server that was built without TLS: there is no value of [`Tls`], so nothing here runs.

use std::{convert::Infallible, sync::Arc};

use axum::Router;
use tokio::{net::TcpStream, sync::watch};

use super::conn::Conn;
use crate::{app::App, config};

/// Certificate and key; none can be had in this build.
#[derive(Debug)]
pub struct Tls(Infallible);

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
#[error("--tls-cert: build the server with `--features tls`")]
pub struct TlsError;

impl Tls {
    /// Never.
    ///
    /// # Errors
    /// [`TlsError`], always.
    pub fn open(_: config::Tls) -> Result<Self, TlsError> {
        Err(TlsError)
    }

    pub(crate) fn refresh(&self) {
        match self.0 {}
    }
}

pub(super) async fn connection(app: Arc<App>, _: Router, _: TcpStream, _: Arc<Conn>, _: watch::Receiver<bool>) {
    match app.tls.as_ref().map(|tls| tls.0) {
        None => {}
        Some(never) => match never {},
    }
}
