//! Redis changes under running nodes: a failover that keeps connections, a network that forgot
//! them, a server that closes idle ones. What was published arrives once, and `/readyz` is true.

use std::{
    process::Stdio,
    sync::{Arc, Mutex},
};

use ::redis::{Client as RedisClient, cmd};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    process::{self, Command},
    sync::watch,
    task::JoinHandle,
};

use crate::{
    api::{Answer, Api},
    cluster::metric,
    faults::{Folder, follow, post},
    lifecycle::Child,
    support::{File, Stream, body_of, until},
};

/// A Redis of its own on a TCP port.
pub struct Server {
    pub port: u16,
    _folder: Folder,
    _process: process::Child,
}

impl Server {
    /// Returns `None`, with a note, if there is no Redis here.
    pub async fn start(more: &[&str]) -> Option<Self> {
        let folder = Folder::new();
        std::fs::create_dir_all(&folder.0).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new("redis-server");
        command.args(["--port", &port.to_string(), "--save", "", "--repl-diskless-sync-delay", "0"]).args(more);
        command.current_dir(&folder.0).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let Ok(process) = command.spawn() else {
            eprintln!("SKIPPED: redis-server is not installed; failovers are not tested");
            return None;
        };
        until("Redis listens", || async { TcpStream::connect(("127.0.0.1", port)).await.is_ok() }).await;
        Some(Self { port, _folder: folder, _process: process })
    }

    /// Sends one command.
    pub async fn ask<T: ::redis::FromRedisValue>(&self, words: &[&str]) -> T {
        let client = RedisClient::open(format!("redis://127.0.0.1:{}", self.port)).unwrap();
        let mut conn = client.get_multiplexed_async_connection().await.unwrap();
        cmd(words[0]).arg(&words[1..]).query_async(&mut conn).await.unwrap()
    }

    /// Makes this server a replica of `master`; its connections stay.
    async fn follow(&self, master: &Self) {
        let _: () = self.ask(&["REPLICAOF", "127.0.0.1", &master.port.to_string()]).await;
    }

    async fn promote(&self) {
        let _: () = self.ask(&["REPLICAOF", "NO", "ONE"]).await;
    }

    /// Its own time, in milliseconds.
    async fn time(&self) -> u64 {
        let (seconds, micros): (u64, u64) = self.ask(&["TIME"]).await;
        seconds * 1_000 + micros / 1_000
    }
}

/// What nodes connect to: each new connection is carried to the server of the moment.
pub struct Router {
    pub address: std::net::SocketAddr,
    target: Arc<Mutex<u16>>,
    /// Connections up to this number carry nothing.
    forgotten: watch::Sender<u64>,
    accepted: Arc<Mutex<u64>>,
    task: JoinHandle<()>,
}

impl Router {
    pub async fn start(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (target, accepted) = (Arc::new(Mutex::new(server.port)), Arc::new(Mutex::new(0)));
        let forgotten = watch::Sender::new(0);
        let (to, count, seen) = (Arc::clone(&target), Arc::clone(&accepted), forgotten.subscribe());
        let task = tokio::spawn(async move {
            loop {
                let (node, _) = listener.accept().await.unwrap();
                let number = {
                    let mut count = count.lock().unwrap();
                    *count += 1;
                    *count
                };
                let port = *to.lock().unwrap();
                let Ok(redis) = TcpStream::connect(("127.0.0.1", port)).await else { continue };
                let ((from_node, to_node), (from_redis, to_redis)) = (node.into_split(), redis.into_split());
                // Each direction ends by itself: what a node sent before it went away arrives, if
                // late.
                tokio::spawn(pump(from_node, to_redis, seen.clone(), number));
                tokio::spawn(pump(from_redis, to_node, seen.clone(), number));
            }
        });
        Self { address, target, forgotten, accepted, task }
    }

    /// Returns how many connections there were.
    pub fn accepted(&self) -> u64 {
        *self.accepted.lock().unwrap()
    }

    /// From now on new connections lead to this server.
    fn route(&self, server: &Server) {
        *self.target.lock().unwrap() = server.port;
    }

    /// What the connections of now carry is held back; new ones are served.
    fn forget(&self) {
        self.forgotten.send_replace(self.accepted());
    }

    /// What was held back arrives.
    fn remember(&self) {
        self.forgotten.send_replace(0);
    }

