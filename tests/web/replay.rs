//! Nothing is lost and nothing is doubled: native retries, refused streams, replays.

use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{
    page::{self, number, text},
    support::{Calls, Probe, Provider, Run, until},
};

/// The updates in order, with a `+` behind those that were replayed.
fn seen(calls: &Calls) -> String {
    let replayed = |index| page::read(&calls.get(index), "replayed").is_truthy();
    (0..calls.count()).map(|index| text(&calls.get(index), "id") + if replayed(index) { "+ " } else { " " }).collect()
}

#[wasm_bindgen_test]
async fn a_cut_is_retried_by_the_browser_with_its_own_cursor() {
    let run = Run::new();
    let probe = Probe::live(&run.url(""), &[]).await;
    run.update("a", "{}").await;
    probe.until_updates(1).await;
    run.tell("cut").await;
    run.tell("update?type=b&quiet=1").await;
    probe.until_updates(2).await;
    let stats = run.stats().await;
    assert_eq!(text(&stats, "connects.1.header"), "a1.1");
    assert_eq!(page::read(&stats, "connects.1.lastEventId"), JsValue::NULL, "the same URL");
    assert_eq!(number(&stats, "preflights"), 0.0);
    assert_eq!(seen(&probe.updates), "a1.1 a1.2+ ");
    assert_eq!(probe.resyncs.all("gap"), ["first"]);
    assert_eq!(probe.statuses.all("status"), ["connecting", "open", "reconnecting", "open"]);
    assert_eq!(probe.snapshot("connects"), 2);
}

#[wasm_bindgen_test]
async fn an_end_is_retried_like_a_cut() {
    let run = Run::new();
    let probe = Probe::live(&run.url(""), &[]).await;
    run.tell("end").await;
    run.tell("update?type=b&quiet=1").await;
    probe.until_updates(1).await;
    assert_eq!(text(&run.stats().await, "connects.1.header"), "a1.0");
    assert_eq!(seen(&probe.updates), "a1.1+ ");
}

#[wasm_bindgen_test]
async fn a_refused_retry_is_replaced_and_replays() {
    let run = Run::new();
    page::hurry(20.0);
    let provider = Provider::counting();
    let probe = Probe::live(&run.url(""), &[("token", provider.function())]).await;
    run.update("a", "{}").await;
    probe.until_updates(1).await;
    run.tell("answers?list=401").await;
    run.tell("update?type=b&quiet=1").await;
    run.tell("cut").await;
    probe.until_updates(2).await;
    run.update("c", "{}").await;
    probe.until_updates(3).await;
    assert_eq!(seen(&probe.updates), "a1.1 a1.2+ a1.3 ");
    let stats = run.stats().await;
    assert_eq!(number(&stats, "connects.length"), 3.0);
    assert_eq!(text(&stats, "connects.1.token"), "t0", "the browser's retry");
    assert_eq!(text(&stats, "connects.1.header"), "a1.1");
    assert_eq!(text(&stats, "connects.2.token"), "t1", "the new stream");
    assert_eq!(text(&stats, "connects.2.lastEventId"), "a1.1");
    assert_eq!(page::read(&stats, "connects.2.header"), JsValue::NULL);
    assert_eq!(provider.reasons(), ["initial", "rejected"]);
    assert_eq!(probe.resyncs.all("gap"), ["first"]);
}

#[wasm_bindgen_test]
async fn the_header_of_a_retry_beats_the_query_of_its_stream() {
    let run = Run::new();
    for _ in 0..3 {
        run.update("a", "{}").await;
    }
    let probe = Probe::live(&run.url(""), &[("lastEventId", "a1.1".into())]).await;
    probe.until_updates(2).await;
    run.tell("cut").await;
    run.tell("update?type=b&quiet=1").await;
    probe.until_updates(3).await;
    let stats = run.stats().await;
    assert_eq!(text(&stats, "connects.1.lastEventId"), "a1.1");
    assert_eq!(text(&stats, "connects.1.header"), "a1.3");
    assert_eq!(seen(&probe.updates), "a1.2+ a1.3+ a1.4+ ");
}

#[wasm_bindgen_test]
async fn what_comes_twice_is_delivered_once() {
    let run = Run::new();
    let probe = Probe::live(&run.url(""), &[]).await;
    for kind in ["a", "b", "c"] {
        run.update(kind, "{}").await;
    }
    run.tell("again").await;
    run.update("d", "{}").await;
    probe.until_updates(4).await;
    assert_eq!(seen(&probe.updates), "a1.1 a1.2 a1.3 a1.4 ");
    assert_eq!(probe.snapshot("duplicates"), 3);
    assert_eq!(probe.snapshot("events"), 4);
}

#[wasm_bindgen_test]
async fn twenty_cuts_under_a_steady_stream() {
    let run = Run::new();
    page::hurry(20.0);
    let probe = Probe::live(&run.url("&retry=10"), &[]).await;
    let mut wanted = Vec::new();
    for round in 0..20 {
        for part in 0..4 {
            let seq = round * 4 + part + 1;
            wanted.push(format!("a1.{seq}"));
            run.update("steady", &format!(r#"{{"data":{seq}}}"#)).await;
            if part == round % 4 {
                run.tell("cut").await;
            }
        }
    }
    until("all of them", || probe.updates.count() >= wanted.len()).await;
    assert_eq!(probe.updates.all("id"), wanted);
    assert_eq!(probe.resyncs.all("gap"), ["first"]);
}

#[wasm_bindgen_test]
async fn a_restarted_server_is_a_resync_and_not_a_replay() {
    let run = Run::new();
    let probe = Probe::live(&run.url(""), &[]).await;
    run.update("a", "{}").await;
    probe.until_updates(1).await;
    run.tell("restart").await;
    run.tell("cut").await;
    until("the news", || probe.resyncs.count() == 2).await;
    run.update("b", "{}").await;
    probe.until_updates(2).await;
    assert_eq!(probe.resyncs.all("gap"), ["first", "epoch"]);
    assert_eq!(seen(&probe.updates), "a1.1 a2.1 ");
}

#[wasm_bindgen_test]
async fn more_retries_than_a_browser_is_trusted_with() {
    let run = Run::new();
    page::hurry(20.0);
    run.tell("answers?list=ok,brief,brief,brief,brief").await;
    let probe = Probe::live(&run.url(""), &[]).await;
    run.tell("update?type=a&quiet=1").await;
    run.tell("cut").await;
    probe.until_updates(1).await;
    let stats = run.stats().await;
    assert_eq!(number(&stats, "connects.length"), 6.0);
    // Three by the browser, then ours, which carry the cursor in their query.
    let own: String = (0..6)
        .map(|index| if text(&stats, &format!("connects.{index}.lastEventId")).is_empty() { '-' } else { 'x' })
        .collect();
    assert_eq!(own, "----xx");
    assert_eq!(probe.snapshot("connects"), 6);
    assert_eq!(probe.resyncs.all("gap"), ["first"]);
}
