//! A stream of a tinysse hub: hello, beats, silence, resync, bye.

use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{
    page::{self, number, text},
    support::{Probe, Run, options, until},
};

#[wasm_bindgen_test]
async fn the_hello_of_a_first_stream_is_a_resync_of_everything() {
    let run = Run::new();
    run.update("earlier", "{}").await;
    let probe = Probe::live(&run.url(""), &[]).await;
    assert_eq!(page::json(&probe.resyncs.get(0)), r#"{"gap":"first","types":null}"#);
    assert_eq!(probe.resyncs.count(), 1);
    assert_eq!(probe.updates.count(), 0);
    assert_eq!(text(&probe.client.snapshot(), "lastEventId"), "a1.1");
    assert_eq!(text(&probe.client.snapshot(), "clientId"), "c1");
}

#[wasm_bindgen_test]
async fn every_gap_of_a_hello_is_told() {
    for (cursor, deed, gap) in [
        ("a1.1", "restart", "epoch"),
        ("a1.1", "trim", "trimmed"),
        ("a1.99", "beat", "unknown"),
        ("ff.1", "beat", "epoch"),
    ] {
        let run = Run::new();
        for _ in 0..3 {
            run.update("projects", "{}").await;
        }
        run.tell(deed).await;
        let probe = Probe::live(&run.url(""), &[("lastEventId", cursor.into())]).await;
        assert_eq!(probe.resyncs.all("gap"), [gap]);
        assert_eq!(page::read(&probe.resyncs.get(0), "types"), JsValue::NULL);
        assert_eq!(probe.updates.count(), 0);
        run.update("projects", "{}").await;
        probe.until_updates(1).await;
    }
}

#[wasm_bindgen_test]
async fn no_gap_no_resync() {
    let run = Run::new();
    run.update("projects", "{}").await;
    let probe = Probe::live(&run.url(""), &[("lastEventId", "a1.1".into())]).await;
    assert_eq!(probe.resyncs.count(), 0);
    assert_eq!(probe.updates.count(), 0);
}

#[wasm_bindgen_test]
async fn a_resync_in_mid_stream_names_its_types() {
    let run = Run::new();
    let probe = Probe::live(&run.url(""), &[]).await;
    run.tell("resync?gap=overflow&types=projects,compute.a").await;
    run.tell("resync?gap=rights").await;
    until("both", || probe.resyncs.count() == 3).await;
    assert_eq!(page::json(&probe.resyncs.get(1)), r#"{"gap":"overflow","types":["projects","compute.a"]}"#);
    assert_eq!(page::json(&probe.resyncs.get(2)), r#"{"gap":"rights","types":null}"#);
    assert_eq!(probe.snapshot("resyncs"), 3);
    assert_eq!(probe.status(), "open");
}

#[wasm_bindgen_test]
async fn a_beat_moves_the_cursor() {
    let run = Run::new();
    let probe = Probe::live(&run.url(""), &[]).await;
    run.tell("update?type=filtered&quiet=1").await;
    run.tell("beat").await;
    until("the cursor", || text(&probe.client.snapshot(), "lastEventId") == "a1.1").await;
    assert_eq!(probe.updates.count(), 0);
    assert_eq!(probe.snapshot("events"), 0);
}

#[wasm_bindgen_test]
async fn beats_keep_a_stream_alive() {
    let run = Run::new();
    // Two beats are 400 ms; the silence before the hello would be 1 ms.
    let probe = Probe::live(&run.url("&beat=200&beating=1"), &[]).await;
    // Twelve beats: as many as it takes to be cut at least once, if they counted for nothing.
    for seq in 1..=12_u32 {
        run.tell("update?type=filtered&quiet=1").await;
        let cursor = format!("a1.{seq}");
        until("the next beat", || text(&probe.client.snapshot(), "lastEventId") == cursor).await;
    }
    assert_eq!(probe.snapshot("connects"), 1);
    assert_eq!(run.connects().await, 1.0);
    assert_eq!(probe.statuses.all("status"), ["connecting", "open"]);
}

#[wasm_bindgen_test]
async fn silence_of_two_beats_brings_a_new_stream() {
    let run = Run::new();
    let probe = Probe::live(&run.url("&beat=100"), &[]).await;
    until("the stream is given up", || probe.status() == "reconnecting").await;
    let error = probe.snapshot("error");
    assert_eq!(text(&error, "code"), "network");
    assert_eq!(page::read(&error, "retryable"), JsValue::TRUE);
    let stats = run.until("another one", |stats| number(stats, "connects.length") >= 2.0).await;
    assert_eq!(text(&stats, "connects.1.lastEventId"), "a1.0");
    assert_eq!(probe.resyncs.all("gap"), ["first"]);
}

#[wasm_bindgen_test]
async fn silence_before_any_hello_counts_too() {
    let run = Run::new();
    let probe = Probe::new(&options(&run.url("&plain=1"), &[("heartbeatTimeout", 150.into())]));
    probe.client.start();
    until("the stream is given up", || probe.status() == "reconnecting").await;
    run.until("another one", |stats| number(stats, "connects.length") >= 2.0).await;
}

#[wasm_bindgen_test]
async fn every_bye_brings_a_new_stream() {
    for (reason, asks) in [("drain", 1), ("rotate", 1), ("slow", 1), ("token", 2), ("revoked", 2)] {
        let run = Run::new();
        page::hurry(20.0);
        let provider = crate::support::Provider::counting();
        let probe = Probe::live(&run.url(""), &[("token", provider.function())]).await;
        run.update("projects", "{}").await;
        probe.until_updates(1).await;
        run.tell(&format!("bye?reason={reason}&wait=100")).await;
        until("the next hello", || text(&probe.client.snapshot(), "clientId") == "c2").await;
        let stats = run.stats().await;
        assert_eq!(number(&stats, "connects.length"), 2.0, "{reason}");
        assert_eq!(text(&stats, "connects.1.lastEventId"), "a1.1", "{reason}");
        assert_eq!(text(&stats, "connects.1.token"), format!("t{}", asks - 1), "{reason}");
        assert_eq!(provider.reasons().len(), asks, "{reason}");
        assert_eq!(probe.resyncs.all("gap"), ["first"], "{reason}");
        assert_eq!(probe.statuses.all("status"), ["connecting", "open", "reconnecting", "open"], "{reason}");
    }
}

#[wasm_bindgen_test]
async fn a_bye_can_send_the_client_away_for_a_while() {
    let run = Run::new();
    let probe = Probe::live(&run.url(""), &[]).await;
    run.tell("bye?reason=drain&wait=60000").await;
    until("a wait", || probe.snapshot("retryAt").as_f64().is_some()).await;
    let wait = probe.snapshot("retryAt").as_f64().unwrap();
    assert!((59_000.0..=62_000.0).contains(&wait), "{wait}");
    // Looking at the page does not shorten what the server asked for; a call by hand does.
    page::show(true);
    assert!(probe.snapshot("retryAt").as_f64().unwrap() > 50_000.0);
    probe.client.reconnect();
    until("the next hello", || text(&probe.client.snapshot(), "clientId") == "c2").await;
}

#[wasm_bindgen_test]
async fn a_half_open_stream_is_found_when_the_machine_wakes() {
    let run = Run::new();
    let probe = Probe::live(&run.url(""), &[]).await;
    page::show(true);
    page::sleep_machine(120_000.0);
    page::show(true);
    assert_eq!(probe.status(), "open", "fresh enough");
    // Beats come every five minutes here; it sleeps for twenty.
    page::sleep_machine(1_200_000.0);
    page::show(false);
    page::show(true);
    assert_eq!(probe.status(), "reconnecting");
    until("the next hello", || text(&probe.client.snapshot(), "clientId") == "c2").await;
    assert_eq!(run.connects().await, 2.0);
    assert_eq!(probe.resyncs.all("gap"), ["first"]);
}