    pub async fn node(&self, more: &[&str]) -> Child {
        let flag = format!("--redis=redis://{}", self.address);
        Child::hub(&[&["--dev", "--log=info", "--beat=100ms", &flag], more].concat()).await
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut forgotten: watch::Receiver<u64>, number: u64) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = from.read(&mut buffer).await.unwrap_or(0);
        let open = forgotten.wait_for(|forgotten| number > *forgotten).await.is_ok();
        if read == 0 || !open || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

async fn publish(url: &str, kind: &str) -> (u16, Value) {
    let answer = post(&Client::new(), url, "/publish", &json!({ "type": kind })).send().await.unwrap();
    (answer.status().as_u16(), body_of(answer).await)
}

pub async fn ready(url: &str, status: u16) {
    until("ready or not", || async {
        Client::new().get(format!("{url}/readyz")).send().await.unwrap().status() == status
    })
    .await;
}

async fn log_in(url: &str) -> String {
    let login = post(&Client::new(), url, "/auth/login", &json!({ "user": "eve" })).send().await.unwrap();
    login.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
}

/// Opens a stream of eve with a token that is good for one, on the second node, and tries it on the
/// first again.
async fn spends_a_token(urls: &[String; 2]) -> Stream {
    let http = Client::new();
    let cookie = log_in(&urls[0]).await;
    let answer = http.post(format!("{}/auth/sse-token", urls[0])).header("cookie", cookie).send().await.unwrap();
    let token = body_of(answer).await["token"].as_str().unwrap().to_owned();
    let open = |url: &str| http.get(format!("{url}/events")).bearer_auth(&token);
    let stream = Stream::open(open(&urls[1])).await;
    assert_eq!(open(&urls[0]).send().await.unwrap().status(), 401, "it was used on the other node");
    stream
}

/// Two nodes behind a router, with a stream each.
struct Cluster {
    router: Router,
    nodes: [Child; 2],
    streams: [Stream; 2],
    published: usize,
}

impl Cluster {
    async fn start(server: &Server, more: &[&str]) -> Self {
        let router = Router::start(server).await;
        let flags = [&["--single-use"], more].concat();
        let nodes = tokio::join!(router.node(&flags), router.node(&flags)).into();
        let [first, second]: &[Child; 2] = &nodes;
        let streams = tokio::join!(follow(&first.url, ""), follow(&second.url, "")).into();
        Self { router, nodes, streams, published: 0 }
    }

    fn urls(&self) -> [String; 2] {
        self.nodes.each_ref().map(|node| node.url.clone())
    }

    /// Publishes on each node at the first try: every stream gets both updates, once and in order,
    /// and nothing else.
    async fn publishes(&mut self) {
        for url in self.urls() {
            self.published += 1;
            let kind = format!("n{}", self.published);
            let (status, answer) = publish(&url, &kind).await;
            assert_eq!(status, 200, "{kind}: {answer}");
            for stream in &mut self.streams {
                assert_eq!(stream.update().await.event, kind);
            }
        }
    }

    /// Revocations and used tokens go over the same connection.
    async fn agrees(&self) {
        let urls = self.urls();
        let mut eve = spends_a_token(&urls).await;
        let answer = post(&Client::new(), &urls[0], "/revoke", &json!({ "user": "eve" })).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(eve.bye().await, "revoked");
    }

