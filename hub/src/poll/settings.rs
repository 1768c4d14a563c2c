//! The settings of the pollers.

use std::fmt;

use axum::http::{HeaderName, HeaderValue, Uri};
use tinysse::proto::audience::Audience;

use super::compare::Compare;
use crate::values::Span;

/// The settings of this module.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What to poll, each under a type of its own.
    pub targets: Vec<Target>,
    /// How long the node that polls may be silent before another one polls in its place. At least
    /// 300 ms.
    pub lease: Span,
}

impl Default for Settings {
    fn default() -> Self {
        Self { targets: Vec::new(), lease: Span::of_ms(5_000) }
    }
}

/// One address that is polled.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    /// The type that is published when the answer changes.
    pub kind: String,
    /// The address. It may hold a password.
    pub url: Uri,
    /// How often.
    pub every: Span,
    /// How long an answer may take.
    pub timeout: Span,
    /// A value that is older is shown as stale.
    pub max_stale: Span,
    /// An answer may be this long; more is a failure.
    pub max_bytes: usize,
    /// What counts as a change.
    pub compare: Compare,
    /// Whether the update carries the value that is compared, so that clients need not ask for it.
    pub send_value: bool,
    /// Who may see it; empty for everybody.
    pub audience: Vec<Audience>,
    /// What is sent along. May hold keys.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("Target")
            .field("kind", &self.kind)
            .field("host", &self.url.host().unwrap_or_default())
            .field("every", &self.every)
            .field("headers", &names)
            .finish_non_exhaustive()
    }
}
