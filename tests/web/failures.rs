//! What ends in `failed`, and what does not.

use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{
    page::{self, number, text},
    support::{Probe, Provider, Run, SERVER, options, rest, turn, until},
};

/// What the error of a client that gave up is.
fn gave_up(probe: &Probe, code: &str, status: f64) {
    let snapshot = probe.client.snapshot();
    assert_eq!(text(&snapshot, "error.code"), code);
    assert_eq!(number(&snapshot, "error.status"), status);
    assert_eq!(page::read(&snapshot, "error.retryable"), JsValue::FALSE);
    assert_eq!(page::read(&snapshot, "error.cause"), JsValue::UNDEFINED);
    assert_eq!((page::timers(), page::streams_open()), (0, 0));
}

#[wasm_bindgen_test]
async fn an_answer_that_waiting_does_not_change_is_the_end_after_one_question() {
    for (answer, status) in [("404", 404.0), ("403", 403.0), ("410", 410.0), ("204", 204.0), ("html", 200.0)] {
        let run = Run::new();
        run.tell(&format!("answers?list={answer}")).await;
        let provider = Provider::counting();
        let probe = Probe::new(&options(&run.url(""), &[("token", provider.function())]));
        probe.client.start();
        probe.until_status("failed").await;
        gave_up(&probe, "http", status);
        let stats = run.stats().await;
        assert_eq!((number(&stats, "connects.length"), number(&stats, "probes")), (1.0, 1.0), "{answer}");
        assert_eq!(probe.snapshot("connects"), 2, "the question counts");
        assert_eq!(provider.reasons(), ["initial"]);
        assert_eq!(probe.statuses.all("status"), ["connecting", "failed"]);
    }
}

#[wasm_bindgen_test]
async fn a_token_that_is_refused_again_and_again() {
    let run = Run::new();
    page::hurry(20.0);
    run.tell("answers?list=401,401,401").await;
    let provider = Provider::counting();
    let more = [("token", provider.function()), ("maxRefusals", 3.into())];
    let probe = Probe::new(&options(&run.url(""), &more));
    probe.client.start();
    probe.until_status("failed").await;
    gave_up(&probe, "unauthorized", 401.0);
    assert_eq!(run.connects().await, 3.0);
    assert_eq!(provider.reasons(), ["initial", "rejected", "rejected"]);
}

#[wasm_bindgen_test]
async fn every_other_answer_heals() {
    // Not 408 and 425, after which Chromium itself makes the request again.
    for answer in ["500", "502", "503", "504", "429", "418"] {
        let run = Run::new();
        page::hurry(20.0);
        run.tell(&format!("answers?list={answer},{answer},{answer}")).await;
        let provider = Provider::counting();
        let more = [("token", provider.function()), ("maxRefusals", 1.into())];
        let probe = Probe::new(&options(&run.url(""), &more));
        probe.client.start();
        until("the refusal", || text(&probe.client.snapshot(), "error.code") == "http").await;
        let status: f64 = answer.parse().unwrap();
        assert_eq!(number(&probe.client.snapshot(), "error.status"), status);
        assert_eq!(page::read(&probe.client.snapshot(), "error.retryable"), JsValue::TRUE);
        probe.until_greeted().await;
        assert_eq!(probe.snapshot("error"), JsValue::NULL);
        assert_eq!(provider.reasons(), ["initial"], "the token is not the reason");
        assert_eq!(run.connects().await, 4.0);
        assert!(!probe.statuses.all("status").contains(&"failed".into()), "{answer}");
    }
}

#[wasm_bindgen_test]
async fn a_server_that_names_the_time_to_come_again_is_obeyed() {
    let run = Run::new();
    run.tell("answers?list=503:60").await;
    let probe = Probe::new(&options(&run.url(""), &[]));
    probe.client.start();
    until("a wait", || probe.snapshot("retryAt").as_f64().is_some()).await;
    let wait = probe.snapshot("retryAt").as_f64().unwrap();
    assert!((59_000.0..=62_000.0).contains(&wait), "{wait}");
    assert_eq!(number(&probe.client.snapshot(), "error.status"), 503.0);
    page::show(true);
    assert!(probe.snapshot("retryAt").as_f64().unwrap() > 50_000.0);
    assert_eq!(run.connects().await, 1.0);
}

