//! How much may wait for the log. When the disk, or whatever keeps the log, is slower than the
//! publishers, they must notice: what waits is bounded by number and by bytes, services are asked
//! to retry (429), and code inside the process waits.

use tokio::sync::{Semaphore, SemaphorePermit};

/// The bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backpressure {
    /// Batches of updates.
    pub count: usize,
    /// Their bytes.
    pub bytes: usize,
}

impl Default for Backpressure {
    fn default() -> Self {
        Self { count: 1_024, bytes: 16 << 20 }
    }
}

/// Who waits. A place is as large as `bytes / count`, and a batch takes as many as it is long, but
/// at least one and at most all.
#[derive(Debug)]
pub(crate) struct PublishPermits {
    places: Semaphore,
    all: u32,
    size: usize,
}

impl PublishPermits {
    pub(crate) fn new(room: Backpressure) -> Self {
        let all = u32::try_from(room.count.clamp(1, Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX);
        Self { places: Semaphore::new(all as usize), all, size: (room.bytes / room.count.max(1)).max(1) }
    }

    /// Takes a place until the permit is dropped; `None` if all are taken.
    pub(crate) fn try_enter(&self, bytes: usize) -> Option<SemaphorePermit<'_>> {
        self.places.try_acquire_many(self.places_for(bytes)).ok()
    }

    /// Takes a place when there is one, in the order of the calls.
    pub(crate) async fn enter(&self, bytes: usize) -> Option<SemaphorePermit<'_>> {
        // Fails if the semaphore was closed, which nobody does.
        self.places.acquire_many(self.places_for(bytes)).await.ok()
    }

    /// Places that are taken.
    pub(crate) fn taken(&self) -> usize {
        self.all as usize - self.places.available_permits()
    }

    fn places_for(&self, bytes: usize) -> u32 {
        u32::try_from(bytes.div_ceil(self.size)).unwrap_or(u32::MAX).clamp(1, self.all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounded_by_number_and_by_bytes() {
        let gate = PublishPermits::new(Backpressure { count: 4, bytes: 400 });
        let small: Vec<_> = (0..4).map(|_| gate.try_enter(1)).collect();
        assert!(small.iter().all(Option::is_some) && gate.try_enter(1).is_none());
        drop(small);
        let large = gate.try_enter(201);
        assert!(large.is_some() && gate.try_enter(101).is_none() && gate.try_enter(100).is_some());
        drop(large);
        assert!(gate.try_enter(usize::MAX).is_some(), "one alone always fits");
    }
}
