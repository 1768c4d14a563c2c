//! Backups that are put back.

use std::{fs, sync::Arc};

use tinysse::proto::wire::id::{Epoch, EventId};

use crate::engine::{
    Durability, Engine,
    conformance::{Received, RecordingSink, one, wait},
    redb::tests::Folder,
};

/// Opens the log, appends this many updates, and closes it; returns what the sink received.
fn go_on(folder: &Folder, fresh: u64, count: u64) -> Arc<RecordingSink> {
    let (engine, sink) = folder.open(Durability::Group, fresh).expect("opened");
    wait(async {
        for _ in 0..count {
            engine.append(one(20)).await.expect("appended");
        }
        engine.close().await;
    });
    sink
}

fn goes_on(sink: &RecordingSink) {
    assert_eq!((sink.epoch(), sink.old().first()), (Epoch(1), Some(&1)));
}

fn begins_anew(sink: &RecordingSink, fresh: u64) {
    assert_eq!((sink.epoch(), sink.old()), (Epoch(fresh), vec![]));
}

#[test]
fn a_log_that_was_put_back_begins_anew_and_goes_on_from_there() {
    let folder = Folder::filled();
    let [log, _] = folder.backup();
    goes_on(&go_on(&folder, 2, 5));
    fs::write(folder.file(), &log).expect("put back in place");
    begins_anew(&go_on(&folder, 3, 2), 3);
    let sink = go_on(&folder, 4, 0);
    assert_eq!((sink.epoch(), sink.old()), (Epoch(3), vec![1, 2]));
    // The very first one again: of another life, and older.
    fs::write(folder.file(), &log).expect("put back in place");
    begins_anew(&go_on(&folder, 5, 0), 5);
}

#[test]
fn a_copy_from_the_midst_of_a_life_is_old_when_that_life_went_on() {
    let folder = Folder::filled();
    let (engine, _) = folder.open(Durability::Group, 2).expect("opened");
    let log = fs::read(folder.file()).expect("read");
    wait(async {
        engine.append(one(20)).await.expect("appended");
        engine.close().await;
    });
    fs::write(folder.file(), &log).expect("put back in place");
    begins_anew(&go_on(&folder, 3, 0), 3);
}

#[test]
fn a_copy_elsewhere_is_a_copy_and_a_renamed_folder_is_not() {
    let (folder, elsewhere) = (Folder::filled(), Folder::new());
    fs::create_dir_all(&elsewhere.0).expect("made");
    elsewhere.restore(&folder.backup());
    begins_anew(&go_on(&elsewhere, 2, 0), 2);
    let moved = Folder::new();
    fs::rename(&folder.0, &moved.0).expect("renamed");
    goes_on(&go_on(&moved, 3, 0));
    // Without its witness it is not believed.
    fs::remove_file(moved.0.join("log.seen")).expect("removed");
    begins_anew(&go_on(&moved, 4, 0), 4);
}

#[test]
fn a_crash_is_no_doubt() {
    let folder = Folder::filled();
    let seen = fs::read(folder.0.join("log.seen")).expect("read");
    goes_on(&go_on(&folder, 2, 5));
    // Between the stamp in the log and the one beside it, or long after the last one.
    fs::write(folder.0.join("log.seen"), seen).expect("written");
    let sink = go_on(&folder, 3, 0);
    assert_eq!((sink.epoch(), sink.old().len()), (Epoch(1), 15));
}

#[test]
fn what_no_witness_saw_a_client_may_have_seen() {
    for durability in [Durability::Memory, Durability::Group, Durability::Sync] {
        let folder = Folder::filled();
        let backup = folder.backup();
        goes_on(&go_on(&folder, 2, 5));
        folder.restore(&backup);
        let (engine, sink) = folder.open(durability, 3).expect("opened");
        assert_eq!((sink.epoch(), sink.old().len()), (Epoch(1), 10), "both put back, in place");
        let claim = |epoch, seq| engine.ahead_of_log(EventId { epoch: Epoch(epoch), seq });
        wait(async {
            engine.append(one(21)).await.expect("appended");
            claim(9, 100);
            assert_eq!(engine.append(one(21)).await.map(|done| (done.epoch, done.first)), Ok((Epoch(1), 12)));
            claim(1, 15);
            assert_eq!(engine.append(one(22)).await.map(|done| (done.epoch, done.first)), Ok((Epoch(3), 1)));
            // In a life that is ours from its beginning nobody is believed.
            claim(1, 15);
            claim(3, 15);
            assert_eq!(engine.append(one(23)).await.map(|done| (done.epoch, done.first)), Ok((Epoch(3), 2)));
            engine.close().await;
        });
        let begins = sink.received().iter().filter(|told| matches!(told, Received::Begin(_))).count();
        assert_eq!((begins, sink.fresh()), (2, vec![11, 12, 1, 2]));
        let sink = go_on(&folder, 4, 0);
        assert_eq!((sink.epoch(), sink.old()), (Epoch(3), vec![1, 2]), "{durability:?}");
    }
}
