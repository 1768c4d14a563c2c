//! The streams of the client for Rust: typed updates, their queues, statuses, gaps.

use std::{error::Error as _, pin::pin, time::Duration};

use futures_core::Stream;
use serde::{Deserialize, de::IgnoredAny};
use tinysse::{DataErrorKind, ErrorKind, Gap, Patterns, Phase, Queue, SseClient, Update, Updates};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{
    frontend::{builder, live, soon},
    page,
    support::{Run, until},
};

#[derive(Debug, Deserialize, PartialEq)]
struct Progress {
    percent: f64,
    steps: Vec<Step>,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Step {
    name: String,
}

async fn next<T>(updates: &mut Updates<T>) -> Update<T> {
    soon("an update", updates.next()).await.unwrap().unwrap()
}

/// What a stream holds by now, in the form `type/key:data`.
async fn held(updates: &mut Updates<u32>, count: usize) -> Vec<String> {
    let mut seen = Vec::new();
    for _ in 0..count {
        let Update { kind, key, data, .. } = next(updates).await;
        seen.push(format!("{kind}/{}:{data}", key.unwrap_or_default()));
    }
    let rest = std::future::poll_fn(|context| std::task::Poll::Ready(pin!(&mut *updates).poll_next(context))).await;
    assert!(rest.is_pending(), "{rest:?}");
    seen
}

/// Sends these, as `type/key:data`, and waits until the client has them.
async fn send(run: &Run, client: &SseClient, list: &[&str]) {
    let before = client.snapshot().events;
    for item in list {
        let (kind, rest) = item.split_once('/').unwrap();
        let (key, data) = rest.split_once(':').unwrap();
        let key = if key.is_empty() { "null".to_owned() } else { format!("{key:?}") };
        run.update(kind, &format!(r#"{{"data":{data},"key":{key}}}"#)).await;
    }
    until("the updates", || client.snapshot().events == before + list.len() as u32).await;
}

#[wasm_bindgen_test]
async fn an_update_with_all_that_it_carries() {
    let run = Run::new();
    let client = live(&run).await;
    let mut updates = client.subscribe::<Progress>("progress").unwrap();
    let envelope =
        r#"{"data":{"percent":12.5,"steps":[{"name":"a"}]},"key":"k","origin":"tab","at":1700000000000,"spread":250}"#;
    run.update("progress", envelope).await;
    let update = next(&mut updates).await;
    assert_eq!(update.data, Progress { percent: 12.5, steps: vec![Step { name: "a".into() }] });
    assert_eq!((update.kind.as_str(), update.id.as_str(), update.replayed), ("progress", "a1.1", false));
    assert_eq!((update.key.as_deref(), update.origin.as_deref()), (Some("k"), Some("tab")));
    assert_eq!((update.at, update.spread), (Some(1_700_000_000_000), Some(Duration::from_millis(250))));
}

#[wasm_bindgen_test]
async fn one_that_was_missed_is_marked_as_replayed() {
    let run = Run::new();
    run.update("a", "{}").await;
    run.update("b", "{}").await;
    let client = builder(&run.url("")).last_event_id("a1.1").build().unwrap();
    let mut updates = client.subscribe::<()>("*").unwrap();
    client.start();
    let update = next(&mut updates).await;
    assert_eq!((update.kind.as_str(), update.replayed), ("b", true));
    assert_eq!((update.key, update.origin, update.at, update.spread), (None, None, None, None));
}

#[wasm_bindgen_test]
async fn data_that_does_not_fit_is_an_error_and_the_stream_goes_on() {
    let run = Run::new();
    let client = live(&run).await;
    let mut updates = client.subscribe::<Progress>("progress").unwrap();
    let wrong = [
        (r#"{"data":{"percent":1,"steps":[{"name":"a"},{"name":5}]}}"#, "steps[1].name"),
        (r#"{"data":{"percent":"much","steps":[]}}"#, "percent"),
        (r#"{"data":{"steps":[]}}"#, "."),
        ("{}", "."),
    ];
    for (envelope, path) in wrong {
        run.update("progress", envelope).await;
        let error = soon("an error", updates.next()).await.unwrap().unwrap_err();
        assert_eq!((error.kind(), error.path()), (DataErrorKind::Mismatch, path), "{envelope}");
        assert!(error.source().is_some() && error.to_string().contains("`progress`"), "{error}");
    }
    run.update("progress", r#"{"data":{"percent":2,"steps":[]}}"#).await;
    assert_eq!(next(&mut updates).await.data.percent, 2.0);
    assert_eq!(updates.dropped(), 0);
    assert_eq!(client.status().phase, Phase::Open);
}

#[wasm_bindgen_test]
async fn data_of_any_kind() {
    let run = Run::new();
    let client = live(&run).await;
    let (mut none, mut maybe) =
        (client.subscribe::<()>("none").unwrap(), client.subscribe::<Option<u8>>("none").unwrap());
    let (mut any, mut raw) = (client.subscribe::<IgnoredAny>("any").unwrap(), client.subscribe_raw("any").unwrap());
    run.update("none", "{}").await;
    let () = next(&mut none).await.data;
    assert_eq!(next(&mut maybe).await.data, None);
    run.update("any", r#"{"data":{"a":[1,"b",null]}}"#).await;
    next(&mut any).await;
    assert_eq!(page::json(&next(&mut raw).await.data), r#"{"a":[1,"b",null]}"#);
}

#[wasm_bindgen_test]
async fn text_from_a_server_that_knows_no_envelope() {
    let run = Run::new();
    let client = builder(&run.url("&plain=1")).build().unwrap();
    let mut notes = client.subscribe::<String>("note").unwrap();
    client.start();
    run.until_open(1).await;
    run.say("event: note\ndata: two\ndata: lines\n\n").await;
    assert_eq!(next(&mut notes).await.data, "two\nlines");
}

#[wasm_bindgen_test]
async fn patterns_choose_one_below_all_or_a_list() {
    let run = Run::new();
    let client = live(&run).await;
    let kinds = ["projects", "compute", "compute.a", "computer.a"];
    let asked: [(Patterns, &[&str]); 6] = [
        ("projects".into(), &["projects"]),
        (String::from("compute.*").into(), &["compute.a"]),
        ("*".into(), &kinds),
        (["projects", "compute.*"].into(), &["projects", "compute.a"]),
        (vec![String::from("compute")].into(), &["compute"]),
        (["compute", "compute"].as_slice().into(), &["compute"]),
    ];
    let mut streams: Vec<_> = asked.iter().map(|(of, _)| client.subscribe::<()>(of.clone()).unwrap()).collect();
    for kind in kinds {
        run.update(kind, "{}").await;
    }
    until("the updates", || client.snapshot().events == 4).await;
    for (stream, (patterns, wanted)) in streams.iter_mut().zip(&asked) {
        for kind in *wanted {
            assert_eq!(next(stream).await.kind, *kind, "{patterns:?}");
        }
    }
    client.close();
    for wrong in ["", "a*", "*.a", ".*"] {
        let error = client.subscribe::<()>(["fine", wrong]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Options);
        assert!(error.to_string().contains(&format!("`{wrong}`")), "{error}");
    }
}

#[wasm_bindgen_test]
async fn a_full_queue_drops_the_oldest() {
    let run = Run::new();
    let client = live(&run).await;
    let mut updates = client.subscribe::<u32>("*").unwrap().with_queue(Queue::drop_oldest(3));
    send(&run, &client, &["a/:1", "a/:2", "b/:3", "b/:4", "c/:5"]).await;
    assert_eq!(held(&mut updates, 3).await, ["b/:3", "b/:4", "c/:5"]);
    assert_eq!(updates.dropped(), 2);
    send(&run, &client, &["a/:6"]).await;
    assert_eq!(held(&mut updates, 1).await, ["a/:6"]);
}

#[wasm_bindgen_test]
async fn a_queue_of_the_latest_holds_one_of_each_type_and_key() {
    let run = Run::new();
    let client = live(&run).await;
    let mut updates = client.subscribe::<u32>("*").unwrap().with_queue(Queue::latest(3));
    send(&run, &client, &["a/:1", "a/x:2", "b/:3", "a/:4", "b/:5"]).await;
    assert_eq!(held(&mut updates, 3).await, ["a/x:2", "a/:4", "b/:5"]);
    assert_eq!(updates.dropped(), 2);
    send(&run, &client, &["a/:1", "b/:2", "c/:3", "d/:4", "c/:5"]).await;
    assert_eq!(held(&mut updates, 3).await, ["b/:2", "d/:4", "c/:5"]);
    assert_eq!(updates.dropped(), 4);
}

#[wasm_bindgen_test]
async fn a_queue_that_may_not_drop_ends_in_an_error() {
    let run = Run::new();
    let client = live(&run).await;
    let mut updates = client.subscribe::<u32>("*").unwrap().with_queue(Queue::fail(2));
    send(&run, &client, &["a/:1", "a/:2"]).await;
    assert_eq!(held(&mut updates, 2).await, ["a/:1", "a/:2"]);
    send(&run, &client, &["a/:3", "a/:4", "b/:5", "a/:6"]).await;
    assert_eq!([next(&mut updates).await.data, next(&mut updates).await.data], [3, 4]);
    let error = soon("the error", updates.next()).await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.update(), error.id()), (DataErrorKind::Overflow, "b", "a1.5"));
    assert!(soon("the end", updates.next()).await.is_none());
    assert!(soon("still the end", updates.next()).await.is_none());
    assert_eq!(updates.dropped(), 2);
    // It is the stream that ended, not the client.
    let mut again = client.subscribe::<u32>("*").unwrap();
    send(&run, &client, &["a/:7"]).await;
    assert_eq!(held(&mut again, 1).await, ["a/:7"]);
}

#[wasm_bindgen_test]
async fn a_queue_is_bounded_without_a_word_and_can_be_narrowed() {
    let run = Run::new();
    let client = live(&run).await;
    let mut usual = client.subscribe::<u32>("a").unwrap();
    let none = client.subscribe::<u32>("a").unwrap().with_queue(Queue::drop_oldest(0));
    let burst = |from: u32| -> String {
        (from..from + 1_030)
            .map(|seq| format!("id: a1.{seq}\nevent: tinysse.update\ndata: a\ndata: {{\"data\":{seq}}}\n\n"))
            .collect()
    };
    for part in burst(1).as_bytes().chunks(8_000) {
        run.say(std::str::from_utf8(part).unwrap()).await;
    }
    until("the updates", || client.snapshot().events == 1_030).await;
    assert_eq!((usual.dropped(), none.dropped()), (6, 1_029));
    assert_eq!(next(&mut usual).await.data, 7);
    let mut narrow = usual.with_queue(Queue::drop_oldest(2));
    assert_eq!(held(&mut narrow, 2).await, ["a/:1029", "a/:1030"]);
    assert_eq!(narrow.dropped(), 6 + 1_021);
}

#[wasm_bindgen_test]
async fn statuses_begin_with_now_and_skip_what_was_not_looked_at() {
    let run = Run::new();
    let client = builder(&run.url("")).build().unwrap();
    let (mut each, mut late) = (client.statuses(), client.statuses());
    let mut phases = vec![each.next().await.unwrap().phase];
    client.start();
    while phases.last() != Some(&Phase::Open) {
        phases.push(soon("a status", each.next()).await.unwrap().phase);
    }
    assert_eq!(phases, [Phase::Idle, Phase::Connecting, Phase::Open]);
    assert_eq!(soon("the latest", late.next()).await.unwrap().phase, Phase::Open);
    run.tell("answers?list=503").await;
    run.tell("end").await;
    // The browser retries, is refused, and it is our turn.
    let waiting = async { while each.next().await.unwrap().retry_in.is_none() {} };
    soon("a wait", waiting).await;
    let status = client.status();
    assert_eq!((status.phase, status.attempt), (Phase::Reconnecting, 1));
    assert!(status.retry_in.is_some_and(|wait| wait <= Duration::from_secs(30)));
    assert!(status.error.is_some_and(|error| error.retryable()));
}

#[wasm_bindgen_test]
async fn gaps_are_told_and_joined_for_who_looks_late() {
    let run = Run::new();
    let client = builder(&run.url("")).build().unwrap();
    let (mut each, mut late) = (client.resyncs(), client.resyncs());
    client.start();
    let first = soon("the first", each.next()).await.unwrap();
    assert_eq!((first.gap, first.types.len()), (Gap::First, 0));
    assert_eq!(soon("the first", late.next()).await, Some(first));
    run.tell("resync?gap=overflow&types=b,a").await;
    assert_eq!(soon("the second", each.next()).await.unwrap().types, ["b", "a"]);
    run.tell("resync?gap=rights&types=c,a").await;
    assert_eq!(soon("the third", each.next()).await.unwrap().gap, Gap::Rights);
    let both = soon("both", late.next()).await.unwrap();
    assert_eq!((both.gap, both.types.join(" ").as_str()), (Gap::Rights, "a b c"));
    for types in ["", "&types=a"] {
        run.tell(&format!("resync?gap=overflow{types}")).await;
        soon("another", each.next()).await;
    }
    assert!(soon("both", late.next()).await.unwrap().types.is_empty(), "all and some are all");
}
