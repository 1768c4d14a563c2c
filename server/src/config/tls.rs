//! The flags of HTTPS.

use super::{ConfigError, RawConfig, wrong};
use tinysse_hub::serve::{Tls, TlsFiles};

/// Returns certificate and key, both or none; they must fit each other.
///
/// # Errors
/// [`ConfigError::Setting`] names the setting.
pub(super) fn resolve(layer: &RawConfig) -> Result<Option<TlsFiles>, ConfigError> {
    match (layer.tls_cert.clone(), layer.tls_key.clone()) {
        (None, None) => Ok(None),
        (Some(cert), Some(key)) => {
            let files = TlsFiles { cert, key };
            Tls::open(files.clone()).or_else(|error| wrong(error.to_string()))?;
            Ok(Some(files))
        }
        (Some(_), None) => wrong("--tls-cert needs its --tls-key"),
        (None, Some(_)) => wrong("--tls-key needs its --tls-cert"),
    }
}
