//! Spans, as a collector gets them.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, routing::post};
use reqwest::Client;
use tokio::net::TcpListener;

use crate::lifecycle::{Child, stream};

#[tokio::test]
async fn a_collector_gets_paths_and_statuses_and_no_token() {
    let got = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&got);
    let routes = Router::new()
        .route("/v1/traces", post(move |body: Bytes| async move { keep.lock().unwrap().extend_from_slice(&body) }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let flag = format!("--otlp=http://{}/v1/traces", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let admin = "an-admin-key-that-nobody-sends";
    let server = Child::server(&["--dev", "--log=debug", &flag, &format!("--admin-key={admin}")]).await;
    let (mut open, token) = stream(&server.url).await;
    let http = Client::new();
    for path in ["/events?token=", "/nowhere?token=", "/clients?token="] {
        let ask = http.get(format!("{}{path}{token}x", server.url)).bearer_auth(admin);
        ask.send().await.unwrap();
    }
    server.signal("-TERM").await;
    open.bye().await;
    let (code, log) = server.end().await;
    assert_eq!(code, Some(0), "{log}");
    // What waits is sent before the process ends.
    let got = String::from_utf8_lossy(&got.lock().unwrap()).into_owned();
    for shown in ["tinysse-server", "url.path", "/events", "/nowhere", "/auth/sse-token", "http.response.status_code"] {
        assert!(got.contains(shown), "{shown} in {got:?}");
    }
    let signature = token.rsplit_once('.').unwrap().1;
    for hidden in [signature, admin, "token="] {
        assert!(!got.contains(hidden) && !log.contains(hidden), "{hidden} in {got:?} or {log}");
    }
    assert!(!log.contains("tinysse::span"), "the log has a line for each request already: {log}");
}
