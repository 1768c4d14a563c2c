//! The settings of the listener.

use std::path::PathBuf;

use crate::values::Span;

/// The settings of this module.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Connections at a time; more wait in the system.
    pub max_connections: usize,
    /// Connections of one address at a time; more are closed.
    pub max_connections_address: usize,
    /// How long a request's head may take, and how long an idle connection is kept.
    pub head_timeout: Span,
    /// How long streams behind their linger, and then other connections, may take to end before
    /// they are cut.
    pub grace: Span,
    /// Certificate and key, for HTTPS.
    pub tls: Option<TlsFiles>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_connections: 11_000,
            max_connections_address: 1_200,
            head_timeout: Span::of_ms(60_000),
            grace: Span::of_ms(2_000),
            tls: None,
        }
    }
}

/// The files of a certificate and its key. Both are read again when they change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and those that vouch for it, in PEM.
    pub cert: PathBuf,
    /// Its private key, in PEM.
    pub key: PathBuf,
}
