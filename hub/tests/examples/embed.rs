//! The app of `examples/embed.rs`, over real sockets: served by the hub, and by axum's own server.

use std::net::SocketAddr;

use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use tinysse_hub::{embed::Hub, settings::Settings, values::Span};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle, time::timeout};

use crate::support::{BOUND, Stream, body_of, refused, until};

#[allow(dead_code)]
#[path = "../../examples/embed.rs"]
mod example;

struct App {
    url: String,
    hub: Hub,
    http: Client,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl App {
    async fn start(settings: Settings, by_axum: bool) -> Self {
        let hub = Hub::start(settings).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel();
        let (routes, served) = (example::app(&hub), hub.clone());
        let task = tokio::spawn(async move {
            if by_axum {
                let drained = served.clone();
                let stop = async move {
                    drop(stopped.await);
                    drained.drain().await;
                };
                let routes = routes.into_make_service_with_connect_info::<SocketAddr>();
                axum::serve(listener, routes).with_graceful_shutdown(stop).await.unwrap();
                served.close().await;
            } else {
                served.serve(listener, routes, async { drop(stopped.await) }).await;
            }
        });
        Self { url, hub, http: Client::new(), stop, task }
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.url))
    }

    fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        let request = self.http.post(format!("{}{path}", self.url));
        request.header("content-type", "application/json").body(body.to_string())
    }

    /// The cookie of a login.
    async fn log_in(&self, user: &str) -> String {
        let response = self.post("/login", &json!({ "user": user })).send().await.unwrap();
        response.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
    }

    async fn stream(&self, cookie: &str, user: &str) -> Stream {
        let answer = self.post("/auth/sse-token", &json!({})).header("cookie", cookie).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), &answer.headers()["cache-control"]), (200, &"no-store".parse().unwrap()));
        let token = body_of(answer).await;
        assert_eq!((&token["expires_in"], &token["user"]), (&json!(60), &json!(user)));
        Stream::open(self.get("/events").bearer_auth(token["token"].as_str().unwrap())).await
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        timeout(BOUND, self.task).await.expect("it stops").unwrap();
    }
}

fn settings() -> Settings {
    let mut settings = example::settings();
    settings.stream.drain_window = Span::of_ms(100);
    settings.log.linger_ms = 50;
    settings
}

#[tokio::test]
async fn an_app_of_its_own_is_live() {
    for by_axum in [false, true] {
        let app = App::start(settings(), by_axum).await;
        let (ada, bob) = (app.log_in("ada").await, app.log_in("bob").await);
        let (mut adas, mut bobs) = (app.stream(&ada, "ada").await, app.stream(&bob, "bob").await);
        let write = app.post("/notes", &json!("buy milk")).header("cookie", &ada).header("x-tinysse-origin", "tab-1");
        let answer = write.send().await.unwrap();
        assert_eq!(answer.status(), 201);
        let cursor = answer.headers()["tinysse-cursor"].to_str().unwrap().to_owned();
        let expected = json!({ "data": { "by": "ada", "text": "buy milk" }, "broadcast": ["notes"] });
        assert_eq!(body_of(answer).await, expected);
        let frame = adas.update().await;
        assert_eq!((frame.event.as_str(), frame.id), ("notes", cursor));
        assert_eq!(serde_json::from_str::<Value>(&frame.data).unwrap()["origin"], "tab-1");
        // The note was Ada's business; what comes next for Bob is the login of a third.
        app.log_in("eve").await;
        assert_eq!((bobs.update().await.event.as_str(), adas.update().await.event.as_str()), ("people", "people"));
        let listed = app.get("/notes").header("cookie", &bob).send().await.unwrap();
        assert_eq!(body_of(listed).await, json!({ "data": [] }));
        app.hub.publish("direct").await.unwrap();
        assert_eq!(bobs.update().await.event, "direct");
        // The logout ends this login's streams and no other.
        let out = app.post("/logout", &json!({})).header("cookie", &ada).send().await.unwrap();
        assert_eq!(out.status(), 204);
        assert_eq!(adas.bye().await, "revoked");
        assert_eq!(app.post("/auth/sse-token", &json!({})).header("cookie", &ada).send().await.unwrap().status(), 401);
        app.stop().await;
        assert_eq!(bobs.bye().await, "drain", "by axum: {by_axum}");
    }
}

#[tokio::test]
async fn a_login_over_another_ends_the_streams_of_the_former_one() {
    let app = App::start(settings(), false).await;
    let (ada, elsewhere) = (app.log_in("ada").await, app.log_in("ada").await);
    let (mut ends, mut goes_on) = (app.stream(&ada, "ada").await, app.stream(&elsewhere, "ada").await);
    let answer = app.post("/login", &json!({ "user": "bob" })).header("cookie", &ada).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(ends.bye().await, "revoked");
    assert_eq!(app.post("/auth/sse-token", &json!({})).header("cookie", &ada).send().await.unwrap().status(), 401);
    assert_eq!(goes_on.update().await.event, "people");
    app.stop().await;
}

#[tokio::test]
async fn no_route_of_the_hub_is_in_the_way_and_nothing_opens_without_a_token() {
    let app = App::start(settings(), false).await;
    refused(app.get("/events"), 401, "token_missing").await;
    refused(app.get("/events").bearer_auth("eve"), 401, "token_invalid").await;
    // Services cannot publish without a key, and the 404 is the app's own.
    for path in ["/publish", "/revoke", "/auth/login", "/api/projects", "/dev/notify", "/metrics"] {
        let answer = app.post(path, &json!({})).bearer_auth("dev-publish-key").send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.content_length()), (404, Some(0)), "{path}");
    }
    app.stop().await;
    let (key, mut with_key) = ("the-publish-key-of-this-app".to_owned(), settings());
    with_key.auth.publish_key = Some(key.clone().into());
    let app = App::start(with_key, false).await;
    let mut stream = app.stream(&app.log_in("ada").await, "ada").await;
    assert_eq!(app.post("/publish", &json!({ "type": "a" })).bearer_auth(key).send().await.unwrap().status(), 200);
    assert_eq!(stream.update().await.event, "a");
    app.stop().await;
}

#[tokio::test]
async fn one_user_and_one_address_have_their_share() {
    let mut limits = settings();
    limits.auth.token_rate = "2/h".parse().unwrap();
    limits.http.connect_rate_address = "1/h".parse().unwrap();
    // Without proxies, this machine is an address like any other.
    limits.http.trusted_proxies = vec!["192.0.2.0/24".parse().unwrap()];
    for by_axum in [false, true] {
        let app = App::start(limits.clone(), by_axum).await;
        let ada = app.log_in("ada").await;
        let stream = app.stream(&ada, "ada").await;
        let token = body_of(app.post("/auth/sse-token", &json!({})).header("cookie", &ada).send().await.unwrap()).await;
        let again = app.get("/events").bearer_auth(token["token"].as_str().unwrap());
        refused(again, 429, "too_many_requests").await;
        refused(app.post("/auth/sse-token", &json!({})).header("cookie", &ada), 429, "too_many_requests").await;
        drop(stream);
        let hub = app.hub.clone();
        until("the stream is gone", || async { hub.app().services.streams.count() == 0 }).await;
        app.stop().await;
    }
}

#[tokio::test]
async fn what_runs_in_the_background_ends_with_the_last_handle() {
    let hub = Hub::start(settings()).unwrap();
    let (app, routes) = (std::sync::Arc::downgrade(hub.app()), hub.router::<()>());
    drop(hub);
    assert!(app.upgrade().is_some(), "its routes keep it");
    drop(routes);
    until("gone", || async { app.upgrade().is_none() }).await;
}
