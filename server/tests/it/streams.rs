//! Tests of streams over HTTP: headers, replay, limits, ends.

use serde_json::json;
use tinysse::proto::wire::{control::Gap, id::EventId};

use crate::support::{Server, Stream, refused};

#[tokio::test]
async fn a_stream_has_the_headers_that_proxies_and_browsers_need() {
    let server = Server::dev(&["--beat=20ms", "--retry=1234ms"]).await;
    let ada = server.log_in("ada", "", &[]).await;
    let response = server.get(&format!("/events?token={}", ada.token().await)).send().await.unwrap();
    for (name, value) in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-store, no-transform"),
        ("x-accel-buffering", "no"),
        ("tinysse-wire", "1"),
        ("referrer-policy", "no-referrer"),
    ] {
        assert_eq!(response.headers()[name], value);
    }
    let mut stream = ada.stream("").await;
    assert_eq!((stream.hello.gap, stream.hello.beat, stream.retries.as_slice()), (Gap::First, 20, &[1234][..]));
    let beat = stream.next().await.unwrap();
    assert_eq!((beat.event.as_str(), beat.id), ("tinysse.beat", stream.hello.after.text()));
    server.stop().await;
}

#[tokio::test]
async fn missed_updates_are_replayed_and_the_header_beats_the_address() {
    let server = Server::dev(&[]).await;
    let ada = server.log_in("ada", "", &[]).await;
    let ids = server.publish(json!([{ "type": "a" }, { "type": "b" }, { "type": "c" }])).await;
    let token = ada.token().await;
    let path = format!("/events?token={token}&lastEventId={}", ids[0]);
    let mut stream = Stream::open(server.get(&path)).await;
    assert_eq!((stream.hello.gap, stream.hello.after.text()), (Gap::None, ids[0].clone()));
    assert_eq!(stream.hello.head.text(), ids[2]);
    assert_eq!(stream.types_until("c").await, ["b", "c"]);
    // A native retry: the address is old, the header new.
    let mut retry = Stream::open(server.get(&path).header("last-event-id", &ids[1])).await;
    assert_eq!((retry.hello.gap, retry.update().await.id), (Gap::None, ids[2].clone()));
    // An empty header has no meaning, a wrong one has a wrong one.
    let mut empty = Stream::open(server.get(&path).header("last-event-id", "")).await;
    assert_eq!((empty.hello.gap, empty.update().await.event.as_str()), (Gap::None, "b"));
    for wrong in [&b"nonsense"[..], b"\xff\xfe", b"../../etc"] {
        let stream = Stream::open(server.get(&path).header("last-event-id", wrong)).await;
        assert_eq!((stream.hello.gap, stream.hello.after.text()), (Gap::Unknown, ids[2].clone()));
    }
    server.stop().await;
}

#[tokio::test]
async fn a_native_reader_gets_folded_updates() {
    let server = Server::dev(&[]).await;
    let ada = server.log_in("ada", "", &[]).await;
    let path = format!("/events?token={}", ada.token().await);
    let mut native = Stream::open(server.get(&format!("{path}&wire=native"))).await;
    let mut named = Stream::open(server.get(&path)).await;
    server.publish(json!({ "type": "compute.progress", "data": 7 })).await;
    let (folded, plain) = (native.next().await.unwrap(), named.update().await);
    assert_eq!((folded.event.as_str(), plain.event.as_str()), ("tinysse.update", "compute.progress"));
    assert_eq!((folded.data.strip_prefix("compute.progress\n"), &folded.id), (Some(plain.data.as_str()), &plain.id));
    assert_eq!(tinysse::proto::wire::wrap::unwrap(folded.borrowed()), plain.borrowed());
    refused(server.get(&format!("{path}&wire=smoke")), 400, "bad_wire").await;
    server.stop().await;
}

#[tokio::test]
async fn a_cursor_that_cannot_be_honoured_is_named() {
    let server = Server::dev(&["--log-max-count=2"]).await;
    let ada = server.log_in("ada", "", &[]).await;
    let ids = server.publish(json!([{ "type": "a" }, { "type": "b" }, { "type": "c" }, { "type": "d" }])).await;
    let head = EventId::parse(&ids[3]).unwrap();
    let beyond = EventId { seq: head.seq + 1, ..head }.text();
    for (cursor, gap) in [
        ("dead.4", Gap::Epoch),
        (&ids[0], Gap::Trimmed),
        (&beyond, Gap::Unknown),
        ("%00", Gap::Unknown),
        ("", Gap::First),
    ] {
        let stream = ada.stream(&format!("&lastEventId={cursor}")).await;
        assert_eq!((stream.hello.gap, stream.hello.after), (gap, head), "{cursor}");
    }
    let mut stream = ada.stream(&format!("&lastEventId={}", ids[1])).await;
    assert_eq!(stream.hello.gap, Gap::None);
    assert_eq!(stream.types_until("d").await, ["c", "d"]);
    assert_eq!(server.metric("tinysse_resyncs_total{gap=\"unknown\"}").await, 2.0);
    assert_eq!(server.metric("tinysse_resyncs_total{gap=\"trimmed\"}").await, 1.0);
    server.stop().await;
}

