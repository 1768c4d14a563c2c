//! The network, the page, and the calls by hand.

use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{
    page::{self, number, text},
    support::{Probe, Provider, Run, options, until},
};

/// What puts a client to rest, what it is called then, and what wakes it.
async fn rests(sleep: impl Fn(&Probe), status: &str, wake: impl Fn(&Probe)) {
    let run = Run::new();
    let provider = Provider::counting();
    let probe = Probe::live(&run.url(""), &[("token", provider.function())]).await;
    run.update("a", "{}").await;
    probe.until_updates(1).await;
    sleep(&probe);
    assert_eq!(probe.status(), status, "at once");
    assert_eq!(page::streams_open(), 0);
    assert_eq!(page::timers(), 0);
    run.until_open(0).await;
    run.update("b", "{}").await;
    assert_eq!(run.connects().await, 1.0);
    wake(&probe);
    assert_eq!(probe.status(), "reconnecting");
    probe.until_updates(2).await;
    let stats = run.stats().await;
    assert_eq!(number(&stats, "connects.length"), 2.0);
    assert_eq!(text(&stats, "connects.1.lastEventId"), "a1.1");
    assert_eq!(text(&stats, "connects.1.token"), "t0", "a good token is kept");
    assert_eq!(probe.resyncs.all("gap"), ["first"]);
    assert_eq!(probe.statuses.all("status"), ["connecting", "open", status, "reconnecting", "open"]);
}

#[wasm_bindgen_test]
async fn a_stream_goes_on_while_the_browser_calls_itself_offline_and_is_replaced_when_it_is_online() {
    let run = Run::new();
    let provider = Provider::counting();
    let probe = Probe::live(&run.url(""), &[("token", provider.function())]).await;
    page::fire("window", "offline");
    assert_eq!(probe.status(), "open");
    run.update("a", "{}").await;
    probe.until_updates(1).await;
    page::fire("window", "online");
    until("the next stream", || text(&probe.client.snapshot(), "clientId") == "c2").await;
    run.until_open(1).await;
    run.update("b", "{}").await;
    probe.until_updates(2).await;
    let stats = run.stats().await;
    assert_eq!(number(&stats, "connects.length"), 2.0);
    assert_eq!(text(&stats, "connects.1.lastEventId"), "a1.1");
    assert_eq!(text(&stats, "connects.1.token"), "t0", "a good token is kept");
    assert_eq!(probe.resyncs.all("gap"), ["first"]);
}

#[wasm_bindgen_test]
async fn a_stream_that_is_lost_offline_is_opened_again_all_the_same() {
    let run = Run::new();
    let probe = Probe::live(&run.url(""), &[]).await;
    page::fire("window", "offline");
    run.tell("cut").await;
    probe.until_status("offline").await;
    until("the next stream", || text(&probe.client.snapshot(), "clientId") == "c2").await;
    assert_eq!(probe.statuses.all("status"), ["connecting", "open", "offline", "open"]);
}

#[wasm_bindgen_test]
async fn into_the_back_forward_cache_and_out() {
    rests(|_| page::fire("window", "pagehide"), "paused", |_| page::fire("window", "pageshow")).await;
}

#[wasm_bindgen_test]
async fn frozen_and_resumed() {
    rests(|_| page::fire("document", "freeze"), "paused", |_| page::fire("document", "resume")).await;
}

#[wasm_bindgen_test]
async fn paused_and_resumed_by_hand() {
    rests(|probe| probe.client.pause(), "paused", |probe| probe.client.resume()).await;
}

#[wasm_bindgen_test]
async fn every_reason_must_be_gone() {
    let run = Run::new();
    let probe = Probe::live(&run.url(""), &[]).await;
    probe.client.pause();
    page::fire("window", "pagehide");
    probe.client.resume();
    assert_eq!(probe.status(), "paused");
    page::fire("window", "offline");
    assert_eq!(probe.status(), "paused");
    page::fire("window", "pageshow");
    assert_eq!(probe.status(), "offline", "which is no reason");
    probe.until_greeted().await;
    assert_eq!(probe.status(), "open");
    assert_eq!(run.connects().await, 2.0);
}

#[wasm_bindgen_test]
async fn a_start_without_network_is_tried_all_the_same() {
    let run = Run::new();
    page::set_online(false);
    let probe = Probe::new(&options(&run.url(""), &[]));
    probe.client.start();
    page::set_online(true);
    assert_eq!(probe.status(), "offline");
    probe.until_greeted().await;
    assert_eq!(probe.statuses.all("status"), ["offline", "open"]);
    assert_eq!(run.connects().await, 1.0);
}

#[wasm_bindgen_test]
async fn paused_before_the_start() {
    let run = Run::new();
    let probe = Probe::new(&options(&run.url(""), &[]));
    probe.client.pause();
    assert_eq!(probe.status(), "idle");
    probe.client.start();
    assert_eq!(probe.status(), "paused");
    probe.client.resume();
    probe.until_greeted().await;
    assert_eq!(run.connects().await, 1.0);
}

#[wasm_bindgen_test]
async fn the_network_goes_while_the_token_is_pending() {
    let run = Run::new();
    let late = page::deferred();
    let promise = late.get(0);
    let provider = Provider::new(move |_| Ok(promise.clone()));
    let probe = Probe::new(&options(&run.url(""), &[("token", provider.function())]));
    probe.client.start();
    page::fire("window", "offline");
    assert_eq!(probe.status(), "offline");
    assert_eq!(provider.aborted(), [false]);
    js_sys::Function::from(late.get(1)).call1(&JsValue::UNDEFINED, &"t".into()).unwrap();
    probe.until_greeted().await;
    assert_eq!(provider.reasons(), ["initial"]);
    assert_eq!(run.connects().await, 1.0);
}

