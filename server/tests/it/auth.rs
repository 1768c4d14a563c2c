//! Tests of logins, sessions and stream tokens over HTTP.

use serde_json::json;
use tinysse_hub::{
    auth::jwt::{APP, Claims, Keys, STREAM},
    values::Secret,
};

use crate::support::{SECRET, Server, Stream, body_of, refused};

pub fn keys(secret: &str) -> Keys {
    Keys::new(&Secret::from(secret.to_owned()), "tinysse".into())
}

pub fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

pub fn claims(aud: &str) -> Claims {
    Claims {
        iss: "tinysse".into(),
        aud: aud.into(),
        sub: "ada".into(),
        role: String::new(),
        channels: vec![],
        types: None,
        generation: None,
        auth_ms: None,
        iat: now(),
        nbf: 0,
        exp: now() + 600,
        jti: "j".into(),
        sid: String::new(),
    }
}

#[tokio::test]
async fn every_refusal_of_a_token_has_its_code() {
    let server = Server::dev(&[]).await;
    let ours = keys(SECRET);
    let good = ours.sign(&claims(STREAM));
    refused(server.get("/events"), 401, "token_missing").await;
    refused(server.get("/events?token="), 401, "token_missing").await;
    let payload = good.split('.').nth(1).unwrap();
    for (why, token) in [
        ("no token", "nonsense".to_owned()),
        ("another key", keys("another-secret-of-the-tests-with-32-bytes").sign(&claims(STREAM))),
        ("another audience", ours.sign(&claims(APP))),
        ("another issuer", ours.sign(&Claims { iss: "eve".into(), ..claims(STREAM) })),
        // {"alg":"none","typ":"JWT"}
        ("alg none", format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{payload}.")),
    ] {
        let problem = refused(server.get(&format!("/events?token={token}")), 401, "token_invalid").await;
        assert!(!problem.to_string().contains(&token), "{why}");
        refused(server.get("/events").bearer_auth(&token), 401, "token_invalid").await;
    }
    let expired = ours.sign(&Claims { exp: now(), ..claims(STREAM) });
    refused(server.get(&format!("/events?token={expired}")), 401, "token_expired").await;
    Stream::open(server.get(&format!("/events?token={good}"))).await;
    // A bearer counts, also against a good token in the address: never a silent downgrade.
    Stream::open(server.get("/events?token=nonsense").bearer_auth(&good)).await;
    refused(server.get(&format!("/events?token={good}")).bearer_auth(&expired), 401, "token_expired").await;
    assert_eq!(server.metric("tinysse_auth_failures_total{code=\"token_invalid\"}").await, 10.0);
    assert_eq!(server.metric("tinysse_auth_failures_total{code=\"token_missing\"}").await, 2.0);
    server.stop().await;
}

#[tokio::test]
async fn the_login_cookie_is_out_of_reach_of_scripts_and_foreign_sites() {
    let server = Server::dev(&[]).await;
    let body = json!({ "user": "ada", "role": "admin", "channels": ["ops"] });
    let response = server.post("/auth/login", &body).send().await.unwrap();
    let cookie = response.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert_eq!(cookie.split(';').next().unwrap().split('=').next().unwrap(), "tinysse_session");
    for flag in ["; HttpOnly", "; SameSite=Lax", "; Path=/", "; Max-Age=43200"] {
        assert!(cookie.contains(flag), "{flag}");
    }
    assert_eq!(body_of(response).await, body);
    let ada = server.log_in("ada", "admin", &["ops"]).await;
    assert_eq!(body_of(ada.get("/auth/me").send().await.unwrap()).await, body);
    for bad in [json!({ "user": "" }), json!({ "user": "a\nb" }), json!({ "user": "ada", "channels": ["\u{0}"] })] {
        refused(server.post("/auth/login", &bad), 422, "bad_name").await;
    }
    refused(server.post("/auth/login", &json!({ "user": "ada", "admin": true })), 400, "bad_json").await;
    server.stop().await;
}

#[tokio::test]
async fn a_stream_token_is_for_sessions_only() {
    let server = Server::dev(&["--token-ttl=2s"]).await;
    let ours = keys(SECRET);
    let ask = || server.post("/auth/sse-token", &json!({}));
    refused(ask(), 401, "unauthenticated").await;
    refused(ask().header("cookie", "tinysse_session=nonsense"), 401, "unauthenticated").await;
    refused(ask().bearer_auth(ours.sign(&claims(STREAM))), 401, "unauthenticated").await;
    refused(ask().bearer_auth(ours.sign(&Claims { exp: now(), ..claims(APP) })), 401, "unauthenticated").await;
    // Any backend that shares the secret can issue sessions.
    let response = ask().bearer_auth(ours.sign(&claims(APP))).send().await.unwrap();
    assert_eq!(response.headers()["cache-control"], "no-store");
    let answer = body_of(response).await;
    assert_eq!((&answer["expires_in"], &answer["user"]), (&json!(2), &json!("ada")));
    let token = ours.check(answer["token"].as_str().unwrap(), STREAM, now() * 1_000).unwrap();
    assert_eq!((token.sub.as_str(), token.sid.as_str()), ("ada", "j"));
    assert!((1..=3).contains(&(token.exp - token.iat)), "{token:?}");
    server.stop().await;
}

#[tokio::test]
async fn a_revoked_user_is_out_at_once_and_may_come_back_by_a_new_login() {
    let server = Server::dev(&[]).await;
    let (ada, bob) = (server.log_in("ada", "", &[]).await, server.log_in("bob", "", &[]).await);
    let token = ada.token().await;
    let mut streams = [ada.stream("").await, ada.stream("").await];
    let mut other = bob.stream("").await;
    assert_eq!(server.revoke(json!({ "user": "ada" })).await, 2);
    for stream in &mut streams {
        assert_eq!(stream.bye().await, "revoked");
    }
    refused(server.get(&format!("/events?token={token}")), 401, "token_revoked").await;
    refused(ada.post("/auth/sse-token", &json!({})), 401, "unauthenticated").await;
    refused(ada.get("/api/projects"), 401, "unauthenticated").await;
    server.publish(json!({ "type": "a" })).await;
    assert_eq!(other.update().await.event, "a");
    server.log_in("ada", "", &[]).await.stream("").await;
    assert_eq!(server.metric("tinysse_streams_closed_total{reason=\"revoked\"}").await, 2.0);
    server.stop().await;
}

#[tokio::test]
async fn revocation_by_jti_and_by_date() {
    let server = Server::dev(&[]).await;
    let ours = keys(SECRET);
    let token = ours.sign(&Claims { jti: "one".into(), ..claims(STREAM) });
    let mut stream = Stream::open(server.get("/events").bearer_auth(&token)).await;
    let mut other = Stream::open(server.get("/events").bearer_auth(ours.sign(&claims(STREAM)))).await;
    assert_eq!(server.revoke(json!({ "jti": "one" })).await, 1);
    assert_eq!(stream.bye().await, "revoked");
    refused(server.get("/events").bearer_auth(&token), 401, "token_revoked").await;
    assert_eq!(server.revoke(json!({ "before": now() - 100 })).await, 0);
    assert_eq!(server.revoke(json!({ "before": now() + 100 })).await, 1);
    assert_eq!(other.bye().await, "revoked");
    for bad in [
        json!({}),
        json!({ "user": "" }),
        json!({ "user": "a", "jti": "b" }),
        json!({ "user": "a\nb" }),
        json!({ "jti": "x".repeat(256) }),
        json!({ "before": now() * 1_000 }),
    ] {
        refused(server.post("/revoke", &bad).bearer_auth("dev-publish-key"), 400, "bad_request").await;
    }
    refused(server.post("/revoke", &json!({ "user": "ada" })), 401, "unauthenticated").await;
    server.stop().await;
}

#[tokio::test]
async fn logging_out_ends_the_streams_of_that_session_only() {
    let server = Server::dev(&[]).await;
    let (here, there) = (server.log_in("ada", "", &[]).await, server.log_in("ada", "", &[]).await);
    let (mut ends, mut goes_on) = (here.stream("").await, there.stream("").await);
    let response = here.post("/auth/logout", &json!({})).send().await.unwrap();
    assert_eq!(response.status(), 204);
    assert!(response.headers()["set-cookie"].to_str().unwrap().starts_with("tinysse_session=; HttpOnly"));
    assert_eq!(ends.bye().await, "revoked");
    refused(here.get("/auth/me"), 401, "unauthenticated").await;
    server.publish(json!({ "type": "a" })).await;
    assert_eq!(goes_on.update().await.event, "a");
    refused(server.post("/auth/logout", &json!({})), 401, "unauthenticated").await;
    server.stop().await;
}

#[tokio::test]
async fn only_listed_origins_may_read() {
    let server = Server::dev(&["--cors-origin=https://app.example"]).await;
    let token = server.log_in("ada", "", &[]).await.token().await;
    let path = format!("/events?token={token}");
    let allowed = |response: &reqwest::Response| {
        response.headers().get("access-control-allow-origin").map(|value| value.to_str().unwrap().to_owned())
    };
    let response = server.get(&path).header("origin", "https://app.example").send().await.unwrap();
    assert_eq!(allowed(&response).as_deref(), Some("https://app.example"));
    assert_eq!(response.headers()["access-control-allow-credentials"], "true");
    assert_eq!(response.headers()["referrer-policy"], "no-referrer");
    for origin in ["https://evil.example", "null", "https://app.example.evil.example", "http://app.example"] {
        let response = server.get(&path).header("origin", origin).send().await.unwrap();
        assert_eq!((response.status().as_u16(), allowed(&response)), (200, None), "{origin}");
    }
    // Refusals are readable too: a client must see why.
    let response = server.get("/events").header("origin", "https://app.example").send().await.unwrap();
    assert_eq!((response.status().as_u16(), allowed(&response).as_deref()), (401, Some("https://app.example")));
    let preflight = server
        .request(reqwest::Method::OPTIONS, "/api/projects/p1")
        .header("origin", "https://app.example")
        .header("access-control-request-method", "PATCH")
        .header("access-control-request-headers", "content-type,x-tinysse-origin");
    let response = preflight.send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.headers()["access-control-allow-methods"].to_str().unwrap().contains("PATCH"));
    assert!(response.headers()["access-control-allow-headers"].to_str().unwrap().contains("x-tinysse-origin"));
    server.stop().await;
}

#[tokio::test]
async fn a_restart_gives_no_rights_back() {
    let file = crate::support::File::new("revocations", "");
    let flag = format!("--revocations={}", file.path());
    let server = Server::dev(&[&flag]).await;
    let (ada, bob) = (server.log_in("ada", "", &[]).await, server.log_in("bob", "", &[]).await);
    let (of_ada, of_bob) = (ada.token().await, bob.token().await);
    server.revoke(json!({ "user": "ada" })).await;
    assert_eq!(bob.post("/auth/logout", &json!({})).send().await.unwrap().status(), 204);
    let cookie = ada.cookie.clone();
    server.stop().await;
    let server = Server::dev(&[&flag]).await;
    for token in [of_ada, of_bob] {
        refused(server.get("/events").bearer_auth(token), 401, "token_revoked").await;
    }
    refused(server.post("/auth/sse-token", &json!({})).header("cookie", cookie), 401, "unauthenticated").await;
    server.log_in("ada", "", &[]).await.stream("").await;
    server.stop().await;
}
