//! Servers that are not ours: no hello, any event names, any data.

use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{
    page::{self, number, text},
    support::{Calls, Probe, Run, list, options, until},
};

/// A live client of a plain server.
async fn plain(run: &Run, types: &[&str]) -> (Probe, Calls) {
    let probe = Probe::new(&options(&run.url("&plain=1"), &[]));
    let calls = Calls::new();
    probe.client.subscribe(&list(types), calls.function()).unwrap();
    probe.client.start();
    probe.until_status("open").await;
    run.until_open(1).await;
    (probe, calls)
}

#[wasm_bindgen_test]
async fn events_are_heard_by_name_and_their_data_is_json_or_text() {
    let run = Run::new();
    let (probe, calls) = plain(&run, &["projects", "message", "open", "error", "__proto__"]).await;
    run.say("event: projects\ndata: {\"a\":1}\n\n").await;
    run.say("data: hello\ndata: world\n\n").await;
    run.say("event: other\ndata: 1\n\n").await;
    run.say("event: open\ndata: 2\n\nevent: error\ndata: 3\n\nevent: __proto__\ndata: [4]\n\n").await;
    run.say("event: message\ndata: {\"data\":5,\"key\":\"k\"}\n\n").await;
    run.say("event: projects\ndata\n\n").await;
    until("all of them", || calls.count() == 7).await;
    let seen: Vec<_> = (0..7).map(|index| page::json(&calls.get(index))).collect();
    assert_eq!(seen[0], r#"{"type":"projects","data":{"a":1},"id":"","replayed":false}"#);
    assert_eq!(seen[1], r#"{"type":"message","data":"hello\nworld","id":"","replayed":false}"#);
    assert_eq!(seen[2], r#"{"type":"open","data":2,"id":"","replayed":false}"#);
    assert_eq!(seen[3], r#"{"type":"error","data":3,"id":"","replayed":false}"#);
    assert_eq!(seen[4], r#"{"type":"__proto__","data":[4],"id":"","replayed":false}"#);
    assert_eq!(
        seen[5], r#"{"type":"message","data":{"data":5,"key":"k"},"id":"","replayed":false}"#,
        "no envelope here"
    );
    assert_eq!(seen[6], r#"{"type":"projects","data":"","id":"","replayed":false}"#);
    assert_eq!(probe.status(), "open");
    assert_eq!(probe.snapshot("clientId"), JsValue::NULL);
    assert_eq!(probe.snapshot("connects"), 1);
}

#[wasm_bindgen_test]
async fn a_type_that_is_subscribed_to_later_is_heard_too() {
    let run = Run::new();
    let (probe, first) = plain(&run, &["first"]).await;
    let late = Calls::new();
    let id = probe.client.subscribe(&"late".into(), late.function()).unwrap();
    run.say("event: late\ndata: 1\n\n").await;
    until("the late one", || late.count() == 1).await;
    assert!(probe.client.unsubscribe(id));
    run.say("event: late\ndata: 2\n\nevent: first\ndata: 3\n\n").await;
    until("the first one", || first.count() == 1).await;
    assert_eq!(late.count(), 1);
}

#[wasm_bindgen_test]
async fn it_resumes_by_the_ids_that_the_server_gave() {
    let run = Run::new();
    page::hurry(20.0);
    let (probe, calls) = plain(&run, &["projects"]).await;
    run.say("id: any text é\nevent: projects\ndata: 1\n\n").await;
    until("the update", || calls.count() == 1).await;
    assert_eq!(text(&probe.client.snapshot(), "lastEventId"), "any text é");
    run.tell("cut").await;
    let stats = run
        .until("the browser's own retry", |stats| {
            number(stats, "connects.length") >= 2.0 && number(stats, "open") == 1.0
        })
        .await;
    assert_ne!(page::read(&stats, "connects.1.header"), JsValue::NULL);
    assert_eq!(page::read(&stats, "connects.1.lastEventId"), JsValue::NULL);
    probe.until_status("open").await;
    probe.client.reconnect();
    let stats = run.until("the new stream", |stats| number(stats, "connects.length") >= 3.0).await;
    assert_eq!(text(&stats, "connects.2.lastEventId"), "any text é");
}

#[wasm_bindgen_test]
async fn without_ids_every_new_stream_may_have_missed_something() {
    let run = Run::new();
    let (probe, calls) = plain(&run, &["projects"]).await;
    run.say("event: projects\ndata: 1\n\n").await;
    until("the update", || calls.count() == 1).await;
    assert_eq!(probe.resyncs.all("gap"), ["first"]);
    probe.client.reconnect();
    probe.until_status("open").await;
    run.until_open(1).await;
    run.say("event: projects\ndata: 2\n\n").await;
    until("the second update", || calls.count() == 2).await;
    assert_eq!(probe.resyncs.all("gap"), ["first", "unknown"]);
    assert_eq!(page::read(&probe.resyncs.get(0), "types"), JsValue::NULL);
}

#[wasm_bindgen_test]
async fn a_stream_that_says_nothing_is_greeted_when_it_proved_good() {
    let run = Run::new();
    let (probe, _calls) = plain(&run, &["projects"]).await;
    page::hurry(20.0);
    // The timer that was set at the old pace rings in its own time: look at the page again, which
    // asks the clock.
    until("the resync", || {
        page::show(true);
        probe.resyncs.count() == 1
    })
    .await;
    assert_eq!(probe.resyncs.all("gap"), ["first"]);
}

#[wasm_bindgen_test]
async fn control_types_of_ours_mean_nothing_there() {
    let run = Run::new();
    let (probe, calls) = plain(&run, &["projects", "tinysse.hello"]).await;
    run.say("event: tinysse.hello\ndata: hello world\n\nevent: tinysse.update\ndata: no second line\n\n").await;
    run.say("event: tinysse.bye\ndata: reason=unknown&wait=1\n\nevent: tinysse.beat\ndata:\n\n").await;
    run.say("event: projects\ndata: 1\n\n").await;
    until("the update", || calls.count() == 1).await;
    assert_eq!(calls.all("type"), ["projects"]);
    assert_eq!(probe.updates.count(), 1);
    assert_eq!(probe.status(), "open");
}
