//! The pollers, against the other program as a real process.

use serde_json::{Value, json};

use crate::{
    lifecycle::Child,
    support::{Server, User, body_of, refused, until},
};

async fn progress(user: &User<'_>) -> Value {
    body_of(user.get("/api/progress").send().await.unwrap()).await
}

async fn fail(upstream: &Child, span: &str) {
    let request = reqwest::Client::new().post(format!("{}/fail", upstream.url));
    let response = request.header("content-type", "application/json").body(json!({ "for": span }).to_string()).send();
    assert_eq!(response.await.unwrap().status(), 204);
}

#[tokio::test]
async fn a_change_is_told_and_the_value_served() {
    let upstream = Child::progress_api(&["--every=50ms"]).await;
    let poll = format!("--poll=progress={}/state", upstream.url);
    let server = Server::dev(&[&poll, "--poll-every=20ms"]).await;
    let ada = server.log_in("ada", "", &[]).await;
    let mut stream = ada.stream("").await;
    let mut last = 0;
    for _ in 0..3 {
        assert_eq!(stream.update().await.event, "progress");
        let value = progress(&ada).await;
        assert_eq!(value["stale"], false);
        let step = value["data"]["step"].as_u64().unwrap();
        assert!(step >= last && value["data"]["label"].is_string());
        last = step;
    }
    assert_eq!(body_of(ada.get("/api/polls/progress").send().await.unwrap()).await["stale"], false);
    refused(ada.get("/api/polls/other"), 404, "not_found").await;
    refused(server.get("/api/progress"), 401, "unauthenticated").await;
    server.stop().await;
}

#[tokio::test]
async fn while_the_other_server_fails_the_last_value_goes_on() {
    // It never advances, so only its failing and its return are news.
    let upstream = Child::progress_api(&["--every=1h"]).await;
    let poll = format!("--poll=progress={}/state", upstream.url);
    let server = Server::dev(&[&poll, "--poll-every=20ms", "--poll=broken=http://127.0.0.1:1/"]).await;
    let ada = server.log_in("ada", "", &[]).await;
    let ada = &ada;
    until("a value", || async { progress(ada).await["stale"] == false }).await;
    let good = progress(ada).await["data"].clone();
    fail(&upstream, "1h").await;
    until("stale", || async { progress(ada).await["stale"] == true }).await;
    let stale = progress(ada).await;
    assert_eq!(stale["data"], good);
    assert!(server.metric("tinysse_poll_failures_total{type=\"progress\"}").await >= 1.0);
    fail(&upstream, "0ms").await;
    until("recovered", || async { progress(ada).await["stale"] == false }).await;
    assert_eq!(progress(ada).await["data"], good);
    // The first value, that it went stale, and that it did not any more: an open page shows each.
    assert_eq!(server.metric("tinysse_updates_total{type=\"progress\"}").await, 3.0);
    let broken = body_of(ada.get("/api/polls/broken").send().await.unwrap()).await;
    assert_eq!(broken, json!({ "data": null, "stale": true, "ageMs": null }));
    server.stop().await;
}
