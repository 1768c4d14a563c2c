//! What the hub has done, for those who run it. Counted where the hub walks anyway, behind no lock
//! of its own.

use tinysse::proto::{time::Time, wire::control::Gap};

/// What the hub has done so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Frames of updates that clients were given.
    pub frames: u64,
    /// Those of them that were older than the stream.
    pub replayed: u64,
    /// How long updates took from publishing until they were given to a stream that was open
    /// already.
    pub waits: Waits,
    /// Streams that went on at the cursor they showed.
    pub hits: u64,
    /// Streams that showed a cursor and could not.
    pub misses: u64,
    /// Places of the log that clients were moved over in mid-stream, because they were gone from
    /// it. Not all of them were for these clients.
    pub skipped: u64,
    /// Beats.
    pub beats: u64,
    /// Hello and resync frames that announced a loss, by gap, in the order of their first
    /// appearance.
    pub resyncs: Vec<(Gap, u64)>,
    /// Updates that slow readers did without.
    pub passed_over: u64,
}

impl Counts {
    pub(super) fn resync(&mut self, gap: Gap) {
        if gap == Gap::None {
            return;
        }
        match self.resyncs.iter_mut().find(|(known, _)| *known == gap) {
            Some((_, count)) => *count += 1,
            None => self.resyncs.push((gap, 1)),
        }
    }

    pub(super) fn connected(&mut self, gap: Gap) {
        match gap {
            Gap::None => self.hits += 1,
            Gap::First => {}
            Gap::Epoch | Gap::Trimmed | Gap::Unknown | Gap::Overflow | Gap::Rights => self.misses += 1,
        }
    }

    pub(super) fn given(&mut self, live: bool, published: Time, now: Time) {
        self.frames += 1;
        if live {
            self.waits.add(now.since(published));
        } else {
            self.replayed += 1;
        }
    }
}

/// How often something took how long, in classes that double: finding one is a single instruction.
///
/// ```
/// use tinysse_hub::hub::Waits;
/// let mut waits = Waits::default();
/// [0, 3, 3, 900_000].into_iter().for_each(|ms| waits.add(ms));
/// let below: Vec<_> = waits.below().collect();
/// assert_eq!(below[..4], [(1, 1), (2, 1), (4, 3), (8, 3)]);
/// assert_eq!((waits.count(), waits.sum_ms()), (4, 900_006));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    /// In the class `n` is what took less than 2^n milliseconds, and in the last one all that took
    /// longer.
    classes: [u64; Self::CLASSES + 1],
    sum_ms: u64,
}

impl Waits {
    /// Up to 16 seconds.
    const CLASSES: usize = 15;

    /// It took this many whole milliseconds.
    pub fn add(&mut self, ms: u64) {
        let class = (u64::BITS - ms.leading_zeros()) as usize;
        self.classes[class.min(Self::CLASSES)] += 1;
        self.sum_ms = self.sum_ms.saturating_add(ms);
    }

    /// Bounds in milliseconds, and how often it took less.
    pub fn below(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.classes[..Self::CLASSES].iter().enumerate().scan(0, |sum, (class, count)| {
            *sum += count;
            Some((1 << class, *sum))
        })
    }

    /// How often in all.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.classes.iter().sum()
    }

    /// All of it together.
    #[must_use]
    pub fn sum_ms(&self) -> u64 {
        self.sum_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wait_is_in_the_first_class_whose_bound_is_above_it() {
        for ms in (0..100).chain([16_383]) {
            let mut waits = Waits::default();
            waits.add(ms);
            for (bound, count) in waits.below() {
                assert_eq!(count, u64::from(ms < bound), "{ms} below {bound}");
            }
        }
        let mut waits = Waits::default();
        waits.add(16_384);
        waits.add(u64::MAX);
        assert_eq!((waits.below().last(), waits.count()), (Some((16_384, 0)), 2));
    }
}
