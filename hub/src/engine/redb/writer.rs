//! The thread that writes. If a commit fails, the file is opened again: what it holds then is the
//! truth.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use tinysse::proto::wire::id::Epoch;
use tokio::sync::{mpsc::Receiver, oneshot};

use super::{
    super::{
        Appended, Batch, Durability, EngineError, Sink,
        sequencer::{Entry, Sequencer},
    },
    file::{File, Write},
};

/// Updates that share a commit, about.
const GROUP: usize = 4_096;
/// With [`Durability::Memory`] the file follows this often at most: each commit costs an fsync.
const FOLLOW: Duration = Duration::from_millis(20);
/// How long to wait before a failed write is tried again, while nobody waits for it.
const PAUSE: Duration = Duration::from_millis(250);

/// Why the last write failed, if it did.
pub(super) type Trouble = Arc<Mutex<Option<EngineError>>>;

/// What the thread is asked for.
#[derive(Debug)]
pub(super) enum Work {
    /// Write, call the sink, answer.
    Append(Job),
    /// Write what has its place and was seen.
    Follow(Appended, Batch),
    /// The log's life ends, and this one begins.
    Renew(Epoch),
    /// Write the rest, close the file, answer.
    Close(oneshot::Sender<()>),
}

#[derive(Debug)]
pub(super) struct Job {
    pub(super) batch: Batch,
    pub(super) reply: oneshot::Sender<Result<Appended, EngineError>>,
}

/// Writes first and calls the sink then.
pub(super) struct Writer {
    file: File,
    ledger: Sequencer,
    sink: Arc<dyn Sink>,
    trouble: Trouble,
    /// After a failure the file could not be opened, so the ledger is not to be trusted.
    lost: bool,
}

impl Writer {
    pub(super) fn new(file: File, ledger: Sequencer, sink: Arc<dyn Sink>, trouble: Trouble) -> Self {
        Self { file, ledger, sink, trouble, lost: false }
    }

    pub(super) fn run(mut self, mut work: Receiver<Work>) {
        while let Some(first) = work.blocking_recv() {
            let alone = self.file.durability() == Durability::Sync;
            let mut jobs = Vec::new();
            let (mut renew, mut close) = (None, None);
            for work in gather(first, &mut work, alone) {
                match work {
                    Work::Append(job) => jobs.push(job),
                    Work::Follow(..) => {}
                    Work::Renew(fresh) => renew = Some(fresh),
                    Work::Close(reply) => close = Some(reply),
                }
            }
            if !jobs.is_empty() {
                self.append(jobs);
            }
            if let Some(fresh) = renew {
                self.renew(fresh);
            }
            if let Some(reply) = close {
                self.file.close();
                // Who asked may have stopped waiting.
                let _ = reply.send(());
                return;
            }
        }
        self.file.close();
    }

    fn append(&mut self, jobs: Vec<Job>) {
        if self.lost
            && let Err(error) = self.recover()
        {
            jobs.into_iter().for_each(|job| drop(job.reply.send(Err(error.clone()))));
            return;
        }
        let head = self.ledger.head();
        let answers: Vec<_> = jobs.iter().map(|job| self.ledger.enter(&job.batch)).collect();
        let mut write = Write::behind(head);
        for (job, answer) in jobs.iter().zip(&answers) {
            if let Ok(Entry::New(appended)) = answer {
                write.add(*appended, &job.batch);
            }
        }
        let written = if write.is_empty() { Ok(()) } else { self.write(&write) };
        for (job, answer) in jobs.into_iter().zip(answers) {
            let answer = match (answer, &written) {
                (Err(error), _) => Err(error),
                (Ok(_), Err(error)) => Err(error.clone()),
                (Ok(Entry::Known(appended)), Ok(())) => Ok(appended),
                (Ok(Entry::New(appended)), Ok(())) => {
                    for (seq, record) in (appended.first..).zip(job.batch.records) {
                        self.sink.deliver(seq, record);
                    }
                    Ok(appended)
                }
            };
            // A publisher that hung up needs no answer.
            let _ = job.reply.send(answer);
        }
    }

    fn renew(&mut self, fresh: Epoch) {
        match self.file.renew(fresh) {
            Ok(()) => {
                self.ledger = Sequencer::new(fresh, 0, self.file.durability());
                self.sink.begin(fresh, 0);
            }
            Err(error) => tracing::error!(target: "tinysse::engine", error, "no new epoch could be begun"),
        }
    }

