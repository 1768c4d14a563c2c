//! Tests of append-only files on disks that fill up, fail and lose power.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};

use super::*;

/// A file in memory that fails on request.
#[derive(Clone, Debug, Default)]
struct Faulty(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    /// Bytes that fit.
    room: Option<usize>,
    sync_fails: bool,
    truncate_fails: bool,
}

impl Faulty {
    fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.lock().expect("sound"));
    }

    fn bytes(&self) -> Vec<u8> {
        self.0.lock().expect("sound").bytes.clone()
    }
}

impl Medium for Faulty {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.0.lock().expect("sound");
        let room = state.room.map_or(bytes.len(), |room| room.saturating_sub(state.bytes.len()));
        if room == 0 {
            return Err(ErrorKind::StorageFull.into());
        }
        // A disk takes what fits.
        let count = room.min(bytes.len());
        state.bytes.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.0.lock().expect("sound").sync_fails { Err(io::Error::other("sync")) } else { Ok(()) }
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        let mut state = self.0.lock().expect("sound");
        if state.truncate_fails {
            return Err(io::Error::other("truncate"));
        }
        state.bytes.truncate(usize::try_from(length).expect("short"));
        Ok(())
    }
}

fn values(bytes: &[u8]) -> Result<Vec<String>, (usize, String)> {
    read::<Named>(bytes).map(|(lines, _)| lines.into_iter().map(|(_, line)| line.name).collect())
}

#[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Named {
    name: String,
}

fn line(name: &str) -> Named {
    Named { name: name.to_owned() }
}

/// Appends to a medium that holds two lines already.
fn two() -> (AppendFile<Faulty>, Faulty) {
    let medium = Faulty::default();
    let mut file = AppendFile { path: PathBuf::new(), medium: medium.clone(), good: 0, torn: false };
    for name in ["a", "b\n"] {
        file.append(&line(name)).expect("room");
    }
    (file, medium)
}

#[test]
fn wherever_a_write_fails_it_is_undone_and_the_next_one_is_whole() {
    let length = two().1.bytes().len();
    let whole = seal(&serde_json::to_vec(&line("c")).expect("json")).len();
    for (room, truncate_fails) in (0..whole).flat_map(|room| [(room, false), (room, true)]) {
        let (mut file, medium) = two();
        medium.set(|state| (state.room, state.truncate_fails) = (Some(length + room), truncate_fails));
        assert!(file.append(&line("c")).is_err());
        assert_eq!(medium.bytes().len(), if truncate_fails { length + room } else { length });
        // A start reads what was acknowledged, with half a line behind it or not.
        assert_eq!(values(&medium.bytes()), Ok(vec!["a".to_owned(), "b\n".to_owned()]));
        if truncate_fails && room > 0 {
            assert!(file.append(&line("d")).is_err(), "nothing is put behind half a line");
            assert_eq!(medium.bytes().len(), length + room);
        }
        medium.set(|state| (state.room, state.truncate_fails) = (None, false));
        file.append(&line("d")).expect("room");
        assert_eq!(values(&medium.bytes()), Ok(["a", "b\n", "d"].map(str::to_owned).to_vec()));
    }
}

#[test]
fn what_could_not_be_synced_is_not_there() {
    let (mut file, medium) = two();
    medium.set(|state| state.sync_fails = true);
    assert!(file.append(&line("c")).is_err());
    medium.set(|state| state.sync_fails = false);
    file.append(&line("d")).expect("synced");
    assert_eq!(values(&medium.bytes()), Ok(["a", "b\n", "d"].map(str::to_owned).to_vec()));
}

