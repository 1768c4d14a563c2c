//! A file of lines to which the server appends. Each line has a checksum, and an append is either
//! whole or undone.
//!
//! A line is the CRC-32 of the rest in eight hexadecimal digits, a space, and JSON without a line
//! break. Reading decides by that: a last line without an end was never acknowledged, and is cut
//! off; anything else that is not such a line is damage, or the file belongs to another program.
//! Then it is refused with its name and line, and stays as it is.
//!
//! *Invariant:* behind the last acknowledged line the file has nothing, or what the next append or
//! the next start removes.

use std::{
    ffi::OsString,
    fmt,
    fs::{self, File, TryLockError},
    io::{self, ErrorKind, Read, Write},
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};

use crate::files::private;

/// Digits of the checksum, and the space behind them.
const SEAL: usize = 9;
/// A larger file is refused: it is read as a whole.
const MAX_BYTES: u64 = 1 << 30;

/// What is done to the file beneath. A trait, so that tests can let it fail.
pub(crate) trait Medium: fmt::Debug {
    /// Writes some of the bytes at the end.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;
    /// Returns when all that was written is on the disk.
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts off what is behind this length.
    fn truncate(&mut self, length: u64) -> io::Result<()>;
}

impl Medium for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Write::write(self, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)?;
        self.sync_data()
    }
}

/// Why a file can't be appended to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AppendError {
    /// An operation failed.
    #[error("{path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        error: io::Error,
    },
    /// It is damaged, or was written by another program.
    #[error(
        "{path}, line {line}: {what}; it is damaged or belongs to another program, and was left as it is: restore it from a backup, or \
         name another file"
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The first line that is wrong, from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// Another process appends to it.
    #[error("{0}: another process uses it; each server needs a file of its own")]
    InUse(PathBuf),
}

impl From<AppendError> for io::Error {
    fn from(error: AppendError) -> Self {
        let kind = match &error {
            AppendError::Io { error, .. } => error.kind(),
            AppendError::Foreign { .. } => ErrorKind::InvalidData,
            AppendError::InUse(_) => ErrorKind::ResourceBusy,
        };
        Self::new(kind, error.to_string())
    }
}

/// An open file of lines. No other process appends to it meanwhile.
#[derive(Debug)]
pub(crate) struct AppendFile<M = File> {
    path: PathBuf,
    medium: M,
    /// The length up to which all lines are acknowledged.
    good: u64,
    /// Whether there may be something behind that.
    torn: bool,
}

impl AppendFile {
    /// Opens a file, or makes one that only its owner may read, and returns its lines. Those that
    /// `keep` refuses are removed if there is space on the disk for that: the rest is then written
    /// to a new file, which replaces the old one and has its permissions.
    ///
    /// # Errors
    /// [`AppendError`]. The file is as it was.
    pub(crate) fn open<T: DeserializeOwned>(
        path: &Path,
        keep: impl Fn(&T) -> bool,
    ) -> Result<(Self, Vec<T>), AppendError> {
        let failed = |error| AppendError::Io { path: path.to_owned(), error };
        // Behind a link is the file to replace, not the link.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let mut file = private().read(true).append(true).create(true).open(&path).map_err(failed)?;
        lock(&file, &path)?;
        let meta = file.metadata().map_err(failed)?;
        if !meta.is_file() || meta.len() > MAX_BYTES {
            let what = format!("it is no file of at most {MAX_BYTES} bytes");
            return Err(failed(io::Error::new(ErrorKind::InvalidInput, what)));
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        let (lines, good) =
            read::<T>(&bytes).map_err(|(line, what)| AppendError::Foreign { path: path.clone(), line, what })?;
        let torn = good < bytes.len();
        if torn {
            let cut = bytes.len() - good;
            tracing::warn!(
                target: "tinysse::server",
                path = %path.display(),
                bytes = cut,
                "the last line has no end: it was never acknowledged and is cut off"
            );
        }
        let mut opened = Self { path: path.clone(), medium: file, good: good as u64, torn };
        let some = lines.iter().any(|(_, line)| !keep(line));
        if some {
            let kept: Vec<u8> =
                lines.iter().filter(|(_, line)| keep(line)).flat_map(|(raw, _)| raw.iter().copied()).collect();
            match replace(&path, &kept, &meta) {
                Ok(file) => opened = Self { path: path.clone(), medium: file, good: kept.len() as u64, torn: false },
                Err(error) => tracing::warn!(
                    target: "tinysse::server",
                    path = %path.display(),
                    %error,
                    "what is over can't be removed from the file; it stays as it is"
                ),
            }
        }
        if let Err(error) = opened.repair() {
            tracing::warn!(target: "tinysse::server", path = %path.display(), %error, "the file is repaired before the next append");
        }
        let lines = lines.into_iter().map(|(_, line)| line).filter(|line| keep(line)).collect();
        Ok((opened, lines))
    }

    /// Puts a file with these lines in the place of this one.
    ///
    /// # Errors
    /// [`AppendError`]. The file is as it was.
    pub(crate) fn rewrite(&mut self, lines: &[impl Serialize]) -> Result<(), AppendError> {
        let failed = |error| AppendError::Io { path: self.path.clone(), error };
        let mut bytes = Vec::new();
        for line in lines {
            bytes.extend(seal(&serde_json::to_vec(line).map_err(|error| failed(error.into()))?));
        }
        let meta = self.medium.metadata().map_err(failed)?;
        self.medium = replace(&self.path, &bytes, &meta)?;
        (self.good, self.torn) = (bytes.len() as u64, false);
        Ok(())
    }
}

impl<M: Medium> AppendFile<M> {
    /// Returns the bytes that all acknowledged lines have.
    pub(crate) fn length(&self) -> u64 {
        self.good
    }