    /// Writes, or puts everything back to what the file holds.
    fn write(&mut self, write: &Write) -> Result<(), EngineError> {
        let written = self.file.write(write);
        note(&self.trouble, written.as_ref().err());
        let Err(error) = written else { return Ok(()) };
        tracing::error!(target: "tinysse::engine", %error, "the log was not written");
        // Nobody saw the places: they are given again.
        self.ledger = Sequencer::new(self.file.epoch(), write.behind, self.file.durability());
        if let Err(error) = self.recover() {
            tracing::error!(target: "tinysse::engine", %error, "the log can't be opened again");
        }
        Err(error)
    }

    /// Takes what the file holds for the truth. A commit that was reported as failed may have
    /// reached the disk: then it counts.
    fn recover(&mut self) -> Result<(), EngineError> {
        self.lost = true;
        let found = self.file.reopen().map_err(|error| EngineError::Unavailable(error.to_string()))?;
        let seen = self.ledger.head();
        if found.head < seen {
            return Err(EngineError::Unavailable(format!("the file ends at {}, before {seen}", found.head)));
        }
        let first = found.head + 1 - found.records.len() as u64;
        self.ledger = Sequencer::new(found.epoch, found.head, self.file.durability());
        found.receipts.into_iter().for_each(|(key, done)| self.ledger.note(key, done));
        for (seq, (_, record)) in (first..).zip(found.records).filter(|(seq, _)| *seq > seen) {
            self.sink.deliver(seq, record);
        }
        self.lost = false;
        Ok(())
    }
}

/// Writes what the sink already has.
pub(super) struct Follower {
    file: File,
    trouble: Trouble,
    /// Whether the file has all that was acknowledged. Once it lacks something, it is not marked as
    /// whole, and the next start begins another epoch.
    whole: bool,
    closing: Arc<AtomicBool>,
}

impl Follower {
    pub(super) fn new(file: File, trouble: Trouble, closing: Arc<AtomicBool>) -> Self {
        Self { file, trouble, whole: true, closing }
    }

    pub(super) fn run(mut self, mut work: Receiver<Work>) {
        while let Some(first) = work.blocking_recv() {
            let mut write = None;
            let (mut renew, mut close) = (None, None);
            for work in gather(first, &mut work, false) {
                match work {
                    Work::Append(_) => {}
                    Work::Renew(fresh) => renew = Some(fresh),
                    Work::Follow(appended, batch) => {
                        write.get_or_insert_with(|| Write::behind(appended.first - 1)).add(appended, &batch);
                    }
                    Work::Close(reply) => close = Some(reply),
                }
            }
            if let Some(write) = &write
                && self.whole
            {
                self.whole = self.follow(write);
            }
            if let Some(fresh) = renew {
                match self.file.renew(fresh) {
                    Ok(()) => self.whole = true,
                    Err(error) => {
                        // What follows no longer fits the file.
                        self.whole = false;
                        tracing::error!(target: "tinysse::engine", error, "no new epoch could be begun");
                    }
                }
            }
            if let Some(reply) = close {
                self.end();
                let _ = reply.send(());
                return;
            }
            if !self.closing.load(Ordering::Acquire) {
                thread::sleep(FOLLOW);
            }
        }
        self.end();
    }

    /// Writes, again and again if need be. Gives up when the server ends: false then.
    fn follow(&mut self, write: &Write) -> bool {
        loop {
            let written = self.file.write(write);
            note(&self.trouble, written.as_ref().err());
            let Err(error) = written else { return true };
            tracing::error!(target: "tinysse::engine", %error, "the log was not written");
            if self.closing.load(Ordering::Acquire) {
                return false;
            }
            thread::sleep(PAUSE);
            match self.file.reopen() {
                Ok(found) if found.head >= write.head() => return true,
                Ok(_) => {}
                Err(error) => tracing::error!(target: "tinysse::engine", %error, "the log can't be opened again"),
            }
        }
    }

    fn end(&mut self) {
        if self.whole {
            self.file.mark_whole();
        }
        self.file.close();
    }
}

/// What waits, up to a bound; a `Close` or a `Renew` ends it.
fn gather(first: Work, work: &mut Receiver<Work>, alone: bool) -> Vec<Work> {
    let mut works = vec![first];
    let mut updates = 0;
    while let Some(last) = works.last() {
        updates += match last {
            Work::Append(job) => job.batch.records.len(),
            Work::Follow(_, batch) => batch.records.len(),
            Work::Close(_) | Work::Renew(_) => return works,
        };
        if alone || updates >= GROUP {
            return works;
        }
        match work.try_recv() {
            Ok(next) => works.push(next),
            Err(_) => return works,
        }
    }
    works
}

fn note(trouble: &Trouble, error: Option<&EngineError>) {
    *trouble.lock().unwrap_or_else(PoisonError::into_inner) = error.cloned();
}
