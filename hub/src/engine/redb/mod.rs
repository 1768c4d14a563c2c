//! The engine that keeps the log in a file, by `redb`: copy-on-write pages with checksums, and the
//! fsync of a commit shared by all updates that came meanwhile.
//!
//! One thread writes. With [`Durability::Group`] and [`Durability::Sync`] an update gets its place
//! there, and streams see it when it is on the disk. With [`Durability::Memory`] it gets its place
//! and is seen at once, and the file follows; so a log that was not closed may lack what was seen,
//! and its life ends: the next start begins another epoch.
//!
//! A file that turns out to be an older copy of the log (see
//! [`ahead_of_log`](Engine::ahead_of_log)) begins another epoch, too.
//!
//! The queue before the thread is bounded: when it is full, publishers are asked to retry.

mod file;
mod load;
mod origin;
mod writer;

use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use tinysse::proto::wire::id::{Epoch, EventId};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use super::{
    Answer, Appended, Batch, Bounds, Durability, Engine, EngineError, Health, OpenError, Sink,
    sequencer::{Entry, Sequencer},
};
use file::File;
use writer::{Job, Trouble, Work, Writer};

/// Requests that may wait for the thread.
const QUEUE: usize = 1_024;
/// How long [`close`](Engine::close) waits for the thread. A disk that hangs gives no sign at all.
const CLOSE: Duration = Duration::from_secs(4);

/// A log in a file.
#[derive(Debug)]
pub struct Redb {
    /// What publishes; `None` once closed. With [`Durability::Memory`] places are given here, in
    /// the order in which they are queued.
    front: Mutex<Option<Front>>,
    trouble: Trouble,
    /// The server ends: what fails now is not tried again. The queue may be too full to send that.
    closing: Arc<AtomicBool>,
    /// A log that was read back, and the name of the life that begins if it turns out to be an old
    /// one.
    read_back: Mutex<Option<(Epoch, Epoch)>>,
}

#[derive(Debug)]
struct Front {
    queue: mpsc::Sender<Work>,
    /// Of [`Durability::Memory`].
    ledger: Option<Sequencer>,
    sink: Arc<dyn Sink>,
}

impl Redb {
    /// Opens the log in `folder`, or begins one, and gives the sink what it holds. `fresh` names
    /// the next epoch of the log, should one begin.
    ///
    /// # Errors
    /// [`OpenError`]; the file is left as it was.
    pub fn open(
        folder: &Path,
        durability: Durability,
        bounds: Bounds,
        fresh: Epoch,
        sink: Arc<dyn Sink>,
    ) -> Result<Self, OpenError> {
        let (file, found) = File::open(folder, durability, bounds, fresh)?;
        let read_back = Mutex::new((found.epoch != fresh).then_some((found.epoch, fresh)));
        let first = found.head + 1 - found.records.len() as u64;
        sink.begin(found.epoch, first - 1);
        for (seq, (_, record)) in (first..).zip(found.records) {
            sink.restore(seq, record);
        }
        let mut ledger = Sequencer::new(found.epoch, found.head, durability);
        found.receipts.into_iter().for_each(|(key, done)| ledger.note(key, done));
        let (queue, work) = mpsc::channel(QUEUE);
        let (trouble, closing) = (Trouble::default(), Arc::new(AtomicBool::new(false)));
        let ours = match durability {
            Durability::Memory => Some(ledger),
            Durability::Group | Durability::Sync => {
                let writer = Writer::new(file, ledger, Arc::clone(&sink), Arc::clone(&trouble));
                spawn(folder, move || writer.run(work))?;
                let front = Front { queue, ledger: None, sink };
                return Ok(Self { front: Mutex::new(Some(front)), trouble, closing, read_back });
            }
        };
        let writer = writer::Follower::new(file, Arc::clone(&trouble), Arc::clone(&closing));
        spawn(folder, move || writer.run(work))?;
        Ok(Self { front: Mutex::new(Some(Front { queue, ledger: ours, sink })), trouble, closing, read_back })
    }

