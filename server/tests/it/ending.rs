//! How long it takes to end, whatever hangs.

use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    faults::{Folder, cramped, post},
    lifecycle::{Child, stream},
    support::metric,
};

#[tokio::test]
async fn a_full_disk_does_not_keep_the_process_alive() {
    let folder = Folder::new();
    let args = ["--dev", &folder.flag(), "--durability=memory", "--log-max-bytes=1000000000", "--log=off"];
    let server = cramped(8_192, &args).await;
    let http = Client::new();
    let publish =
        |bytes: usize| post(&http, &server.url, "/publish", &json!({ "type": "n", "data": "x".repeat(bytes) }));
    // The disk fills, and then the queue of what waits for it.
    let full = async || {
        let metrics = http.get(format!("{}/metrics", server.url)).send().await.unwrap().text().await.unwrap();
        metric(&metrics, "tinysse_log_writable") == 0.0
    };
    while !full().await {
        assert_eq!(publish(700_000).send().await.unwrap().status(), 200);
    }
    let mut filled = JoinSet::new();
    for _ in 0..8 {
        let small = publish(10);
        filled.spawn(async move { while small.try_clone().unwrap().send().await.unwrap().status() == 200 {} });
    }
    filled.join_all().await;
    let begun = Instant::now();
    server.signal("-TERM").await;
    let (code, log) = server.end().await;
    assert_eq!(code, Some(0), "{log}");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    // What was seen is not on the disk, so the next life is another one: it must not count as
    // whole.
    let again = Child::hub(&["--dev", &folder.flag(), "--durability=memory", "--log=warn"]).await;
    again.signal("-TERM").await;
    assert!(again.end().await.1.contains("a new epoch begins"));
}

#[tokio::test]
async fn with_dev_it_ends_while_pages_are_open() {
    let server = Child::server(&["--dev"]).await;
    let (mut open, _) = stream(&server.url).await;
    let (mut second, _) = stream(&server.url).await;
    let begun = Instant::now();
    server.signal("-INT").await;
    let (first, next) = tokio::join!(open.bye(), second.bye());
    assert_eq!((first.as_str(), next.as_str()), ("drain", "drain"));
    let (code, log) = server.end().await;
    let took = begun.elapsed();
    assert_eq!(code, Some(0), "{log}");
    assert!(took < Duration::from_millis(1_500), "{took:?}");
}
