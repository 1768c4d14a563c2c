//! The configuration of a hub, as JavaScript gives it.

use tinysse::proto::{registry::Pattern, wire::id::Epoch};
use tinysse_hub::hub::{HubConfig, Slow, SlowRules};

use crate::{Fields, Malformed};

/// The configuration of a hub and its streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The epoch of the log; differs in every life of the process.
    pub epoch: Epoch,
    /// Seeds the jitter.
    pub seed: u64,
    /// The bounds of the log and the rhythm of the streams.
    pub hub: HubConfig,
    /// Refetches a second that clients are asked to keep to; 0 asks nothing.
    pub spread: u32,
    /// What slow readers get.
    pub slow: SlowRules,
    /// Windows in which updates are coalesced, in milliseconds.
    pub windows: Vec<(Pattern, u64)>,
    /// Streams are asked to reopen before they are this old, in milliseconds; 0 never asks.
    pub max_age_ms: u64,
    /// How long a connection may take no bytes before it is cut, in milliseconds.
    pub stall_ms: u64,
    /// Updates get their places elsewhere: see [`deliver`](crate::machine::Machine::deliver).
    pub external: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            epoch: Epoch(1),
            seed: 1,
            hub: HubConfig::default(),
            spread: 500,
            slow: SlowRules { lag: 100, rules: Vec::new() },
            windows: Vec::new(),
            max_age_ms: 3_600_000,
            stall_ms: 30_000,
            external: false,
        }
    }
}

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    /// [`Malformed`], also for a pattern or a rule that JavaScript should have refused.
    pub fn read(mut fields: Fields<'_>) -> Result<Self, Malformed> {
        let pattern = |fields: &mut Fields<'_>| Pattern::parse(fields.some()?).ok_or(Malformed);
        // Two halves: a double has no 64 bits.
        let wide = |fields: &mut Fields<'_>| Ok(fields.number()? << 32 | fields.number()?);
        let config = Self {
            epoch: Epoch(wide(&mut fields)?),
            seed: wide(&mut fields)?,
            hub: HubConfig {
                max_count: small(fields.number()?) as usize,
                max_age_ms: fields.number()?,
                max_bytes: small(fields.number()?) as usize,
                beat_ms: small(fields.number()?),
                retry_ms: small(fields.number()?),
                linger_ms: small(fields.number()?),
            },
            spread: small(fields.number()?),
            slow: SlowRules {
                lag: small(fields.number()?) as usize,
                rules: fields
                    .list(|fields| Ok((pattern(fields)?, fields.some()?.parse::<Slow>().map_err(|_| Malformed)?)))?
                    .unwrap_or_default(),
            },
            windows: fields.list(|fields| Ok((pattern(fields)?, fields.number()?)))?.unwrap_or_default(),
            max_age_ms: fields.number()?,
            stall_ms: fields.number()?,
            external: fields.number()? > 0,
        };
        fields.end()?;
        Ok(config)
    }
}

fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
