//! Who comes next, and what was already published under which idempotency key. Pure: the time comes
//! in with the records.
//!
//! Every engine keeps one beside its store, so that all of them give the same places for the same
//! batches.
//!
//! ```
//! use tinysse::proto::wire::id::Epoch;
//! use tinysse_hub::{
//!     engine::{Batch, Durability, EngineError, Receipt, Record, sequencer::{Entry, Sequencer}},
//!     hub::Update,
//! };
//!
//! let batch = |fingerprint| Batch {
//!     records: vec![Record { logged: 1, update: Update::new("projects") }],
//!     receipt: Some(Receipt { key: "order 7".into(), fingerprint }),
//! };
//! let mut ledger = Sequencer::new(Epoch(7), 41, Durability::Memory);
//! assert!(matches!(ledger.enter(&batch(1)), Ok(Entry::New(appended)) if appended.first == 42));
//! assert!(matches!(ledger.enter(&batch(1)), Ok(Entry::Known(appended)) if appended.first == 42));
//! assert_eq!(ledger.enter(&batch(2)), Err(EngineError::Reused));
//! assert_eq!(ledger.head(), 42);
//! ```

use tinysse::proto::wire::id::Epoch;

use super::{Appended, Batch, Durability, EngineError};
use crate::hub::receipts::{Receipts, Reused};

pub use crate::hub::receipts::{BOUND, Done, LIFE_MS, Receipt};

/// What to do with a batch.
#[derive(Debug, PartialEq, Eq)]
pub enum Entry {
    /// Write it from this place on.
    New(Appended),
    /// It is in the log.
    Known(Appended),
}

/// The head of a log and its receipts.
#[derive(Debug)]
pub struct Sequencer {
    epoch: Epoch,
    head: u64,
    reached: Durability,
    receipts: Receipts,
}

impl Sequencer {
    /// Makes the ledger of a log that ends at `head`, and whose updates are as safe as `reached`.
    #[must_use]
    pub fn new(epoch: Epoch, head: u64, reached: Durability) -> Self {
        Self { epoch, head, reached, receipts: Receipts::default() }
    }

    /// The place that was given last.
    #[must_use]
    pub fn head(&self) -> u64 {
        self.head
    }

    /// What [`enter`](Self::enter) would do; nothing changes.
    ///
    /// # Errors
    /// [`EngineError::Reused`].
    pub fn look(&self, batch: &Batch) -> Result<Entry, EngineError> {
        let Self { epoch, reached, .. } = *self;
        let now = batch.records.first().map_or(0, |record| record.logged);
        let known = batch.receipt.as_ref().map(|receipt| self.receipts.find(now, receipt)).transpose();
        match known.map_err(|Reused| EngineError::Reused)?.flatten() {
            Some(done) => Ok(Entry::Known(Appended { epoch, first: done.first, count: done.count, reached })),
            None => {
                let count = batch.records.len() as u64;
                Ok(Entry::New(Appended { epoch, first: self.head + 1, count, reached }))
            }
        }
    }

    /// Gives the batch its place, or finds the one that it has.
    ///
    /// # Errors
    /// [`EngineError::Reused`].
    pub fn enter(&mut self, batch: &Batch) -> Result<Entry, EngineError> {
        let entry = self.look(batch)?;
        if let Entry::New(appended) = &entry {
            self.head += appended.count;
            if let Some(receipt) = &batch.receipt {
                let at = batch.records.first().map_or(0, |record| record.logged);
                let (first, count) = (appended.first, appended.count);
                self.note(receipt.key.clone(), Done { fingerprint: receipt.fingerprint, first, count, at });
            }
        }
        Ok(entry)
    }

    /// Remembers a receipt, and forgets the oldest.
    pub fn note(&mut self, key: String, done: Done) {
        self.receipts.note(key, done);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{engine::Record, hub::Update};

    fn batch(logged: u64, key: &str) -> Batch {
        let record = Record { logged, update: Update::new("a") };
        Batch { records: vec![record], receipt: Some(Receipt { key: key.into(), fingerprint: 1 }) }
    }

    fn first(entry: Result<Entry, EngineError>) -> (bool, u64) {
        match entry.expect("entered") {
            Entry::New(appended) => (true, appended.first),
            Entry::Known(appended) => (false, appended.first),
        }
    }

    #[test]
    fn a_receipt_ends_with_its_age() {
        let mut ledger = Sequencer::new(Epoch(7), 0, Durability::Group);
        assert_eq!(first(ledger.enter(&batch(1_000, "a"))), (true, 1));
        assert_eq!(first(ledger.enter(&batch(1_000 + LIFE_MS, "a"))), (false, 1));
        assert_eq!(first(ledger.enter(&batch(1_001 + LIFE_MS, "a"))), (true, 2));
    }
}
