//! Rights that change, on nodes that share a Redis. All of them are real processes, and so is the
//! way they ask.

use std::{
    sync::{Arc, Mutex},
    time::Instant,
};

use axum::{Router, http::StatusCode, routing::post as routed};
use reqwest::Client;
use serde_json::{Value, json};
use tinysse::proto::wire::control::Gap;
use tinysse_hub::{auth::Auth, clock::Clock};
use tinysse_server::config::Config;
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

use crate::{
    faults::post,
    lifecycle::Child,
    redis::{Proxy, Redis, Way},
    support::{File, SECRET, Stream, body_of, until},
};

/// An app that knows who may see what, reports it to all nodes, and keeps the users it was asked
/// about.
#[derive(Clone)]
struct Directory {
    url: String,
    says: Arc<Mutex<(u16, Value)>>,
    asked: Arc<Mutex<Vec<String>>>,
    /// While it hangs nothing is answered.
    hangs: watch::Sender<bool>,
}

impl Directory {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/rights", listener.local_addr().unwrap());
        let says = Arc::new(Mutex::new((200, json!({ "types": ["old", "end"] }))));
        let this = Self { url, says, asked: Arc::default(), hangs: watch::Sender::new(false) };
        let answering = this.clone();
        let answer = move |body: String| async move {
            let question: Value = serde_json::from_str(&body).unwrap();
            answering.asked.lock().unwrap().push(question["user"].as_str().unwrap().to_owned());
            drop(answering.hangs.subscribe().wait_for(|hangs| !hangs).await);
            let (status, body) = answering.says.lock().unwrap().clone();
            (StatusCode::from_u16(status).unwrap(), body.to_string())
        };
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/rights", routed(answer))).await });
        this
    }

    fn says(&self, kind: &str) {
        *self.says.lock().unwrap() = (200, json!({ "types": [kind, "end"] }));
    }

    /// Whom it was asked about since the last time.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    /// Flags of nodes that believe an answer for an hour, and look for nothing by themselves.
    fn flags(&self) -> [String; 4] {
        ["--secret", "--directory", "--directory-ttl", "--reload-every"]
            .into_iter()
            .zip([SECRET, &self.url, "1h", "1h"])
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .try_into()
            .unwrap()
    }
}

/// A token that is good on every node. What it is worth is remembered for each token.
fn token(user: &str) -> String {
    let config = Config::from_args(["tinysse-server", "--dev", "--memory", &format!("--secret={SECRET}")]).unwrap();
    let identity = tinysse::proto::audience::Identity { user: user.into(), ..Default::default() };
    Auth::new(&config.hub.auth, Clock::start()).mint(identity, false, None)
}

async fn follow(node: &Child, token: &str) -> Stream {
    Stream::open(Client::new().get(format!("{}/events?token={token}", node.url))).await
}

/// Publishes one of each.
async fn publish(node: &Child) {
    let updates = json!([{ "type": "old" }, { "type": "new" }, { "type": "end" }]);
    assert_eq!(post(&Client::new(), &node.url, "/publish", &updates).send().await.unwrap().status(), 200);
}

/// The same; which of them the stream gets.
async fn sees(node: &Child, stream: &mut Stream) -> Vec<String> {
    publish(node).await;
    stream.types_until("end").await
}

/// The same, on every node: behind it all of them have come as far.
async fn all_see<'a>(node: &Child, streams: impl IntoIterator<Item = &'a mut Stream>, wanted: &str) {
    publish(node).await;
    for stream in streams {
        assert_eq!(stream.types_until("end").await, [wanted, "end"]);
    }
}

async fn changed(node: &Child, whose: Value) -> (u16, Value) {
    let answer = post(&Client::new(), &node.url, "/rights", &whose).send().await.unwrap();
    (answer.status().as_u16(), body_of(answer).await)
}

#[tokio::test]
async fn news_of_rights_on_one_node_reach_the_streams_of_all() {
    let Some(redis) = Redis::start().await else { return };
    let directory = Directory::start().await;
    let flags = directory.flags();
    let flags = flags.each_ref().map(String::as_str);
    let (a, b, c) = tokio::join!(redis.node_with(&flags), redis.node_with(&flags), redis.node_with(&flags));
    let nodes = [a, b, c];
    let (of_ada, of_bob) = (token("ada"), token("bob"));
    let (mut ada, mut bob) = (Vec::new(), Vec::new());
    for node in &nodes {
        ada.push(follow(node, &of_ada).await);
        bob.push(follow(node, &of_bob).await);
    }
    all_see(&nodes[0], &mut ada, "old").await;
    let mut worst = 0;
    for round in 0..10 {
        let (node, now) = (&nodes[round % 3], ["new", "old"][round % 2]);
        directory.says(now);
        directory.asked();
        let begun = Instant::now();
        assert_eq!(changed(node, json!({ "user": "ada" })).await, (200, json!({ "changed": 1 })));
        let mut all = JoinSet::new();
        for mut stream in ada.drain(..) {
            all.spawn(async move {
                assert_eq!(stream.resync().await, Gap::Rights);
                stream
            });
        }
        ada = all.join_all().await;
        worst = worst.max(begun.elapsed().as_millis());
        assert_eq!(directory.asked(), ["ada"; 3], "one question a node, and none about others");
        all_see(node, &mut ada, now).await;
        // What was remembered is forgotten everywhere, so that nothing old is served to streams
        // that open now.
        let other = &nodes[(round + 1) % 3];
        let mut late = follow(other, &of_ada).await;
        all_see(node, ada.iter_mut().chain([&mut late]), now).await;
    }
    println!("MEASURED news of rights to the resync on the last of three streams, worst of 10: {worst} ms");
    // No user named: all. A client that has no rights any more is closed, on all nodes.
    directory.says("new");
    assert_eq!(changed(&nodes[0], json!({})).await.1, json!({ "changed": 2 }), "ada has no news of it");
    for stream in ada.iter_mut().chain(&mut bob) {
        assert_eq!(stream.resync().await, Gap::Rights);
    }
    *directory.says.lock().unwrap() = (410, json!({}));
    assert_eq!(changed(&nodes[1], json!({})).await.0, 200);
    for stream in ada.iter_mut().chain(&mut bob) {
        assert_eq!(stream.bye().await, "revoked");
    }
    let later = redis.node_with(&flags).await;
    let refused = Client::new().get(format!("{}/events", later.url)).bearer_auth(&of_ada).send().await.unwrap();
    assert_eq!(refused.status(), 401, "a node that is started later asks");
}

