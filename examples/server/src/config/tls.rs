//! HTTPS of our own, for those who put no proxy in front.

use std::path::PathBuf;

use super::{ConfigError, Layer, wrong};
use crate::runtime;

/// Where certificate and key stand. Both are read again when they change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The certificate and those that vouch for it, in PEM.
    pub cert: PathBuf,
    /// Its private key, in PEM.
    pub key: PathBuf,
}

impl Tls {
    /// Both or none; and they must fit each other.
    ///
    /// # Errors
    /// [`ConfigError::Setting`] names the setting.
    pub(super) fn resolve(layer: &Layer) -> Result<Option<Self>, ConfigError> {
        match (layer.tls_cert.clone(), layer.tls_key.clone()) {
            (None, None) => Ok(None),
            (Some(cert), Some(key)) => {
                let tls = Self { cert, key };
                runtime::Tls::open(tls.clone()).or_else(|error| wrong(error.to_string()))?;
                Ok(Some(tls))
            }
            (Some(_), None) => wrong("--tls-cert needs its --tls-key"),
            (None, Some(_)) => wrong("--tls-key needs its --tls-cert"),
        }
    }
}
