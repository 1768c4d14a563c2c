//! Tests of the routes that exist with `--dev` only.

use serde_json::json;

use crate::{
    stream_bytes::{ask, read_until},
    support::{Server, body_of, refused, until},
};

#[tokio::test]
async fn without_dev_there_is_no_door_for_trying_out() {
    let server = Server::start(&["--publish-key=a-publish-key-of-tests"]).await;
    for path in ["/auth/login", "/dev/expire", "/dev/cut", "/dev/notify"] {
        refused(server.post(path, &json!({ "user": "ada" })), 404, "not_found").await;
    }
    // Nor are the built-in key and secret good for anything.
    refused(server.publishing(&json!({ "type": "a" })), 401, "unauthenticated").await;
    let ours = server.post("/publish", &json!({ "type": "a" })).bearer_auth("a-publish-key-of-tests");
    assert_eq!(ours.send().await.unwrap().status(), 200);
    server.stop().await;
}

#[tokio::test]
async fn without_a_publish_key_nobody_publishes() {
    let server = Server::start(&[]).await;
    refused(server.publishing(&json!({ "type": "a" })), 401, "unauthenticated").await;
    refused(server.post("/publish", &json!({ "type": "a" })).bearer_auth(""), 401, "unauthenticated").await;
    server.stop().await;
}

#[tokio::test]
async fn an_expired_token_is_refused_and_its_stream_goes_on() {
    let server = Server::dev(&[]).await;
    let (ada, eve) = (server.log_in("ada", "", &[]).await, server.log_in("eve", "", &[]).await);
    let token = ada.token().await;
    let mut stream = crate::support::Stream::open(server.get(&format!("/events?token={token}"))).await;
    let which = json!({ "client": stream.hello.client });
    refused(eve.post("/dev/expire", &which), 404, "not_found").await;
    refused(server.post("/dev/expire", &which), 401, "unauthenticated").await;
    refused(ada.post("/dev/expire", &json!({ "client": "x" })), 404, "not_found").await;
    assert_eq!(ada.post("/dev/expire", &which).send().await.unwrap().status(), 200);
    refused(server.get(&format!("/events?token={token}")), 401, "token_expired").await;
    server.publish(json!({ "type": "a" })).await;
    assert_eq!(stream.update().await.event, "a");
    server.stop().await;
}

#[tokio::test]
async fn a_cut_stream_breaks_without_an_end() {
    let server = Server::dev(&[]).await;
    let (ada, eve) = (server.log_in("ada", "", &[]).await, server.log_in("eve", "", &[]).await);
    let mut stream = ada.stream("").await;
    let which = json!({ "client": stream.hello.client });
    refused(eve.post("/dev/cut", &which), 404, "not_found").await;
    assert_eq!(ada.post("/dev/cut", &which).send().await.unwrap().status(), 200);
    assert_eq!(stream.next().await, None);
    let server = &server;
    until("counted as cut", || async { server.metric("tinysse_streams_closed_total{reason=\"cut\"}").await == 1.0 })
        .await;
    assert_eq!(server.metric("tinysse_streams_open").await, 0.0);
}

#[tokio::test]
async fn notify_publishes_many() {
    let server = Server::dev(&[]).await;
    let ada = server.log_in("ada", "", &[]).await;
    let mut stream = ada.stream("").await;
    let answer = ada.post("/dev/notify", &json!({ "type": "a", "count": 3 })).send().await.unwrap();
    assert_eq!(body_of(answer).await["ids"].as_array().unwrap().len(), 3);
    for n in 0..3 {
        let data: serde_json::Value = serde_json::from_str(&stream.update().await.data).unwrap();
        assert_eq!(data["data"]["n"], n);
    }
    ada.post("/dev/notify", &json!({ "type": "b", "data": [1], "to": "user:eve" })).send().await.unwrap();
    ada.post("/dev/notify", &json!({ "type": "c", "to": ["user:ada"] })).send().await.unwrap();
    assert_eq!(stream.update().await.event, "c");
    refused(ada.post("/dev/notify", &json!({ "type": "a", "count": 0 })), 400, "bad_count").await;
    refused(ada.post("/dev/notify", &json!({ "type": "tinysse.bye" })), 400, "reserved_type").await;
    refused(server.post("/dev/notify", &json!({ "type": "a" })), 401, "unauthenticated").await;
    server.stop().await;
}

/// A page of another site whose name now resolves to this machine (DNS rebinding) is same-origin
/// with it, but names its own host.
#[tokio::test]
async fn a_page_of_a_foreign_name_gets_nothing() {
    let server = Server::dev(&["--cors-origin=https://app.test"]).await;
    let token = server.log_in("ada", "", &[]).await.token().await;
    let body = json!({ "user": "ada" });
    for host in ["evil.example", "evil.example:8080", "localhost.evil.example", "192.0.2.1"] {
        refused(server.post("/auth/login", &body).header("host", host), 403, "foreign_host").await;
        refused(server.get("/projects.html").header("host", host), 403, "foreign_host").await;
        // Also by the shorter way that streams take.
        let (mut client, mut text) =
            (ask(&server, &format!("GET /events?token={token} HTTP/1.1\r\nhost: {host}\r\n\r\n")).await, String::new());
        read_until(&mut client, &mut text, "foreign_host").await;
        assert!(text.starts_with("HTTP/1.1 403 "), "{text}");
    }
    for host in ["localhost:1", "127.0.0.1", "[::1]:80", "app.localhost", "app.test"] {
        assert_eq!(
            server.post("/auth/login", &body).header("host", host).send().await.unwrap().status(),
            200,
            "{host}"
        );
    }
    server.stop().await;
    let server = Server::start(&[]).await;
    let answer = server.get("/healthz").header("host", "any.example").send().await.unwrap();
    assert_eq!(answer.status(), 200, "a server may have any name");
    server.stop().await;
}
