//! When each stream has something to do by itself: a beat, its age, its end. One wheel for all,
//! instead of a timer for each.
//!
//! Absent here: a clock. What is due moves with every update a stream gets, so a slot is only when
//! to look again.

use std::collections::BTreeMap;

use tinysse::proto::time::Time;

/// A wheel of slots, each with the keys that are due in it.
///
/// ```
/// use tinysse::proto::time::Time;
/// use tinysse_hub::hub::Deadlines;
///
/// let mut wheel = Deadlines::new(250);
/// assert_eq!(wheel.insert(Time(1_100), "ada"), Time(1_250));
/// assert_eq!((wheel.next(), wheel.pop(Time(1_249))), (Some(Time(1_250)), None));
/// assert_eq!(wheel.pop(Time(1_250)), Some((Time(1_250), vec!["ada"])));
/// ```
#[derive(Debug)]
pub struct Deadlines<K> {
    /// Ends of slots, and who is in them. Few slots are open at a time: a beat long, and one for
    /// each later age.
    slots: BTreeMap<u64, Vec<K>>,
    width: u64,
}

impl<K> Deadlines<K> {
    /// Returns a wheel whose slots are `width` milliseconds wide: it may be that much too late.
    #[must_use]
    pub fn new(width: u64) -> Self {
        Self { slots: BTreeMap::new(), width: width.max(1) }
    }

    /// Puts a key in the slot that ends at or behind `due`. Returns when that is.
    pub fn insert(&mut self, due: Time, key: K) -> Time {
        let end = due.0.div_ceil(self.width).saturating_mul(self.width);
        self.slots.entry(end).or_default().push(key);
        Time(end)
    }

    /// Takes out the oldest slot that has ended by `now`.
    pub fn pop(&mut self, now: Time) -> Option<(Time, Vec<K>)> {
        let slot = self.slots.first_entry().filter(|slot| *slot.key() <= now.0)?;
        let (end, keys) = slot.remove_entry();
        Some((Time(end), keys))
    }

    /// Returns when the oldest slot ends; `None` while nothing is due at any time.
    #[must_use]
    pub fn next(&self) -> Option<Time> {
        self.slots.keys().next().map(|end| Time(*end))
    }

    /// Returns how wide a slot is, in milliseconds.
    #[must_use]
    pub fn width(&self) -> u64 {
        self.width
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_too_early_and_at_most_a_slot_too_late() {
        let mut wheel = Deadlines::new(50);
        for due in [0, 1, 50, 51, 149, 1_000_000] {
            let slot = wheel.insert(Time(due), due).0;
            assert!(slot >= due && slot < due + 50, "{due} in {slot}");
        }
        assert_eq!(wheel.pop(Time(49)), Some((Time(0), vec![0])));
        assert_eq!(wheel.pop(Time(49)), None);
        assert_eq!(wheel.pop(Time(100)), Some((Time(50), vec![1, 50])));
        assert_eq!(wheel.pop(Time(100)), Some((Time(100), vec![51])));
        assert_eq!(wheel.pop(Time(999_999)), Some((Time(150), vec![149])));
        assert_eq!(wheel.pop(Time(999_999)), None);
    }
}
