//! A backend that asks on behalf of its users: many of them, from one address.

use serde_json::{Value, json};
use tinysse_hub::auth::jwt::STREAM;

use crate::{
    api::{Answer, Api},
    auth::{keys, now},
    support::{File, SECRET, Server, Stream, body_of, refused, until},
};

const KEY: &str = "the-key-of-a-backend-of-the-tests";

async fn start(args: &[&str]) -> Server {
    let key = format!("--publish-key={KEY}");
    Server::start(&[&[key.as_str(), "--trusted-proxy=192.0.2.1/32"], args].concat()).await
}

fn ask(server: &Server, subject: &Value) -> reqwest::RequestBuilder {
    server.post("/auth/sse-token", subject).bearer_auth(KEY)
}

#[tokio::test]
async fn a_backend_gets_tokens_for_its_users_and_each_of_them_has_a_share() {
    let server = start(&["--token-rate=2/h", "--token-rate-address=3/h"]).await;
    // More than the address may ask for.
    for n in 0..50 {
        let answer = ask(&server, &json!({ "user": format!("user{n}") })).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["cache-control"], "no-store");
    }
    let ada = json!({ "user": "ada", "role": "admin", "channels": ["ops.>"], "session": "login-7" });
    let answer = body_of(ask(&server, &ada).send().await.unwrap()).await;
    assert_eq!((&answer["user"], &answer["expires_in"]), (&json!("ada"), &json!(60)));
    let token = answer["token"].as_str().unwrap();
    let claims = keys(SECRET).check(token, STREAM, now() * 1_000).unwrap();
    assert_eq!((claims.sub.as_str(), claims.role.as_str(), claims.sid.as_str()), ("ada", "admin", "login-7"));
    assert_eq!(claims.channels, ["ops.>"]);
    let mut stream = Stream::open(server.get("/events").bearer_auth(token)).await;
    // What is optional may be null.
    ask(&server, &json!({ "user": "ada", "role": null, "channels": null, "session": null })).send().await.unwrap();
    // The third one of this user, and nobody else's.
    let answer = ask(&server, &ada).send().await.unwrap();
    assert!(answer.headers().contains_key("retry-after"));
    assert_eq!(answer.status(), 429);
    assert_eq!(ask(&server, &json!({ "user": "bob" })).send().await.unwrap().status(), 200);
    // Its login ends there, and with it the stream here.
    let revoked = server.post("/revoke", &json!({ "jti": "login-7" })).bearer_auth(KEY).send().await.unwrap();
    assert_eq!(body_of(revoked).await, json!({ "closed": 1 }));
    assert_eq!(stream.bye().await, "revoked");
    refused(ask(&server, &json!({ "user": "eve", "session": "login-7" })), 403, "forbidden").await;
    server.stop().await;
}

#[tokio::test]
async fn a_name_that_is_refused_takes_no_share() {
    let server = start(&["--token-rate=2/h"]).await;
    let long = "x".repeat(1 << 18);
    for _ in 0..4 {
        refused(ask(&server, &json!({ "user": long })), 422, "bad_name").await;
    }
    server.stop().await;
}

#[tokio::test]
async fn who_has_no_key_is_limited_by_address_and_asks_for_nobody() {
    let server = start(&["--token-rate-address=3/h"]).await;
    let ada = json!({ "user": "ada" });
    refused(server.post("/auth/sse-token", &ada), 401, "unauthenticated").await;
    for _ in 0..2 {
        refused(
            server.post("/auth/sse-token", &ada).bearer_auth("another-key-that-is-guessed"),
            401,
            "unauthenticated",
        )
        .await;
    }
    refused(server.post("/auth/sse-token", &ada).bearer_auth("another-key-that-is-guessed"), 429, "too_many_requests")
        .await;
    for (body, status, code) in [
        (json!({}), 400, "bad_json"),
        (json!({ "user": "ada", "admin": true }), 400, "bad_json"),
        (json!({ "user": "" }), 422, "bad_name"),
        (json!({ "user": "ada\nbob" }), 422, "bad_name"),
        (json!({ "user": "ada", "role": "a\u{0}" }), 422, "bad_name"),
        (json!({ "user": "ada", "channels": ["a", "b\t"] }), 422, "bad_name"),
        (json!({ "user": "ada", "session": "x".repeat(256) }), 422, "bad_name"),
        (json!({ "user": "ada", "channels": vec!["x".repeat(200); 100] }), 422, "bad_name"),
    ] {
        refused(ask(&server, &body), status, code).await;
    }
    let form = server.request(reqwest::Method::POST, "/auth/sse-token").bearer_auth(KEY).body("user=ada");
    refused(form, 415, "unsupported_media_type").await;
    server.stop().await;
}

#[tokio::test]
async fn a_service_reads_what_users_read() {
    let api = Api::start(Answer::json(7)).await;
    let text = format!("[[poll]]\ntype = 'load'\nurl = '{}'\nevery = '20ms'\naudience = 'role:crew'\n", api.url);
    let file = File::new("backends.toml", &text);
    let server = start(&[&format!("--config={}", file.path())]).await;
    let crew = json!({ "user": "ada", "role": "crew" });
    let token = body_of(ask(&server, &crew).send().await.unwrap()).await["token"].as_str().unwrap().to_owned();
    let _stream = Stream::open(server.get("/events").bearer_auth(&token)).await;
    until("it is polled", || async {
        let answer = server.get("/api/polls/load").bearer_auth(KEY).send().await.unwrap();
        answer.status() == 200 && body_of(answer).await["data"] == 7
    })
    .await;
    for path in ["/api/projects", "/api/compute", "/cursor"] {
        assert_eq!(server.get(path).bearer_auth(KEY).send().await.unwrap().status(), 200, "{path}");
        refused(server.get(path).bearer_auth("another-key-that-is-guessed"), 401, "unauthenticated").await;
    }
    refused(server.get("/api/polls/other").bearer_auth(KEY), 404, "not_found").await;
    refused(server.get("/api/polls/load"), 401, "unauthenticated").await;
    server.stop().await;
}
