//! The real program is killed and starved. What was acknowledged from the disk is there afterwards,
//! once, under the id it had.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
};

use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use tinysse::proto::wire::{control::Gap, id::EventId};
use tinysse_server::config::DEV_PUBLISH_KEY;
use tokio::task::JoinSet;

use crate::{
    lifecycle::Child,
    support::{Stream, body_of, until},
};

/// A directory that is removed at the end.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("tinysse-faults-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self(std::env::temp_dir().join(name))
    }

    pub fn flag(&self) -> String {
        format!("--data={}", self.0.display())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn post(http: &Client, url: &str, path: &str, body: &Value) -> RequestBuilder {
    http.post(format!("{url}{path}"))
        .header("content-type", "application/json")
        .bearer_auth(DEV_PUBLISH_KEY)
        .body(body.to_string())
}

/// A stream that goes on behind `cursor`.
pub async fn follow(url: &str, cursor: &str) -> Stream {
    let http = Client::new();
    let login = post(&http, url, "/auth/login", &json!({ "user": "ada" })).send().await.unwrap();
    let cookie = login.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let answer = http.post(format!("{url}/auth/sse-token")).header("cookie", cookie).send().await.unwrap();
    let token = body_of(answer).await["token"].as_str().unwrap().to_owned();
    Stream::open(http.get(format!("{url}/events?token={token}&lastEventId={cursor}"))).await
}

/// What the whole test knows: which number is stored under which id.
#[derive(Default)]
struct Book {
    acked: Mutex<BTreeMap<String, u64>>,
    seen: Mutex<BTreeMap<String, u64>>,
    last: AtomicU64,
}

impl Book {
    fn ack(&self, id: String, number: u64) {
        let before = self.acked.lock().unwrap().insert(id.clone(), number);
        assert_eq!(before, None, "{id} was given twice");
    }

    /// What the one client saw.
    fn see(&self, id: String, number: u64) {
        let before = self.seen.lock().unwrap().insert(id.clone(), number);
        assert_eq!(before, None, "{id} came twice");
    }

    fn acks(&self) -> usize {
        self.acked.lock().unwrap().len()
    }

    /// Every id that was both given and seen means the same; answers how many of `epoch` were
    /// acknowledged and never seen.
    fn missed(&self, epoch: Option<&str>) -> usize {
        let (acked, seen) = (self.acked.lock().unwrap(), self.seen.lock().unwrap());
        let of = |id: &str| epoch.is_none_or(|epoch| id.split('.').next() == Some(epoch));
        let missed = acked.iter().filter(|(id, number)| of(id) && seen.get(*id) != Some(*number));
        missed.inspect(|(id, number)| assert!(!seen.contains_key(*id), "{id} is not {number}")).count()
    }
}

/// Publishes number after number until the server is gone.
async fn load(url: String, book: Arc<Book>) {
    let http = Client::new();
    loop {
        let number = book.last.fetch_add(1, Ordering::Relaxed);
        let sent = post(&http, &url, "/publish", &json!({ "type": "n", "data": number })).send().await;
        // Sent and not answered: it may be in the log or not.
        let Ok(response) = sent else { return };
        assert_eq!(response.status(), 200);
        let Ok(text) = response.text().await else { return };
        let body: Value = serde_json::from_str(&text).unwrap();
        book.ack(body["ids"][0].as_str().unwrap().to_owned(), number);
    }
}

/// Reads to the end of the stream; answers the cursor.
async fn read(mut stream: Stream, book: Arc<Book>) -> String {
    let mut cursor = stream.hello.after;
    while let Some(frame) = stream.next().await {
        let id = EventId::parse(&frame.id).unwrap();
        if frame.event == "n" {
            assert!(id.epoch == cursor.epoch && id.seq > cursor.seq, "{id} came behind {cursor}");
            let data: Value = serde_json::from_str(&frame.data).unwrap();
            book.see(frame.id, data["data"].as_u64().unwrap());
        }
        cursor = id;
    }
    cursor.text()
}

/// Three kills belong to every run; `TINYSSE_KILLS=50` is the long one.
fn kills() -> u64 {
    std::env::var("TINYSSE_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(3)
}

/// Kills the server again and again under load; `durable`: whether nothing may be lost.
async fn killed(durability: &str, durable: bool) {
    let folder = Folder::new();
    let (book, mut cursor) = (Arc::new(Book::default()), String::new());
    let args = ["--dev", "--log=warn", &folder.flag(), &format!("--durability={durability}")];
    for round in 0..kills() {
        let server = Child::hub(&args).await;
        let stream = follow(&server.url, &cursor).await;
        let expected = match (round, durable) {
            (0, _) => Gap::First,
            (_, true) => Gap::None,
            // What was seen may be lost with the crash: that is announced, and the client begins
            // anew.
            (_, false) => Gap::Epoch,
        };
        assert_eq!(stream.hello.gap, expected, "round {round}");
        let reader = tokio::spawn(read(stream, Arc::clone(&book)));
        let mut publishers = JoinSet::new();
        for _ in 0..4 {
            publishers.spawn(load(server.url.clone(), Arc::clone(&book)));
        }
        let enough = book.acks() + 20 + 13 * (round as usize % 5);
        until("enough is published", || async { book.acks() >= enough }).await;
        server.signal("-KILL").await;
        server.end().await;
        while let Some(ended) = publishers.join_next().await {
            ended.unwrap();
        }
        cursor = reader.await.unwrap();
    }
    let server = Child::hub(&args).await;
    let stream = follow(&server.url, &cursor).await;
    let gap = stream.hello.gap;
    let reader = tokio::spawn(read(stream, Arc::clone(&book)));
    let head = post(&Client::new(), &server.url, "/publish", &json!({ "type": "n", "data": u64::MAX })).send().await;
    let head = body_of(head.unwrap()).await["ids"][0].as_str().unwrap().to_owned();
    until("the client is at the end", || async { book.seen.lock().unwrap().contains_key(&head) }).await;
    server.signal("-TERM").await;
    assert_eq!(server.end().await.0, Some(0));
    reader.await.unwrap();
    if durable {
        assert_eq!((gap, book.missed(None)), (Gap::None, 0));
    } else {
        assert_eq!((gap, book.missed(head.split('.').next())), (Gap::Epoch, 0));
    }
}

#[tokio::test]
async fn kill_9_with_group_loses_nothing_that_was_acknowledged() {
    killed("group", true).await;
}

#[tokio::test]
async fn kill_9_with_sync_loses_nothing_that_was_acknowledged() {
    killed("sync", true).await;
}

#[tokio::test]
async fn kill_9_with_memory_is_announced() {
    killed("memory", false).await;
}

#[tokio::test]
async fn a_restart_is_no_gap_and_no_key_counts_twice() {
    for durability in ["memory", "group", "sync"] {
        let folder = Folder::new();
        let args = ["--dev", &folder.flag(), &format!("--durability={durability}"), "--drain-window=50ms"];
        let http = Client::new();
        let publish = async |server: &Child, kind: &str| {
            let request = post(&http, &server.url, "/publish", &json!({ "type": kind }));
            let body = body_of(request.header("idempotency-key", kind).send().await.unwrap()).await;
            assert_eq!(body["durability"], durability);
            body["ids"][0].as_str().unwrap().to_owned()
        };
        let first = Child::hub(&args).await;
        let ids = [publish(&first, "a").await, publish(&first, "b").await];
        first.signal("-TERM").await;
        assert_eq!(first.end().await.0, Some(0));
        let second = Child::hub(&args).await;
        assert_eq!(publish(&second, "b").await, ids[1]);
        // Offline meanwhile: it gets what it missed.
        let mut stream = follow(&second.url, &ids[0]).await;
        assert_eq!((stream.hello.gap, stream.update().await.id), (Gap::None, ids[1].clone()));
        assert_eq!(EventId::parse(&publish(&second, "c").await).unwrap().seq, 3);
        assert_eq!(stream.update().await.event, "c");
    }
}

#[tokio::test]
async fn a_log_that_cannot_be_used_is_said_at_the_start() {
    let folder = Folder::new();
    std::fs::create_dir_all(&folder.0).unwrap();
    let file = folder.0.join("log.redb");
    for (bytes, words) in [(&b"something else entirely"[..], "not a log of tinysse"), (b"redb", "damaged")] {
        std::fs::write(&file, bytes).unwrap();
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_tinysse-server"));
        let output = command.args(["--dev", "--listen=127.0.0.1:0", &folder.flag()]).output().await.unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains(words) && error.contains("log.redb"), "{error}");
        assert_eq!(std::fs::read(&file).unwrap(), bytes);
    }
}

/// The reference server under a limit for the size of files. The signal for it is ignored, so
/// writes fail as on a full disk.
#[cfg(target_os = "linux")]
pub async fn cramped(blocks: u32, args: &[&str]) -> Child {
    let mut command = tokio::process::Command::new("sh");
    command.arg("-c").arg(format!("trap '' XFSZ; ulimit -S -f {blocks}; exec \"$0\" \"$@\""));
    command.arg(std::env::current_exe().unwrap());
    Child::reference_by(command, args).await
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn without_room_publishing_is_refused_and_streams_go_on() {
    let folder = Folder::new();
    let server = cramped(8_192, &["--dev", &folder.flag(), "--beat=50ms", "--log-max-bytes=1000000000"]).await;
    let http = Client::new();
    let publish = async || {
        let body = json!({ "type": "n", "data": "x".repeat(200_000) });
        let response = post(&http, &server.url, "/publish", &body).send().await.unwrap();
        (response.status().as_u16(), body_of(response).await)
    };
    let mut stream = follow(&server.url, "").await;
    let mut acked = Vec::new();
    let problem = loop {
        match publish().await {
            (200, body) => acked.push(body["ids"][0].as_str().unwrap().to_owned()),
            (status, problem) => {
                assert_eq!(status, 507, "{problem}");
                break problem;
            }
        }
    };
    assert_eq!(problem["code"], "log_full");
    assert!(!acked.is_empty());
    for id in &acked {
        assert_eq!(stream.update().await.id, *id);
    }
    // Alive: beats come, new clients get what is there, and the server reports what is wrong.
    assert_eq!(stream.next().await.unwrap().event, "tinysse.beat");
    let mut late = follow(&server.url, &acked[0]).await;
    if let Some(second) = acked.get(1) {
        assert_eq!(late.update().await.id, *second);
    }
    let get = async |path: &str| http.get(format!("{}{path}", server.url)).send().await.unwrap();
    assert_eq!(get("/readyz").await.status(), 200);
    assert!(get("/metrics").await.text().await.unwrap().contains("tinysse_log_writable 0"));
    // With space again it continues in the very next place.
    let raise = ["--pid", &server.id().to_string(), "--fsize=unlimited:"];
    assert!(tokio::process::Command::new("prlimit").args(raise).status().await.unwrap().success());
    let (status, body) = publish().await;
    assert_eq!(status, 200, "{body}");
    let id = body["ids"][0].as_str().unwrap().to_owned();
    assert_eq!(EventId::parse(&id).unwrap().seq, acked.len() as u64 + 1);
    acked.push(id);
    loop {
        let frame = stream.next().await.unwrap();
        if frame.event == "n" {
            assert_eq!(frame.id, acked[acked.len() - 1]);
            break;
        }
    }
    server.signal("-KILL").await;
    server.end().await;
    let again = Child::hub(&["--dev", &folder.flag(), "--log-max-bytes=1000000000"]).await;
    let mut stream = follow(&again.url, &format!("{}.0", acked[0].split('.').next().unwrap())).await;
    assert_eq!(stream.hello.gap, Gap::None);
    for id in &acked {
        assert_eq!(stream.update().await.id, *id);
    }
}
