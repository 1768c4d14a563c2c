//! Changes that the log refused: they are announced when it takes updates again, to exactly those
//! who may see them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, http::StatusCode, routing::post};
use reqwest::Client;
use serde_json::{Value, json};
use tinysse::proto::{
    audience::Identity,
    wire::{control::Gap, id::Epoch},
};
use tinysse_hub::{
    app::Overrides,
    embed::Hub,
    engine::{Answer, Appended, Batch, Engine, EngineError, Health, Sink, memory::Memory},
    http::response::Response,
    hub::Update,
};
use tinysse_server::config::{Config, RawConfig};
use tokio::{net::TcpListener, time::timeout};

use crate::{
    api::{Answer as Reply, Api},
    support::{BOUND, Stream, metric, until},
};

/// A log in memory that refuses updates, or takes them and does not answer, while a test wants
/// that.
#[derive(Debug)]
struct Faulty {
    log: Memory,
    fault: Arc<Fault>,
}

#[derive(Debug, Default)]
struct Fault {
    refuses: AtomicBool,
    hangs: AtomicBool,
}

impl Faulty {
    fn start(epoch: Epoch, sink: Arc<dyn Sink>, fault: Arc<Fault>) -> Self {
        Self { log: Memory::start(epoch, sink), fault }
    }
}

impl Engine for Faulty {
    fn append(&self, batch: Batch) -> Answer<'_, Result<Appended, EngineError>> {
        Box::pin(async move {
            if self.fault.hangs.load(Ordering::SeqCst) {
                return std::future::pending().await;
            }
            if self.fault.refuses.load(Ordering::SeqCst) {
                return Err(EngineError::Full("no space left on device".to_owned()));
            }
            self.log.append(batch).await
        })
    }

    fn health(&self) -> Health {
        self.log.health()
    }

    fn close(&self) -> Answer<'_, ()> {
        self.log.close()
    }
}

/// A hub on a faulty log, served over a real socket.
struct Faults {
    hub: Hub,
    url: String,
    fault: Arc<Fault>,
    http: Client,
}

const KEY: &str = "the-key-of-those-who-publish";

async fn change() -> (StatusCode, Response<&'static str>) {
    let to = vec!["user:ada".parse().unwrap()];
    let own = Update { to, data: Some("1".into()), key: Some("k".into()), ..Update::new("of.ada") };
    (StatusCode::CREATED, Response::new("made").broadcast("projects").broadcast(own))
}

impl Faults {
    async fn start(layer: RawConfig) -> Self {
        let fault = Arc::new(Fault::default());
        let injected = Arc::clone(&fault);
        let own = Overrides {
            engine: Some(Box::new(move |_, epoch, sink| Ok(Arc::new(Faulty::start(epoch, sink, injected))))),
            ..Overrides::default()
        };
        let secret = |text: &str| Some(text.to_owned().into());
        let layer = RawConfig { secret: secret(&"x".repeat(32)), publish_key: secret(KEY), ..layer };
        let hub = Hub::start_with(Config::resolve(layer).unwrap(), own).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new().route("/change", post(change)).layer(hub.layer()).merge(hub.router());
        let served = hub.clone();
        tokio::spawn(async move { served.serve(listener, routes, std::future::pending()).await });
        Self { hub, url, fault, http: Client::new() }
    }

    fn refuse(&self, refuses: bool) {
        self.fault.refuses.store(refuses, Ordering::SeqCst);
    }

    async fn stream(&self, user: &str, cursor: &str) -> Stream {
        let token = self.hub.token(Identity { user: user.into(), ..Identity::default() }).await.unwrap();
        let token = serde_json::to_value(token).unwrap()["token"].as_str().unwrap().to_owned();
        Stream::open(self.http.get(format!("{}/events?lastEventId={cursor}", self.url)).bearer_auth(token)).await
    }

    fn owed(&self) -> f64 {
        metric(&self.hub.metrics(), "tinysse_updates_owed")
    }