#[tokio::test]
async fn nobody_sees_what_is_not_for_him_live_or_on_replay() {
    let server = Server::dev(&[]).await;
    let (ada, bob) = (server.log_in("ada", "admin", &["ops"]).await, server.log_in("bob", "user", &[]).await);
    let (mut ada_live, mut bob_live) = (ada.stream("").await, bob.stream("").await);
    let start = ada_live.hello.after.text();
    server
        .publish(json!([
            { "type": "ada", "to": "user:ada" },
            { "type": "admin", "to": ["role:admin"] },
            { "type": "ops", "to": "channel:ops" },
            { "type": "either", "to": ["user:bob", "user:ada"] },
            { "type": "bob", "to": "user:bob" },
            { "type": "end" },
        ]))
        .await;
    let (for_ada, for_bob) = (["ada", "admin", "ops", "either", "end"], ["either", "bob", "end"]);
    assert_eq!(ada_live.types_until("end").await, for_ada);
    assert_eq!(bob_live.types_until("end").await, for_bob);
    let cursor = format!("&lastEventId={start}");
    assert_eq!(ada.stream(&cursor).await.types_until("end").await, for_ada);
    assert_eq!(bob.stream(&cursor).await.types_until("end").await, for_bob);
    server.stop().await;
}

#[tokio::test]
async fn a_stream_gets_the_types_it_asked_for() {
    let server = Server::dev(&[]).await;
    let ada = server.log_in("ada", "", &[]).await;
    let mut picky = ada.stream("&types=projects,compute.*").await;
    let mut tab = ada.stream("&types=").await;
    let except = json!({ "type": "compute.a", "except": tab.hello.client });
    server.publish(json!([{ "type": "images" }, { "type": "compute" }, except, { "type": "projects" }])).await;
    assert_eq!(picky.types_until("projects").await, ["compute.a", "projects"]);
    assert_eq!(tab.types_until("projects").await, ["images", "compute", "projects"]);
    for bad in ["a*b", "a,,b", "*.a"] {
        let path = format!("/events?token={}&types={bad}", ada.token().await);
        refused(server.get(&path), 400, "bad_types").await;
    }
    let many = vec!["a"; 65].join(",");
    refused(server.get(&format!("/events?token={}&types={many}", ada.token().await)), 400, "bad_types").await;
    server.stop().await;
}

#[tokio::test]
async fn a_full_server_sends_clients_away_with_a_time_to_come_back() {
    let server = Server::dev(&["--max-streams=1"]).await;
    let ada = server.log_in("ada", "", &[]).await;
    let open = ada.stream("").await;
    // A native EventSource takes a 503 for final, so it gets a stream with a bye.
    let token = ada.token().await;
    let mut shed = Stream::raw(server.get(&format!("/events?token={token}"))).await;
    assert_eq!(shed.bye().await, "drain");
    assert!(shed.retries[0] >= 2_500, "{:?}", shed.retries);
    let response = server.get("/events").bearer_auth(&token).send().await.unwrap();
    assert_eq!(response.status(), 503);
    assert!(response.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 3);
    drop(open);
    let server = &server;
    crate::support::until("room again", || async { server.metric("tinysse_streams_open").await == 0.0 }).await;
    ada.stream("").await;
    assert_eq!(server.metric("tinysse_streams_shed_total").await, 2.0);
}

#[tokio::test]
async fn wrong_addresses_and_methods_are_problems() {
    let server = Server::dev(&[]).await;
    refused(server.get("/nothing"), 404, "not_found").await;
    refused(server.get("/api/nothing"), 404, "not_found").await;
    refused(server.post("/events", &json!({})), 405, "method_not_allowed").await;
    refused(server.get("/events?token=a&token=b"), 400, "bad_query").await;
    assert_eq!(server.get("/healthz").send().await.unwrap().status(), 200);
    assert_eq!(server.get("/readyz").send().await.unwrap().status(), 200);
    server.stop().await;
}
