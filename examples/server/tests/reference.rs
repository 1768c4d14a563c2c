//! The reference server over real HTTP: what a browser, a service and a polled server do with it.
#![allow(missing_docs, clippy::unwrap_used)]

use std::time::Duration;

use reqwest::{Client, Response};
use serde_json::{Value, json};
use tinysse_hub::{app::App, serve::bind};
use tinysse_server::config::{Config, DEV_PUBLISH_KEY};
use tokio::time::timeout;

/// Starts the server with `--dev` and returns its address; it ends with the test.
async fn start(flags: &[&str]) -> String {
    let fixed = ["reference-server", "serve", "--dev", "--memory", "--listen=127.0.0.1:0"];
    let config = Config::from_args(fixed.iter().chain(flags)).unwrap();
    let listener = bind(config.listen).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = App::new(config).unwrap();
    let routes = tinysse_reference::routes(&app.services);
    tokio::spawn(async move { app.serve_with(routes, listener, std::future::pending()).await });
    url
}

/// A user who is logged in.
struct Ada {
    http: Client,
    url: String,
    cookie: String,
}

impl Ada {
    async fn log_in(url: &str) -> Self {
        let http = Client::new();
        let body = json!({ "user": "ada" }).to_string();
        let login = http.post(format!("{url}/auth/login")).header("content-type", "application/json").body(body);
        let answer = login.send().await.unwrap();
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        Self { http, url: url.to_owned(), cookie }
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Response {
        let request = self.http.request(method.parse().unwrap(), format!("{}{path}", self.url));
        let request = request.header("cookie", &self.cookie).header("content-type", "application/json");
        request.body(body.to_string()).send().await.unwrap()
    }

    async fn json(&self, method: &str, path: &str, body: Value) -> Value {
        serde_json::from_str(&self.send(method, path, body).await.text().await.unwrap()).unwrap()
    }

    /// Opens a stream, behind `cursor` if that is not empty.
    async fn stream(&self, cursor: &str) -> Stream {
        let token = self.json("POST", "/auth/sse-token", json!({})).await["token"].as_str().unwrap().to_owned();
        let request = self.http.get(format!("{}/events?token={token}&lastEventId={cursor}", self.url));
        let mut stream = Stream { response: request.send().await.unwrap(), text: String::new() };
        stream.until("event: tinysse.hello").await;
        stream
    }
}

struct Stream {
    response: Response,
    text: String,
}

impl Stream {
    /// Reads until a whole frame has this text; returns the id of the frame.
    async fn until(&mut self, part: &str) -> String {
        let read = async {
            loop {
                let whole = self.text.rsplit_once("\n\n").map_or("", |(whole, _)| whole);
                let frame = whole.split("\n\n").find(|frame| frame.contains(part)).map(str::to_owned);
                if let Some(frame) = frame {
                    return frame.lines().find_map(|line| line.strip_prefix("id: ")).unwrap_or_default().to_owned();
                }
                let chunk = self.response.chunk().await.unwrap().expect("the stream is open");
                self.text.push_str(std::str::from_utf8(&chunk).unwrap());
            }
        };
        timeout(Duration::from_secs(60), read).await.expect(part)
    }
}

#[tokio::test]
async fn a_change_reaches_the_stream_and_is_replayed() {
    let ada = Ada::log_in(&start(&[]).await).await;
    let mut stream = ada.stream("").await;
    let made = ada.json("POST", "/api/projects", json!({ "name": "Vostok" })).await["data"].take();
    assert_eq!((made["name"].as_str(), made["by"].as_str()), (Some("Vostok"), Some("ada")));
    let cursor = stream.until("event: projects").await;
    drop(stream);
    assert_eq!(ada.send("PATCH", "/api/compute/i1", json!({ "state": "stopped" })).await.status(), 200);
    let mut again = ada.stream(&cursor).await;
    again.until("event: compute").await;
    assert!(!again.text.contains("event: projects"), "{}", again.text);
    let listed = ada.json("GET", "/api/projects", json!({})).await;
    assert_eq!(listed["data"].as_array().unwrap().last(), Some(&made));
    assert_eq!(ada.send("DELETE", "/api/projects/p99", json!({})).await.status(), 404);
}

#[tokio::test]
async fn a_webhook_notifies_outside_of_a_users_request() {
    let url = start(&[]).await;
    let ada = Ada::log_in(&url).await;
    let mut stream = ada.stream("").await;
    assert_eq!(ada.send("POST", "/api/compute/changed", json!({})).await.status(), 401, "a user is not a service");
    let request = ada.http.post(format!("{url}/api/compute/changed")).bearer_auth(DEV_PUBLISH_KEY);
    assert_eq!(request.send().await.unwrap().status(), 202);
    stream.until("event: compute").await;
}

#[tokio::test]
async fn a_poller_publishes_what_changed_and_its_value_is_served() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = format!("http://{}", listener.local_addr().unwrap());
    let state = axum::routing::get(|| async { axum::Json(json!({ "percent": 42 })) });
    let routes = axum::Router::new().route("/state", state);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let url = start(&[&format!("--poll=progress={upstream}/state"), "--poll-every=20ms"]).await;
    let ada = Ada::log_in(&url).await;
    ada.stream("").await.until("event: progress").await;
    let value = ada.json("GET", "/api/progress", json!({})).await;
    assert_eq!((value["data"]["percent"].as_u64(), value["stale"].as_bool()), (Some(42), Some(false)));
    assert_eq!(ada.json("GET", "/api/polls/progress", json!({})).await["data"], value["data"]);
    assert_eq!(ada.send("GET", "/api/polls/weather", json!({})).await.status(), 404);
}
