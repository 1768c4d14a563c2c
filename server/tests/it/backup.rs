//! A backup of the log that is put back: its places are given a second time, which must not be
//! mistaken for the first.

use std::{fs, path::PathBuf};

use serde_json::json;
use tinysse::proto::wire::control::{Control, Gap};

use crate::support::Server;

struct Folder(PathBuf);

impl Folder {
    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let files = fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().path());
        files.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

#[tokio::test]
async fn the_first_who_has_seen_more_tells_everybody() {
    let folder = Folder(std::env::temp_dir().join(format!("tinysse-{}-backup", std::process::id())));
    let data = format!("--data={}", folder.0.display());
    let start = async || Server::dev(&[&data]).await;
    let publish = async |server: &Server, count: usize| {
        let mut ids = Vec::new();
        for _ in 0..count {
            ids.extend(server.publish(json!({ "type": "a" })).await);
        }
        ids
    };
    let server = start().await;
    let mut ids = publish(&server, 3).await;
    server.stop().await;
    let backup = folder.files();
    let server = start().await;
    ids.extend(publish(&server, 3).await);
    server.stop().await;
    // In place, and the witness too: the files alone show nothing.
    backup.iter().for_each(|(path, bytes)| fs::write(path, bytes).unwrap());

    let server = start().await;
    let (ada, bob) = (server.log_in("ada", "", &[]).await, server.log_in("bob", "", &[]).await);
    let from = |id: &str| format!("&lastEventId={id}");
    let mut early = ada.stream(&from(&ids[1])).await;
    assert_eq!((early.hello.gap, early.update().await.id), (Gap::None, ids[2].clone()));
    let mut late = bob.stream(&from(&ids[5])).await;
    // Whether the new life begins before its hello or behind it.
    let told = if late.hello.gap == Gap::Unknown { late.resync().await } else { late.hello.gap };
    assert_eq!((told, early.resync().await), (Gap::Epoch, Gap::Epoch));
    // The places that were given twice have another name.
    let fresh = publish(&server, 1).await.remove(0);
    assert!(fresh.ends_with(".1") && !ids.iter().any(|id| id.split('.').next() == fresh.split('.').next()));
    assert_eq!((early.update().await.id, late.update().await.id), (fresh.clone(), fresh.clone()));
    // A client that comes now with a place of the old epoch is notified too, and no client's claim
    // begins another one.
    assert_eq!(ada.stream(&from(&ids[4])).await.hello.gap, Gap::Epoch);
    let forged = fresh.replace(".1", ".99");
    assert_eq!(bob.stream(&from(&forged)).await.hello.gap, Gap::Unknown);
    let next = publish(&server, 1).await.remove(0);
    let frame = early.update().await;
    assert!(frame.id == next && Control::read(&frame).is_none());
    server.stop().await;
}
