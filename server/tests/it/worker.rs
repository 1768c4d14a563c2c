//! The pollers, against a server whose value advances by itself.

use serde_json::{Value, json};

use crate::support::{File, Server, User, body_of, refused, until};

async fn progress(user: &User<'_>) -> Value {
    body_of(user.get("/api/progress").send().await.unwrap()).await
}

/// Starts a server whose value advances every this many milliseconds.
async fn progress_api(every_ms: u64) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let routes = progress_api::routes(std::time::Duration::from_millis(every_ms));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    url
}

async fn fail(upstream: &str, span: &str) {
    let request = reqwest::Client::new().post(format!("{upstream}/fail"));
    let response = request.header("content-type", "application/json").body(json!({ "for": span }).to_string()).send();
    assert_eq!(response.await.unwrap().status(), 204);
}

#[tokio::test]
async fn a_change_is_told_and_the_value_served() {
    let upstream = progress_api(50).await;
    let poll = format!("--poll=progress={upstream}/state");
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
    let upstream = progress_api(3_600_000).await;
    let url = format!("{upstream}/state");
    let text = format!("[[poll]]\ntype = 'progress'\nurl = '{url}'\nevery = '20ms'\nmax-stale = '3s'\n");
    let file = File::new("outage.toml", &format!("{text}[[poll]]\ntype = 'broken'\nurl = 'http://127.0.0.1:1/'\n"));
    let server = Server::dev(&[&format!("--config={}", file.path())]).await;
    let ada = server.log_in("ada", "", &[]).await;
    let ada = &ada;
    assert_eq!(progress(ada).await, json!({ "data": null, "stale": true, "ageMs": null }));
    let mut stream = ada.stream("").await;
    assert_eq!(stream.update().await.event, "progress");
    let good = progress(ada).await;
    assert_eq!(good["stale"], false);
    fail(&upstream, "1h").await;
    until("failed", || async { server.metric("tinysse_poll_failures_in_a_row{type=\"progress\"}").await >= 1.0 }).await;
    // That it grew stale is published too: an open page shows it.
    assert_eq!(stream.update().await.event, "progress");
    let stale = progress(ada).await;
    assert_eq!((&stale["stale"], &stale["data"]), (&json!(true), &good["data"]));
    assert!(stale["ageMs"].as_u64().unwrap() > 3_000);
    assert!(server.metric("tinysse_poll_age_seconds{type=\"progress\"}").await > 3.0);
    fail(&upstream, "0ms").await;
    assert_eq!(stream.update().await.event, "progress");
    let fresh = progress(ada).await;
    assert_eq!((&fresh["stale"], &fresh["data"]), (&json!(false), &good["data"]));
    assert_eq!(server.metric("tinysse_updates_total{type=\"progress\"}").await, 3.0);
    assert!(server.metric("tinysse_polls_total{type=\"progress\",outcome=\"failed\"}").await >= 1.0);
    let broken = body_of(ada.get("/api/polls/broken").send().await.unwrap()).await;
    assert_eq!(broken, json!({ "data": null, "stale": true, "ageMs": null }));
    server.stop().await;
}