#[test]
fn every_cut_leaves_whole_lines_and_all_other_damage_is_refused() {
    let bytes = two().1.bytes();
    let first = bytes.iter().position(|byte| *byte == b'\n').expect("lines") + 1;
    for cut in 0..=bytes.len() {
        let names = match cut {
            cut if cut < first => vec![],
            cut if cut < bytes.len() => vec!["a".to_owned()],
            _ => vec!["a".to_owned(), "b\n".to_owned()],
        };
        assert_eq!(values(&bytes[..cut]), Ok(names), "{cut}");
    }
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1 << bit;
            // Without its end the last line was never acknowledged.
            let cut = at == bytes.len() - 1 && bytes[at] != b'\n';
            match values(&bytes) {
                Ok(names) => assert!(cut && names == ["a"], "byte {at}, bit {bit}: {names:?}"),
                Err((line, _)) => assert!(line == 1 + usize::from(at >= first) || at == first - 1, "{at}: {line}"),
            }
        }
    }
}

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("tinysse-append-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = Self(std::env::temp_dir().join(name));
        fs::create_dir_all(&folder.0).expect("a folder");
        folder
    }

    fn file(&self) -> PathBuf {
        self.0.join("lines")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn open(path: &Path) -> Result<(AppendFile, Vec<Named>), AppendError> {
    AppendFile::open(path, |_: &Named| true)
}

#[test]
fn half_a_line_is_cut_off_at_the_start_and_what_is_over_is_removed() {
    let folder = Folder::new();
    let (mut file, none) = open(&folder.file()).expect("new");
    assert_eq!(none, []);
    for name in ["a", "b", "c"] {
        file.append(&line(name)).expect("written");
    }
    drop(file);
    let whole = fs::read(folder.file()).expect("read");
    fs::write(folder.file(), [&whole[..], &whole[..20]].concat()).expect("written");
    let (mut file, lines) = open(&folder.file()).expect("sound");
    assert_eq!(lines, ["a", "b", "c"].map(line));
    assert_eq!(fs::read(folder.file()).expect("read"), whole);
    file.append(&line("d")).expect("written");
    drop(file);
    let keep = |line: &Named| line.name != "b";
    let (mut file, lines) = AppendFile::open(&folder.file(), keep).expect("sound");
    assert_eq!(lines, ["a", "c", "d"].map(line));
    file.append(&line("e")).expect("written");
    drop(file);
    assert_eq!(open(&folder.file()).expect("sound").1, ["a", "c", "d", "e"].map(line));
    assert_eq!(fs::read_dir(&folder.0).expect("read").count(), 1, "and no other file stays");
}

#[test]
fn a_file_of_another_program_stays_as_it_is() {
    let folder = Folder::new();
    let ours = seal(br#"{"name":"a"}"#);
    let others: [(&[u8], usize); 8] = [
        (b"something else", 1),
        (b"something else\n", 1),
        (b"{\"name\":\"a\"}\n", 1),
        (b"\0\0\0\0", 1),
        (b"\n", 1),
        (&[&ours[..], b"and then"].concat(), 2),
        (&[&ours[..], b"\n"].concat(), 2),
        (&seal(br#"{"other":"a"}"#), 1),
    ];
    for (bytes, wrong) in others {
        fs::write(folder.file(), bytes).expect("written");
        let error = open(&folder.file()).expect_err("foreign");
        assert!(matches!(&error, AppendError::Foreign { line, .. } if *line == wrong), "{error}");
        assert!(error.to_string().contains("lines, line "), "{error}");
        assert_eq!(fs::read(folder.file()).expect("read"), bytes);
    }
}

#[test]
fn one_process_appends_at_a_time() {
    let folder = Folder::new();
    let (first, _) = open(&folder.file()).expect("new");
    assert!(matches!(open(&folder.file()), Err(AppendError::InUse(_))));
    drop(first);
    // Also behind a file that was replaced.
    let (mut file, _) = open(&folder.file()).expect("free");
    file.append(&line("a")).expect("written");
    drop(file);
    let (_file, _) = AppendFile::open(&folder.file(), |_: &Named| false).expect("free");
    assert!(matches!(open(&folder.file()), Err(AppendError::InUse(_))));
}

#[cfg(unix)]
#[test]
fn only_its_owner_reads_a_new_file_and_an_old_one_keeps_its_mode() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = Folder::new();
    let mode = || fs::metadata(folder.file()).expect("there").permissions().mode() & 0o777;
    let (mut file, _) = open(&folder.file()).expect("new");
    assert_eq!(mode(), 0o600);
    file.append(&line("a")).expect("written");
    drop(file);
    fs::set_permissions(folder.file(), fs::Permissions::from_mode(0o640)).expect("set");
    let link = folder.0.join("link");
    symlink(folder.file(), &link).expect("linked");
    drop(AppendFile::open(&link, |_: &Named| false).expect("sound"));
    assert_eq!((mode(), fs::read(folder.file()).expect("read")), (0o640, vec![]));
    assert!(fs::symlink_metadata(link).expect("there").is_symlink());
}
