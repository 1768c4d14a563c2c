//! What slow readers get of each type (`--slow`), over real sockets that are full.

use serde_json::{Value, json};
use tinysse_hub::hub::Update;
use tokio::{io::AsyncReadExt, net::TcpStream, time::timeout};

use crate::{
    slow::lazy_over,
    support::{BOUND, Server, until},
};

/// Large enough that a few hundred fill every buffer of the system.
const LARGE: usize = 32 * 1024;
const MANY: usize = 300;
const RULES: [&str; 4] =
    ["--slow=latest=coalesce,again.*=resync,strict=disconnect", "--slow-lag=8", "--stall-timeout=60s", "--beat=1h"];

/// Publishes inside the process, each update with its number.
async fn publish(server: &Server, kind: &str, key: &str, n: usize, size: usize) {
    let data = Some(format!("{{\"n\":{n},\"x\":\"{}\"}}", "x".repeat(size)));
    let update = Update { data, key: Some(key.into()), ..Update::new(kind) };
    server.app.services.updates.publish(update).await.unwrap();
    // Lets the streams write.
    tokio::task::yield_now().await;
}

/// Waits until the streams have been given all that they take now: everything else on this runtime
/// has had its turn, twice.
async fn settled(server: &Server) -> f64 {
    let before = std::cell::Cell::new(-1.0);
    until("the streams are given nothing more", async || {
        let now = server.metric("tinysse_frames_total").await;
        before.replace(now) == now
    })
    .await;
    before.get()
}

/// What a client that reads at last receives, up to the type `last`: types and, of updates, their
/// numbers.
async fn read_until_last(client: &mut TcpStream) -> Vec<(String, Value)> {
    let (mut text, mut buffer) = (Vec::new(), vec![0; 1 << 20]);
    let read = async {
        while !String::from_utf8_lossy(&text[text.len().saturating_sub(200)..]).contains("event: last") {
            let n = client.read(&mut buffer).await.unwrap();
            assert_ne!(n, 0, "the stream goes on");
            text.extend_from_slice(&buffer[..n]);
        }
    };
    timeout(BOUND, read).await.expect("the last one");
    let mut told = Vec::new();
    let mut event = String::new();
    for line in String::from_utf8_lossy(&text).lines() {
        if let Some(kind) = line.strip_prefix("event: ") {
            event = kind.to_owned();
        } else if let Some(data) = line.strip_prefix("data: ") {
            let number = serde_json::from_str::<Value>(data).map(|body| body["data"]["n"].clone());
            told.push((event.clone(), number.unwrap_or_else(|_| data.into())));
        }
    }
    told
}

#[tokio::test]
async fn the_newest_a_refetch_and_everything_each_as_configured() {
    for version in ["1.1", "1.0"] {
        let server = Server::dev(&RULES).await;
        let ada = server.log_in("ada", "", &[]).await;
        let mut client = lazy_over(&server, &ada.token().await, version).await;
        for n in 0..MANY {
            publish(&server, "latest", if n % 2 == 0 { "even" } else { "odd" }, n, LARGE).await;
        }
        let given = settled(&server).await;
        assert!(given < MANY as f64 - 20.0, "{given} of {MANY} were taken for a reader that reads nothing");
        for n in 0..20 {
            publish(&server, "again.a", "", n, 10).await;
            publish(&server, "plain", "", n, 10).await;
        }
        publish(&server, "last", "", 0, 0).await;
        let told = read_until_last(&mut client).await;
        let numbers =
            |kind: &str| told.iter().filter(|(event, _)| event == kind).map(|(_, n)| n.clone()).collect::<Vec<_>>();
        let latest: Vec<_> = numbers("latest").iter().filter_map(Value::as_u64).collect();
        assert!(latest.len() < given as usize + 20 && latest.is_sorted(), "HTTP/{version}: {} of {MANY}", latest.len());
        assert_eq!(latest[latest.len() - 2..], [MANY as u64 - 2, MANY as u64 - 1], "the newest of each key is there");
        // What is to be refetched was not sent, and is named before anything that follows it.
        assert_eq!(numbers("tinysse.resync"), [json!("gap=overflow&types=again.a")]);
        let resync = told.iter().position(|(event, _)| event == "tinysse.resync");
        assert!(numbers("again.a").is_empty() && resync < told.iter().position(|(event, _)| event == "plain"));
        // And nothing of the rest is missing.
        assert_eq!(numbers("plain"), (0..20).map(|n| json!(n)).collect::<Vec<_>>());
        let (passed, latest) = (server.metric("tinysse_updates_passed_over_total").await, latest.len());
        assert_eq!(passed, (MANY - latest + 20) as f64);
        drop(client);
        server.stop().await;
    }
}

#[tokio::test]
async fn who_lags_behind_a_strict_type_is_cut_off_and_comes_back_to_everything() {
    for version in ["1.1", "1.0"] {
        let server = Server::dev(&RULES).await;
        let ada = server.log_in("ada", "", &[]).await;
        let first = ada.stream("").await;
        let cursor = first.hello.after.text();
        drop(first);
        until("alone", async || server.metric("tinysse_streams_open").await == 0.0).await;
        let client = lazy_over(&server, &ada.token().await, version).await;
        for n in 0..MANY {
            publish(&server, "strict", "", n, LARGE).await;
        }
        until("cut off", async || server.metric("tinysse_streams_closed_total{reason=\"slow\"}").await == 1.0).await;
        assert_eq!(server.metric("tinysse_streams_open").await, 0.0);
        let mut back = ada.stream(&format!("&lastEventId={cursor}")).await;
        for n in 0..MANY {
            let body: Value = serde_json::from_str(&back.update().await.data).unwrap();
            assert_eq!(body["data"]["n"], n, "HTTP/{version}");
        }
        drop(client);
        server.stop().await;
    }
}
