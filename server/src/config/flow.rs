//! What happens when a part is too slow: the readers of a stream, or the log that publishers wait
//! for.

use tinysse::proto::registry::Pattern;

use super::{ConfigError, RawConfig, between, wrong};
use tinysse_hub::{
    hub::{Slow, SlowRules},
    publish::backpressure::Backpressure,
    values::Pair,
};

/// Updates that may wait for a reader whose connection takes no bytes, unless configured otherwise.
const LAG: usize = 100;
/// Requests and bytes that may wait for the log, unless configured otherwise.
const WAITING: usize = 1_024;
const WAITING_BYTES: usize = 16 << 20;

/// The rules for slow readers.
pub(super) fn slow(layer: &RawConfig) -> Result<SlowRules, ConfigError> {
    let rule = |pair: &Pair<Slow>| match Pattern::parse(&pair.kind) {
        Some(pattern) => Ok((pattern, pair.value)),
        None => wrong(format!("--slow `{}=...`: not a type, `prefix.*` or `*`", pair.kind)),
    };
    Ok(SlowRules {
        lag: between("--slow-lag", layer.slow_lag.unwrap_or(LAG), 1, 10_000_000)?,
        rules: layer.slow.iter().map(rule).collect::<Result<_, _>>()?,
    })
}

/// How much may wait for the log.
pub(super) fn room(layer: &RawConfig) -> Result<Backpressure, ConfigError> {
    Ok(Backpressure {
        count: between("--publish-waiting", layer.publish_waiting.unwrap_or(WAITING), 1, 1_000_000)?,
        bytes: between(
            "--publish-waiting-bytes",
            layer.publish_waiting_bytes.unwrap_or(WAITING_BYTES),
            1_024,
            1 << 40,
        )?,
    })
}