    /// The log's epoch ends. Returns false if the queue is full.
    fn renew(&self, fresh: Epoch) -> bool {
        let mut front = self.front.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Front { queue, ledger, sink }) = front.as_mut() else { return true };
        let Ok(place) = queue.try_reserve() else { return false };
        if let Some(ledger) = ledger {
            *ledger = Sequencer::new(fresh, 0, Durability::Memory);
            sink.begin(fresh, 0);
        }
        place.send(Work::Renew(fresh));
        true
    }

    fn queue(&self, batch: Batch) -> Result<Queued, EngineError> {
        let mut front = self.front.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Front { queue, ledger, sink }) = front.as_mut() else { return Err(closed()) };
        let place = queue.try_reserve().map_err(|error| match error {
            mpsc::error::TrySendError::Full(()) => trouble(&self.trouble).unwrap_or(EngineError::Busy),
            mpsc::error::TrySendError::Closed(()) => closed(),
        })?;
        let Some(ledger) = ledger else {
            let (reply, answer) = oneshot::channel();
            place.send(Work::Append(Job { batch, reply }));
            return Ok(Queued::Waits(answer));
        };
        match ledger.enter(&batch)? {
            Entry::Known(appended) => Ok(Queued::Done(appended)),
            Entry::New(appended) => {
                for (seq, record) in (appended.first..).zip(&batch.records) {
                    sink.deliver(seq, record.clone());
                }
                place.send(Work::Follow(appended, batch));
                Ok(Queued::Done(appended))
            }
        }
    }
}

enum Queued {
    Done(Appended),
    Waits(oneshot::Receiver<Result<Appended, EngineError>>),
}

impl Drop for Redb {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::Release);
    }
}

impl Engine for Redb {
    fn append(&self, batch: Batch) -> Answer<'_, Result<Appended, EngineError>> {
        let queued = self.queue(batch);
        Box::pin(async move {
            match queued? {
                Queued::Done(appended) => Ok(appended),
                Queued::Waits(answer) => answer.await.unwrap_or_else(|_| Err(closed())),
            }
        })
    }

    fn ahead_of_log(&self, id: EventId) {
        let mut read_back = self.read_back.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((_, fresh)) = read_back.filter(|(epoch, _)| *epoch == id.epoch) else { return };
        tracing::warn!(target: "tinysse::engine", %id, "a client was given a place that the stored log does not have: a new epoch begins");
        if self.renew(fresh) {
            *read_back = None;
        }
    }

    fn health(&self) -> Health {
        trouble(&self.trouble).map_or(Health::Good, Health::Refusing)
    }

    fn close(&self) -> Answer<'_, ()> {
        let front = self.front.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.closing.store(true, Ordering::Release);
        Box::pin(async move {
            let Some(front) = front else { return };
            let (reply, done) = oneshot::channel();
            let closed = async {
                if front.queue.send(Work::Close(reply)).await.is_ok() {
                    // The thread is gone if it panicked; then there is nothing left to wait for.
                    let _ = done.await;
                }
            };
            if timeout(CLOSE, closed).await.is_err() {
                tracing::error!(target: "tinysse::engine", "the log was not closed in time; what was acknowledged from the disk is on it");
            }
        })
    }
}

fn closed() -> EngineError {
    EngineError::Unavailable("the server shuts down".to_owned())
}

fn trouble(trouble: &Trouble) -> Option<EngineError> {
    trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn spawn(folder: &Path, body: impl FnOnce() + Send + 'static) -> Result<(), OpenError> {
    match thread::Builder::new().name("log".to_owned()).spawn(body) {
        Ok(_) => Ok(()),
        Err(error) => Err(OpenError::Io { path: folder.to_owned(), what: error.to_string() }),
    }
}

#[cfg(test)]
mod tests;