    async fn publish(&self, body: Value) -> StatusCode {
        let request = self.http.post(format!("{}/publish", self.url)).bearer_auth(KEY);
        let request = request.header("content-type", "application/json").body(body.to_string());
        request.send().await.unwrap().status()
    }
}

#[tokio::test]
async fn what_changed_while_the_log_refused_is_announced_to_exactly_those_concerned() {
    let batch = vec!["windowed=1s".parse().unwrap()];
    let app = Faults::start(RawConfig { batch, ..RawConfig::default() }).await;
    let (mut adas, mut bobs) = (app.stream("ada", "").await, app.stream("bob", "").await);
    // The first opens the window, the next one waits for its end.
    app.hub.notify("windowed").await.unwrap();
    let cursor = adas.update().await.id;
    assert_eq!(bobs.update().await.id, cursor);
    app.refuse(true);
    assert!(app.hub.notify("windowed").await.unwrap().is_none());
    let tab = bobs.hello.client.clone();
    let change = app.http.post(format!("{}/change", app.url)).header("x-tinysse-origin", "tab-1");
    assert_eq!(change.send().await.unwrap().status(), 201);
    assert!(app.hub.notify("notified").await.is_err());
    let excepted = Update { except: Some(tab), origin: Some("tab-2".into()), ..Update::new("excepted") };
    assert!(app.hub.publish(excepted).await.is_err());
    // A service gets an error and publishes again: nothing is owed for it.
    assert_eq!(app.publish(json!({ "type": "published" })).await, 507);
    until("the window's end was refused", || async { app.owed() >= 5.0 }).await;
    assert_eq!(app.owed(), 5.0);
    app.refuse(false);
    until("nothing is owed", || async { app.owed() == 0.0 }).await;
    app.hub.notify("last").await.unwrap();
    for (stream, own) in [(&mut adas, true), (&mut bobs, false)] {
        let mut seen = Vec::new();
        loop {
            let frame = stream.update().await;
            if frame.event == "last" {
                break;
            }
            // No data, no key, no origin.
            let body: Value = serde_json::from_str(&frame.data).unwrap();
            assert!(body.as_object().unwrap().keys().all(|key| key == "at"), "{frame:?}");
            seen.push(frame.event);
        }
        seen.sort_unstable();
        let mut expected = vec!["excepted", "notified", "projects", "windowed"];
        if own {
            expected.insert(2, "of.ada");
        }
        assert_eq!(seen, expected);
    }
    // A client that was away meanwhile finds them in the log.
    let mut late = app.stream("ada", &cursor).await;
    assert_eq!(late.hello.gap, Gap::None);
    assert_eq!(late.types_until("last").await.len(), 6);
}

#[tokio::test]
async fn an_update_larger_than_the_log_is_announced_without_its_data() {
    let app = Faults::start(RawConfig { log_max_bytes: Some(4_096), ..RawConfig::default() }).await;
    let mut stream = app.stream("ada", "").await;
    let large = Update { data: Some(format!("\"{}\"", "x".repeat(8_192))), ..Update::new("large") };
    assert!(app.hub.publish(large).await.is_err());
    let frame = stream.update().await;
    assert_eq!(frame.event, "large");
    assert!(!frame.data.contains("data"), "{frame:?}");
    until("nothing is owed", || async { app.owed() == 0.0 }).await;
}

