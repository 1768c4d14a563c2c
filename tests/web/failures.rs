//! What ends in `failed`, and what does not.

use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{
    page::{self, number, text},
    support::{Probe, Provider, Run, SERVER, options, rest, until},
};

#[wasm_bindgen_test]
async fn refused_again_and_again() {
    for answer in ["401", "403", "404", "500", "204", "html"] {
        let run = Run::new();
        page::hurry(20.0);
        run.tell(&format!("answers?list={answer},{answer},{answer},{answer}")).await;
        let provider = Provider::counting();
        let more = [("token", provider.function()), ("refusals", 3.into())];
        let probe = Probe::new(&options(&run.url(""), &more));
        probe.client.start();
        probe.until_status("failed").await;
        let snapshot = probe.client.snapshot();
        assert_eq!(text(&snapshot, "error.code"), "http", "{answer}");
        assert_eq!(page::read(&snapshot, "error.retryable"), JsValue::FALSE);
        assert_eq!(page::read(&snapshot, "error.cause"), JsValue::UNDEFINED);
        assert_eq!(run.connects().await, 3.0, "{answer}");
        assert_eq!(provider.reasons(), ["initial", "rejected", "rejected"]);
        assert_eq!((page::timers(), page::streams_open()), (0, 0));
        // Nothing but a start leaves it.
        page::fire("window", "online");
        page::show(true);
        probe.client.resume();
        rest().await;
        assert_eq!(probe.status(), "failed");
        run.tell("answers?list=ok").await;
        probe.client.start();
        until("an open stream", || probe.status() != "connecting").await;
    }
}

#[wasm_bindgen_test]
async fn started_again_after_a_failure() {
    let run = Run::new();
    run.tell("answers?list=500").await;
    let probe = Probe::new(&options(&run.url(""), &[("refusals", 1.into())]));
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
