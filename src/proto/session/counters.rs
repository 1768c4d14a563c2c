//! The counters of a session.

use super::io::ConnectReason;
use crate::proto::wire::control::Gap;

/// What the session has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Streams asked for, in the order of [`ConnectReason::ALL`], the browser's own retries
    /// included.
    pub connects: [u32; ConnectReason::ALL.len()],
    /// Bytes of streams that core decodes; of others, the bytes of their events.
    pub bytes: u64,
    /// Updates delivered.
    pub updates: u32,
    /// Updates dropped because they were delivered before.
    pub duplicates: u32,
    /// Gaps announced, in the order of [`Gap::ALL`].
    pub gaps: [u32; Gap::ALL.len()],
}

impl Counters {
    pub(super) fn connect(&mut self, why: ConnectReason) {
        count(self.connects.get_mut(why as usize));
    }

    pub(super) fn gap(&mut self, gap: Gap) {
        count(self.gaps.get_mut(gap as usize));
    }

    /// Gaps announced, whatever their reason.
    #[must_use]
    pub fn resyncs(&self) -> u32 {
        self.gaps.iter().sum()
    }
}

fn count(counter: Option<&mut u32>) {
    if let Some(counter) = counter {
        *counter = counter.saturating_add(1);
    }
}
