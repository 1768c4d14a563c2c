//! Readers that do not keep up, and what becomes of what waits for them.
//!
//! A reader is slow when its connection takes no bytes and more than [`lag`](SlowRules::lag)
//! updates wait for it that were published since it connected: a replay may be of any length. Then
//! each type has its rule. There is no queue: what waits is what follows the client's cursor in the
//! log, and a rule only defines what the walk passes over.
//!
//! ```
//! use tinysse::proto::{audience::Identity, registry::Pattern, time::Time, wire::id::Epoch};
//! use tinysse_hub::hub::{Hub, HubConfig, Slow, SlowRules, Update};
//!
//! let rules = SlowRules { lag: 2, rules: vec![(Pattern::parse("progress").unwrap(), Slow::Coalesce)] };
//! let mut hub = Hub::new(Epoch(7), HubConfig::default()).slow(rules);
//! let ada = hub.connect(Time(0), Identity::default(), None, None);
//! hub.poll(Time(0), ada, 1 << 16, &mut Vec::new());
//! for percent in ["1", "2", "3", "4"] {
//!     hub.publish(Time(1), Update { data: Some(percent.into()), ..Update::new("progress") }).unwrap();
//!     assert!(!hub.stalled(ada), "nobody is cut off for this type");
//! }
//! let mut out = Vec::new();
//! hub.poll(Time(2), ada, 1 << 16, &mut out);
//! assert_eq!(String::from_utf8(out).unwrap(), "id: 7.4\nevent: progress\ndata: {\"data\":4}\n\n");
//! ```

use std::str::FromStr;

use tinysse::proto::registry::Pattern;

/// What a slow reader gets of a type.
///
/// ```
/// use tinysse_hub::hub::Slow;
/// assert_eq!("coalesce".parse(), Ok(Slow::Coalesce));
/// assert_eq!(Slow::Disconnect.as_str(), "disconnect");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Slow {
    /// Everything in order, as long as the log holds it; when it no longer does, a resync.
    #[default]
    Deliver,
    /// The newest of each key: a newer one repeats what an older one announced.
    Coalesce,
    /// Nothing of what waits; a resync names the type, and the client refetches.
    Resync,
    /// Its connection is cut. It comes back with its cursor, and then gets everything.
    Disconnect,
}

impl Slow {
    /// The word in the settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deliver => "deliver",
            Self::Coalesce => "coalesce",
            Self::Resync => "resync",
            Self::Disconnect => "disconnect",
        }
    }
}

/// When a reader is slow, and what that means for each type.
///
/// ```
/// use tinysse::proto::registry::Pattern;
/// use tinysse_hub::hub::{Slow, SlowRules};
///
/// let rules = SlowRules { lag: 100, rules: vec![(Pattern::parse("compute.*").unwrap(), Slow::Coalesce)] };
/// assert_eq!((rules.of("compute.done"), rules.of("projects")), (Slow::Coalesce, Slow::Deliver));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlowRules {
    /// This many updates may wait for a connection that takes no bytes.
    pub lag: usize,
    /// The first pattern that matches a type counts; without one, [`Slow::Deliver`].
    pub rules: Vec<(Pattern, Slow)>,
}

impl SlowRules {
    /// What a slow reader gets of a type.
    #[must_use]
    pub fn of(&self, kind: &str) -> Slow {
        self.rules.iter().find(|(pattern, _)| pattern.matches(kind)).map_or(Slow::Deliver, |(_, rule)| *rule)
    }

    /// Returns true if this many waiting updates make a reader slow.
    pub(super) fn is_slow(&self, waiting: usize) -> bool {
        waiting > self.lag
    }

    /// Returns true if the log must know which updates are the newest of their kind.
    pub(super) fn coalesces(&self, kind: &str) -> bool {
        self.of(kind) == Slow::Coalesce
    }
}

impl FromStr for Slow {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "deliver" => Ok(Self::Deliver),
            "coalesce" => Ok(Self::Coalesce),
            "resync" => Ok(Self::Resync),
            "disconnect" => Ok(Self::Disconnect),
            _ => Err(format!("`{text}` is none of deliver, coalesce, resync and disconnect")),
        }
    }
}

#[cfg(test)]
mod tests;
