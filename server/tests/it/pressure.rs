//! Publishers that are faster than the log.

use std::{
    path::PathBuf,
    sync::{Arc, Condvar, Mutex},
};

use serde_json::json;
use tinysse::proto::{audience::Identity, wire::id::Epoch};
use tinysse_hub::{
    app::Overrides,
    embed::Hub,
    engine::{Durability, Record, Sink, redb::Redb},
};
use tinysse_server::config::{Config, RawConfig};
use tokio::{net::TcpListener, task::JoinSet};

use crate::support::{Stream, body_of, refused, until};

const KEY: &str = "the-key-of-those-who-publish";

/// Holds the engine's thread up until it is opened.
#[derive(Debug)]
struct Gated {
    sink: Arc<dyn Sink>,
    open: Arc<(Mutex<bool>, Condvar)>,
}

impl Sink for Gated {
    fn begin(&self, epoch: Epoch, after: u64) {
        self.sink.begin(epoch, after);
    }

    fn restore(&self, seq: u64, record: Record) {
        self.sink.restore(seq, record);
    }

    fn deliver(&self, seq: u64, record: Record) {
        let (open, changed) = &*self.open;
        drop(changed.wait_while(open.lock().unwrap(), |open| !*open).unwrap());
        self.sink.deliver(seq, record);
    }
}

/// A folder of this test, gone when it ends.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

#[tokio::test]
async fn what_waits_for_a_stuck_engine_is_bounded_and_the_others_are_told_when_to_come_again() {
    let folder = Folder(std::env::temp_dir().join(format!("tinysse-{}-pressure", std::process::id())));
    let open = Arc::new((Mutex::new(false), Condvar::new()));
    let (path, gate) = (folder.0.clone(), Arc::clone(&open));
    let own = Overrides {
        engine: Some(Box::new(move |bounds, fresh, sink| {
            let sink = Arc::new(Gated { sink, open: gate });
            Ok(Arc::new(Redb::open(&path, Durability::Group, bounds, fresh, sink).unwrap()))
        })),
        ..Overrides::default()
    };
    let secret = |text: &str| Some(text.to_owned().into());
    let layer = RawConfig {
        secret: secret("a-secret-of-the-tests-that-has-32-bytes"),
        publish_key: secret(KEY),
        publish_waiting: Some(4),
        ..RawConfig::default()
    };
    let hub = Hub::start_with(Config::resolve(layer).unwrap(), own).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (served, routes) = (hub.clone(), hub.router());
    let server = tokio::spawn(async move { served.serve(listener, routes, std::future::pending()).await });
    let http = reqwest::Client::new();
    let token = serde_json::to_value(hub.token(Identity { user: "ada".into(), ..Identity::default() }).await.unwrap());
    let token = token.unwrap()["token"].as_str().unwrap().to_owned();
    let mut stream = Stream::open(http.get(format!("{url}/events")).bearer_auth(token)).await;

    let publish = |kind: String| {
        let request = http.post(format!("{url}/publish")).bearer_auth(KEY).header("content-type", "application/json");
        request.body(json!({ "type": kind }).to_string())
    };
    let waiting = async |count| until("they wait", async || hub.app().services.updates.waiting() == count).await;
    let mut accepted = JoinSet::new();
    for n in 0..4 {
        let request = publish(format!("a{n}"));
        accepted.spawn(async move { request.send().await.unwrap() });
        waiting(n + 1).await;
    }
    // Every further one is refused at once, as often as it comes.
    for _ in 0..20 {
        let answer = publish("late".into()).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (429, &"1".parse().unwrap()));
        assert_eq!(body_of(answer).await["code"], "busy");
    }
    refused(publish("late".into()), 429, "busy").await;
    // Code inside the process waits in line instead: its change is made, and must not go unsaid.
    let notifier = tokio::spawn({
        let hub = hub.clone();
        async move { hub.notify("inside").await }
    });
    tokio::task::yield_now().await;
    assert!(!notifier.is_finished() && hub.app().services.updates.waiting() == 4);
    assert!(hub.metrics().contains("tinysse_updates_refused_total{why=\"busy\"} 21"));

    *open.0.lock().unwrap() = true;
    open.1.notify_all();
    for answer in accepted.join_all().await {
        assert_eq!(answer.status(), 200);
        assert_eq!(body_of(answer).await["durability"], "group");
    }
    assert!(notifier.await.unwrap().is_ok());
    assert_eq!(publish("late".into()).send().await.unwrap().status(), 200);
    waiting(0).await;
    let mut kinds = stream.types_until("late").await;
    kinds.sort_unstable();
    assert_eq!(kinds, ["a0", "a1", "a2", "a3", "inside", "late"]);
    server.abort();
    hub.close().await;
}
