//! The constructor names the option that is wrong.

use tinysse::web::JsClient;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{
    page::{self, number, text},
    support::{Probe, Run, object, options},
};

fn refusal(options: &JsValue) -> JsValue {
    match JsClient::new(options) {
        Ok(_) => panic!("taken: {}", page::json(options)),
        Err(error) => error,
    }
}

fn names(name: &str, options: &JsValue) {
    let error = refusal(options);
    assert!(error.is_instance_of::<js_sys::Error>());
    assert_eq!(text(&error, "name"), "SseError");
    assert_eq!(text(&error, "code"), "options", "{name}");
    assert_eq!(page::read(&error, "retryable"), JsValue::FALSE);
    let message = text(&error, "message");
    assert!(message.contains(&format!("`{name}")), "{name} is not named: {message}");
}

#[wasm_bindgen_test]
fn ill_typed_ones_are_named() {
    let wrong = [
        ("url", vec!["5", "null", r#""""#, "{}", r#"["/events"]"#]),
        ("token", vec![r#""a token""#, "5", "{}", "true"]),
        ("transport", vec!["5", r#""websocket""#, r#""""#]),
        ("types", vec!["5", r#""projects""#, r#"["projects",5]"#, r#"{"0":"projects"}"#]),
        ("withCredentials", vec!["1", r#""yes""#, "{}"]),
        ("lastEventId", vec!["5", "{}"]),
    ];
    for (name, values) in wrong {
        for value in values {
            names(name, &options("/events", &[(name, object(value))]));
        }
    }
    for name in ["coalesceMs", "heartbeatTimeout", "connectTimeout", "tokenTimeout", "maxRefusals", "seed"] {
        for value in [r#""5""#, "-1", "1.5", "4294967296", "true", "[]", "{}"] {
            names(name, &options("/events", &[(name, object(value))]));
        }
        for value in [f64::NAN, f64::INFINITY] {
            names(name, &options("/events", &[(name, value.into())]));
        }
    }
}

#[wasm_bindgen_test]
fn unknown_ones_are_named() {
    for name in ["tokens", "URL", "last_event_id", "connect_timeout", "retry"] {
        names(name, &options("/events", &[(name, 1.into())]));
    }
}

#[wasm_bindgen_test]
fn the_url_is_needed() {
    names("url", &object("{}"));
    names("url", &object(r#"{"seed":1}"#));
}

#[wasm_bindgen_test]
fn what_is_no_object_is_refused() {
    for value in [JsValue::UNDEFINED, JsValue::NULL, 5.into(), "/events".into(), JsValue::TRUE] {
        let error = refusal(&value);
        assert_eq!(text(&error, "code"), "options");
    }
}

#[wasm_bindgen_test]
fn undefined_and_null_mean_the_default() {
    let all = [
        "token",
        "transport",
        "types",
        "withCredentials",
        "lastEventId",
        "coalesceMs",
        "heartbeatTimeout",
        "connectTimeout",
        "tokenTimeout",
        "maxRefusals",
        "seed",
    ];
    for nothing in [JsValue::UNDEFINED, JsValue::NULL] {
        let more: Vec<_> = all.iter().map(|name| (*name, nothing.clone())).collect();
        JsClient::new(&options("/events", &more)).unwrap().close();
    }
}

#[wasm_bindgen_test]
fn a_getter_that_throws_does_not_break_in() {
    names("url", &page::throwing("url"));
    // Refused, or as if it was not given; what counts is that the next one is as good as new.
    drop(JsClient::new(&page::throwing("coalesceMs")));
    JsClient::new(&options("/events", &[])).unwrap().close();
}

#[wasm_bindgen_test]
async fn they_reach_the_server() {
    let run = Run::new();
    run.tell("cookie").await;
    let more = [
        ("types", object(r#"["projects","compute.*","a&b"]"#)),
        ("withCredentials", true.into()),
        ("lastEventId", "a1.0".into()),
        ("transport", "eventsource".into()),
    ];
    let probe = Probe::live(&run.url("&own=1#part"), &more).await;
    let stats = run.stats().await;
    assert_eq!(text(&stats, "connects.0.types"), "projects,compute.*,a&b");
    assert_eq!(text(&stats, "connects.0.wire"), "native");
    assert_eq!(text(&stats, "connects.0.lastEventId"), "a1.0");
    assert!(text(&stats, "connects.0.cookie").contains("tinysse-web-test=yes"));
    assert!(text(&stats, "connects.0.search").contains("own=1&"));
    assert_eq!(number(&stats, "preflights"), 0.0);
    assert_eq!(probe.resyncs.count(), 0);
}

#[wasm_bindgen_test]
async fn without_credentials_no_cookie_goes_out() {
    let run = Run::new();
    run.tell("cookie").await;
    let probe = Probe::live(&run.url(""), &[]).await;
    let stats = run.stats().await;
    assert_eq!(page::read(&stats, "connects.0.cookie"), JsValue::NULL);
    assert_eq!(page::read(&stats, "connects.0.types"), JsValue::NULL);
    assert_eq!(page::read(&stats, "connects.0.lastEventId"), JsValue::NULL);
    drop(probe);
}
