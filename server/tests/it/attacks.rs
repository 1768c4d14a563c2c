//! Attacks: forged tokens, foreign cursors, injected frames, false origins and keys.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::json;
use tinysse::proto::wire::control::Gap;
use tinysse_hub::auth::{
    jwt::{Claims, STREAM},
    key::Key,
};

use crate::{
    auth::{claims, keys, now},
    lifecycle::{Child, stream},
    support::{File, SECRET, Server, Stream, refused},
};

fn sign(header: &Header, claims: &Claims, secret: &[u8]) -> String {
    jsonwebtoken::encode(header, claims, &EncodingKey::from_secret(secret)).unwrap()
}

#[tokio::test]
async fn tokens_of_other_keys_algorithms_and_times() {
    let pem = Key::generate();
    let (file, key) = (File::new("attacks.pem", pem.expose()), Key::ed25519(pem.expose()).unwrap());
    let server = Server::dev(&["--token-key", file.path()]).await;
    let header = |algorithm, kid: &str| Header { kid: Some(kid.to_owned()), ..Header::new(algorithm) };
    let good = claims(STREAM);
    let x = serde_json::to_value(key.public().unwrap()).unwrap()["x"].as_str().unwrap().to_owned();
    let ours = keys(SECRET);
    Stream::open(server.get("/events").bearer_auth(ours.sign(&good))).await;
    for (why, token) in [
        ("the public key as a secret", sign(&header(Algorithm::HS256, key.id()), &good, x.as_bytes())),
        ("without an id", sign(&Header::new(Algorithm::HS256), &good, x.as_bytes())),
        ("another strength", sign(&Header::new(Algorithm::HS512), &good, SECRET.as_bytes())),
        ("the id of another key", sign(&header(Algorithm::HS256, key.id()), &good, SECRET.as_bytes())),
        ("an id that is nobody's", sign(&header(Algorithm::HS256, "../../dev/null"), &good, SECRET.as_bytes())),
        ("a later issue", ours.sign(&Claims { iat: now() + 60, ..good.clone() })),
        ("not yet", ours.sign(&Claims { nbf: now() + 60, ..good.clone() })),
        ("a later login", ours.sign(&Claims { auth_ms: Some((now() + 60) * 1_000), ..good.clone() })),
    ] {
        refused(server.get("/events").bearer_auth(&token), 401, "token_invalid").await;
        refused(server.get(&format!("/events?token={token}")), 401, "token_invalid").await;
        let problem =
            refused(server.post("/auth/sse-token", &json!({})).bearer_auth(&token), 401, "unauthenticated").await;
        assert!(!problem.to_string().contains(&token), "{why}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_revoked_generation_is_out_live_on_retry_and_on_replay() {
    let server = Server::dev(&[]).await;
    let ada = server.log_in("ada", "", &[]).await;
    let token = ada.token().await;
    let mut live = Stream::open(server.get(&format!("/events?token={token}"))).await;
    let id = server.publish(json!({ "type": "a", "to": "user:ada" })).await.remove(0);
    assert_eq!(live.update().await.id, id);
    server.revoke(json!({ "user": "ada" })).await;
    server.publish(json!({ "type": "secret", "to": "user:ada" })).await;
    assert_eq!(live.bye().await, "revoked", "and nothing before it");
    for path in [format!("/events?token={token}"), format!("/events?token={token}&lastEventId={id}")] {
        refused(server.get(&path), 401, "token_revoked").await;
        refused(server.get(&path).header("last-event-id", &id), 401, "token_revoked").await;
    }
    server.stop().await;
}

#[tokio::test]
async fn a_foreign_cursor_shows_nothing_foreign_and_nobody_makes_himself_another() {
    let server = Server::dev(&[]).await;
    let (ada, eve) = (server.log_in("ada", "admin", &["ops"]).await, server.log_in("eve", "", &[]).await);
    let mut of_ada = ada.stream("").await;
    let start = of_ada.hello.after.text();
    for to in ["user:ada", "role:admin", "channel:ops"] {
        server.publish(json!({ "type": "secret", "data": "hush", "to": to })).await;
    }
    server.publish(json!({ "type": "open" })).await;
    assert_eq!(of_ada.types_until("open").await.len(), 4);
    let wishes = "&user=ada&role=admin&channels=ops&channel=ops&sub=ada&to=user:ada&types=*";
    let mut of_eve = eve.stream(&format!("&lastEventId={start}{wishes}")).await;
    assert_eq!((of_eve.hello.gap, of_eve.update().await.event.as_str()), (Gap::None, "open"));
    // Neither by what is asked for with the token.
    let wish = json!({ "user": "ada", "role": "admin", "channels": ["ops"], "sub": "ada" });
    let answer = eve.post("/auth/sse-token", &wish).send().await.unwrap();
    let token = crate::support::body_of(answer).await["token"].as_str().unwrap().to_owned();
    let said = keys(SECRET).check(&token, STREAM, now() * 1_000).unwrap();
    assert_eq!((said.sub.as_str(), said.role.as_str(), said.channels.len()), ("eve", "", 0));
    // A stream of another user and one that does not exist are alike.
    let client = of_ada.hello.client.clone();
    let foreign = refused(eve.post("/dev/cut", &json!({ "client": client })), 404, "not_found").await;
    assert_eq!(foreign, refused(eve.post("/dev/cut", &json!({ "client": "none" })), 404, "not_found").await);
    server.stop().await;
}

#[tokio::test]
async fn nothing_that_is_sent_in_becomes_a_header_a_field_or_a_frame() {
    let server = Server::dev(&[]).await;
    let ada = server.log_in("ada", "", &[]).await;
    let token = ada.token().await;
    for odd in ["1%0d%0aset-cookie:%20a=b", "1%0a%0adata:%20evil", "%00", "%e2%80%a8"] {
        for name in ["lastEventId", "types", "wire", "other"] {
            let response = server.get(&format!("/events?token={token}&{name}={odd}")).send().await.unwrap();
            assert!(response.headers().get("set-cookie").is_none());
            assert!(matches!(response.status().as_u16(), 200 | 400), "{name}={odd}");
        }
    }
    let mut stream = ada.stream("").await;
    for kind in ["a\nid: 1", "a\r\ndata: x", "a\u{0}", "tinysse.bye", "", "a b", "a\u{2028}"] {
        let status = server.publishing(&json!({ "type": kind })).send().await.unwrap().status();
        assert_eq!(status, 400, "{kind:?}");
    }
    let evil = "x\n\nevent: tinysse.bye\ndata: reason=revoked&wait=0\n\n";
    server.publish(json!({ "type": "a", "data": { "text": evil }, "key": evil, "origin": evil })).await;
    let frame = stream.update().await;
    let data: serde_json::Value = serde_json::from_str(&frame.data).unwrap();
    assert_eq!((data["data"]["text"].as_str(), data["key"].as_str()), (Some(evil), Some(evil)));
    server.publish(json!({ "type": "b" })).await;
    assert_eq!(stream.update().await.event, "b");
    server.stop().await;
}

#[tokio::test]
async fn origins_are_whole_or_nothing() {
    let server = Server::dev(&["--cors-origin=https://app.example"]).await;
    let allowed = async |origin: &str| {
        let response = server.get("/events").header("origin", origin).send().await.unwrap();
        response.headers().get("access-control-allow-origin").map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(allowed("https://app.example").await.as_deref(), Some("https://app.example"));
    for origin in [
        "null",
        "*",
        "https://app.example.evil.example",
        "https://evilapp.example",
        "https://app.example:444",
        "http://app.example",
        "https://app.example/",
        "https://app.example@evil.example",
        "https://APP.example",
        "https://app.example, https://evil.example",
    ] {
        assert_eq!(allowed(origin).await, None, "{origin}");
    }
    let preflight = server.request(reqwest::Method::OPTIONS, "/publish").header("origin", "https://evil.example");
    let answer = preflight.header("access-control-request-method", "POST").send().await.unwrap();
    assert!(!answer.headers().contains_key("access-control-allow-origin"));
    server.stop().await;
}

#[tokio::test]
async fn what_services_do_needs_their_key() {
    let server = Server::dev(&[]).await;
    let ada = server.log_in("ada", "admin", &[]).await;
    let token = ada.token().await;
    let session = ada.cookie.split_once('=').unwrap().1;
    for (path, body) in [
        ("/publish", json!({ "type": "a" })),
        ("/revoke", json!({ "user": "ada" })),
        ("/revoke", json!({ "before": 1 })),
        ("/rights", json!({})),
    ] {
        refused(server.post(path, &body), 401, "unauthenticated").await;
        refused(ada.post(path, &body), 401, "unauthenticated").await;
        for shown in [token.as_str(), session, "dev-publish-ke", "dev-publish-key2", "", "dev-publish-key, x"] {
            refused(server.post(path, &body).bearer_auth(shown), 401, "unauthenticated").await;
        }
        refused(server.post(&format!("{path}?key=dev-publish-key"), &body), 401, "unauthenticated").await;
    }
    server.stop().await;
}

#[tokio::test]
async fn attempts_leave_no_token_and_no_forged_line_in_the_log() {
    let admin = "an-admin-key-that-nobody-logs";
    let flags =
        ["--dev", "--log=debug", &format!("--secret={SECRET}"), &format!("--admin-key={admin}"), "--metrics=admin"];
    let server = Child::server(&flags).await;
    let (mut open, token) = stream(&server.url).await;
    let http = reqwest::Client::new();
    // A name with a line break is refused, and logged nowhere.
    let liar = Claims { sub: "eve\nFORGED line".into(), ..claims("tinysse-app") };
    let ask = || http.post(format!("{}/auth/sse-token", server.url));
    assert_eq!(ask().bearer_auth(keys(SECRET).sign(&liar)).send().await.unwrap().status(), 401);
    let session = keys(SECRET).sign(&claims("tinysse-app"));
    let ask = ask().bearer_auth(&session);
    let text = ask.send().await.unwrap().text().await.unwrap();
    let other = serde_json::from_str::<serde_json::Value>(&text).unwrap()["token"].as_str().unwrap().to_owned();
    drop(Stream::open(http.get(format!("{}/events", server.url)).bearer_auth(&other)).await);
    for path in ["/events?token=", "/events/?token=", "/%0aFORGED?token=", "/api/x?token=", "/publish?token="] {
        http.get(format!("{}{path}{other}x", server.url)).send().await.unwrap();
        http.post(format!("{}{path}{other}", server.url)).bearer_auth(&session).send().await.unwrap();
    }
    let mut told = String::new();
    for path in ["/metrics", "/clients", "/admin/now", "/admin/"] {
        for key in [admin, "another-admin-key-of-somebody"] {
            let answer = http.get(format!("{}{path}?key={key}", server.url)).bearer_auth(key).send().await.unwrap();
            told.push_str(&answer.text().await.unwrap());
        }
    }
    for hidden in [&token, &other, &session] {
        let signature = hidden.rsplit_once('.').unwrap().1;
        assert!(told.contains("tinysse_streams_open") && !told.contains(signature) && !told.contains(SECRET), "{told}");
    }
    server.signal("-TERM").await;
    open.bye().await;
    let (code, log) = server.end().await;
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains(admin) && !log.contains("another-admin-key") && !told.contains(admin), "{log}");
    for hidden in [&token, &other, &session] {
        let signature = hidden.rsplit_once('.').unwrap().1;
        assert!(!log.contains(signature) && !log.contains("token="), "{log}");
    }
    assert!(!log.lines().any(|line| line.trim_start().starts_with("FORGED")), "{log}");
}
