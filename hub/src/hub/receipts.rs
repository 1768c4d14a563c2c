//! What was published before under which idempotency key. Pure: the time comes in.

use std::collections::{BTreeSet, HashMap};

/// How long a receipt is kept, in milliseconds.
pub const LIFE_MS: u64 = 300_000;
/// The number of receipts that are kept.
pub const BOUND: usize = 10_000;

/// What makes a request happen once: its key, and what it was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The idempotency key.
    pub key: String,
    /// Of the body: the same key for something else is a mistake.
    pub fingerprint: u64,
}

/// What a receipt refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// Of the body.
    pub fingerprint: u64,
    /// The place of the first update.
    pub first: u64,
    /// How many there are.
    pub count: u64,
    /// When, in milliseconds since 1970.
    pub at: u64,
}

/// The key was used before, for something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reused;

/// The receipts of the last five minutes, [`BOUND`] at most.
///
/// ```
/// use tinysse_hub::hub::receipts::{Done, Receipt, Receipts, Reused};
///
/// let receipt = |fingerprint| Receipt { key: "order 7".into(), fingerprint };
/// let mut receipts = Receipts::default();
/// assert_eq!(receipts.find(0, &receipt(1)), Ok(None));
/// let done = Done { fingerprint: 1, first: 42, count: 1, at: 0 };
/// receipts.note("order 7".into(), done);
/// assert_eq!((receipts.find(300_000, &receipt(1)), receipts.find(0, &receipt(2))), (Ok(Some(done)), Err(Reused)));
/// assert_eq!(receipts.find(300_001, &receipt(1)), Ok(None));
/// ```
#[derive(Debug, Default)]
pub struct Receipts {
    done: HashMap<String, Done>,
    by_age: BTreeSet<(u64, String)>,
}

impl Receipts {
    /// Returns what was published under the key of this receipt.
    ///
    /// # Errors
    /// [`Reused`].
    pub fn find(&self, now_ms: u64, receipt: &Receipt) -> Result<Option<Done>, Reused> {
        let known = self.done.get(&receipt.key).filter(|done| now_ms.saturating_sub(done.at) <= LIFE_MS);
        match known {
            Some(done) if done.fingerprint != receipt.fingerprint => Err(Reused),
            known => Ok(known.copied()),
        }
    }

    /// Remembers a receipt, and forgets the oldest.
    pub fn note(&mut self, key: String, done: Done) {
        if let Some(older) = self.done.insert(key.clone(), done) {
            self.by_age.remove(&(older.at, key.clone()));
        }
        self.by_age.insert((done.at, key));
        let stale = |at: u64| done.at.saturating_sub(at) > LIFE_MS;
        while self.by_age.first().is_some_and(|(at, _)| stale(*at) || self.by_age.len() > BOUND) {
            if let Some((_, key)) = self.by_age.pop_first() {
                self.done.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(at: u64) -> Done {
        Done { fingerprint: 1, first: 1, count: 1, at }
    }

    #[test]
    fn a_receipt_ends_with_its_age() {
        let mut receipts = Receipts::default();
        let receipt = Receipt { key: "a".into(), fingerprint: 1 };
        receipts.note("a".into(), done(1_000));
        assert_eq!(receipts.find(1_000 + LIFE_MS, &receipt), Ok(Some(done(1_000))));
        assert_eq!(receipts.find(1_001 + LIFE_MS, &receipt), Ok(None));
        receipts.note("a".into(), done(1_001 + LIFE_MS));
        assert_eq!((receipts.done.len(), receipts.by_age.len()), (1, 1));
    }

    #[test]
    fn the_memory_of_receipts_is_bounded() {
        let mut receipts = Receipts::default();
        for n in 0..BOUND as u64 + 3 {
            receipts.note(n.to_string(), done(n));
        }
        assert_eq!((receipts.done.len(), receipts.by_age.len()), (BOUND, BOUND));
        assert!(!receipts.done.contains_key("2") && receipts.done.contains_key("3"));
    }
}
