//! Where Redis is, and how it is spoken to: in the clear, or by TLS with the system's certificates
//! or those of a file.

use std::{path::PathBuf, time::Duration};

use ::redis::{
    Client, ConnectionInfo, IntoConnectionInfo, RedisResult,
    io::tcp::{TcpSettings, socket2::TcpKeepalive},
};

use super::failure::words;
use crate::values::Secret;

/// How long a connection is quiet before the system asks whether the other end is still there, and
/// how long after that it asks again. A network that forgets quiet connections does so after
/// minutes.
const KEEPALIVE: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(5));
/// How long bytes may be under way before the system gives the connection up.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

/// Where the log is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// `redis://[user:password@]host:port[/db]`, or `rediss://` for TLS.
    pub url: Secret,
    /// What the names of all keys begin with: one log each.
    pub prefix: String,
    /// Whose certificates are believed (PEM); the system's if none is named.
    pub ca: Option<PathBuf>,
}

impl Place {
    /// Checks what can be checked without a connection.
    ///
    /// # Errors
    /// In words, without the address.
    pub fn check(&self) -> Result<(), String> {
        let tls = self.url.expose().starts_with("rediss://");
        if tls && !cfg!(feature = "redis-tls") {
            return Err("build the server with `--features redis-tls` for rediss://".to_owned());
        }
        if self.ca.is_some() && !tls {
            return Err("a file of certificates is for rediss:// only".to_owned());
        }
        if self.url.expose().ends_with("#insecure") {
            return Err("`#insecure` would believe any certificate; name the right one with --redis-ca".to_owned());
        }
        self.client().map(drop)
    }

    pub(crate) fn key(&self, name: &str) -> String {
        format!("{{{}}}:{name}", self.prefix)
    }

    #[cfg(feature = "redis-tls")]
    pub(crate) fn client(&self) -> Result<Client, String> {
        use ::redis::TlsCertificates;
        use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
        if CryptoProvider::get_default().is_none() {
            // Another process may have been faster: then it owns it.
            drop(ring::default_provider().install_default());
        }
        let Some(path) = &self.ca else { return self.info().and_then(Client::open).map_err(|error| words(&error)) };
        let pem = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let certificates = TlsCertificates { client_tls: None, root_cert: Some(pem) };
        self.info()
            .and_then(|info| Client::build_with_tls(info, certificates))
            .map_err(|error| format!("{}: {}", path.display(), words(&error)))
    }

    #[cfg(not(feature = "redis-tls"))]
    pub(crate) fn client(&self) -> Result<Client, String> {
        self.info().and_then(Client::open).map_err(|error| words(&error))
    }

    fn info(&self) -> RedisResult<ConnectionInfo> {
        let keepalive = TcpKeepalive::new().with_time(KEEPALIVE.0).with_interval(KEEPALIVE.1);
        let settings = TcpSettings::default().set_nodelay(true).set_keepalive(keepalive);
        #[cfg(target_os = "linux")]
        let settings = settings.set_user_timeout(UNACKNOWLEDGED);
        Ok(self.url.expose().into_connection_info()?.set_tcp_settings(settings))
    }
}