#[wasm_bindgen_test]
async fn what_failed_is_tried_once_when_the_page_is_shown_or_the_network_is_back() {
    let run = Run::new();
    page::hurry(20.0);
    run.tell("answers?list=404,404,404").await;
    let probe = Probe::new(&options(&run.url(""), &[]));
    probe.client.start();
    probe.until_status("failed").await;
    page::show(true);
    assert_eq!(probe.status(), "failed", "no sooner than a second after it gave up");
    turn(100).await;
    page::show(true);
    assert_eq!(probe.status(), "connecting");
    probe.until_status("failed").await;
    turn(100).await;
    page::fire("window", "offline");
    page::fire("window", "online");
    assert_eq!(probe.status(), "connecting");
    probe.until_status("failed").await;
    assert_eq!(run.connects().await, 3.0);
    rest().await;
    probe.client.reconnect();
    probe.until_greeted().await;
    assert_eq!(run.connects().await, 4.0);
}

#[wasm_bindgen_test]
async fn a_client_that_ends_while_it_asks_for_the_status_leaves_nothing() {
    let run = Run::new();
    run.tell("answers?list=404/hang").await;
    let probe = Probe::new(&options(&run.url(""), &[]));
    probe.client.start();
    run.until("the question", |stats| number(stats, "probes") == 1.0).await;
    probe.client.close();
    run.until("the abort", |stats| number(stats, "aborted") == 1.0).await;
    rest().await;
    assert_eq!((page::timers(), page::streams_open()), (0, 0));
    assert_eq!(probe.statuses.all("status"), ["connecting"]);
    assert_eq!((page::take_rejected().length(), page::take_reported().length()), (0, 0));
}

#[wasm_bindgen_test]
async fn started_again_after_a_failure() {
    let run = Run::new();
    run.tell("answers?list=404").await;
    let probe = Probe::new(&options(&run.url(""), &[]));
    probe.client.start();
    probe.until_status("failed").await;
    probe.client.start();
    assert_eq!(probe.snapshot("error"), JsValue::NULL);
    probe.until_greeted().await;
    assert_eq!(probe.statuses.all("status"), ["connecting", "failed", "connecting", "open"]);
}

#[wasm_bindgen_test]
async fn a_server_that_never_answers() {
    let run = Run::new();
    page::hurry(20.0);
    run.tell("answers?list=hang,hang").await;
    let probe = Probe::new(&options(&run.url(""), &[("connectTimeout", 2_000.into())]));
    probe.client.start();
    until("the timeout", || text(&probe.client.snapshot(), "error.code") == "network").await;
    assert_eq!(page::read(&probe.client.snapshot(), "error.retryable"), JsValue::TRUE);
    page::hurry(1.0);
    run.until("the third stream", |stats| number(stats, "connects.length") >= 3.0).await;
    probe.until_greeted().await;
}

#[wasm_bindgen_test]
async fn a_url_that_is_none() {
    for url in ["http://[", "http://localhost:port/", "//:80:80"] {
        Run::new();
        let probe = Probe::new(&options(url, &[]));
        probe.client.start();
        assert_eq!(probe.status(), "failed", "{url}");
        let snapshot = probe.client.snapshot();
        assert_eq!(text(&snapshot, "error.code"), "options");
        assert!(text(&snapshot, "error.message").contains("`url`"));
        assert_eq!(page::read(&snapshot, "error.retryable"), JsValue::FALSE);
        assert_eq!(text(&snapshot, "error.cause.name"), "SyntaxError");
        assert_eq!((page::timers(), page::streams_open()), (0, 0));
        assert_eq!(probe.statuses.all("status").last().unwrap(), "failed");
        probe.client.stop();
        assert_eq!(probe.snapshot("error"), JsValue::NULL);
    }
}

#[wasm_bindgen_test]
async fn what_a_policy_forbids() {
    // Everything that the other tests need stays allowed, since a policy cannot be taken back.
    page::forbid(&format!("connect-src {SERVER}/events {SERVER}/do/ {SERVER}/stats {SERVER}/token"));
    for url in [
        format!("{SERVER}/forbidden/events?run=csp"),
        "/forbidden/events".into(),
        "../forbidden/events?x=1#part".into(),
        "forbidden".into(),
        SERVER.into(),
        SERVER.replace("http", "HTTP"),
    ] {
        Run::new();
        page::hurry(20.0);
        let provider = Provider::counting();
        let probe = Probe::new(&options(&url, &[("token", provider.function())]));
        let other = Probe::new(&options(&Run::another().url(""), &[]));
        other.client.start();
        probe.client.start();
        probe.until_status("failed").await;
        let snapshot = probe.client.snapshot();
        assert_eq!(text(&snapshot, "error.code"), "csp", "{url}");
        assert_eq!(page::read(&snapshot, "error.retryable"), JsValue::FALSE);
        assert_eq!(probe.snapshot("connects"), 1, "{url}");
        assert_eq!((page::timers() <= 1, page::streams_open() <= 1), (true, true));
        other.until_greeted().await;
        drop(other);
        drop(probe);
        assert_eq!(page::listeners().length(), 0);
    }
}
