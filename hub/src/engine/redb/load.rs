//! Making a file, and reading it as a whole with a doubt about every byte.
//!
//! A file comes into being under another name and is renamed when it is complete, so a file that is
//! empty or half there was damaged later.

use std::{
    fs,
    io::{ErrorKind, Read},
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use ::redb::{Builder, Database, DatabaseError, ReadableDatabase, ReadableTable, StorageError, TableError};
use tinysse::proto::wire::id::Epoch;

use super::{
    super::{OpenError, Record, sequencer::Done},
    file::{LOG, META, RECEIPTS},
};
use crate::files::{private, private_folder};

const FORMAT: u64 = 1;
const UNFINISHED: &str = "log.redb.new";
/// How every file of redb begins.
const MAGIC: &[u8] = b"redb\x1A\x0A\xA9\x0D\x0A";
/// What redb may hold in memory: the log itself is in the hub's ring.
const CACHE: usize = 4 << 20;

/// What a file holds.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) epoch: Epoch,
    pub(super) head: u64,
    /// With the size that each has in the file. The last one is at `head`.
    pub(super) records: Vec<(usize, Record)>,
    pub(super) receipts: Vec<(String, Done)>,
}

/// Makes an empty log at `path`.
pub(super) fn create(path: &Path, epoch: Epoch) -> Result<(), String> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let make = || -> Result<(), ::redb::Error> {
        private_folder(folder)?;
        let unfinished = folder.join(UNFINISHED);
        match fs::remove_file(&unfinished) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            Ok(()) | Err(_) => {}
        }
        drop(private().write(true).create_new(true).open(&unfinished)?);
        let db = Builder::new().set_cache_size(CACHE).create(&unfinished)?;
        let write = db.begin_write()?;
        write.open_table(LOG)?;
        write.open_table(RECEIPTS)?;
        let mut meta = write.open_table(META)?;
        for (name, value) in [("format", FORMAT), ("epoch", epoch.0), ("head", 0), ("open", 0)] {
            meta.insert(name, value)?;
        }
        drop(meta);
        write.commit()?;
        db.close()?;
        fs::rename(&unfinished, path)?;
        // The name itself must survive a power cut, too. Where folders can't be opened there is no
        // such call.
        if let Ok(folder) = fs::File::open(folder) {
            folder.sync_all()?;
        }
        Ok(())
    };
    make().map_err(|error| error.to_string())
}

/// Opens and reads. True if the log was open as one whose file only follows.
pub(super) fn load(path: &Path) -> Result<(Database, Found, bool), OpenError> {
    let io = |error: std::io::Error| OpenError::Io { path: path.to_owned(), what: error.to_string() };
    let mut head = Vec::new();
    fs::File::open(path).map_err(io)?.take(MAGIC.len() as u64).read_to_end(&mut head).map_err(io)?;
    if head.len() < MAGIC.len() {
        return Err(damaged(path, "it is truncated"));
    }
    if head != MAGIC {
        return Err(OpenError::Foreign(path.to_owned()));
    }
    // In builds for debugging redb panics where a page is not what it must be.
    let read = catch_unwind(AssertUnwindSafe(|| {
        let db = Builder::new()
            .set_cache_size(CACHE)
            .set_check_integrity_on_open(true)
            .open(path)
            .map_err(|error| unopened(path, error))?;
        let (found, open) = read(path, &db)?;
        Ok((db, found, open))
    }));
    read.unwrap_or_else(|_| Err(damaged(path, "its pages contradict each other")))
}

fn read(path: &Path, db: &Database) -> Result<(Found, bool), OpenError> {
    let broken = |error: &dyn std::error::Error| damaged(path, &error.to_string());
    let read = db.begin_read().map_err(|error| broken(&error))?;
    let meta = match read.open_table(META) {
        Ok(meta) => meta,
        Err(TableError::Storage(error)) => return Err(broken(&error)),
        // A file of redb, of another program.
        Err(_) => return Err(OpenError::Foreign(path.to_owned())),
    };
    let value = |name: &str| -> Result<u64, OpenError> {
        let value = meta.get(name).map_err(|error| broken(&error))?;
        value.map(|value| value.value()).ok_or_else(|| OpenError::Foreign(path.to_owned()))
    };
    let found = value("format")?;
    if found != FORMAT {
        return Err(OpenError::Format { path: path.to_owned(), found, known: FORMAT });
    }
    let (epoch, head, open) = (Epoch(value("epoch")?), value("head")?, value("open")? != 0);
    let log = read.open_table(LOG).map_err(|error| broken(&error))?;
    let mut records = Vec::new();
    let mut next = None;
    for entry in log.iter().map_err(|error| broken(&error))? {
        let (seq, value) = entry.map_err(|error| broken(&error))?;
        let (seq, value) = (seq.value(), value.value());
        if next.is_some_and(|next| next != seq) {
            return Err(damaged(path, &format!("update {seq} follows where another is missing")));
        }
        next = Some(seq + 1);
        let record = unseal(value).map_err(|what| damaged(path, &format!("update {seq}: {what}")))?;
        records.push((value.len(), record));
    }
    if next.is_some_and(|next| next != head + 1) {
        return Err(damaged(path, &format!("it says that it ends at {head}, and does not")));
    }
    let table = read.open_table(RECEIPTS).map_err(|error| broken(&error))?;
    let mut receipts = Vec::new();
    for entry in table.iter().map_err(|error| broken(&error))? {
        let (key, value) = entry.map_err(|error| broken(&error))?;
        let [fingerprint, first, count, at] = value.value();
        receipts.push((key.value().to_owned(), Done { fingerprint, first, count, at }));
    }
    Ok((Found { epoch, head, records, receipts }, open))
}

/// The stored value of a record.
pub(super) fn seal(record: &[u8]) -> Vec<u8> {
    let mut value = crc32fast::hash(record).to_le_bytes().to_vec();
    value.extend_from_slice(record);
    value
}

fn unseal(value: &[u8]) -> Result<Record, String> {
    let (crc, record) = value.split_first_chunk().ok_or("it is cut off")?;
    if crc32fast::hash(record) != u32::from_le_bytes(*crc) {
        return Err("its checksum is wrong".to_owned());
    }
    Record::decode(record)
}

pub(super) fn damaged(path: &Path, what: &str) -> OpenError {
    OpenError::Damaged { path: path.to_owned(), what: what.to_owned() }
}

fn unopened(path: &Path, error: DatabaseError) -> OpenError {
    let what = error.to_string();
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => OpenError::InUse(path.to_owned()),
        DatabaseError::UpgradeRequired(found) => {
            OpenError::Format { path: path.to_owned(), found: u64::from(found), known: FORMAT }
        }
        DatabaseError::Storage(StorageError::Io(error))
            if !matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof) =>
        {
            OpenError::Io { path: path.to_owned(), what }
        }
        DatabaseError::Storage(_) | DatabaseError::RepairAborted | DatabaseError::TransactionInProgress => {
            damaged(path, &what)
        }
        // The enum is open to additions.
        _ => damaged(path, &what),
    }
}
