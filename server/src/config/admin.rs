//! The flags of who may look inside.

use super::{ConfigError, RawConfig, wrong};
use tinysse_hub::http::Readers;

/// Returns who may read `/metrics`: closed unless it is opened, or there is an admin key, or with
/// `--dev`.
///
/// # Errors
/// [`ConfigError::Setting`] names the setting.
pub(super) fn metrics(layer: &RawConfig, dev: bool) -> Result<Readers, ConfigError> {
    let usual = match (dev, &layer.admin_key) {
        (true, _) => Readers::Open,
        (false, Some(_)) => Readers::Admin,
        (false, None) => Readers::Off,
    };
    let metrics = layer.metrics.unwrap_or(usual);
    if metrics == Readers::Admin && layer.admin_key.is_none() {
        return wrong("--metrics admin needs an --admin-key");
    }
    Ok(metrics)
}
