//! How long a stream stays open, and when a client that is sent away should come back.

use std::time::Duration;

use tinysse::proto::{rng::Rng, wire::control::Reason};

use super::settings::Settings;
use crate::{auth::jwt::Claims, hub::HubConfig};

/// The rules for the ends of streams.
#[derive(Debug)]
pub(super) struct Lifetime {
    max_age_ms: u64,
    end_with_token: bool,
    retry_ms: u32,
    drain_window_ms: u64,
    linger: Duration,
}

impl Lifetime {
    pub(super) fn new(settings: &Settings, log: &HubConfig) -> Self {
        Self {
            max_age_ms: settings.max_age.ms(),
            end_with_token: settings.end_with_token,
            retry_ms: log.retry_ms,
            drain_window_ms: settings.drain_window.ms(),
            linger: Duration::from_millis(u64::from(log.linger_ms)),
        }
    }

    /// Returns the planned ends of a stream that is opened now: in how many milliseconds, and why.
    pub(super) fn ends(&self, claims: &Claims, unix_ms: u64) -> impl Iterator<Item = (u64, Reason)> {
        let rotate = (self.max_age_ms > 0).then_some((self.max_age_ms, Reason::Rotate));
        let left = claims.exp.saturating_mul(1_000).saturating_sub(unix_ms);
        let token = self.end_with_token.then_some((left, Reason::Token));
        rotate.into_iter().chain(token)
    }

    /// Returns how long a client that is sent away should wait, in milliseconds: another time for
    /// each, so that they do not return all at once.
    pub(super) fn retry_after_ms(&self, rng: &mut Rng) -> u32 {
        let spread = rng.below(self.drain_window_ms.max(1));
        u32::try_from(u64::from(self.retry_ms).saturating_add(spread)).unwrap_or(u32::MAX)
    }

    /// Returns how long closing all streams is spread over, in milliseconds.
    pub(super) fn drain_window_ms(&self) -> u64 {
        self.drain_window_ms
    }

    /// Returns how long a stream stays open behind a planned goodbye.
    pub(super) fn linger(&self) -> Duration {
        self.linger
    }
}
