//! A file of a fixed size that is overwritten in place, so that a full disk takes what is written
//! to it.
//!
//! `MAGIC`, the length of the content (4 bytes, little-endian), its CRC-32 (4 bytes), the content,
//! and zeros up to [`SIZE`]. A write that was cut off fails the check, and so does damage: both
//! read as [`Found::Damaged`].

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

const NAME: &str = "log.owed";
const MAGIC: &[u8; 16] = b"tinysse owed 1\n\0";
const HEAD: usize = MAGIC.len() + 8;
/// Bytes of the file.
const SIZE: usize = 64 * 1_024;

/// The file.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    /// With the version that it holds.
    file: Mutex<(File, u64)>,
}

/// What the file held.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    Debts(Vec<u8>),
    Damaged,
}

impl Reserve {
    /// Opens the file, or makes one that is empty.
    pub(super) fn open(folder: &Path) -> io::Result<(Self, Found)> {
        let path = folder.join(NAME);
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        if !path.try_exists().map_err(named)? {
            create(&path).map_err(named)?;
        }
        let mut file = OpenOptions::new().read(true).write(true).open(&path).map_err(named)?;
        let mut bytes = Vec::new();
        (&file).take(SIZE as u64 + 1).read_to_end(&mut bytes).map_err(named)?;
        if bytes.get(..MAGIC.len()) != Some(MAGIC) {
            let what = "not a file of this program; move it away, or name another directory";
            return Err(named(io::Error::new(io::ErrorKind::InvalidData, what)));
        }
        let found = read(&bytes);
        if bytes.len() != SIZE {
            // Cut off: its blocks may be gone, so they are taken again.
            bytes.resize(SIZE, 0);
            file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(&bytes)).map_err(named)?;
            file.set_len(SIZE as u64).and_then(|()| file.sync_all()).map_err(named)?;
        }
        Ok((Self { path: path.clone(), file: Mutex::new((file, 0)) }, found))
    }

    /// Writes what `next` makes of the version that the file holds, if it makes something.
    pub(super) fn write(&self, next: impl FnOnce(u64) -> Option<(u64, Vec<u8>)>) -> io::Result<()> {
        let mut held = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((version, content)) = next(held.1) else { return Ok(()) };
        let bytes = frame(&content);
        debug_assert!(bytes.len() <= SIZE);
        let file = &mut held.0;
        let written =
            file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(&bytes)).and_then(|()| file.sync_data());
        written.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", self.path.display())))?;
        held.1 = version;
        Ok(())
    }
}

/// Under another name first, so that a file that is half there was damaged later.
fn create(path: &Path) -> io::Result<()> {
    let unfinished = path.with_extension("owed.new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&unfinished)?;
    let mut bytes = frame(&[]);
    // Written, not only as long: a hole would need blocks later.
    bytes.resize(SIZE, 0);
    let made = file.write_all(&bytes).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&unfinished, path));
    if made.is_err() {
        let _ = fs::remove_file(&unfinished);
    }
    made
}

fn frame(content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
    let mut bytes = Vec::with_capacity(HEAD + content.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&crc32fast::hash(content).to_le_bytes());
    bytes.extend_from_slice(content);
    bytes
}

fn read(bytes: &[u8]) -> Found {
    let number = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let (Some(length), Some(crc)) = (number(MAGIC.len()), number(MAGIC.len() + 4)) else { return Found::Damaged };
    let content = usize::try_from(length).ok().and_then(|length| bytes.get(HEAD..HEAD.checked_add(length)?));
    match content {
        Some(content) if crc32fast::hash(content) != crc => Found::Damaged,
        Some([]) => Found::Nothing,
        Some(content) => Found::Debts(content.to_vec()),
        None => Found::Damaged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("tinysse-{}-reserve-{name}", std::process::id()));
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(&folder).expect("a folder");
            Self(folder)
        }

        fn file(&self) -> PathBuf {
            self.0.join(NAME)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn it_keeps_its_size_and_what_was_written_last() {
        let folder = Folder::new("size");
        let (reserve, found) = Reserve::open(&folder.0).expect("made");
        assert_eq!(found, Found::Nothing);
        reserve.write(|known| (known != 7).then(|| (7, b"a long first content".to_vec()))).expect("written");
        reserve.write(|known| (known != 8).then(|| (8, b"second".to_vec()))).expect("written");
        reserve.write(|known| (known != 8).then(|| unreachable!())).expect("known already");
        assert_eq!(fs::metadata(folder.file()).expect("there").len(), SIZE as u64);
        assert_eq!(Reserve::open(&folder.0).expect("opened").1, Found::Debts(b"second".to_vec()));
        reserve.write(|_| Some((9, Vec::new()))).expect("written");
        assert_eq!(Reserve::open(&folder.0).expect("opened").1, Found::Nothing);
    }

    #[test]
    fn every_torn_or_damaged_file_is_one_that_may_have_held_anything() {
        let folder = Folder::new("damage");
        let (reserve, _) = Reserve::open(&folder.0).expect("made");
        reserve.write(|_| Some((1, b"{\"topics\":[]}".to_vec()))).expect("written");
        let whole = fs::read(folder.file()).expect("there");
        let end = HEAD + 13;
        for at in MAGIC.len()..end {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            fs::write(folder.file(), &bytes).expect("written");
            assert_eq!(Reserve::open(&folder.0).expect("opened").1, Found::Damaged, "byte {at}");
        }
        for length in MAGIC.len()..end {
            fs::write(folder.file(), &whole[..length]).expect("written");
            assert_eq!(Reserve::open(&folder.0).expect("opened").1, Found::Damaged, "{length} bytes");
            assert_eq!(fs::metadata(folder.file()).expect("there").len(), SIZE as u64);
        }
        for foreign in [&b""[..], b"a list of debts", b"tinysse owed 2\n\0"] {
            fs::write(folder.file(), foreign).expect("written");
            assert_eq!(Reserve::open(&folder.0).expect_err("refused").kind(), io::ErrorKind::InvalidData);
            assert_eq!(fs::read(folder.file()).expect("there"), foreign);
        }
    }
}
