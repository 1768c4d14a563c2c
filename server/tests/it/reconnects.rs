//! Everybody comes back at once: after the server was killed, and after all connections were cut
//! while it lives.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use reqwest::Client;
use serde_json::json;
use tinysse::proto::wire::{control::Gap, id::EventId};
use tokio::{sync::watch, task::JoinSet};

use crate::{
    faults::{Folder, post},
    lifecycle::Child,
    support::{Stream, body_of, until},
};

/// A few hundred belong to every run; `TINYSSE_RECONNECTS=5000` is the long one, and needs as many
/// open files.
fn many() -> u64 {
    std::env::var("TINYSSE_RECONNECTS").ok().and_then(|text| text.parse().ok()).unwrap_or(300)
}

/// Resident memory that the server may take: its own, and what a stream weighs while it is opened.
const OWN: u64 = 96 << 20;
const STREAM: u64 = 64 << 10;

fn resident(server: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux says it");
    line.split_whitespace().next().and_then(|kilobytes| kilobytes.parse::<u64>().ok()).expect("a number") << 10
}

async fn token(url: &str) -> String {
    let http = Client::new();
    let login = post(&http, url, "/auth/login", &json!({ "user": "ada" })).send().await.unwrap();
    let cookie = login.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let answer = http.post(format!("{url}/auth/sse-token")).header("cookie", cookie).send().await.unwrap();
    body_of(answer).await["token"].as_str().unwrap().to_owned()
}

/// Where the clients are to connect, and for which time.
#[derive(Clone, Default, PartialEq)]
struct Place {
    url: String,
    token: String,
    life: u64,
}

/// What all clients together have done.
#[derive(Default)]
struct Told {
    /// Streams opened.
    opened: AtomicU64,
    /// Clients that saw the last update.
    ended: AtomicU64,
}

/// Connects wherever it is sent to, again and again from its cursor, until it sees `last`; it
/// misses nothing and gets nothing twice.
async fn client(http: Client, mut places: watch::Receiver<Place>, told: Arc<Told>, last: u64) {
    let (mut cursor, mut seen) = (None::<EventId>, 0);
    loop {
        let Place { url, token, .. } = places.borrow_and_update().clone();
        let from = cursor.map_or_else(String::new, EventId::text);
        let mut stream = Stream::open(http.get(format!("{url}/events?token={token}&lastEventId={from}"))).await;
        assert_eq!(stream.hello.gap, if cursor.is_none() { Gap::First } else { Gap::None });
        told.opened.fetch_add(1, Ordering::Relaxed);
        cursor.get_or_insert(stream.hello.after);
        loop {
            let frame = tokio::select! {
                // Cut: the connection goes with the stream.
                changed = places.changed() => { changed.unwrap(); break }
                frame = stream.next() => frame,
            };
            let Some(frame) = frame else {
                places.changed().await.unwrap();
                break;
            };
            let id = EventId::parse(&frame.id).unwrap();
            if frame.event == "n" {
                let number: serde_json::Value = serde_json::from_str(&frame.data).unwrap();
                seen += 1;
                assert_eq!(number["data"].as_u64(), Some(seen), "each once and in order");
                if seen == last {
                    told.ended.fetch_add(1, Ordering::Relaxed);
                    return;
                }
            }
            cursor = Some(id);
        }
    }
}

async fn publish(url: &str, number: u64) {
    let sent = post(&Client::new(), url, "/publish", &json!({ "type": "n", "data": number })).send().await;
    assert_eq!(sent.expect("the server takes it").status(), 200, "nobody is starved");
}

#[tokio::test]
async fn all_come_back_at_once_and_nobody_else_is_starved() {
    const BATCH: u64 = 10;
    let folder = Folder::new();
    let data = format!("--data={}", folder.0.display());
    let args = ["--dev", "--log=warn", "--token-ttl=1h", "--max-streams=20000", "--max-connections=20000", &data];
    let (many, told) = (many(), Arc::new(Told::default()));
    let mut server = Child::hub(&args).await;
    let mut place = Place { url: server.url.clone(), token: token(&server.url).await, life: 0 };
    let (tell, places) = watch::channel(place.clone());
    let last = 6 * BATCH;
    let (mut clients, http) = (JoinSet::new(), Client::new());
    for _ in 0..many {
        clients.spawn(client(http.clone(), places.clone(), Arc::clone(&told), last));
    }
    until("all are there", || async { told.opened.load(Ordering::Relaxed) == many }).await;
    let mut numbers = 1..=last;
    // At first, after all connections were cut, and after a kill.
    for life in 1..=3 {
        // Another client, with a stream of its own, gets what is published while the others come.
        let mut bystander = Stream::open(http.get(format!("{}/events?token={}", place.url, place.token))).await;
        for number in numbers.by_ref().take(BATCH as usize) {
            publish(&place.url, number).await;
            assert_eq!(bystander.update().await.event, "n");
        }
        until("all are there", || async { told.opened.load(Ordering::Relaxed) == life * many }).await;
        let memory = resident(&server);
        assert!(memory < OWN + many * STREAM, "{memory} bytes for {many} streams");
        for number in numbers.by_ref().take(BATCH as usize) {
            publish(&place.url, number).await;
        }
        if life == 2 {
            server.signal("-KILL").await;
            server.end().await;
            server = Child::hub(&args).await;
            place.url.clone_from(&server.url);
        }
        place.life = life;
        if life < 3 {
            tell.send_replace(place.clone());
        }
    }
    until("all saw the last one", || async { told.ended.load(Ordering::Relaxed) == many }).await;
    clients.join_all().await;
}
