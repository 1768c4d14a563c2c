//! A server that was built without TLS: there is no value of [`Tls`], so nothing here runs.

use std::{convert::Infallible, sync::Arc};

use tokio::{net::TcpStream, sync::watch};

use super::{Serving, TlsFiles};
use crate::stream::Conn;

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
    pub fn open(_: TlsFiles) -> Result<Self, TlsError> {
        Err(TlsError)
    }

    pub(crate) fn refresh(&self) {
        match self.0 {}
    }
}

pub(super) async fn connection(serving: &Serving, _: TcpStream, _: Arc<Conn>, _: watch::Receiver<bool>) {
    match serving.tls.as_ref().map(|tls| tls.0) {
        None => {}
        Some(never) => match never {},
    }
}
