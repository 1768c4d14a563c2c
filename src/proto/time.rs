//! Time as a number: core is given the time and never asks.

/// A moment, in milliseconds since an origin that only the shell knows.
///
/// ```
/// use tinysse::proto::time::Time;
/// let opened = Time(1_000);
/// assert_eq!(opened.plus(250), Time(1_250));
/// assert_eq!(opened.plus(250).since(opened), 250);
/// assert_eq!(opened.since(opened.plus(250)), 0); // never negative
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub u64);

impl Time {
    /// This moment and `ms` milliseconds; saturates at the end of time.
    #[must_use]
    pub fn plus(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this moment; 0 if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}