#[tokio::test]
async fn a_poller_shares_the_debts_of_the_hub() {
    let api = Api::start(Reply::json(1)).await;
    let poll = format!("polled={}", api.url).parse().unwrap();
    let app = Faults::start(RawConfig {
        poll: vec![poll],
        poll_every: Some("20ms".parse().unwrap()),
        ..RawConfig::default()
    })
    .await;
    let mut stream = app.stream("ada", "").await;
    let cursor = stream.update().await.id;
    app.refuse(true);
    api.set(Reply::json(2));
    until("the change was refused", || async { app.owed() == 1.0 }).await;
    // Without a stream the poller rests, and the debt is paid all the same.
    drop(stream);
    let active = || async { metric(&app.hub.metrics(), "tinysse_poll_active") == 0.0 };
    until("it polls no more", active).await;
    app.refuse(false);
    until("nothing is owed", || async { app.owed() == 0.0 }).await;
    app.hub.notify("last").await.unwrap();
    assert_eq!(app.stream("ada", &cursor).await.types_until("last").await, ["polled", "last"]);
}

#[tokio::test]
async fn a_later_update_for_the_same_audience_settles_it_and_an_echo_does_not() {
    let app = Faults::start(RawConfig::default()).await;
    let mut stream = app.stream("ada", "").await;
    app.refuse(true);
    for kind in ["a", "b"] {
        assert!(app.hub.notify(kind).await.is_err());
    }
    app.refuse(false);
    // The tab that made this change takes it for its own echo, so it is no news of the others'
    // changes.
    let echo = Update { origin: Some("tab".into()), ..Update::new("a") };
    app.hub.publish(echo).await.unwrap();
    app.hub.notify("b").await.unwrap();
    until("nothing is owed", || async { app.owed() == 0.0 }).await;
    app.hub.notify("last").await.unwrap();
    let mut seen = stream.types_until("last").await;
    seen.sort_unstable();
    assert_eq!(seen, ["a", "a", "b", "last"]);
}

#[tokio::test]
async fn past_the_bound_every_client_refetches() {
    let app = Faults::start(RawConfig::default()).await;
    let mut open = app.stream("ada", "").await;
    app.hub.notify("before").await.unwrap();
    let cursor = open.update().await.id;
    app.refuse(true);
    for n in 0..4_000 {
        let to = vec![format!("user:number-{n}").parse().unwrap()];
        assert!(app.hub.publish(Update { to, ..Update::new("orders") }).await.is_err());
    }
    assert!(app.owed() < 4_000.0, "what is owed is bounded");
    app.refuse(false);
    assert_eq!(open.resync().await, Gap::Overflow);
    // Clients that were away are informed as well, once.
    let mut late = app.stream("ada", &cursor).await;
    assert_eq!(late.hello.gap, Gap::Trimmed);
    app.hub.notify("after").await.unwrap();
    assert_eq!((open.update().await.event.as_str(), late.update().await.event.as_str()), ("after", "after"));
    assert_eq!(app.owed(), 0.0);
}

#[tokio::test]
async fn a_client_that_hangs_up_while_the_log_hangs_loses_no_change() {
    let app = Faults::start(RawConfig::default()).await;
    let mut stream = app.stream("bob", "").await;
    app.fault.hangs.store(true, Ordering::SeqCst);
    let change = app.http.post(format!("{}/change", app.url)).timeout(Duration::from_millis(300)).send().await;
    assert!(change.is_err(), "the answer waits for the log");
    until("both types are owed", || async { app.owed() == 2.0 }).await;
    app.fault.hangs.store(false, Ordering::SeqCst);
    assert_eq!(stream.update().await.event, "projects");
    until("nothing is owed", || async { app.owed() == 0.0 }).await;
}

#[tokio::test]
async fn a_log_that_hangs_ends_neither_the_call_nor_the_shutdown_late() {
    let app = Faults::start(RawConfig { batch: vec!["windowed=50s".parse().unwrap()], ..RawConfig::default() }).await;
    app.hub.notify("windowed").await.unwrap();
    assert!(app.hub.notify("windowed").await.unwrap().is_none());
    app.fault.hangs.store(true, Ordering::SeqCst);
    assert!(timeout(BOUND, app.hub.notify("a")).await.expect("an answer").is_err());
    timeout(BOUND, app.hub.close()).await.expect("it ends");
    assert_eq!(app.owed(), 2.0, "what a window held, and what was notified");
}
