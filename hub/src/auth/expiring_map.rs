//! Names with a time and a value each, oldest first, and the memory that they take.

use std::collections::{BTreeMap, BTreeSet};

/// What an entry takes besides its name, in bytes: nodes of two trees, measured with short names.
const OVERHEAD: usize = 160;

/// A map by name that can be forgotten by time.
#[derive(Debug)]
pub(super) struct ExpiringMap<V = ()> {
    at: BTreeMap<String, (u64, V)>,
    order: BTreeSet<(u64, String)>,
    bytes: usize,
}

impl<V> Default for ExpiringMap<V> {
    fn default() -> Self {
        Self { at: BTreeMap::new(), order: BTreeSet::new(), bytes: 0 }
    }
}

impl<V: Clone> ExpiringMap<V> {
    pub(super) fn get(&self, name: &str) -> Option<(u64, V)> {
        self.at.get(name).cloned()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.at.contains_key(name)
    }

    /// Returns the bytes that adding this name would take.
    pub(super) fn cost(&self, name: &str) -> usize {
        if self.has(name) { 0 } else { cost(name) }
    }

    /// Returns the bytes that all entries take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn add(&mut self, name: &str, at: u64, value: V) {
        self.bytes += self.cost(name);
        if let Some((earlier, _)) = self.at.insert(name.to_owned(), (at, value)) {
            self.order.remove(&(earlier, name.to_owned()));
        }
        self.order.insert((at, name.to_owned()));
    }

    /// Forgets all that is older than `oldest`; `gone` gets each.
    pub(super) fn forget(&mut self, oldest: u64, mut gone: impl FnMut(&str, V)) {
        while self.order.first().is_some_and(|(at, _)| *at < oldest) {
            if let Some((name, value)) = self.pop() {
                gone(&name, value);
            }
        }
    }

    /// Removes the oldest.
    pub(super) fn pop(&mut self) -> Option<(String, V)> {
        let (_, name) = self.order.pop_first()?;
        self.bytes -= cost(&name);
        let (_, value) = self.at.remove(&name)?;
        Some((name, value))
    }

    pub(super) fn remove(&mut self, name: &str) -> Option<V> {
        let (at, value) = self.at.remove(name)?;
        self.order.remove(&(at, name.to_owned()));
        self.bytes -= cost(name);
        Some(value)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, u64, &V)> {
        self.at.iter().map(|(name, (at, value))| (name.as_str(), *at, value))
    }

    pub(super) fn len(&self) -> usize {
        self.at.len()
    }
}

fn cost(name: &str) -> usize {
    2 * name.len() + OVERHEAD
}