    async fn are_ready(&self) {
        for url in self.urls() {
            ready(&url, 200).await;
        }
    }
}

#[tokio::test]
async fn after_a_failover_that_keeps_connections_the_next_publish_succeeds_once() {
    let (Some(mut master), Some(mut replica)) = tokio::join!(Server::start(&[]), Server::start(&[])) else { return };
    let mut cluster = Cluster::start(&master, &[]).await;
    cluster.publishes().await;
    for _ in 0..2 {
        replica.follow(&master).await;
        let synced = async || {
            let info: String = replica.ask(&["INFO", "replication"]).await;
            let of_master: String = master.ask(&["INFO", "replication"]).await;
            let offset =
                |info: &str, name: &str| info.lines().find_map(|line| line.strip_prefix(name)?.parse::<u64>().ok());
            info.contains("master_link_status:up")
                && offset(&info, "slave_repl_offset:") == offset(&of_master, "master_repl_offset:")
        };
        until("the replica has everything", synced).await;
        replica.promote().await;
        cluster.router.route(&replica);
        master.follow(&replica).await;
        cluster.publishes().await;
        cluster.are_ready().await;
        cluster.agrees().await;
        std::mem::swap(&mut master, &mut replica);
    }
}

#[tokio::test]
async fn a_node_that_only_reaches_a_replica_is_not_ready_until_it_reaches_the_master() {
    let (Some(master), Some(replica)) = tokio::join!(Server::start(&[]), Server::start(&[])) else { return };
    let mut cluster = Cluster::start(&master, &[]).await;
    cluster.publishes().await;
    // New connections lead to it, too.
    master.follow(&replica).await;
    let urls = cluster.urls();
    for url in &urls {
        ready(url, 503).await;
        let (status, answer) = publish(url, "lost").await;
        assert_eq!((status, answer["code"].as_str()), (503, Some("log_unavailable")), "{answer}");
        assert!(answer["detail"].as_str().unwrap().contains("read-only"), "{answer}");
    }
    master.promote().await;
    cluster.are_ready().await;
    let (status, answer) = publish(&urls[0], "again").await;
    assert_eq!(status, 200, "{answer}");
}

#[tokio::test]
async fn behind_a_network_that_forgot_the_connections_a_publish_succeeds_once() {
    let Some(server) = Server::start(&[]).await else { return };
    let mut cluster = Cluster::start(&server, &[]).await;
    cluster.publishes().await;
    for round in 0..3 {
        cluster.router.forget();
        if round == 2 {
            // Nobody publishes: the nodes find out by themselves.
            let before = cluster.router.accepted();
            until("they connect anew", || async { cluster.router.accepted() >= before + 6 }).await;
        }
        cluster.publishes().await;
        cluster.are_ready().await;
        // What was sent over the old connections arrives now, and counts no more.
        cluster.router.remember();
        cluster.publishes().await;
        cluster.agrees().await;
    }
}

#[tokio::test]
async fn a_redis_that_closes_idle_connections_refuses_no_publish() {
    let Some(server) = Server::start(&[]).await else { return };
    let mut cluster = Cluster::start(&server, &[]).await;
    let _: () = server.ask(&["CONFIG", "SET", "timeout", "1"]).await;
    for _ in 0..2 {
        let begun = server.time().await;
        until("a quiet time", || async { server.time().await >= begun + 3_500 }).await;
        cluster.publishes().await;
        cluster.are_ready().await;
        let begun = server.time().await;
        until("a quiet time", || async { server.time().await >= begun + 3_500 }).await;
        cluster.agrees().await;
        // At once, too: every connection is closed behind the nodes' backs.
        let _: i64 = server.ask(&["CLIENT", "KILL", "TYPE", "normal"]).await;
        cluster.publishes().await;
        let _: i64 = server.ask(&["CLIENT", "KILL", "TYPE", "normal"]).await;
        cluster.agrees().await;
    }
}

#[tokio::test]
async fn polling_goes_on_after_a_failover_and_a_forgotten_connection() {
    let (Some(master), Some(replica)) = tokio::join!(Server::start(&[]), Server::start(&[])) else { return };
    let api = Api::start(Answer::json(1)).await;
    let text = format!("[[poll]]\ntype = 'a'\nurl = '{}'\nevery = '20ms'\nmax-stale = '1h'\n", api.url);
    let file = File::new("failover.toml", &text);
    let flags = [format!("--config={}", file.path()), "--poll-lease=2s".to_owned()];
    let cluster = Cluster::start(&master, &flags.each_ref().map(String::as_str)).await;
    let urls = cluster.urls();
    // Longer than a lease: it was taken again since.
    let goes_on = async || {
        let begun = api.count();
        until("polls", || async { api.count() > begun + 250 }).await;
        let mut active = 0.0;
        for url in &urls {
            active += metric(url, "tinysse_poll_active{type=\"a\"}").await;
        }
        assert!(active <= 1.0, "{active}");
        assert_eq!(api.most(), 1, "never two at a time");
    };
    goes_on().await;
    cluster.router.route(&replica);
    master.follow(&replica).await;
    goes_on().await;
    cluster.router.forget();
    goes_on().await;
    cluster.router.remember();
    goes_on().await;
}