#[wasm_bindgen_test]
async fn hiding_the_tab_does_not_cut_the_stream() {
    let run = Run::new();
    let probe = Probe::live(&run.url(""), &[]).await;
    page::show(false);
    run.update("a", "{}").await;
    probe.until_updates(1).await;
    page::show(true);
    assert_eq!(probe.statuses.all("status"), ["connecting", "open"]);
    assert_eq!(run.connects().await, 1.0);
}

#[wasm_bindgen_test]
async fn showing_the_tab_shortens_a_wait() {
    let run = Run::new();
    page::hurry(1_000.0);
    // Six refusals in a row make the wait long; at this pace they are over soon.
    run.tell("answers?list=500,500,500,500,500,500").await;
    let probe = Probe::new(&options(&run.url(""), &[("seed", 3.into()), ("maxRefusals", 50.into())]));
    probe.client.start();
    until("the sixth failure", || probe.snapshot("attempt").as_f64() >= Some(6.0)).await;
    page::hurry(1.0);
    run.tell("answers?list=500,500,500,500").await;
    page::show(true);
    let wait = probe.snapshot("retryAt").as_f64();
    assert!(wait.is_none_or(|wait| wait <= 250.0), "{wait:?}");
}

#[wasm_bindgen_test]
async fn stopped_and_started_it_resumes() {
    let run = Run::new();
    let probe = Probe::live(&run.url(""), &[]).await;
    run.update("a", "{}").await;
    probe.until_updates(1).await;
    probe.client.stop();
    probe.client.stop();
    assert_eq!(probe.status(), "idle");
    assert_eq!((page::timers(), page::streams_open()), (0, 0));
    run.update("b", "{}").await;
    page::fire("window", "offline");
    page::fire("window", "online");
    page::show(true);
    assert_eq!(probe.status(), "idle");
    probe.client.start();
    probe.client.start();
    probe.until_updates(2).await;
    let stats = run.stats().await;
    assert_eq!(number(&stats, "connects.length"), 2.0);
    assert_eq!(text(&stats, "connects.1.lastEventId"), "a1.1");
    assert_eq!(probe.statuses.all("status"), ["connecting", "open", "idle", "connecting", "open"]);
}

#[wasm_bindgen_test]
async fn reconnecting_asks_for_a_new_token_and_keeps_the_cursor() {
    let run = Run::new();
    let provider = Provider::counting();
    let probe = Probe::live(&run.url(""), &[("token", provider.function())]).await;
    run.update("a", "{}").await;
    probe.until_updates(1).await;
    probe.client.reconnect();
    assert_eq!(page::streams_open(), 0);
    until("the next hello", || text(&probe.client.snapshot(), "clientId") == "c2").await;
    run.until_open(1).await;
    let stats = run.stats().await;
    assert_eq!(text(&stats, "connects.1.token"), "t1");
    assert_eq!(text(&stats, "connects.1.lastEventId"), "a1.1");
    assert_eq!(provider.reasons(), ["initial", "manual"]);
}

#[wasm_bindgen_test]
async fn reconnecting_an_idle_client_starts_it_once() {
    let run = Run::new();
    let provider = Provider::counting();
    let probe = Probe::new(&options(&run.url(""), &[("token", provider.function())]));
    probe.client.reconnect();
    probe.until_greeted().await;
    assert_eq!(provider.reasons().len(), 1);
    assert_eq!(provider.aborted(), [false]);
    assert_eq!(run.connects().await, 1.0);
    page::fire("window", "pagehide");
    assert_eq!(probe.status(), "paused", "it listens to the page as after a start");
}

#[wasm_bindgen_test]
async fn the_snapshot_is_whole_and_new_each_time() {
    let run = Run::new();
    let probe = Probe::new(&options(&run.url(""), &[]));
    let idle = r#"{"status":"idle","clientId":null,"lastEventId":"","attempt":0,"retryAt":null,"connects":0,"events":0,"duplicates":0,"resyncs":0,"bytes":0,"coalesced":0,"user":null,"error":null}"#;
    assert_eq!(page::json(&probe.client.snapshot()), idle);
    probe.client.start();
    assert_eq!(text(&probe.client.snapshot(), "status"), "connecting");
    probe.until_greeted().await;
    run.update("a", "{}").await;
    run.tell("again").await;
    run.update("b", "{}").await;
    probe.until_updates(2).await;
    let open = r#"{"status":"open","clientId":"c1","lastEventId":"a1.2","attempt":0,"retryAt":null,"connects":1,"events":2,"duplicates":1,"resyncs":1,"bytes":BYTES,"coalesced":0,"user":null,"error":null}"#;
    let bytes = probe.snapshot("bytes").as_f64().unwrap();
    assert!(bytes > 100.0, "what came is counted: {bytes}");
    assert_eq!(page::json(&probe.client.snapshot()), open.replace("BYTES", &bytes.to_string()));
    assert!(!js_sys::Object::is(&probe.client.snapshot(), &probe.client.snapshot()));
    run.tell("answers?list=500").await;
    probe.client.reconnect();
    until("a failure", || probe.snapshot("retryAt").as_f64().is_some()).await;
    let wait = probe.snapshot("retryAt").as_f64().unwrap();
    assert!((0.0..=1_000.0).contains(&wait), "{wait}");
    assert_eq!(probe.snapshot("attempt"), 1);
    assert_eq!(probe.snapshot("clientId"), JsValue::NULL);
    assert_eq!(text(&probe.client.snapshot(), "error.code"), "http");
    assert_eq!(text(&probe.client.snapshot(), "error.message"), "the server is busy");
}
