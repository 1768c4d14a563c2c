//! Whether the file is the one that was written last, or an older copy of it. A backup that was put
//! back would give places a second time, and who saw the first ones would miss the second ones in
//! silence.
//!
//! Witnesses: the identity of the file (a copy is another file, wherever it lies; a renamed folder
//! is not), and a small file beside it, `log.seen`, that records how often the log was opened, and
//! where it ended when it was closed. A log that knows less than that is old. Against a restore of
//! both, in place, or of the whole machine, see
//! [`ahead_of_log`](crate::engine::Engine::ahead_of_log).

use std::{
    fs,
    io::{self, Write},
    path::Path,
    time::UNIX_EPOCH,
};

use ::redb::{Database, ReadableDatabase};
use serde::{Deserialize, Serialize};

use super::{
    file::META,
    load::{Found, damaged},
};
use crate::{engine::OpenError, files::private};

const NAME: &str = "log.seen";
const STARTS: &str = "starts";
const FILE: &str = "file";
const BORN: &str = "born";

/// What was seen of the log. One line of JSON.
#[derive(Debug, Serialize, Deserialize)]
struct Seen {
    epoch: u64,
    /// How often it was opened.
    starts: u64,
    /// It ends here, or behind.
    head: u64,
}

/// Why the log that was found is a copy; `None` if it is not.
pub(super) fn doubt(path: &Path, db: &Database, found: &Found) -> Result<Option<&'static str>, OpenError> {
    let stamps = stamps(db).map_err(|error| damaged(path, &error.to_string()))?;
    // Never opened, or by a program that knew nothing of this; or nothing was ever given out.
    let Some([starts, file, born]) = stamps.filter(|_| found.head > 0) else { return Ok(None) };
    let io = |error: io::Error| OpenError::Io { path: path.to_owned(), what: error.to_string() };
    if identity(path).map_err(io)? != (file, born) {
        return Ok(Some("it is another file than the one that was written last"));
    }
    let seen = match fs::read(path.with_file_name(NAME)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some("log.seen is not beside it")),
        read => serde_json::from_slice::<Seen>(&read.map_err(io)?),
    };
    Ok(match seen {
        // It is renamed when it is complete, so another program wrote this.
        Err(_) => Some("log.seen can't be read"),
        // Another life: the log may be the one before, put back.
        Ok(seen) if seen.epoch != found.epoch.0 && seen.starts > starts => Some("it was replaced since"),
        Ok(seen) if seen.starts > starts => Some("it was opened since"),
        Ok(seen) if seen.epoch == found.epoch.0 && seen.head > found.head => Some("it had gone on since"),
        Ok(_) => None,
    })
}

/// The log is opened: puts the stamps of this file into it, and beside it that it was seen. In this
/// order: a crash in between leaves a log that knows more, and that is no doubt.
pub(super) fn stamp(path: &Path, db: &Database, epoch: u64, head: u64) -> Result<(), String> {
    let put = || -> Result<u64, ::redb::Error> {
        // A new life goes on counting: the old one must not look newer.
        let known = stamps(db)?.map_or(0, |[starts, ..]| starts);
        let beside = read(path).map_or(0, |seen| seen.starts);
        let starts = known.max(beside) + 1;
        let (file, born) = identity(path)?;
        let write = db.begin_write()?;
        let mut meta = write.open_table(META)?;
        for (name, value) in [(STARTS, starts), (FILE, file), (BORN, born)] {
            meta.insert(name, value)?;
        }
        drop(meta);
        write.commit()?;
        Ok(starts)
    };
    let starts = put().map_err(|error| error.to_string())?;
    see(path, &Seen { epoch, starts, head }).map_err(|error| error.to_string())
}

/// The log is closed and ends here.
pub(super) fn closed(path: &Path, epoch: u64, head: u64) -> io::Result<()> {
    let Some(seen) = read(path) else { return Ok(()) };
    see(path, &Seen { epoch, head, ..seen })
}

fn stamps(db: &Database) -> Result<Option<[u64; 3]>, ::redb::Error> {
    let meta = db.begin_read()?.open_table(META)?;
    let value = |name| -> Result<Option<u64>, ::redb::Error> { Ok(meta.get(name)?.map(|value| value.value())) };
    let (starts, file, born) = (value(STARTS)?, value(FILE)?, value(BORN)?);
    Ok(starts.zip(file).zip(born).map(|((starts, file), born)| [starts, file, born]))
}

/// What no two files of a file system have in common; 0 for what the system does not report.
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let meta = fs::metadata(path)?;
    #[cfg(unix)]
    let file = std::os::unix::fs::MetadataExt::ino(&meta);
    #[cfg(not(unix))]
    let file = 0;
    let born = meta.created().ok().and_then(|born| born.duration_since(UNIX_EPOCH).ok());
    Ok((file, born.map_or(0, |born| u64::try_from(born.as_millis()).unwrap_or(u64::MAX))))
}

fn read(path: &Path) -> Option<Seen> {
    serde_json::from_slice(&fs::read(path.with_file_name(NAME)).ok()?).ok()
}

fn see(path: &Path, seen: &Seen) -> io::Result<()> {
    let next = path.with_file_name("log.seen.new");
    let mut file = private().write(true).create(true).truncate(true).open(&next)?;
    file.write_all(&serde_json::to_vec(seen).map_err(io::Error::other)?)?;
    file.sync_all()?;
    fs::rename(next, path.with_file_name(NAME))
}

#[cfg(test)]
mod tests;
