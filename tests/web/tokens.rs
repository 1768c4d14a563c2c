//! The token provider: any function, any answer.

use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{
    page::{self, number, text},
    support::{Probe, Provider, Run, never, object, options, until},
};

/// A provider that answers this, once, brings a stream that carries `token`.
async fn brings(token: &str, answer: impl Fn() -> JsValue + 'static) {
    let run = Run::new();
    let provider = Provider::new(move |_| Ok(answer()));
    let probe = Probe::live(&run.url(""), &[("token", provider.function())]).await;
    let stats = run.stats().await;
    assert_eq!(text(&stats, "connects.0.token"), token);
    assert_eq!(number(&stats, "connects.length"), 1.0);
    assert_eq!(provider.reasons(), ["initial"]);
    assert_eq!(provider.aborted(), [false]);
    assert_eq!(probe.snapshot("error"), JsValue::NULL);
}

fn promise(value: JsValue) -> JsValue {
    js_sys::Promise::resolve(&value).into()
}

#[wasm_bindgen_test]
async fn a_text() {
    brings("a b&c=d#é", || "a b&c=d#é".into()).await;
}

#[wasm_bindgen_test]
async fn a_promise_of_a_text() {
    brings("later", || promise("later".into())).await;
}

#[wasm_bindgen_test]
async fn an_object() {
    brings("t", || object(r#"{"token":"t"}"#)).await;
}

#[wasm_bindgen_test]
async fn an_object_with_a_lifetime_and_more() {
    brings("t", || promise(object(r#"{"token":"t","expires_in":60,"kind":"jwt"}"#))).await;
}

#[wasm_bindgen_test]
async fn an_object_whose_lifetime_is_null() {
    brings("t", || object(r#"{"token":"t","expires_in":null}"#)).await;
}

#[wasm_bindgen_test]
async fn a_real_token_endpoint() {
    let run = Run::new();
    let probe = Probe::live(&run.url(""), &[("token", page::fetching(&run.at("/token")).into())]).await;
    let stats = run.stats().await;
    assert_eq!(text(&stats, "connects.0.token"), "t1");
    assert_eq!(number(&stats, "tokens"), 1.0);
    drop(probe);
}

#[wasm_bindgen_test]
async fn a_token_endpoint_that_refuses() {
    let run = Run::new();
    run.tell("tokens?list=401").await;
    let probe = Probe::new(&options(&run.url(""), &[("token", page::fetching(&run.at("/token")).into())]));
    probe.client.start();
    probe.until_status("failed").await;
    assert_eq!(text(&probe.client.snapshot(), "error.code"), "unauthorized");
    assert_eq!(text(&probe.client.snapshot(), "error.cause.message"), "no token");
    assert_eq!(run.connects().await, 0.0);
}

#[wasm_bindgen_test]
async fn closing_aborts_the_request_of_the_token() {
    let run = Run::new();
    run.tell("tokens?list=hang").await;
    let probe = Probe::new(&options(&run.url(""), &[("token", page::fetching(&run.at("/token")).into())]));
    probe.client.start();
    run.until("the question", |stats| number(stats, "tokens") == 1.0).await;
    probe.client.close();
    run.until("the abort", |stats| number(stats, "aborted") == 1.0).await;
    assert_eq!(page::take_rejected().length(), 0);
}

/// A provider whose every answer is this one gets tired of in the end, with this code.
async fn ends_in(
    code: &str,
    status: Option<f64>,
    asks: usize,
    answer: impl Fn() -> Result<JsValue, JsValue> + 'static,
) {
    let run = Run::new();
    page::hurry(20.0);
    let provider = Provider::new(move |_| answer());
    let more = [("token", provider.function()), ("maxRefusals", 2.into())];
    let probe = Probe::new(&options(&run.url(""), &more));
    probe.client.start();
    probe.until_status("failed").await;
    let snapshot = probe.client.snapshot();
    assert_eq!(text(&snapshot, "error.name"), "SseError");
    assert_eq!(text(&snapshot, "error.code"), code);
    assert_eq!(page::read(&snapshot, "error.status").as_f64(), status);
    assert_eq!(page::read(&snapshot, "error.retryable"), JsValue::FALSE);
    assert_eq!(provider.reasons(), vec!["initial"; asks]);
    assert_eq!(run.connects().await, 0.0, "a stream without a token");
    assert_eq!(page::timers(), 0);
    assert_eq!(page::take_rejected().length(), 0, "a rejection that nobody handled");
}

#[wasm_bindgen_test]
async fn refused_with_401_or_403_at_once() {
    for status in [401, 403] {
        let code = "unauthorized";
        ends_in(code, Some(f64::from(status)), 1, move || Err(page::failure("no", Some(status)))).await;
        ends_in(code, Some(f64::from(status)), 1, move || {
            Ok(js_sys::Promise::reject(&page::failure("no", Some(status))).into())
        })
        .await;
    }
}

#[wasm_bindgen_test]
async fn nonsense_of_many_kinds() {
    for json in [
        "null",
        "0",
        "1",
        "true",
        r#""""#,
        "{}",
        "[]",
        r#"["t"]"#,
        r#"{"token":5}"#,
        r#"{"token":""}"#,
        r#"{"token":null}"#,
        r#"{"token":"x","expires_in":"soon"}"#,
        r#"{"token":"x","expires_in":-1}"#,
        r#"{"token":"x","expires_in":0}"#,
        r#"{"token":"x","expires_in":[60]}"#,
    ] {
        ends_in("token", None, 2, move || Ok(object(json))).await;
        ends_in("token", None, 2, move || Ok(promise(object(json)))).await;
    }
    ends_in("token", None, 2, || Ok(JsValue::UNDEFINED)).await;
    ends_in("token", None, 2, || Ok(JsValue::symbol(Some("t")))).await;
}

#[wasm_bindgen_test]
async fn it_may_throw_or_reject_and_is_asked_again() {
    let run = Run::new();
    page::hurry(20.0);
    let provider = Provider::new(|number| match number {
        0 => Err(page::failure("thrown", None)),
        1 => Ok(js_sys::Promise::reject(&page::failure("rejected", Some(500))).into()),
        2 => Err("a bare text".into()),
        3 => Err(JsValue::NULL),
        4 => Err(JsValue::UNDEFINED),
        _ => Ok("good".into()),
    });
    let probe = Probe::new(&options(&run.url(""), &[("token", provider.function())]));
    let causes = crate::support::Calls::new();
    probe.client.on_status(Some(causes.function()));
    probe.client.start();
    probe.until_greeted().await;
    assert_eq!(provider.reasons(), ["initial"; 6]);
    assert_eq!(provider.aborted(), [false; 6]);
    assert_eq!(text(&run.stats().await, "connects.0.token"), "good");
    let told = causes.all("error.cause.message");
    assert!(told.iter().any(|cause| cause == "thrown"), "{told:?}");
    assert_eq!(page::read(&causes.get(1), "error.code"), "token");
    assert_eq!(page::read(&causes.get(1), "error.retryable"), JsValue::TRUE);
    assert_eq!(page::take_rejected().length(), 0);
    assert_eq!(page::take_reported().length(), 0);
}

#[wasm_bindgen_test]
async fn the_cause_stays_while_it_is_asked_again() {
    let run = Run::new();
    page::hurry(20.0);
    let provider = Provider::new(|number| match number {
        0 => Err(page::failure("thrown", None)),
        _ => Ok(never()),
    });
    let probe = Probe::new(&options(&run.url(""), &[("token", provider.function())]));
    probe.client.start();
    until("the second question", || provider.reasons().len() == 2).await;
    assert_eq!(text(&probe.client.snapshot(), "error.code"), "token");
    assert_eq!(text(&probe.client.snapshot(), "error.cause.message"), "thrown");
}

#[wasm_bindgen_test]
async fn one_that_hangs_is_aborted_and_asked_again() {
    let run = Run::new();
    page::hurry(20.0);
    let provider = Provider::new(|number| Ok(if number < 2 { never() } else { "good".into() }));
    let more = [("token", provider.function()), ("tokenTimeout", 500.into())];
    let probe = Probe::live(&run.url(""), &more).await;
    assert_eq!(provider.aborted(), [true, true, false]);
    assert_eq!(provider.reasons(), ["initial"; 3]);
    assert_eq!(run.connects().await, 1.0);
    drop(probe);
}

#[wasm_bindgen_test]
async fn an_answer_that_comes_too_late_is_ignored() {
    let run = Run::new();
    page::hurry(20.0);
    let late = page::deferred();
    let promise = late.get(0);
    let provider = Provider::new(move |number| Ok(if number == 0 { promise.clone() } else { "second".into() }));
    let more = [("token", provider.function()), ("tokenTimeout", 500.into())];
    let probe = Probe::live(&run.url(""), &more).await;
    let resolve: js_sys::Function = late.get(1).into();
    resolve.call1(&JsValue::UNDEFINED, &"first".into()).unwrap();
    run.update("projects", "{}").await;
    probe.until_updates(1).await;
    assert_eq!(text(&run.stats().await, "connects.0.token"), "second");
    assert_eq!(provider.reasons(), ["initial"; 2]);
}

#[wasm_bindgen_test]
async fn asked_once_for_each_refusal() {
    let run = Run::new();
    page::hurry(20.0);
    run.tell("answers?list=401,401,503").await;
    let provider = Provider::counting();
    let probe = Probe::live(&run.url(""), &[("token", provider.function())]).await;
    assert_eq!(provider.reasons(), ["initial", "rejected", "rejected"]);
    let stats = run.stats().await;
    assert_eq!((number(&stats, "connects.length"), number(&stats, "probes")), (4.0, 3.0));
    let shown = [0, 1, 2, 3].map(|index| text(&stats, &format!("connects.{index}.token")));
    assert_eq!(shown, ["t0", "t1", "t2", "t2"], "503 says nothing about the token");
    drop(probe);
}

#[wasm_bindgen_test]
async fn the_reason_of_each_question() {
    let run = Run::new();
    page::hurry(20.0);
    let provider = Provider::counting();
    let probe = Probe::live(&run.url(""), &[("token", provider.function())]).await;
    probe.client.reconnect();
    probe.until_greeted().await;
    for reason in ["revoked", "token"] {
        run.until_open(1).await;
        run.tell(&format!("bye?reason={reason}")).await;
        until("the stream is gone", || !probe.snapshot("clientId").is_string()).await;
        probe.until_greeted().await;
    }
    run.until_open(1).await;
    run.tell("answers?list=401").await;
    run.tell("cut").await;
    run.until("the retry and the stream that follows", |stats| number(stats, "connects.length") == 6.0).await;
    probe.until_greeted().await;
    assert_eq!(provider.reasons(), ["initial", "manual", "revoked", "expired", "rejected"]);
}

#[wasm_bindgen_test]
async fn a_token_past_its_time_is_not_shown_again() {
    let run = Run::new();
    let provider = Provider::new(|number| {
        let lives = if number == 0 { 0.05 } else { 60.0 };
        Ok(object(&format!(r#"{{"token":"t{number}","expires_in":{lives}}}"#)))
    });
    let probe = Probe::live(&run.url(""), &[("token", provider.function())]).await;
    page::hurry(20.0);
    run.update("projects", "{}").await;
    probe.until_updates(1).await;
    run.tell("cut").await;
    run.until("another stream", |stats| number(stats, "connects.length") >= 2.0).await;
    probe.until_greeted().await;
    assert_eq!(provider.reasons(), ["initial", "expired"]);
    let stats = run.stats().await;
    let last = number(&stats, "connects.length") - 1.0;
    assert_eq!(text(&stats, &format!("connects.{last}.token")), "t1");
}

#[wasm_bindgen_test]
async fn without_a_provider_there_is_no_token() {
    let run = Run::new();
    let probe = Probe::live(&run.url(""), &[("token", JsValue::NULL)]).await;
    assert_eq!(page::read(&run.stats().await, "connects.0.token"), JsValue::NULL);
    drop(probe);
}
