//! Names with a date each: what was revoked when, what was used until when. Bounded.

use std::collections::{BTreeMap, BTreeSet};

/// Entries kept of each kind. What is dropped past that is told, so that whoever asks can refuse more than necessary, and never less.
pub(super) const BOUND: usize = 10_000;

/// Oldest first. Each name may have a value besides.
#[derive(Debug)]
pub(super) struct Dated<V = ()> {
    at: BTreeMap<String, (u64, V)>,
    order: BTreeSet<(u64, String)>,
}

impl<V> Default for Dated<V> {
    fn default() -> Self {
        Self { at: BTreeMap::new(), order: BTreeSet::new() }
    }
}

impl<V: Copy> Dated<V> {
    pub(super) fn get(&self, name: &str) -> Option<(u64, V)> {
        self.at.get(name).copied()
    }

    pub(super) fn at(&self, name: &str) -> Option<u64> {
        self.get(name).map(|(at, _)| at)
    }

    /// Adds a name, forgets those older than `oldest`, and answers up to where (exclusively) dates were dropped for want of room, or 0.
    pub(super) fn add(&mut self, name: &str, now: u64, value: V, oldest: u64) -> u64 {
        if let Some((earlier, _)) = self.at.insert(name.to_owned(), (now, value)) {
            self.order.remove(&(earlier, name.to_owned()));
        }
        self.order.insert((now, name.to_owned()));
        let mut dropped = 0;
        while let Some((at, name)) = self.order.first().filter(|(at, _)| *at < oldest || self.order.len() > BOUND) {
            if *at >= oldest {
                dropped = *at + 1;
            }
            self.at.remove(name);
            self.order.pop_first();
        }
        dropped
    }

    pub(super) fn remove(&mut self, name: &str) {
        if let Some((at, _)) = self.at.remove(name) {
            self.order.remove(&(at, name.to_owned()));
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        assert_eq!(self.at.len(), self.order.len());
        self.at.len()
    }
}
