//! Users that another service logged in.

use std::sync::{Arc, Mutex};

use axum::{Router, routing::get};
use serde_json::json;
use tinysse_hub::auth::{
    jwt::{Claims, Keys, SKEW, STREAM},
    key::Key,
    revoked::Revoke,
};

use crate::{
    auth::{claims, now},
    support::{File, SECRET, Server, body_of, refused, until},
};

const THEIRS: &str = "the-secret-of-the-app-that-has-32-bytes-too";

/// A session as an app might sign it.
fn session() -> Claims {
    Claims { iss: "https://app.example".into(), aud: "web".into(), role: "admin".into(), ..claims("web") }
}

fn signed(keys: &[&Key], claims: &Claims) -> String {
    let keys = keys.iter().map(|key| (*key).clone()).collect();
    Keys::of(keys, "https://app.example".into(), SKEW).sign(claims)
}

fn set(keys: &[&Key]) -> String {
    json!({ "keys": keys.iter().map(|key| key.public().unwrap()).collect::<Vec<_>>() }).to_string()
}

fn ed() -> Key {
    Key::ed25519(Key::generate().expose()).unwrap()
}

const RULES: [&str; 3] = ["--session-issuer=https://app.example", "--session-audience=web", "--session-cookie=sid"];

#[tokio::test]
async fn by_a_secret_that_is_not_ours() {
    let secret = format!("--session-secret={THEIRS}");
    let server = Server::start(&[&RULES[..], &[&secret]].concat()).await;
    let key = Key::shared(&THEIRS.to_owned().into());
    let good = signed(&[&key], &session());
    let ask = || server.post("/auth/sse-token", &json!({}));
    let token = body_of(ask().header("cookie", format!("other=1; sid={good}")).send().await.unwrap()).await;
    assert_eq!(ask().bearer_auth(&good).send().await.unwrap().status(), 200);
    // It is a stream token of the hub, with the claims of the session.
    let ours = crate::auth::keys(SECRET).check(token["token"].as_str().unwrap(), STREAM, now() * 1_000).unwrap();
    assert_eq!((ours.sub.as_str(), ours.role.as_str(), ours.iss.as_str()), ("ada", "admin", "tinysse"));
    assert_eq!(body_of(server.get("/auth/me").bearer_auth(&good).send().await.unwrap()).await["role"], "admin");
    // Neither their secret makes stream tokens, nor ours sessions.
    let stream = Claims { iss: "tinysse".into(), aud: STREAM.into(), ..session() };
    refused(server.get("/events").bearer_auth(signed(&[&key], &stream)), 401, "token_invalid").await;
    for bad in [
        crate::auth::keys(SECRET).sign(&session()),
        signed(&[&key], &Claims { iss: "tinysse".into(), ..session() }),
        signed(&[&key], &Claims { aud: "tinysse-app".into(), ..session() }),
        signed(&[&key], &Claims { exp: now(), ..session() }),
        signed(&[&key], &Claims { nbf: now() + 60, ..session() }),
        // Older than --session-ttl: revocations are not remembered for longer.
        signed(&[&key], &Claims { iat: now() - 12 * 3_600 - 60, ..session() }),
        signed(&[&key], &Claims { iat: 0, ..session() }),
        signed(&[&key], &Claims { iat: now() + 60, ..session() }),
        signed(&[&key], &Claims { iat: now() + 60, generation: Some(now() * 1_000), ..session() }),
    ] {
        refused(ask().bearer_auth(bad), 401, "unauthenticated").await;
    }
    refused(ask().header("cookie", format!("tinysse_session={good}")), 401, "unauthenticated").await;
    // Their `gen` is a time, and not later than the issue: a session can't survive a revocation by
    // it.
    let late = signed(&[&key], &Claims { generation: Some((now() + 60) * 1_000), ..session() });
    assert_eq!(ask().bearer_auth(&late).send().await.unwrap().status(), 200);
    server.app.services.cluster.revoke(&Revoke::User("ada".into())).await.unwrap();
    for gone in [&late, &good] {
        refused(ask().bearer_auth(gone), 401, "unauthenticated").await;
    }
    server.stop().await;
}

#[tokio::test]
async fn by_a_set_of_keys_in_a_file() {
    let (old, new) = (ed(), ed());
    let file = File::new("jwks.json", &set(&[&old]));
    let jwks = format!("--session-jwks={}", file.path());
    let server = Server::start(&[&RULES[..], &[&jwks, "--reload-every=20ms"]].concat()).await;
    let status = async |key: &Key| {
        let session = signed(&[key], &session());
        server.post("/auth/sse-token", &json!({})).bearer_auth(session).send().await.unwrap().status().as_u16()
    };
    until("the keys are read", async || status(&old).await == 200).await;
    assert_eq!(status(&new).await, 401);
    file.write(&set(&[&new, &old]));
    until("the new one counts", async || status(&new).await == 200).await;
    assert_eq!(status(&old).await, 200);
    file.write(&set(&[&new]));
    until("the old one is gone", async || status(&old).await == 401).await;
    server.stop().await;
}

#[tokio::test]
async fn by_a_set_of_keys_at_an_address() {
    let (key, eve) = (ed(), ed());
    let asked = Arc::new(Mutex::new(0));
    let (count, answer) = (Arc::clone(&asked), set(&[&key]));
    let handler = move || async move {
        *count.lock().unwrap() += 1;
        answer
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let jwks = format!("--session-jwks=http://{}/jwks", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/jwks", get(handler))).await });
    let server = Server::start(&[&RULES[..], &[&jwks]].concat()).await;
    let ask = |key: &Key| server.post("/auth/sse-token", &json!({})).bearer_auth(signed(&[key], &session()));
    // Asked for by the first who comes, and not by every stranger.
    assert_eq!(ask(&key).send().await.unwrap().status(), 200);
    for _ in 0..5 {
        refused(ask(&eve), 401, "unauthenticated").await;
    }
    assert_eq!(*asked.lock().unwrap(), 1);
    server.stop().await;
}
