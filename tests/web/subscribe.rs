//! Subscribers: who is called, in which order, and what they may do meanwhile.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use tinysse::web::JsClient;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{
    page::{self, text},
    support::{Calls, Probe, Run, list, object, options, until},
};

type Thrower = Closure<dyn FnMut(JsValue) -> Result<(), JsValue>>;

/// A function that throws at every call.
fn thrower(message: &'static str) -> Thrower {
    Closure::new(move |_| Err(page::failure(message, None)))
}

fn function(closure: &Thrower) -> js_sys::Function {
    closure.as_ref().clone().unchecked_into()
}

fn reported() -> Vec<String> {
    page::texts(&page::take_reported())
}

#[wasm_bindgen_test]
async fn one_that_throws_breaks_nothing_else() {
    let run = Run::new();
    let probe = Probe::live(&run.url(""), &[]).await;
    let (bad, behind) = (thrower("boom"), Calls::new());
    probe.client.subscribe(&"projects".into(), function(&bad)).unwrap();
    probe.client.subscribe(&"projects".into(), behind.function()).unwrap();
    run.update("projects", "{}").await;
    until("the call behind", || behind.count() == 1).await;
    assert_eq!(reported(), ["boom"]);
    run.update("projects", "{}").await;
    until("the next call behind", || behind.count() == 2).await;
    assert_eq!(reported(), ["boom"]);
    assert_eq!(probe.updates.count(), 2);
    assert_eq!(probe.status(), "open");
}

#[wasm_bindgen_test]
async fn status_and_resync_callbacks_may_throw_too() {
    let run = Run::new();
    let probe = Probe::new(&options(&run.url(""), &[]));
    let (status, resync) = (thrower("status"), thrower("resync"));
    probe.client.on_status(Some(function(&status)));
    probe.client.on_resync(Some(function(&resync)));
    probe.client.start();
    probe.until_greeted().await;
    run.update("projects", "{}").await;
    probe.until_updates(1).await;
    assert_eq!(reported(), ["status", "status", "resync"]);
}

#[wasm_bindgen_test]
async fn what_is_no_function_is_reported_like_a_throw() {
    let run = Run::new();
    let probe = Probe::live(&run.url(""), &[]).await;
    probe.client.subscribe(&"*".into(), JsValue::from(5).unchecked_into()).unwrap();
    run.update("projects", "{}").await;
    probe.until_updates(1).await;
    until("the report", || !reported().is_empty()).await;
    assert_eq!(probe.status(), "open");
}

#[wasm_bindgen_test]
async fn one_that_comes_during_a_call_is_called_from_the_next_update_on() {
    let run = Run::new();
    let probe = Probe::live(&run.url(""), &[]).await;
    let late = Rc::new(Calls::new());
    let (client, new) = (probe.client.clone(), late.clone());
    let first = Cell::new(true);
    let calls = Calls::and(move |_| {
        if first.replace(false) {
            client.subscribe(&"*".into(), new.function()).unwrap();
        }
    });
    probe.client.subscribe(&"*".into(), calls.function()).unwrap();
    run.update("a", "{}").await;
    until("the first call", || calls.count() == 1).await;
    assert_eq!(late.count(), 0);
    run.update("b", "{}").await;
    until("the second call", || calls.count() == 2).await;
    assert_eq!(late.all("type"), ["b"]);
}

#[wasm_bindgen_test]
async fn one_that_is_removed_during_a_call_is_not_called_any_more() {
    let run = Run::new();
    let probe = Probe::live(&run.url(""), &[]).await;
    let ids = Rc::new(RefCell::new(Vec::new()));
    let (client, all) = (probe.client.clone(), ids.clone());
    // Removes itself and the one behind it.
    let first = Calls::and(move |_| {
        for id in all.borrow_mut().drain(..) {
            assert!(client.unsubscribe(id));
            assert!(!client.unsubscribe(id));
        }
    });
    let (second, third) = (Calls::new(), Calls::new());
    for calls in [&first, &second] {
        let id = probe.client.subscribe(&"*".into(), calls.function()).unwrap();
        ids.borrow_mut().push(id);
    }
    probe.client.subscribe(&"*".into(), third.function()).unwrap();
    run.update("a", "{}").await;
    until("the third", || third.count() == 1).await;
    run.update("b", "{}").await;
    until("the third again", || third.count() == 2).await;
    assert_eq!((first.count(), second.count()), (1, 0));
}

#[wasm_bindgen_test]
async fn callbacks_may_stop_and_start_the_client() {
    let run = Run::new();
    let probe = Probe::live(&run.url(""), &[]).await;
    let client = probe.client.clone();
    let steps: [fn(&JsClient); 3] = [
        JsClient::reconnect,
        |client| {
            client.stop();
            client.start();
        },
        |client| {
            client.pause();
            client.resume();
        },
    ];
    let turn = Cell::new(0);
    let calls = Calls::and(move |_| steps[turn.replace(turn.get() + 1)](&client));
    probe.client.subscribe(&"*".into(), calls.function()).unwrap();
    for count in 1..=3 {
        run.update("a", "{}").await;
        until("the call", || calls.count() == count).await;
        probe.until_greeted().await;
        run.until_open(1).await;
    }
    assert_eq!(run.connects().await, 4.0);
    assert_eq!(probe.updates.all("id"), ["a1.1", "a1.2", "a1.3"]);
    assert_eq!(probe.resyncs.all("gap"), ["first"]);
}