#[tokio::test]
async fn a_node_that_is_cut_off_trusts_no_rights_it_remembers_and_hears_the_news_when_it_is_back() {
    let Some(redis) = Redis::start().await else { return };
    let (directory, proxy) = (Directory::start().await, Proxy::start(&redis).await);
    let flags = directory.flags();
    let flags = flags.each_ref().map(String::as_str);
    let (cut, other) = tokio::join!(Redis::node_behind(&proxy, &flags), redis.node_with(&flags));
    let http = Client::new();
    let ready = async |status: u16| {
        until("ready or not", || async {
            http.get(format!("{}/readyz", cut.url)).send().await.unwrap().status() == status
        })
        .await;
    };
    let (of_ada, probe) = (token("ada"), token("eve"));
    let mut stream = follow(&cut, &of_ada).await;
    for (way, now) in [(Way::Cut, "new"), (Way::Hole, "old")] {
        proxy.set(way);
        ready(503).await;
        until("it trusts nothing", || async {
            drop(follow(&cut, &probe).await);
            directory.asked();
            drop(follow(&cut, &probe).await);
            directory.asked() == ["eve"]
        })
        .await;
        directory.says(now);
        assert_eq!(changed(&other, json!({ "user": "ada" })).await.0, 200);
        // What opens meanwhile has the present rights, though no service could be asked.
        let mut late = follow(&cut, &of_ada).await;
        // What it can't report to the others it does here, and reports that.
        let (status, problem) = changed(&cut, json!({ "user": "bob" })).await;
        assert_eq!((status, problem["code"].as_str()), (503, Some("not_told")));
        proxy.set(Way::Open);
        assert_eq!(stream.resync().await, Gap::Rights);
        ready(200).await;
        assert_eq!(sees(&other, &mut stream).await, [now, "end"]);
        assert_eq!(late.types_until("end").await, [now, "end"]);
    }
}

#[tokio::test]
async fn a_directory_that_hangs_holds_no_revocation_up_and_no_second_change() {
    let Some(redis) = Redis::start().await else { return };
    let directory = Directory::start().await;
    let flags = directory.flags();
    let flags = flags.each_ref().map(String::as_str);
    let (a, b) = tokio::join!(redis.node_with(&flags), redis.node_with(&flags));
    let (mut ada, mut bob) = (follow(&b, &token("ada")).await, follow(&b, &token("bob")).await);
    directory.asked();
    directory.hangs.send_replace(true);
    assert_eq!(
        changed(&a, json!({ "user": "ada" })).await,
        (200, json!({ "changed": 0 })),
        "a has nobody to ask about"
    );
    until("b asks", || async { directory.asked() == ["ada"] }).await;
    let answer = post(&Client::new(), &a.url, "/revoke", &json!({ "user": "bob" })).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(bob.bye().await, "revoked");
    assert!(*directory.hangs.borrow(), "meanwhile nothing was answered");
    // What changes while the question is open is asked for once more.
    directory.says("new");
    assert_eq!(changed(&a, json!({ "user": "ada" })).await.0, 200);
    directory.hangs.send_replace(false);
    assert_eq!(ada.resync().await, Gap::Rights);
    assert_eq!(sees(&a, &mut ada).await, ["new", "end"]);
}

#[tokio::test]
async fn a_file_is_read_again_by_each_node_when_it_changes_and_by_all_when_one_is_told() {
    let Some(redis) = Redis::start().await else { return };
    let rights = |kind: &str| format!("[users.ada]\ntypes = [\"{kind}\", \"end\"]\n");
    let (secret, of_ada) = (format!("--secret={SECRET}"), token("ada"));
    for (every, told) in [("20ms", false), ("1h", true)] {
        let file = File::new(&format!("cluster-{every}.toml"), &rights("old"));
        let flags = [&secret, "--directory", file.path(), "--reload-every", every].map(ToString::to_string);
        let flags = flags.each_ref().map(String::as_str);
        let (a, b) = tokio::join!(redis.node_with(&flags), redis.node_with(&flags));
        let (mut at_a, mut at_b) = (follow(&a, &of_ada).await, follow(&b, &of_ada).await);
        file.write(&rights("new"));
        if told {
            assert_eq!(changed(&a, json!({})).await, (200, json!({ "changed": 1 })));
        }
        assert_eq!((at_a.resync().await, at_b.resync().await), (Gap::Rights, Gap::Rights));
        assert_eq!(sees(&a, &mut at_b).await, ["new", "end"]);
    }
}
