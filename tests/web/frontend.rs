//! The client for frontends in Rust: how it is built, what its handles do, and that it leaves
//! nothing behind.

use std::{
    cell::{Cell, RefCell},
    error::Error as _,
    future::{Future, poll_fn},
    pin::pin,
    rc::Rc,
    task::Poll,
    time::Duration,
};

use tinysse::{Builder, Error, ErrorKind, Phase, SseClient, TokenAnswer};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{
    leaks::leaves_nothing,
    page::{self, number, text},
    support::{Run, rest, turn, until},
};

/// A patient client, as `support::options` makes them for JavaScript.
pub(crate) fn builder(url: &str) -> Builder {
    let patience = Duration::from_secs(600);
    SseClient::builder(url).seed(7).connect_timeout(patience).token_timeout(patience).heartbeat_timeout(patience)
}

/// One that is live, its hello read.
pub(crate) async fn live(run: &Run) -> SseClient {
    let client = builder(&run.url("")).build().unwrap();
    client.start();
    greeted(&client).await;
    client
}

pub(crate) async fn greeted(client: &SseClient) {
    until("a hello", || client.snapshot().client_id.is_some()).await;
}

/// What a future comes to, if it comes to something before the test has waited for very long. No
/// wait is left behind: it would count as a leak.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    for _ in 0..600 {
        let mut pause = pin!(turn(10));
        let look = poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending => pause.as_mut().poll(context).map(|()| None),
        });
        if let Some(value) = look.await {
            pause.await;
            return value;
        }
    }
    panic!("it never came: {what}");
}

fn wrong(builder: Builder) -> Error {
    builder.build().unwrap_err()
}

#[wasm_bindgen_test]
fn an_option_that_is_wrong_is_named() {
    assert!(wrong(SseClient::builder("")).to_string().contains("`url`"));
    let unknown = wrong(SseClient::builder("/events").option("pace", 5));
    assert!(unknown.to_string().contains("`pace`"), "{unknown}");
    let ill = wrong(SseClient::builder("/events").option("coalesceMs", "long"));
    assert!(ill.to_string().contains("`coalesceMs`"), "{ill}");
    for error in [unknown, ill] {
        assert_eq!((error.kind(), error.status(), error.retryable()), (ErrorKind::Options, None, false));
        assert!(error.source().is_none());
        let _crosses_any_boundary: Box<dyn std::error::Error + Send + Sync> = error.into();
    }
}

#[wasm_bindgen_test]
async fn every_option_reaches_the_stream() {
    let run = Run::new();
    run.tell("cookie").await;
    run.update("a", "{}").await;
    let client = builder(&run.url(""))
        .types(["a", "b.*"])
        .with_credentials(true)
        .last_event_id("a1.1")
        .coalesce(Duration::from_millis(20))
        .max_refusals(2)
        .build()
        .unwrap();
    client.start();
    greeted(&client).await;
    let stats = run.stats().await;
    assert_eq!(text(&stats, "connects.0.types"), "a,b.*");
    assert_eq!(text(&stats, "connects.0.lastEventId"), "a1.1");
    assert!(text(&stats, "connects.0.cookie").contains("tinysse-web-test=yes"));
    let mut updates = client.subscribe::<()>("a").unwrap();
    run.say(
        &(2..=9).map(|seq| format!("id: a1.{seq}\nevent: tinysse.update\ndata: a\ndata: {{}}\n\n")).collect::<String>(),
    )
    .await;
    // The first at once, and of what came within the time after it the last.
    let ids = [soon("the first", updates.next()).await, soon("the last", updates.next()).await];
    assert_eq!(ids.map(|update| update.unwrap().unwrap().id), ["a1.2", "a1.9"]);
}

#[wasm_bindgen_test]
async fn it_stops_pauses_and_connects_anew() {
    let run = Run::new();
    let client = live(&run).await;
    client.pause();
    assert_eq!(client.status().phase, Phase::Paused);
    client.resume();
    greeted(&client).await;
    client.reconnect();
    greeted(&client).await;
    client.stop();
    assert_eq!(client.status().phase, Phase::Idle);
    run.until_open(0).await;
    client.start();
    greeted(&client).await;
    let snapshot = client.snapshot();
    assert_eq!((snapshot.connects, snapshot.last_event_id.as_str()), (4, "a1.0"));
    assert_eq!(run.connects().await, 4.0);
}