    /// Adds a line. When this returns, the line is on the disk.
    ///
    /// # Errors
    /// Errors of the system. Then nothing was added: what was written of the line is removed, or
    /// will be before the next append.
    pub(crate) fn append(&mut self, line: &impl Serialize) -> io::Result<()> {
        let line = seal(&serde_json::to_vec(line)?);
        self.repair()?;
        self.torn = true;
        let written = write_all(&mut self.medium, &line).and_then(|()| self.medium.sync());
        match written {
            Ok(()) => {
                self.torn = false;
                self.good += line.len() as u64;
                Ok(())
            }
            Err(error) => {
                // If this fails, too, the next append tries it again.
                if let Err(also) = self.repair() {
                    tracing::error!(target: "tinysse::server", error = %also, "half a line stays until it can be removed");
                }
                Err(error)
            }
        }
    }

    /// Removes what was not acknowledged.
    fn repair(&mut self) -> io::Result<()> {
        if self.torn {
            self.medium.truncate(self.good)?;
            self.torn = false;
        }
        Ok(())
    }
}

/// A line with its checksum and its end.
fn seal(json: &[u8]) -> Vec<u8> {
    let mut line = format!("{:08x} ", crc32fast::hash(json)).into_bytes();
    line.extend_from_slice(json);
    line.push(b'\n');
    line
}

/// A line as it is in the file, with its end, and its content.
type Lines<'a, T> = Vec<(&'a [u8], T)>;

/// Reads whole lines; with the length that they have together. The error names the first line that
/// is not valid.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<(Lines<'_, T>, usize), (usize, String)> {
    let (mut lines, mut good) = (Vec::new(), 0);
    for (number, raw) in (1..).zip(bytes.split_inclusive(|byte| *byte == b'\n')) {
        let Some(line) = raw.strip_suffix(b"\n") else {
            // The beginning of a line of this format. If there is another in the file, it is cut
            // off wherever it is cut off.
            return if may_begin(raw) {
                Ok((lines, good))
            } else {
                Err((number, "this is no line of this file".to_owned()))
            };
        };
        lines.push((raw, parse(line).map_err(|what| (number, what))?));
        good += raw.len();
    }
    Ok((lines, good))
}

fn parse<T: DeserializeOwned>(line: &[u8]) -> Result<T, String> {
    if !may_begin(line) || line.len() <= SEAL {
        return Err("this is no line of this file".to_owned());
    }
    let (seal, json) = line.split_at(SEAL);
    let said = std::str::from_utf8(&seal[..SEAL - 1]).ok().and_then(|digits| u32::from_str_radix(digits, 16).ok());
    if said != Some(crc32fast::hash(json)) {
        return Err("its checksum is wrong".to_owned());
    }
    serde_json::from_slice(json).map_err(|error| error.to_string())
}

/// Whether a line of this format may begin so: digits, a space, an object.
fn may_begin(bytes: &[u8]) -> bool {
    bytes.iter().take(SEAL + 1).enumerate().all(|(at, byte)| match at {
        0..8 => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        8 => *byte == b' ',
        _ => *byte == b'{',
    })
}

fn write_all(medium: &mut impl Medium, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match medium.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Puts a new file in the place of `path`, open for appending.
fn replace(path: &Path, bytes: &[u8], like: &fs::Metadata) -> Result<File, AppendError> {
    let mut name = OsString::from(path);
    name.push(".tinysse-new");
    let next = PathBuf::from(name);
    let failed = |error| AppendError::Io { path: next.clone(), error };
    // Of a start that was killed.
    match fs::remove_file(&next) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
        Ok(()) | Err(_) => {}
    }
    let write = || {
        let mut file = private().append(true).create_new(true).open(&next)?;
        file.set_permissions(like.permissions())?;
        file.write_all(bytes)?;
        file.sync_all()?;
        Ok(file)
    };
    let placed = write().map_err(failed).and_then(|file| {
        lock(&file, &next)?;
        fs::rename(&next, path).map_err(failed)?;
        sync_folder(path);
        Ok(file)
    });
    placed.inspect_err(|_| drop(fs::remove_file(&next)))
}

/// A name must survive a power cut, too. Where folders can't be opened there is no such call.
fn sync_folder(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let Err(error) = File::open(folder).and_then(|folder| folder.sync_all()) {
        tracing::debug!(target: "tinysse::server", %error, "the folder is not synced");
    }
}

fn lock(file: &File, path: &Path) -> Result<(), AppendError> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(AppendError::InUse(path.to_owned())),
        // Some file systems have no locks.
        Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => Ok(()),
        Err(TryLockError::Error(error)) => Err(AppendError::Io { path: path.to_owned(), error }),
    }
}

#[cfg(test)]
mod tests;
