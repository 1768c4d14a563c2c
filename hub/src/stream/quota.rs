//! How much one key (a user, an address) has at a time, with a cap.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

/// What each key has now, and a cap for each.
#[derive(Clone, Debug)]
pub struct Quota<K> {
    taken: Arc<Mutex<HashMap<K, usize>>>,
    cap: usize,
}

/// One of a key's share; given back when it is dropped.
#[derive(Debug)]
pub struct Permit<K: Hash + Eq> {
    of: Option<(Quota<K>, K)>,
}

impl<K: Hash + Eq + Clone> Quota<K> {
    /// Returns a quota of `cap` for each key, of which nothing is taken.
    #[must_use]
    pub fn new(cap: usize) -> Self {
        Self { taken: Arc::default(), cap }
    }

    /// Takes one more for `who`; without a key nothing is limited. Returns `None` if that would be
    /// too many.
    #[must_use]
    pub fn take(&self, who: Option<K>) -> Option<Permit<K>> {
        let Some(who) = who else { return Some(Permit { of: None }) };
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(who.clone()).or_insert(0);
        if *count >= self.cap {
            return None;
        }
        *count += 1;
        drop(taken);
        Some(Permit { of: Some((self.clone(), who)) })
    }
}

impl<K: Hash + Eq> Drop for Permit<K> {
    fn drop(&mut self) {
        let Some((quota, who)) = &self.of else { return };
        let mut taken = quota.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(who) {
            *count -= 1;
            if *count == 0 {
                taken.remove(who);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_comes_back_and_leaves_nothing_behind() {
        let shares = Quota::new(2);
        let (one, two) = (shares.take(Some("a")), shares.take(Some("a")));
        assert!(one.is_some() && two.is_some() && shares.take(Some("a")).is_none() && shares.take(Some("b")).is_some());
        drop(one);
        assert!(shares.take(Some("a")).is_some());
        drop(two);
        assert!(shares.taken.lock().expect("sound").is_empty());
        assert!((0..9).map(|_| shares.take(None)).all(|share| share.is_some()));
    }
}
