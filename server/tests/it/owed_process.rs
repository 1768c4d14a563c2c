//! Changes that the log refused, in real processes: a disk without space, a kill, and a Redis that
//! is away.

use std::fs;

use reqwest::Client;
use serde_json::json;
use tinysse::proto::wire::control::Gap;

#[cfg(target_os = "linux")]
use crate::faults::cramped;
use crate::{
    faults::{Folder, follow, post as post_as_service},
    lifecycle::{Child, stream},
    redis::Redis,
    support::{body_of, metric, until},
};

/// Makes a project over the API of the process; the status.
async fn make_project(url: &str) -> u16 {
    let http = Client::new();
    let login = post_as_service(&http, url, "/auth/login", &json!({ "user": "bob" })).send().await.unwrap();
    let cookie = login.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let request = http.post(format!("{url}/api/projects")).header("cookie", cookie);
    let request = request.header("content-type", "application/json").body(json!({ "name": "Hubble" }).to_string());
    request.send().await.unwrap().status().as_u16()
}

async fn text(url: &str, path: &str) -> (u16, String) {
    let response = Client::new().get(format!("{url}{path}")).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

/// Publishes until the file of the log may grow no more; the cursor behind the last update.
#[cfg(target_os = "linux")]
async fn fill(url: &str) -> String {
    let (http, mut last) = (Client::new(), None);
    for bytes in [200_000, 2_000, 10] {
        loop {
            let body = json!({ "type": "n", "data": "x".repeat(bytes) });
            let response = post_as_service(&http, url, "/publish", &body).send().await.unwrap();
            if response.status() != 200 {
                break;
            }
            last = Some(body_of(response).await["ids"][0].as_str().unwrap().to_owned());
        }
    }
    last.expect("some fit")
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_delays_what_the_api_changed_and_loses_nothing() {
    let folder = Folder::new();
    let server = cramped(8_192, &["--dev", &folder.flag(), "--log-max-bytes=1000000000"]).await;
    let cursor = fill(&server.url).await;
    let mut open = follow(&server.url, &cursor).await;
    assert_eq!(make_project(&server.url).await, 201);
    assert_eq!(metric(&text(&server.url, "/metrics").await.1, "tinysse_updates_owed"), 1.0);
    let (status, body) = text(&server.url, "/readyz").await;
    assert!(status == 200 && body.contains("owed"), "{body}");
    let raise = ["--pid", &server.id().to_string(), "--fsize=unlimited:"];
    assert!(tokio::process::Command::new("prlimit").args(raise).status().await.unwrap().success());
    assert_eq!(open.update().await.event, "projects");
    until("nothing is owed", || async { text(&server.url, "/readyz").await.1 == "ok\n" }).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_is_owed_survives_a_kill_and_a_stop() {
    for signal in ["-KILL", "-TERM"] {
        let folder = Folder::new();
        let args = ["--dev", "--log-max-bytes=1000000000", &folder.flag()];
        let server = cramped(8_192, &args).await;
        let cursor = fill(&server.url).await;
        assert_eq!(make_project(&server.url).await, 201);
        server.signal(signal).await;
        let log = server.end().await.1;
        assert!(signal == "-KILL" || log.contains("owed"), "what is still owed is logged: {log}");
        let again = Child::reference(&args).await;
        let mut client = follow(&again.url, &cursor).await;
        assert_eq!(client.hello.gap, Gap::None);
        assert_eq!(client.update().await.event, "projects");
        // Behind the name of the format: the length of what is owed.
        until("nothing is owed", || async { fs::read(folder.0.join("log.owed")).unwrap()[16..20] == [0; 4] }).await;
        again.signal("-KILL").await;
        again.end().await;
        // Settled for good: the next start announces nothing.
        let third = Child::reference(&args).await;
        assert_eq!(metric(&text(&third.url, "/metrics").await.1, "tinysse_updates_owed"), 0.0);
    }
}

#[tokio::test]
async fn what_is_owed_is_kept_as_well_as_it_was_written() {
    let folder = Folder::new();
    let args = ["--dev", &folder.flag()];
    let file = folder.0.join("log.owed");
    let server = Child::reference(&args).await;
    let request = post_as_service(&Client::new(), &server.url, "/publish", &json!({ "type": "a" }));
    let cursor = body_of(request.send().await.unwrap()).await["ids"][0].as_str().unwrap().to_owned();
    server.signal("-TERM").await;
    assert_eq!(server.end().await.0, Some(0));
    // Damage may hide anything: then everything is owed.
    let mut bytes = fs::read(&file).unwrap();
    bytes[20] ^= 1;
    fs::write(&file, &bytes).unwrap();
    let server = Child::reference(&args).await;
    let mut client = follow(&server.url, &cursor).await;
    if client.hello.gap == Gap::None {
        assert_eq!(client.resync().await, Gap::Overflow);
    }
    server.signal("-TERM").await;
    assert_eq!(server.end().await.0, Some(0));
    // A file of another program is not overwritten.
    fs::write(&file, "a list of debts").unwrap();
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_tinysse-server"));
    let output = command.args(["--dev", "--listen=127.0.0.1:0", &folder.flag()]).output().await.unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && error.contains("log.owed"), "{error}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "a list of debts");
}

#[tokio::test]
async fn what_the_api_changed_while_redis_was_away_is_announced_on_all_nodes() {
    let Some(mut redis) = Redis::start().await else { return };
    let (one, other) = (redis.node().await, redis.node().await);
    let (mut here, mut there) = (stream(&one.url).await.0, stream(&other.url).await.0);
    redis.signal("-KILL").await;
    redis.process.wait().await.unwrap();
    until("not ready", || async { text(&one.url, "/readyz").await.0 == 503 }).await;
    assert_eq!(make_project(&one.url).await, 201);
    assert_eq!(metric(&text(&one.url, "/metrics").await.1, "tinysse_updates_owed"), 1.0);
    redis.process = Redis::launch(&redis.folder).await.unwrap();
    assert_eq!(here.update().await.event, "projects");
    assert_eq!(there.update().await.event, "projects");
    until("nothing is owed", || async { text(&one.url, "/readyz").await == (200, "ok\n".to_owned()) }).await;
}
