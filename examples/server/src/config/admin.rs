//! Who may look inside.

use clap::ValueEnum;
use serde::Deserialize;

use super::{ConfigError, Layer, at_least, values::Secret, wrong};

/// Who may look inside the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// What opens `/admin` and `/clients`; without one they do not exist.
    pub key: Option<Secret>,
    /// Who may read `/metrics`.
    pub metrics: Readers,
}

/// Who may read `/metrics`. The numbers name types and say how much is going on, so nobody reads them by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Readers {
    /// Whoever reaches it.
    Open,
    /// Who shows the admin key.
    Admin,
    /// Nobody: it does not exist.
    Off,
}

impl Readers {
    /// As it is written in settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Admin => "admin",
            Self::Off => "off",
        }
    }
}

impl Admin {
    /// Nothing is open unless somebody opened it, or tries things out.
    ///
    /// # Errors
    /// [`ConfigError::Setting`] names the setting.
    pub(super) fn resolve(layer: &Layer, dev: bool) -> Result<Self, ConfigError> {
        let key = layer.admin_key.clone();
        if let Some(key) = &key {
            at_least("--admin-key", key, 16)?;
        }
        let usual = match (dev, &key) {
            (true, _) => Readers::Open,
            (false, Some(_)) => Readers::Admin,
            (false, None) => Readers::Off,
        };
        let metrics = layer.metrics.unwrap_or(usual);
        if metrics == Readers::Admin && key.is_none() {
            return wrong("--metrics admin needs an --admin-key");
        }
        Ok(Self { key, metrics })
    }
}
