//! The settings of publishing: windows that coalesce, and how much may wait for the log.

use tinysse::proto::registry::Pattern;

use super::backpressure::Backpressure;
use crate::values::Span;

/// The settings of this module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Windows in which notifications are coalesced; the first pattern that matches a type counts.
    pub batch: Vec<(Pattern, Span)>,
    /// How much may wait for the log.
    pub waiting: Backpressure,
}
