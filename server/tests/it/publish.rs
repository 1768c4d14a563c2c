//! Tests of `POST /publish`.

use serde_json::{Value, json};
use tinysse::proto::wire::{Frame, control::Gap};
use tinysse_hub::hub::Update;

use crate::support::{Server, body_of, refused};

#[tokio::test]
async fn only_services_publish() {
    let server = Server::dev(&[]).await;
    let ada = server.log_in("ada", "admin", &[]).await;
    let body = json!({ "type": "a" });
    refused(server.post("/publish", &body), 401, "unauthenticated").await;
    refused(server.post("/publish", &body).bearer_auth("wrong"), 401, "unauthenticated").await;
    refused(server.post("/publish", &body).bearer_auth("dev-publish-key2"), 401, "unauthenticated").await;
    refused(ada.post("/publish", &body), 401, "unauthenticated").await;
    refused(server.post("/publish", &body).bearer_auth(ada.token().await), 401, "unauthenticated").await;
    assert_eq!(server.publish(body).await.len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn the_body_is_judged_before_anything_is_published() {
    let server = Server::dev(&[]).await;
    let publish = |body: &str| server.publishing(&Value::Null).body(body.to_owned());
    for bad in [
        "",
        "{",
        "[1]",
        "{\"type\":1}",
        "{}",
        "{\"type\":\"a\",\"tpye\":1}",
        "[{\"type\":\"a\"},{}]",
        "{\"type\":\"a\"} x",
    ] {
        refused(publish(bad), 400, "bad_json").await;
    }
    // As JSON escapes: CR, LF, NUL, and what else a type may not have.
    for bad in ["a\\r\\nid: 9", "a\\n", "\\r", "a\\u0000", "", "a b", "a/b", "\\u00e9", "*", "compute.*"] {
        refused(publish(&format!("{{\"type\":\"{bad}\"}}")), 400, "bad_type").await;
    }
    refused(publish(&format!("{{\"type\":\"{}\"}}", "x".repeat(129))), 400, "bad_type").await;
    for reserved in ["tinysse.hello", "tinysse.resync", "tinysse.", "tinysse.mine"] {
        refused(publish(&format!("{{\"type\":\"{reserved}\"}}")), 400, "reserved_type").await;
    }
    for bad in ["\"everybody\"", "\"user:\"", "[]", "[\"all\",\"x\"]", "\"user:a\\nb\""] {
        refused(publish(&format!("{{\"type\":\"a\",\"to\":{bad}}}")), 400, "bad_audience").await;
    }
    refused(publish(&json!({ "type": "a", "key": "x".repeat(256) }).to_string()), 400, "bad_field").await;
    let many: Vec<_> = (0..1_001).map(|_| json!({ "type": "a" })).collect();
    refused(server.publishing(&Value::from(many)), 400, "too_many").await;
    // One that is wrong keeps the others out.
    refused(server.publishing(&json!([{ "type": "a" }, { "type": "tinysse.a" }])), 400, "reserved_type").await;
    assert!(server.publish(json!({ "type": "first" })).await[0].ends_with(".1"));
    server.stop().await;
}

#[tokio::test]
async fn size_and_form_of_bodies_are_bounded() {
    let server = Server::dev(&["--log-max-bytes=65536"]).await;
    let large = |bytes: usize| json!({ "type": "a", "data": "x".repeat(bytes) });
    refused(server.publishing(&large(1 << 20)), 413, "body_too_large").await;
    refused(server.publishing(&large(100_000)), 413, "update_too_large").await;
    let form = server.publishing(&large(1)).header("content-type", "text/plain");
    // reqwest keeps both headers; the first one counts.
    drop(form);
    let plain =
        server.request(reqwest::Method::POST, "/publish").bearer_auth("dev-publish-key").body("{\"type\":\"a\"}");
    refused(plain, 415, "unsupported_media_type").await;
    assert_eq!(server.publish(large(60_000)).await.len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn every_field_reaches_the_client_as_it_was_written() {
    let server = Server::dev(&[]).await;
    let ada = server.log_in("ada", "", &[]).await;
    let mut stream = ada.stream("").await;
    let body = "{\"type\":\"a.b\",\r\n\"data\":{\r\n \"n\": 12345678901234567890123,\n \"s\":\"\\r\\n\\u0000\u{2028}\"},\"key\":\"k\\n\",\"origin\":\"tab\\rid: 7\"}";
    let response = server.publishing(&Value::Null).body(body).send().await.unwrap();
    let id = body_of(response).await["ids"][0].as_str().unwrap().to_owned();
    let frame = stream.update().await;
    assert_eq!((frame.event.as_str(), frame.id), ("a.b", id));
    assert!(frame.data.contains("12345678901234567890123"), "{}", frame.data);
    let data: Value = serde_json::from_str(&frame.data).unwrap();
    assert_eq!(data["data"]["s"], "\r\n\u{0}\u{2028}");
    assert_eq!((data["key"].as_str(), data["origin"].as_str()), (Some("k\n"), Some("tab\rid: 7")));
    assert!(data["at"].as_u64().unwrap() > 1_700_000_000_000);
    server.publish(json!({ "type": "bare" })).await;
    let bare: Value = serde_json::from_str(&stream.update().await.data).unwrap();
    assert_eq!(bare.as_object().unwrap().keys().collect::<Vec<_>>(), ["at"]);
    server.stop().await;
}

#[tokio::test]
async fn the_same_key_publishes_once() {
    let server = Server::dev(&[]).await;
    let publish = |body: Value, key: &str| server.publishing(&body).header("idempotency-key", key);
    let send = async |body: Value, key: &str| body_of(publish(body, key).send().await.unwrap()).await["ids"][0].clone();
    let first = send(json!({ "type": "a" }), "one").await;
    assert_eq!(send(json!({ "type": "a" }), "one").await, first);
    refused(publish(json!({ "type": "b" }), "one"), 422, "idempotency_mismatch").await;
    assert_ne!(send(json!({ "type": "a" }), "two").await, first);
    // What was refused may be tried again under the same key.
    refused(publish(json!({ "type": "tinysse.a" }), "three"), 400, "reserved_type").await;
    assert!(send(json!({ "type": "a" }), "three").await.as_str().unwrap().ends_with(".3"));
    refused(publish(json!({ "type": "a" }), &"x".repeat(256)), 400, "bad_idempotency_key").await;
    // At the same time, too.
    let (a, b) = tokio::join!(send(json!({ "type": "a" }), "four"), send(json!({ "type": "a" }), "four"));
    assert_eq!(a, b);
    assert!(server.publish(json!({ "type": "z" })).await[0].ends_with(".5"));
    server.stop().await;
}

#[tokio::test]
async fn windows_coalesce_and_keep_the_last() {
    let server = Server::dev(&["--batch=projects=300ms", "--batch=compute.*=300ms"]).await;
    let mut feed = server.app.services.updates.subscribe();
    let updates = &server.app.services.updates;
    let mut passed = 0;
    for _ in 0..100 {
        passed += usize::from(updates.notify("projects").await.unwrap().is_some());
    }
    assert!(passed < 50, "{passed} of 100 passed at once");
    assert!(updates.notify("images").await.unwrap().is_some() && updates.notify("images").await.unwrap().is_some());
    assert!(updates.notify("tinysse.x").await.is_err());
    let mut projects = 0;
    loop {
        let notice = feed.recv().await.unwrap();
        projects += usize::from(notice.update.kind == "projects");
        // The trailing one came: everything that was held is out.
        if projects == passed + 1 {
            break;
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_hundred_notifications_in_a_window_are_two_frames_and_nobody_takes_them_for_an_echo() {
    // A window that ends when the server does, so that the time the notifications take decides
    // nothing.
    let mut server = Server::dev(&["--batch=projects=60s"]).await;
    let ada = server.log_in("ada", "", &[]).await;
    let mut stream = ada.stream("").await;
    let mut other = ada.stream("&types=other").await;
    for n in 1..=100 {
        let origin = Some(format!("tab{}", n % 2));
        let update = Update { data: Some(n.to_string()), origin, ..Update::new("projects") };
        server.app.services.updates.notify_with(update).await.unwrap();
    }
    let first = stream.update().await;
    let own = Update { origin: Some("tab1".into()), ..Update::new("projects.own") };
    server.app.services.updates.notify_with(own).await.unwrap();
    assert_eq!(stream.update().await.event, "projects.own");
    server.app.services.updates.flush().await;
    let last = stream.update().await;
    let data = |frame: &Frame| serde_json::from_str::<Value>(&frame.data).unwrap();
    assert_eq!((&data(&first)["data"], &data(&first)["origin"]), (&json!(1), &json!("tab1")));
    assert_eq!((&data(&last)["data"], data(&last).get("origin")), (&json!(100), None));
    assert_eq!(server.app.services.streams.cursor().seq, 3);
    server.begin_stop();
    assert_eq!((stream.bye().await, other.bye().await), ("drain".to_owned(), "drain".to_owned()));
}

#[tokio::test]
async fn a_publisher_announces_what_it_lost() {
    let server = Server::dev(&[]).await;
    let ada = server.log_in("ada", "admin", &[]).await;
    let mut stream = ada.stream("").await;
    for bad in [json!({ "resync": [] }), json!({ "resync": vec!["a"; 1_001] })] {
        refused(server.publishing(&bad), 400, "too_many").await;
    }
    for bad in [json!({ "resync": "a" }), json!({ "resync": [1] }), json!({ "resync": null, "type": "a" })] {
        refused(server.publishing(&bad), 400, "bad_json").await;
    }
    refused(server.publishing(&json!({ "resync": ["a", "b c"] })), 400, "bad_type").await;
    refused(server.publishing(&json!({ "resync": ["tinysse.x"] })), 400, "reserved_type").await;
    refused(server.post("/publish", &json!({ "resync": null })).bearer_auth("wrong"), 401, "unauthenticated").await;

    // The types, without data, for everyone; once for each key.
    let lost = json!({ "resync": ["projects", "compute"] });
    let publish = async |body: &Value| {
        let response = server.publishing(body).header("idempotency-key", "r-1").send().await.unwrap();
        body_of(response).await["ids"].as_array().unwrap().len()
    };
    assert_eq!((publish(&lost).await, publish(&lost).await), (2, 2));
    assert_eq!([stream.update().await.event, stream.update().await.event], ["projects", "compute"]);
    // Everything.
    let response = server.publishing(&json!({ "resync": null })).send().await.unwrap();
    assert_eq!(body_of(response).await["ids"].as_array().unwrap().len(), 1);
    assert_eq!(stream.resync().await, Gap::Overflow);
    let next = server.publish(json!({ "type": "next" })).await;
    assert!(next[0].ends_with(".4"), "{next:?}");
    assert_eq!(stream.update().await.event, "next");
    server.stop().await;
}
