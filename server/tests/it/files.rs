//! Files that the server writes: on a full disk, after a cut, damaged, of other programs, and who
//! may read them. All by the real program.
#![cfg(target_os = "linux")]

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Stdio};

use reqwest::Client;
use serde_json::json;
use tokio::process::Command;

use crate::{
    faults::{Folder, cramped, post},
    lifecycle::{self, Child},
    support::body_of,
};

fn folder() -> Folder {
    let folder = Folder::new();
    fs::create_dir_all(&folder.0).unwrap();
    folder
}

async fn revoke(url: &str, user: &str) -> u16 {
    let answer = post(&Client::new(), url, "/revoke", &json!({ "user": user })).send().await.unwrap();
    let status = answer.status().as_u16();
    let body = body_of(answer).await;
    assert!(status == 200 || body["code"] == "not_durable", "{body}");
    status
}

#[tokio::test]
async fn a_revocation_on_a_full_disk_is_refused_and_the_next_start_is_good() {
    let folder = folder();
    let file = folder.0.join("revocations");
    let flag = format!("--revocations={}", file.display());
    let args = ["--dev", "--memory", flag.as_str(), "--drain-window=50ms"];
    let server = cramped(1, &args).await;
    let (_, token) = lifecycle::stream(&server.url).await;
    assert_eq!(revoke(&server.url, "ada").await, 200);
    let mut acknowledged = 1;
    while revoke(&server.url, &format!("user{acknowledged}")).await == 200 {
        acknowledged += 1;
        assert!(acknowledged < 100, "the disk is full at last");
    }
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.ends_with('\n') && text.lines().count() == acknowledged, "nothing of a line stays: {text:?}");
    server.signal("-KILL").await;
    server.end().await;
    // As a write leaves it that nothing could undo: the power failed.
    let half = &text.as_bytes()[..20];
    fs::write(&file, [text.as_bytes(), half].concat()).unwrap();
    // The disk is full still. What was acknowledged counts.
    let server = cramped(1, &args).await;
    let answer = Client::new().get(format!("{}/events", server.url)).bearer_auth(&token).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), body_of(answer).await["code"].clone()), (401, json!("token_revoked")));
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    assert_eq!(revoke(&server.url, "a-user-with-a-name-that-is-longer-than-the-room-that-is-left").await, 503);
    server.signal("-TERM").await;
    let (code, log) = server.end().await;
    assert!(code == Some(0) && log.contains("the last line has no end"), "{log}");
    // There is space again.
    let server = Child::hub(&args).await;
    assert_eq!(revoke(&server.url, "bob").await, 200);
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), acknowledged + 1);
}

#[tokio::test]
async fn a_file_that_is_damaged_or_of_another_program_ends_the_start_and_stays_as_it_is() {
    let folder = folder();
    let file = folder.0.join("notes.txt");
    let flag = format!("--revocations={}", file.display());
    let args = ["--dev", "--memory", flag.as_str(), "--drain-window=50ms"];
    let server = Child::hub(&args).await;
    assert_eq!((revoke(&server.url, "ada").await, revoke(&server.url, "bob").await), (200, 200));
    // One server for each file.
    let refused = async || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tinysse-server"));
        let output = command.args(args).arg("--listen=127.0.0.1:0").output().await.unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let error = refused().await;
    assert!(error.contains("notes.txt") && error.contains("another process"), "{error}");
    server.signal("-TERM").await;
    server.end().await;
    let good = fs::read_to_string(&file).unwrap();
    for (text, line) in [
        (good.replace("bob", "eve"), 2),
        (format!("dear diary\n{good}"), 1),
        ("dear diary".to_owned(), 1),
        ("dear diary,\ntoday\n".to_owned(), 1),
    ] {
        fs::write(&file, &text).unwrap();
        let error = refused().await;
        assert!(error.contains(&format!("notes.txt, line {line}:")), "{error}");
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
    }
}

#[tokio::test]
async fn only_the_owner_reads_what_the_server_writes() {
    let folder = folder();
    let data = folder.0.join("data");
    let file = folder.0.join("revocations");
    let flags = [format!("--data={}", data.display()), format!("--revocations={}", file.display())];
    let server = Child::hub(&["--dev", "--drain-window=50ms", &flags[0], &flags[1]]).await;
    assert_eq!(revoke(&server.url, "ada").await, 200);
    server.signal("-TERM").await;
    server.end().await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&data), mode(&file)), (0o700, 0o600));
    let written: Vec<_> = fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(written.len() >= 2, "{written:?}");
    for path in written {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    // A private key that the shell sends to a file.
    let key = folder.0.join("key.pem");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tinysse-server"));
    command.args(["token", "key"]).stdout(Stdio::from(fs::File::create(&key).unwrap()));
    assert!(command.status().await.unwrap().success());
    assert!(fs::read_to_string(&key).unwrap().contains("PRIVATE KEY"));
    assert_eq!(mode(&key), 0o600);
}
