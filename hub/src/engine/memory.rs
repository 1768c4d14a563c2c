//! The engine that keeps nothing: the hub's ring is the log, and it ends with the process.

use std::sync::{Arc, Mutex, PoisonError};

use tinysse::proto::wire::id::Epoch;

use super::{
    Answer, Appended, Batch, Durability, Engine, EngineError, Health, Sink,
    sequencer::{Entry, Sequencer},
};

/// Order and receipts, in memory.
#[derive(Debug)]
pub struct Memory {
    /// Held while the sink is called, so that calls keep their order.
    /// `None` once closed.
    ledger: Mutex<Option<Sequencer>>,
    sink: Arc<dyn Sink>,
}

impl Memory {
    /// An empty log. The epoch must differ from that of any earlier one.
    #[must_use]
    pub fn start(epoch: Epoch, sink: Arc<dyn Sink>) -> Self {
        sink.begin(epoch, 0);
        Self { ledger: Mutex::new(Some(Sequencer::new(epoch, 0, Durability::Memory))), sink }
    }

    fn take(&self, batch: Batch) -> Result<Appended, EngineError> {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let closed = || EngineError::Unavailable("the server shuts down".to_owned());
        let ledger = ledger.as_mut().ok_or_else(closed)?;
        match ledger.enter(&batch)? {
            Entry::Known(appended) => Ok(appended),
            Entry::New(appended) => {
                for (seq, record) in (appended.first..).zip(batch.records) {
                    self.sink.deliver(seq, record);
                }
                Ok(appended)
            }
        }
    }
}

impl Engine for Memory {
    fn append(&self, batch: Batch) -> Answer<'_, Result<Appended, EngineError>> {
        Box::pin(async move { self.take(batch) })
    }

    fn health(&self) -> Health {
        Health::Good
    }

    fn close(&self) -> Answer<'_, ()> {
        Box::pin(async { *self.ledger.lock().unwrap_or_else(PoisonError::into_inner) = None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::conformance::conforms;

    #[test]
    fn it_conforms() {
        conforms(|| Box::new(|_, epoch, sink| Arc::new(Memory::start(epoch, sink))), false);
    }
}
