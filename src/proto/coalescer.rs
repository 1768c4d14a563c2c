//! Coalescing: many notifications of one kind become few, and the last word is never lost.
//!
//! The first of a kind passes at once (leading edge), the last one inside the window follows when
//! the window ends (trailing edge). Not a debounce: a steady stream would starve that for ever.

use alloc::vec::Vec;

use super::time::Time;

/// Keeps the latest value of each key for a window of time.
///
/// ```
/// use tinysse::proto::{coalescer::Coalescer, time::Time};
/// let mut batch = Coalescer::new(50);
/// assert_eq!(batch.add(Time(0), "projects", 1), Some(1)); // at once
/// assert_eq!(batch.add(Time(10), "projects", 2), None);
/// assert_eq!(batch.add(Time(20), "projects", 3), None);
/// assert_eq!(batch.due(), Some(Time(50)));
/// assert_eq!(batch.flush(Time(50)), [3]); // 100 in a window would still make 2
/// ```
#[derive(Clone, Debug)]
pub struct Coalescer<K, V> {
    window: u64,
    /// In the order of what is held. A map would be no faster for the few kinds a window holds, and
    /// costs the wasm kilobytes.
    open: Vec<Slot<K, V>>,
    replaced: u32,
}

#[derive(Clone, Debug)]
struct Slot<K, V> {
    key: K,
    ends: Time,
    held: Option<V>,
}

impl<K: PartialEq, V> Coalescer<K, V> {
    /// A batch with a window in milliseconds; 0 lets everything pass.
    #[must_use]
    pub fn new(window_ms: u64) -> Self {
        Self { window: window_ms, open: Vec::new(), replaced: 0 }
    }

    /// Takes a value: gives it back if it may pass now, else keeps it and forgets the one it
    /// replaces.
    pub fn add(&mut self, now: Time, key: K, value: V) -> Option<V> {
        if self.window == 0 {
            return Some(value);
        }
        let mut slot = Slot { key, ends: now.plus(self.window), held: None };
        let mut passes = Some(value);
        if let Some(at) = self.open.iter().position(|open| open.key == slot.key) {
            let open = self.open.remove(at);
            // A held value that is due goes out with the next flush; passing this one first would
            // turn their order round.
            if open.held.is_some() || now < open.ends {
                self.replaced = self.replaced.saturating_add(u32::from(open.held.is_some()));
                slot.ends = open.ends;
                slot.held = passes.take();
            }
        }
        self.open.push(slot);
        passes
    }

    /// True if a value is held under this key, which the next one will replace.
    pub fn replaces(&self, is: impl Fn(&K) -> bool) -> bool {
        self.open.iter().any(|slot| slot.held.is_some() && is(&slot.key))
    }

    /// What is held under a key, to be changed into the last of so `many` values that replace it:
    /// [`add`](Self::add) without another value.
    pub fn replaceable(&mut self, is: impl Fn(&K) -> bool, many: u32) -> Option<&mut V> {
        let at = self.open.iter().position(|slot| slot.held.is_some() && is(&slot.key))?;
        self.replaced = self.replaced.saturating_add(many);
        if at + 1 < self.open.len() {
            self.open.get_mut(at..)?.rotate_left(1);
        }
        self.open.last_mut()?.held.as_mut()
    }

    /// True if it holds anything back at all.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.window > 0
    }

    /// What is held under a key, so that a value that is about to replace it can keep something of
    /// it.
    #[must_use]
    pub fn held(&self, key: &K) -> Option<&V> {
        self.open.iter().find(|slot| slot.key == *key)?.held.as_ref()
    }

    /// How many values were forgotten for a later one.
    #[must_use]
    pub fn replaced(&self) -> u32 {
        self.replaced
    }

    /// When [`flush`](Self::flush) has something to do: the end of the earliest window.
    #[must_use]
    pub fn due(&self) -> Option<Time> {
        self.open.iter().map(|slot| slot.ends).min()
    }

    /// Gives out what windows that ended by `now` have held, in the order of arrival. A window that
    /// held something starts anew.
    pub fn flush(&mut self, now: Time) -> Vec<V> {
        let mut ready = Vec::new();
        if self.open.is_empty() {
            return ready;
        }
        let ends = now.plus(self.window);
        self.open.retain_mut(|slot| {
            if now < slot.ends {
                return true;
            }
            let Some(held) = slot.held.take() else { return false };
            ready.push(held);
            slot.ends = ends;
            true
        });
        ready
    }

    /// Ends every window now, and gives out what they have held.
    pub fn close(&mut self) -> Vec<V> {
        let held = self.flush(Time(u64::MAX));
        self.open.clear();
        held
    }
}

#[cfg(test)]
mod tests {
    use std::vec;

    use super::*;

    #[test]
    fn a_steady_stream_is_thinned_but_never_starved() {
        let mut batch = Coalescer::new(50);
        let mut passed = vec![];
        for now in 0..1_000 {
            passed.extend(batch.flush(Time(now)));
            passed.extend(batch.add(Time(now), "a", now));
        }
        passed.extend(batch.flush(Time(2_000)));
        assert_eq!(passed.len(), 21);
        assert_eq!(passed.last(), Some(&999));
        assert!(passed.is_sorted());
    }

    #[test]
    fn what_is_changed_in_its_place_is_as_if_added() {
        let (mut added, mut changed) = (Coalescer::new(50), Coalescer::new(50));
        for (now, key) in [(0, "a"), (1, "b"), (2, "a"), (3, "b"), (4, "a"), (5, "c"), (6, "b")] {
            added.add(Time(now), key, now);
            match changed.replaceable(|known| *known == key, 1) {
                Some(held) => *held = now,
                None => _ = changed.add(Time(now), key, now),
            }
        }
        assert_eq!(changed.replaced(), added.replaced());
        assert_eq!(changed.flush(Time(60)), added.flush(Time(60)));
    }

    #[test]
    fn keys_do_not_delay_each_other_and_memory_is_given_back() {
        let mut batch = Coalescer::new(50);
        assert_eq!(batch.add(Time(0), "a", 1), Some(1));
        assert_eq!(batch.add(Time(0), "b", 2), Some(2));
        assert_eq!(batch.add(Time(5), "b", 3), None);
        assert_eq!(batch.add(Time(6), "a", 4), None);
        assert_eq!((batch.held(&"a"), batch.held(&"c")), (Some(&4), None));
        assert_eq!(batch.flush(Time(50)), vec![3, 4]);
        assert_eq!(batch.flush(Time(100)), vec![]);
        assert_eq!(batch.due(), None);
        assert!(batch.open.is_empty());
    }
}