#[wasm_bindgen_test]
async fn patterns_choose() {
    let run = Run::new();
    let probe = Probe::live(&run.url(""), &[]).await;
    let asked = [
        ("projects".into(), "projects"),
        ("compute.*".into(), "compute.a compute.a.b"),
        (list(&["projects", "compute.a", "projects"]), "projects compute.a"),
        (
            list(&["*", "projects", "compute.*"]),
            "projects compute compute.a compute.a.b computer.a __proto__ open error message constructor",
        ),
        ("__proto__".into(), "__proto__"),
        ("constructor".into(), "constructor"),
        (list(&["open", "error"]), "open error"),
        ("message".into(), "message"),
        ("Projects".into(), ""),
    ];
    let calls: Vec<_> = asked
        .iter()
        .map(|(pattern, _)| {
            let calls = Calls::new();
            probe.client.subscribe(pattern, calls.function()).unwrap();
            calls
        })
        .collect();
    let kinds = [
        "projects",
        "compute",
        "compute.a",
        "compute.a.b",
        "computer.a",
        "__proto__",
        "open",
        "error",
        "message",
        "constructor",
    ];
    for kind in kinds {
        run.update(kind, "{}").await;
    }
    probe.until_updates(kinds.len()).await;
    for ((pattern, wanted), calls) in asked.iter().zip(&calls) {
        assert_eq!(calls.all("type").join(" "), *wanted, "{}", page::json(pattern));
    }
    assert_eq!(probe.status(), "open");
    assert_eq!(probe.snapshot("connects"), 1);
}

#[wasm_bindgen_test]
fn what_is_no_pattern_is_an_error() {
    let run = Run::new();
    let probe = Probe::new(&options(&run.url(""), &[]));
    for pattern in [
        "".into(),
        "a*".into(),
        "*a".into(),
        "a.*.b".into(),
        ".*".into(),
        "**".into(),
        5.into(),
        JsValue::NULL,
        JsValue::UNDEFINED,
        object("{}"),
        object(r#"["projects",5]"#),
        object(r#"["projects","a*"]"#),
        object(r#"[["projects"]]"#),
    ] {
        let error = probe.client.subscribe(&pattern, Calls::new().function()).unwrap_err();
        assert_eq!(text(&error, "code"), "options", "{}", page::json(&pattern));
        assert_eq!(text(&error, "name"), "SseError");
        assert!(text(&error, "message").contains("subscribe"), "{}", text(&error, "message"));
    }
}

#[wasm_bindgen_test]
async fn an_update_has_the_fields_of_its_envelope() {
    let run = Run::new();
    let probe = Probe::live(&run.url(""), &[]).await;
    run.update(
        "a",
        r#"{"data":{"n":[1,"é",null]},"key":"k","origin":"tab","spread":250,"at":1700000000000,"secret":1}"#,
    )
    .await;
    run.update("b", "{}").await;
    run.update("c", r#"{"data":null}"#).await;
    run.update("d", r#"{"__proto__":{"data":1}}"#).await;
    run.update("e", "no json").await;
    run.update("f", "17").await;
    run.update("g", "line\nline").await;
    run.update("h", "[1]").await;
    probe.until_updates(8).await;
    let json = |index| page::json(&probe.updates.get(index));
    assert_eq!(
        json(0),
        r#"{"type":"a","data":{"n":[1,"é",null]},"id":"a1.1","replayed":false,"key":"k","origin":"tab","spread":250,"at":1700000000000}"#
    );
    assert_eq!(json(1), r#"{"type":"b","id":"a1.2","replayed":false}"#);
    assert!(js_sys::Reflect::has(&probe.updates.get(1), &"data".into()).unwrap());
    assert_eq!(json(2), r#"{"type":"c","data":null,"id":"a1.3","replayed":false}"#);
    assert_eq!(json(3), r#"{"type":"d","id":"a1.4","replayed":false}"#);
    assert_eq!(json(4), r#"{"type":"e","data":"no json","id":"a1.5","replayed":false}"#);
    assert_eq!(json(5), r#"{"type":"f","data":17,"id":"a1.6","replayed":false}"#);
    assert_eq!(json(6), r#"{"type":"g","data":"line\nline","id":"a1.7","replayed":false}"#);
    // A list has an `at` too, and is no envelope.
    assert_eq!(json(7), r#"{"type":"h","data":[1],"id":"a1.8","replayed":false}"#);
}

#[wasm_bindgen_test]
async fn coalescing_delivers_the_first_at_once_and_the_last_of_the_window() {
    let run = Run::new();
    let probe = Probe::live(&run.url(""), &[("coalesceMs", 300.into())]).await;
    let burst: String = (1..=9)
        .map(|seq| {
            let kind = if seq % 3 == 0 { "b" } else { "a" };
            format!("id: a1.{seq}\nevent: tinysse.update\ndata: {kind}\ndata: {{\"data\":{seq}}}\n\n")
        })
        .collect();
    run.say(&burst).await;
    probe.until_updates(4).await;
    let seen: Vec<_> = (0..4).map(|index| page::json(&page::read(&probe.updates.get(index), "data"))).collect();
    assert_eq!(&seen[..2], ["1", "3"]);
    let mut last = seen[2..].to_vec();
    last.sort();
    assert_eq!(last, ["8", "9"]);
}
