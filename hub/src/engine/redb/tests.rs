//! What a file must survive: restarts, damage, files of other programs.

use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use ::redb::{Database, TableDefinition};

use super::*;
use crate::engine::conformance::{RecordingSink, WIDE, conforms, once, one, wait};

/// A directory of its own, removed at the end.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("tinysse-redb-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self(std::env::temp_dir().join(name))
    }

    pub(super) fn file(&self) -> PathBuf {
        self.0.join("log.redb")
    }

    pub(super) fn open(&self, durability: Durability, fresh: u64) -> Result<(Redb, Arc<RecordingSink>), OpenError> {
        let sink = Arc::new(RecordingSink::default());
        let engine = Redb::open(&self.0, durability, WIDE, Epoch(fresh), Arc::clone(&sink) as Arc<dyn Sink>)?;
        Ok((engine, sink))
    }

    /// Both files as they are.
    pub(super) fn backup(&self) -> [Vec<u8>; 2] {
        ["log.redb", "log.seen"].map(|name| fs::read(self.0.join(name)).expect("read"))
    }

    /// Puts them back, in place.
    pub(super) fn restore(&self, backup: &[Vec<u8>; 2]) {
        for (name, bytes) in ["log.redb", "log.seen"].into_iter().zip(backup) {
            fs::write(self.0.join(name), bytes).expect("written");
        }
    }

    /// A closed log with ten updates and a receipt.
    pub(super) fn filled() -> Self {
        let folder = Self::new();
        let (engine, _) = folder.open(Durability::Group, 1).expect("opened");
        wait(async {
            engine.append(once(1, "k", 7)).await.expect("appended");
            for at in 2..=10 {
                engine.append(one(at)).await.expect("appended");
            }
            engine.close().await;
        });
        folder
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn it_conforms_in_every_durability() {
    for durability in [Durability::Memory, Durability::Group, Durability::Sync] {
        let make = || -> Box<crate::engine::conformance::Open> {
            let folder = Folder::new();
            Box::new(move |bounds, fresh, sink| {
                Arc::new(Redb::open(&folder.0, durability, bounds, fresh, sink).expect("opened"))
            })
        };
        conforms(make, true);
    }
}

#[test]
fn it_is_used_by_one_process_at_a_time() {
    let folder = Folder::new();
    let (engine, _) = folder.open(Durability::Group, 1).expect("opened");
    assert!(matches!(folder.open(Durability::Group, 2), Err(OpenError::InUse(_))));
    wait(engine.close());
    assert!(folder.open(Durability::Group, 2).is_ok());
}

#[test]
fn strangers_are_named_and_left_alone() {
    let folder = Folder::new();
    fs::create_dir_all(&folder.0).expect("made");
    let foreign = |bytes: &[u8]| {
        fs::write(folder.file(), bytes).expect("written");
        let error = folder.open(Durability::Group, 1).expect_err("refused");
        assert_eq!(fs::read(folder.file()).expect("still there"), bytes);
        error
    };
    assert!(matches!(foreign(b"SQLite format 3\0 and more"), OpenError::Foreign(_)));
    assert!(matches!(foreign(b""), OpenError::Damaged { .. }));
    assert!(matches!(foreign(b"redb"), OpenError::Damaged { .. }));
    fs::remove_file(folder.file()).expect("removed");
    let other = Database::create(folder.file()).expect("made");
    let write = other.begin_write().expect("begun");
    write.open_table(TableDefinition::<u64, u64>::new("theirs")).expect("opened").insert(1, 1).expect("put");
    write.commit().expect("committed");
    drop(other);
    assert!(matches!(folder.open(Durability::Group, 1), Err(OpenError::Foreign(_))));
}

#[test]
fn another_format_is_named() {
    let folder = Folder::filled();
    let db = Database::open(folder.file()).expect("opened");
    let write = db.begin_write().expect("begun");
    write.open_table(file::META).expect("opened").insert("format", 9).expect("put");
    write.commit().expect("committed");
    drop(db);
    let error = folder.open(Durability::Group, 1).expect_err("refused");
    assert!(matches!(error, OpenError::Format { found: 9, known: 1, .. }), "{error}");
}

/// Opens a damaged log: it is refused as damaged, or nothing is missing.
fn honest(folder: &Folder, what: &str) -> bool {
    match folder.open(Durability::Group, 2) {
        Err(OpenError::Damaged { .. } | OpenError::Foreign(_) | OpenError::Format { .. }) => false,
        Err(error) => panic!("{what}: {error}"),
        Ok((engine, sink)) => {
            wait(engine.close());
            assert_eq!((sink.old(), sink.epoch()), ((1..=10).collect(), Epoch(1)), "{what}");
            true
        }
    }
}

#[test]
fn a_truncated_file_is_refused() {
    let folder = Folder::filled();
    let whole = fs::read(folder.file()).expect("read");
    let cuts = (1..24).map(|part| part * whole.len() / 24).chain([1, 9, 100, 4_096, 4_097, whole.len() - 1]);
    for cut in cuts {
        fs::write(folder.file(), &whole[..cut]).expect("written");
        assert!(!honest(&folder, &format!("cut at {cut}")), "cut at {cut}: opened");
    }
    fs::write(folder.file(), &whole).expect("written");
    assert!(honest(&folder, "whole"));
}

#[test]
fn a_flipped_byte_is_refused_or_harmless() {
    let folder = Folder::filled();
    let [whole, seen] = folder.backup();
    let used: Vec<_> = (0..whole.len()).filter(|at| whole[*at] != 0).collect();
    let mut refused = 0;
    for at in used.iter().step_by(used.len() / 60) {
        let mut flipped = whole.clone();
        flipped[*at] ^= 0x55;
        folder.restore(&[flipped, seen.clone()]);
        refused += u32::from(!honest(&folder, &format!("flipped at {at}")));
    }
    // Most bytes belong to pages that later commits replaced: those are harmless.
    assert!(refused > 1, "{refused}");
}

#[test]
fn a_file_that_follows_ends_its_life_with_a_crash() {
    let folder = Folder::filled();
    let (engine, sink) = folder.open(Durability::Memory, 2).expect("opened");
    assert_eq!((sink.epoch(), sink.old().len()), (Epoch(1), 10));
    wait(engine.append(one(11))).expect("appended");
    // As after a crash: the thread has written, nobody has closed.
    let copy = Folder::new();
    fs::create_dir_all(&copy.0).expect("made");
    fs::copy(folder.file(), copy.file()).expect("copied");
    wait(engine.close());
    let (crashed, sink) = copy.open(Durability::Group, 3).expect("opened");
    assert_eq!((sink.epoch(), sink.old()), (Epoch(3), vec![]));
    assert_eq!(wait(crashed.append(once(12, "k", 7))).map(|done| done.first), Ok(1));
    // Closed well, it goes on.
    let (_, sink) = folder.open(Durability::Group, 3).expect("opened");
    assert_eq!((sink.epoch(), sink.old().len()), (Epoch(1), 11));
}

#[test]
fn the_queue_is_bounded_and_the_refused_may_come_again() {
    let folder = Folder::new();
    let (engine, sink) = folder.open(Durability::Sync, 1).expect("opened");
    wait(async {
        // Each call queues at once, whenever its answer is asked for.
        let answers: Vec<_> = (0..3 * QUEUE as u64).map(|at| engine.append(one(at))).collect();
        let (mut done, mut busy) = (0, 0);
        for answer in answers {
            match answer.await {
                Ok(_) => done += 1,
                Err(EngineError::Busy) => busy += 1,
                Err(error) => panic!("{error}"),
            }
        }
        assert!(done >= QUEUE && busy > 0, "{done} done, {busy} busy");
        assert_eq!(sink.fresh().len(), done);
        assert!(engine.append(one(1)).await.is_ok());
        engine.close().await;
    });
}
