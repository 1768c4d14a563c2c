//! How much strangers can make the server remember, and whom that concerns: nobody but them.

use serde_json::json;
use tinysse_hub::auth::{
    jwt::{APP, Claims},
    revoked::Revoke,
};

use crate::{
    auth::{claims, keys, now},
    support::{SECRET, Server, refused},
};

fn session(user: &str, jti: &str) -> Claims {
    Claims { sub: user.into(), jti: jti.into(), ..claims(APP) }
}

fn log_out(server: &Server, session: &Claims) -> reqwest::RequestBuilder {
    let cookie = format!("tinysse_session={}", keys(SECRET).sign(session));
    server.post("/auth/logout", &json!({})).header("cookie", cookie)
}

#[tokio::test]
async fn whoever_ends_sessions_without_end_waits_and_nobody_else() {
    let server = Server::dev(&["--token-rate=5/h"]).await;
    let status = async |session: &Claims| log_out(&server, session).send().await.unwrap().status().as_u16();
    for n in 0..5 {
        assert_eq!(status(&session("eve", &n.to_string())).await, 204);
    }
    // One that has ended costs nothing, however often.
    for _ in 0..20 {
        assert_eq!(status(&session("eve", "0")).await, 204);
    }
    let answer = log_out(&server, &session("eve", "5")).send().await.unwrap();
    assert!(answer.headers().contains_key("retry-after") && !answer.headers().contains_key("set-cookie"));
    assert_eq!(answer.status(), 429);
    let me = server.get("/auth/me").bearer_auth(keys(SECRET).sign(&session("eve", "5")));
    assert_eq!(me.send().await.unwrap().status(), 200, "it did not end, and is not said to have ended");
    assert_eq!(status(&session("ada", "0")).await, 204);
    // What was not signed here takes nothing from anybody's share.
    let forged = Claims { iss: "another".into(), ..session("bob", "0") };
    for _ in 0..20 {
        refused(log_out(&server, &forged), 401, "unauthenticated").await;
    }
    assert_eq!(status(&session("bob", "0")).await, 204);
    server.stop().await;
}

#[tokio::test]
async fn ten_thousand_logouts_and_revocations_end_no_other_session() {
    let server = Server::dev(&[]).await;
    let zoe = server.log_in("zoe", "", &[]).await;
    let mut stream = zoe.stream("").await;
    let begun = now();
    let auth = &server.app.services.auth;
    for n in 0..10_100 {
        auth.revoke(&auth.end_of(&session("eve", &n.to_string()))).unwrap().1.unwrap();
        auth.revoke(&auth.end_of(&session(&format!("user{n}"), "s"))).unwrap().1.unwrap();
        auth.revoke(&Revoke::User(format!("u{n}"))).unwrap().1.unwrap();
        auth.revoke(&Revoke::Jti(format!("j{n}"))).unwrap().1.unwrap();
    }
    // The last one ends streams, as it comes over HTTP.
    assert_eq!(log_out(&server, &session("mallory", "s")).send().await.unwrap().status(), 204);
    server.publish(json!({ "type": "a", "to": "user:zoe" })).await;
    assert_eq!(stream.update().await.event, "a");
    zoe.stream("").await;
    // And all that was revoked is.
    for (user, jti) in [("eve", "0"), ("eve", "10099"), ("user0", "s"), ("u0", "s"), ("other", "j0")] {
        // Issued before: a later one of a revoked user is good.
        let old = Claims { iat: begun - 1, ..session(user, jti) };
        refused(server.get("/auth/me").bearer_auth(keys(SECRET).sign(&old)), 401, "unauthenticated").await;
    }
    server.stop().await;
}

#[tokio::test]
async fn old_sessions_that_are_shown_again_are_not_remembered() {
    let file = crate::support::File::new("bounds-revocations", "");
    let server = Server::dev(&[&format!("--revocations={}", file.path())]).await;
    for n in 0..50 {
        let old = Claims { iat: now() - 90_000, exp: now() - 80_000, ..session("eve", &n.to_string()) };
        assert_eq!(log_out(&server, &old).send().await.unwrap().status(), 204);
    }
    assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "");
    assert_eq!(log_out(&server, &session("eve", "new")).send().await.unwrap().status(), 204);
    assert_eq!(std::fs::read_to_string(file.path()).unwrap().lines().count(), 1);
    server.stop().await;
}

#[tokio::test]
async fn a_name_with_a_line_break_comes_in_nowhere() {
    let server = Server::dev(&[]).await;
    for bad in [
        Claims { sub: "ada\nadmin".into(), ..session("ada", "0") },
        Claims { role: "a\u{0}".into(), ..session("ada", "0") },
        Claims { channels: vec!["ops\r".into()], ..session("ada", "0") },
    ] {
        let problem =
            refused(server.get("/auth/me").bearer_auth(keys(SECRET).sign(&bad)), 401, "unauthenticated").await;
        assert!(problem["detail"].as_str().unwrap().contains("control characters"), "{problem}");
        let token = keys(SECRET).sign(&Claims { aud: "tinysse".into(), ..bad });
        let problem = refused(server.get("/events").bearer_auth(token), 401, "token_invalid").await;
        assert!(problem["detail"].as_str().unwrap().contains("control characters"), "{problem}");
    }
    server.stop().await;
}