#[wasm_bindgen_test]
async fn it_lives_as_long_as_one_handle() {
    let run = Run::new();
    let client = live(&run).await;
    let other = client.clone();
    assert_eq!(client, other);
    assert_ne!(client, builder("/events").build().unwrap());
    let mut updates = other.subscribe::<()>("*").unwrap();
    drop(client);
    run.update("a", "{}").await;
    assert_eq!(soon("an update", updates.next()).await.unwrap().unwrap().kind, "a");
    drop(other);
    assert_eq!(page::streams_open(), 0);
    assert!(soon("the end", updates.next()).await.is_none());
    run.until_open(0).await;
    assert_eq!(page::listeners().length(), 0);
}

#[wasm_bindgen_test]
async fn closing_ends_every_stream_and_wakes_who_waits() {
    let run = Run::new();
    let client = live(&run).await;
    let (mut updates, mut raw) = (client.subscribe::<()>("a").unwrap(), client.subscribe_raw("a").unwrap());
    let (mut statuses, mut resyncs) = (client.statuses(), client.resyncs());
    assert_eq!(statuses.next().await.unwrap().phase, Phase::Open);
    let ended = Rc::new(Cell::new(0));
    let end = |ended: &Rc<Cell<u32>>| ended.set(ended.get() + 1);
    for_each_end(&ended, async move { assert!(updates.next().await.is_none()) }, end);
    for_each_end(&ended, async move { assert!(statuses.next().await.is_none()) }, end);
    for_each_end(&ended, async move { assert!(resyncs.next().await.is_none()) }, end);
    rest().await;
    assert_eq!(ended.get(), 0);
    // One stream holds something: that is let go.
    run.update("b", "{}").await;
    let mut held = client.subscribe::<()>("*").unwrap();
    run.update("c", "{}").await;
    until("the updates", || client.snapshot().events == 2).await;
    client.close();
    assert!(held.next().await.is_none());
    assert!(raw.next().await.is_none());
    until("three ends", || ended.get() == 3).await;
    // And what comes later is at its end from the beginning.
    assert!(client.subscribe::<()>("a").unwrap().next().await.is_none());
    assert!(client.statuses().next().await.is_none());
    assert!(client.resyncs().next().await.is_none());
    client.start();
    assert_eq!(client.status().phase, Phase::Idle);
    run.until_open(0).await;
}

fn for_each_end(ended: &Rc<Cell<u32>>, work: impl Future<Output = ()> + 'static, end: fn(&Rc<Cell<u32>>)) {
    let ended = ended.clone();
    spawn_local(async move {
        work.await;
        end(&ended);
    });
}

#[wasm_bindgen_test]
async fn a_stream_that_is_dropped_leaves_nothing() {
    let run = Run::new();
    let client = live(&run).await;
    leaves_nothing(1_000, async || {
        let updates = client.subscribe::<()>(["projects", "compute.*"]).unwrap();
        let (statuses, resyncs) = (client.statuses(), client.resyncs());
        drop((updates, statuses, resyncs));
    })
    .await;
    run.update("projects", "{}").await;
    until("the update", || client.snapshot().events == 1).await;
    assert_eq!(page::take_reported().length(), 0, "a call of what is gone");
}

#[wasm_bindgen_test]
async fn a_client_that_was_open_leaves_nothing() {
    let run = Run::new();
    leaves_nothing(200, async || {
        let client = builder(&run.url("")).token(async |_| Ok(TokenAnswer::new("t"))).build().unwrap();
        let (_updates, mut statuses) = (client.subscribe::<()>("*").unwrap(), client.statuses());
        client.start();
        while statuses.next().await.unwrap().phase != Phase::Open {}
        client.close();
    })
    .await;
    run.until_open(0).await;
    assert_eq!(number(&run.stats().await, "connects.length"), 250.0);
}

#[wasm_bindgen_test]
async fn a_client_that_waits_for_its_token_leaves_nothing() {
    let run = Run::new();
    leaves_nothing(1_000, async || {
        let client = builder(&run.url("")).token(async |_| std::future::pending().await).build().unwrap();
        client.start();
        client.close();
        for _ in 0..6 {
            wasm_bindgen_futures::JsFuture::from(js_sys::Promise::resolve(&JsValue::NULL)).await.unwrap();
        }
    })
    .await;
    assert_eq!(run.connects().await, 0.0);
}

#[wasm_bindgen_test]
async fn a_handle_may_be_dropped_by_the_task_that_reads() {
    let run = Run::new();
    let client = live(&run).await;
    let mut updates = client.subscribe::<()>("*").unwrap();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let list = seen.clone();
    spawn_local(async move {
        while let Some(update) = updates.next().await {
            list.borrow_mut().push(update.unwrap().kind);
            client.close();
        }
        drop(client);
    });
    run.update("a", "{}").await;
    run.update("b", "{}").await;
    run.until_open(0).await;
    rest().await;
    assert_eq!(*seen.borrow(), ["a"]);
    assert_eq!(page::take_reported().length(), 0);
}
