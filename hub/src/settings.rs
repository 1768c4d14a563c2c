//! The settings of a hub: one struct for each part, with defaults.

use std::path::PathBuf;

use crate::{auth, engine::Durability, http, hub::HubConfig, poll, publish, redis, serve, stream, values::Secret};

/// The settings of all parts.
///
/// ```
/// use tinysse_hub::{settings::Settings, values::Secret};
///
/// let secret = Secret::from("32 bytes or more, kept to yourself".to_owned());
/// let settings = Settings::in_memory(secret);
/// assert_eq!(settings.auth.token_ttl.ms(), 60_000);
/// ```
#[derive(Clone, Debug)]
pub struct Settings {
    /// The log, and the rhythm of the streams.
    pub log: HubConfig,
    /// Where the log is kept.
    pub storage: Storage,
    /// Tokens, app sessions, rights, revocations.
    pub auth: auth::Settings,
    /// Streams.
    pub stream: stream::Settings,
    /// Publishing.
    pub publish: publish::Settings,
    /// Pollers.
    pub poll: poll::Settings,
    /// Routes.
    pub http: http::Settings,
    /// The listener.
    pub serve: serve::Settings,
}

/// Where the log is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Storage {
    /// In memory: the log ends with the process.
    Memory,
    /// In a file.
    File {
        /// The directory.
        folder: PathBuf,
        /// When an update counts as published.
        durability: Durability,
    },
    /// In Redis, for several nodes.
    Redis(redis::Place),
}

impl Settings {
    /// Returns the defaults, with a log in memory, and tokens signed by this secret (HS256; at
    /// least 32 bytes).
    #[must_use]
    pub fn in_memory(secret: Secret) -> Self {
        Self {
            log: HubConfig::default(),
            storage: Storage::Memory,
            auth: auth::Settings::new(secret),
            stream: stream::Settings::default(),
            publish: publish::Settings::default(),
            poll: poll::Settings::default(),
            http: http::Settings::default(),
            serve: serve::Settings::default(),
        }
    }
}
