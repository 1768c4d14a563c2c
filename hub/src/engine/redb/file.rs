//! The file: three tables, written in one transaction each time, and read as a whole at the start.
//!
//! `log`: place -> CRC-32 of the rest (4 bytes, little-endian) and the record as JSON. `meta`:
//! `format`, `epoch`, `head`, `open` (1 while a log is open whose file only follows), and the
//! stamps of [`origin`]. `receipts`: idempotency key -> fingerprint, first place, count, time (8
//! bytes each).

use std::{
    collections::VecDeque,
    io::ErrorKind,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use ::redb::{Database, ReadableTable, ReadableTableMetadata, TableDefinition};
use tinysse::proto::wire::id::Epoch;

use super::{
    super::{
        Appended, Batch, Bounds, Durability, EngineError, OpenError,
        sequencer::{self, Done},
    },
    load::{Found, create, damaged, load, seal},
    origin,
};

const NAME: &str = "log.redb";
/// Receipts are thinned out when this many more are stored than are remembered.
const SURPLUS_RECEIPTS: u64 = 1_000;

pub(super) const LOG: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("log");
pub(super) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
pub(super) const RECEIPTS: TableDefinition<'_, &str, [u64; 4]> = TableDefinition::new("receipts");

/// An open log.
#[derive(Debug)]
pub(super) struct File {
    path: PathBuf,
    /// `None` if it could not be opened again after a failure.
    db: Option<Database>,
    durability: Durability,
    bounds: Bounds,
    epoch: Epoch,
    /// Age and size of each kept update; the first is at `first`.
    kept: VecDeque<(u64, usize)>,
    first: u64,
    bytes: usize,
}

/// Neighbouring updates that are written together.
#[derive(Debug)]
pub(super) struct Write {
    pub(super) behind: u64,
    /// When logged, and the value.
    values: Vec<(u64, Vec<u8>)>,
    receipts: Vec<(String, Done)>,
}

impl Write {
    pub(super) fn behind(behind: u64) -> Self {
        Self { behind, values: Vec::new(), receipts: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    pub(super) fn head(&self) -> u64 {
        self.behind + self.values.len() as u64
    }

    pub(super) fn add(&mut self, appended: Appended, batch: &Batch) {
        self.values.extend(batch.records.iter().map(|record| (record.logged, seal(&record.encode()))));
        if let Some(receipt) = &batch.receipt {
            let at = batch.records.first().map_or(0, |record| record.logged);
            let Appended { first, count, .. } = appended;
            self.receipts.push((receipt.key.clone(), Done { fingerprint: receipt.fingerprint, first, count, at }));
        }
    }
}

impl File {
    /// Opens the log of `folder`, or makes one.
    pub(super) fn open(
        folder: &Path,
        durability: Durability,
        bounds: Bounds,
        fresh: Epoch,
    ) -> Result<(Self, Found), OpenError> {
        let path = folder.join(NAME);
        if !path.exists() {
            create(&path, fresh).map_err(|what| OpenError::Io { path: path.clone(), what })?;
        }
        let mut file =
            Self { path, db: None, durability, bounds, epoch: fresh, kept: VecDeque::new(), first: 1, bytes: 0 };
        let (db, mut found, open) = load(&file.path)?;
        let lost = if open {
            Some("it was not closed and may lack updates that were seen")
        } else {
            origin::doubt(&file.path, &db, &found)?
        };
        file.db = Some(db);
        if let Some(why) = lost {
            tracing::warn!(target: "tinysse::engine", why, "the stored log is not to be trusted: a new epoch begins");
            found = Found { epoch: fresh, head: 0, records: Vec::new(), receipts: Vec::new() };
        }
        let follows = durability == Durability::Memory;
        let begun = if lost.is_some() || follows { file.begin(lost.is_some(), follows) } else { Ok(()) };
        let (epoch, head) = (found.epoch.0, found.head);
        let stamped =
            begun.and_then(|()| file.db.as_ref().map_or(Ok(()), |db| origin::stamp(&file.path, db, epoch, head)));
        stamped.map_err(|what| OpenError::Io { path: file.path.clone(), what })?;
        file.take(&found);
        Ok((file, found))
    }

    /// After a failure: what the file holds now.
    pub(super) fn reopen(&mut self) -> Result<Found, OpenError> {
        self.db = None;
        let (db, found, _) = load(&self.path)?;
        if found.epoch != self.epoch {
            return Err(damaged(&self.path, "it was replaced by another log"));
        }
        self.db = Some(db);
        self.take(&found);
        Ok(found)
    }

    /// The log's life ends, and an empty one begins.
    pub(super) fn renew(&mut self, fresh: Epoch) -> Result<(), String> {
        let old = std::mem::replace(&mut self.epoch, fresh);
        if let Err(error) = self.begin(true, self.durability == Durability::Memory) {
            self.epoch = old;
            return Err(error);
        }
        (self.first, self.bytes) = (1, 0);
        self.kept.clear();
        Ok(())
    }

    pub(super) fn epoch(&self) -> Epoch {
        self.epoch
    }

    pub(super) fn durability(&self) -> Durability {
        self.durability
    }

    /// Adds updates and removes those that no longer fit, in one transaction.
    pub(super) fn write(&mut self, write: &Write) -> Result<(), EngineError> {
        if self.db.is_none() {
            self.reopen().map_err(|error| EngineError::Unavailable(error.to_string()))?;
        }
        let Some(db) = &self.db else { return Err(EngineError::Unavailable("it is not open".to_owned())) };
        let head = self.first - 1 + self.kept.len() as u64;
        if head != write.behind {
            return Err(EngineError::Unavailable(format!("the file ends at {head}, not at {}", write.behind)));
        }
        let added: Vec<_> = write.values.iter().map(|(logged, value)| (*logged, value.len())).collect();
        let surplus = self.surplus(&added);
        let keep_from = self.first + surplus as u64;
        let commit = || commit(db, write, self.first..keep_from, self.durability == Durability::Sync);
        // A page that was damaged under us makes redb panic in some places; that must not end the
        // thread.
        match catch_unwind(AssertUnwindSafe(commit)) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(refusal(error)),
            Err(_) => return Err(EngineError::Unavailable("redb panicked".to_owned())),
        }
        self.bytes += added.iter().map(|(_, size)| size).sum::<usize>();
        self.kept.extend(added);
        self.bytes -= self.kept.drain(..surplus).map(|(_, size)| size).sum::<usize>();
        self.first = keep_from;
        Ok(())
    }

    /// Nothing that was seen is missing in the file.
    pub(super) fn mark_whole(&self) {
        if let Some(db) = &self.db
            && let Err(error) = set_open(db, false)
        {
            tracing::error!(target: "tinysse::engine", %error, "the log was not closed well: the next start begins another epoch");
        }
    }

    /// Closes the file, so that the next start need not check it as after a crash.
    pub(super) fn close(&mut self) {
        let Some(db) = self.db.take() else { return };
        if let Err(error) = db.close() {
            tracing::warn!(target: "tinysse::engine", %error, "closing the log");
        }
        let head = self.first - 1 + self.kept.len() as u64;
        if let Err(error) = origin::closed(&self.path, self.epoch.0, head) {
            tracing::warn!(target: "tinysse::engine", %error, "log.seen");
        }
    }

    /// With `reset` the log becomes an empty one of the file's epoch; `follows` notes that a crash
    /// may lose what was seen.
    fn begin(&self, reset: bool, follows: bool) -> Result<(), String> {
        let Some(db) = &self.db else { return Ok(()) };
        let epoch = self.epoch;
        let begin = || -> Result<(), ::redb::Error> {
            if reset {
                let write = db.begin_write()?;
                write.delete_table(LOG)?;
                write.delete_table(RECEIPTS)?;
                write.open_table(LOG)?;
                write.open_table(RECEIPTS)?;
                let mut meta = write.open_table(META)?;
                meta.insert("epoch", epoch.0)?;
                meta.insert("head", 0)?;
                drop(meta);
                write.commit()?;
            }
            set_open(db, follows)
        };
        begin().map_err(|error| error.to_string())
    }

    fn take(&mut self, found: &Found) {
        self.epoch = found.epoch;
        self.kept = found.records.iter().map(|(size, record)| (record.logged, *size)).collect();
        self.first = found.head + 1 - self.kept.len() as u64;
        self.bytes = self.kept.iter().map(|(_, size)| size).sum();
    }

    /// How many of the oldest must go when `added` comes.
    fn surplus(&self, added: &[(u64, usize)]) -> usize {
        let Bounds { max_count, max_age_ms, max_bytes } = self.bounds;
        let now = added.iter().chain(self.kept.back()).map(|(logged, _)| *logged).max().unwrap_or(0);
        let mut count = self.kept.len() + added.len();
        let mut bytes = self.bytes + added.iter().map(|(_, size)| size).sum::<usize>();
        let mut surplus = 0;
        for (logged, size) in self.kept.iter().chain(added) {
            if count <= max_count.max(1) && bytes <= max_bytes && now.saturating_sub(*logged) <= max_age_ms {
                break;
            }
            count -= 1;
            bytes -= size;
            surplus += 1;
        }
        surplus
    }
}

fn set_open(db: &Database, open: bool) -> Result<(), ::redb::Error> {
    let write = db.begin_write()?;
    write.open_table(META)?.insert("open", u64::from(open))?;
    write.commit()?;
    Ok(())
}

fn commit(db: &Database, new: &Write, gone: std::ops::Range<u64>, two_phase: bool) -> Result<(), ::redb::Error> {
    let mut write = db.begin_write()?;
    write.set_two_phase_commit(two_phase);
    let mut log = write.open_table(LOG)?;
    for (seq, (_, value)) in (new.behind + 1..).zip(&new.values).filter(|(seq, _)| *seq >= gone.end) {
        log.insert(seq, value.as_slice())?;
    }
    for seq in gone.start..gone.end.min(new.behind + 1) {
        log.remove(seq)?;
    }
    drop(log);
    write.open_table(META)?.insert("head", new.head())?;
    if !new.receipts.is_empty() {
        let mut receipts = write.open_table(RECEIPTS)?;
        for (key, done) in &new.receipts {
            receipts.insert(key.as_str(), [done.fingerprint, done.first, done.count, done.at])?;
        }
        if receipts.len()? > sequencer::BOUND as u64 + SURPLUS_RECEIPTS {
            let mut ages = Vec::new();
            for entry in receipts.iter()? {
                let [_, _, _, at] = entry?.1.value();
                ages.push(at);
            }
            ages.sort_unstable();
            let oldest = ages[ages.len() - sequencer::BOUND];
            receipts.retain(|_, [_, _, _, at]| at > oldest)?;
        }
    }
    write.commit()?;
    Ok(())
}

fn refusal(error: ::redb::Error) -> EngineError {
    let text = error.to_string();
    let full = matches!(&error, ::redb::Error::Io(error)
        if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge));
    if full { EngineError::Full(text) } else { EngineError::Unavailable(text) }
}
