//! A change of user: what a logout, and a login over another session, leave of the former session.

use reqwest::{Client, RequestBuilder, Response};
use serde_json::json;
use tinysse_hub::auth::{
    jwt::{APP, Claims, Keys, SKEW},
    key::Key,
};
use tinysse_server::config::DEV_PUBLISH_KEY;

use crate::{
    auth::{claims, keys, now},
    redis::{Proxy, Redis, Way},
    support::{SECRET, Server, Stream, body_of, refused, until},
};

/// A request with this session as its cookie.
fn with(request: RequestBuilder, session: &str) -> RequestBuilder {
    request.header("cookie", format!("tinysse_session={session}"))
}

/// Opens a stream as the holder of a session does; with its token.
async fn open(server: &Server, session: &str) -> (Stream, String) {
    let answer = with(server.post("/auth/sse-token", &json!({})), session).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let token = body_of(answer).await["token"].as_str().unwrap().to_owned();
    (Stream::open(server.get("/events").bearer_auth(&token)).await, token)
}

fn clears_the_cookie(answer: &Response) -> bool {
    let cookie = answer.headers().get("set-cookie").map(|value| value.to_str().unwrap());
    cookie.is_some_and(|cookie| cookie.starts_with("tinysse_session=;") && cookie.contains("Max-Age=0"))
}

#[tokio::test]
async fn a_login_over_another_session_ends_its_streams_and_its_tokens() {
    let server = Server::dev(&[]).await;
    // Another user, and the same one again.
    for next in ["bob", "ada"] {
        let ada = server.log_in("ada", "", &[]).await;
        let (mut streams, unused) = ([ada.stream("").await, ada.stream("").await], ada.token().await);
        let elsewhere = server.log_in("ada", "", &[]).await;
        let mut goes_on = elsewhere.stream("").await;
        let answer = ada.post("/auth/login", &json!({ "user": next })).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        // The answer comes behind the end of the streams: nothing that is published now reaches
        // them.
        server.publish(json!({ "type": "private", "to": "user:ada" })).await;
        for stream in &mut streams {
            assert_eq!(stream.bye().await, "revoked", "as {next}");
        }
        refused(server.get("/events").bearer_auth(&unused), 401, "token_revoked").await;
        refused(ada.post("/auth/sse-token", &json!({})), 401, "unauthenticated").await;
        // The new session is good, and so is the user's session in another browser.
        let me = server.get("/auth/me").header("cookie", &cookie).send().await.unwrap();
        assert_eq!(body_of(me).await["user"], next);
        assert_eq!(goes_on.update().await.event, "private");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_stream_that_opens_while_its_session_ends_does_not_stay() {
    let server = Server::dev(&[]).await;
    for round in 0..20 {
        let ada = server.log_in("ada", "", &[]).await;
        let token = ada.token().await;
        let (way, body) =
            if round % 2 == 0 { ("/auth/logout", json!({})) } else { ("/auth/login", json!({ "user": "bob" })) };
        let (answer, opening) =
            tokio::join!(ada.post(way, &body).send(), server.get("/events").bearer_auth(&token).send());
        assert!(answer.unwrap().status().is_success());
        // Opened and ended, or refused.
        let status = opening.unwrap().status().as_u16();
        assert!(status == 200 || status == 401, "{status}");
        until("no stream is open", || async { server.app.services.streams.count() == 0 }).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn a_logout_with_an_expired_session_ends_the_streams_that_it_opened() {
    let server = Server::dev(&[]).await;
    let session = keys(SECRET).sign(&Claims { exp: now() + 2, ..claims(APP) });
    let (mut stream, token) = open(&server, &session).await;
    until("the session is over", || async {
        with(server.get("/auth/me"), &session).send().await.unwrap().status() == 401
    })
    .await;
    let answer = with(server.post("/auth/logout", &json!({})), &session).send().await.unwrap();
    assert_eq!(answer.status(), 204);
    assert!(clears_the_cookie(&answer));
    assert_eq!(stream.bye().await, "revoked");
    refused(server.get("/events").bearer_auth(token), 401, "token_revoked").await;
    server.stop().await;
}

#[tokio::test]
async fn a_logout_ends_a_session_that_has_no_name_of_its_own() {
    let server = Server::dev(&[]).await;
    // As a backend signs it that knows nothing of `jti`.
    let session = |iat: u64| keys(SECRET).sign(&Claims { jti: String::new(), iat, ..claims(APP) });
    let (here, there) = (session(now()), session(now() - 1));
    let ((mut ends, token), (mut goes_on, _)) = (open(&server, &here).await, open(&server, &there).await);
    assert_eq!(with(server.post("/auth/logout", &json!({})), &here).send().await.unwrap().status(), 204);
    assert_eq!(ends.bye().await, "revoked");
    refused(server.get("/events").bearer_auth(token), 401, "token_revoked").await;
    refused(with(server.post("/auth/sse-token", &json!({})), &here), 401, "unauthenticated").await;
    server.publish(json!({ "type": "a" })).await;
    assert_eq!(goes_on.update().await.event, "a");
    server.stop().await;
}

#[tokio::test]
async fn a_logout_with_what_is_no_session_of_the_server_does_not_claim_that_one_ended() {
    let server = Server::dev(&[]).await;
    let other = Keys::of(
        vec![Key::shared(&"another-secret-of-the-tests-with-32-bytes".to_owned().into())],
        "tinysse".into(),
        SKEW,
    );
    let ada = server.log_in("ada", "", &[]).await;
    let mut stream = ada.stream("").await;
    let payload = ada.cookie.split('.').nth(1).unwrap();
    // {"alg":"none","typ":"JWT"}
    let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{payload}.");
    for shown in ["nonsense".to_owned(), unsigned, other.sign(&claims(APP))] {
        let answer = with(server.post("/auth/logout", &json!({})), &shown).send().await.unwrap();
        assert!(clears_the_cookie(&answer), "{shown}");
        let status = answer.status().as_u16();
        let problem = body_of(answer).await;
        assert_eq!((status, problem["code"].as_str()), (401, Some("unauthenticated")), "{shown}");
        assert!(problem["detail"].as_str().unwrap().contains("no stream was ended"), "{problem}");
        assert!(!problem.to_string().contains(&shown));
    }
    // A page of another origin that forgets its credentials must not believe that its user is out.
    let answer = server.post("/auth/logout", &json!({})).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), clears_the_cookie(&answer)), (401, true));
    assert!(body_of(answer).await["detail"].as_str().unwrap().contains("no session"));
    server.publish(json!({ "type": "a", "to": "user:ada" })).await;
    assert_eq!(stream.update().await.event, "a");
    server.stop().await;
}

#[tokio::test]
async fn a_logout_ends_every_session_that_the_request_shows() {
    let server = Server::dev(&[]).await;
    let (ada, bob) = (server.log_in("ada", "", &[]).await, server.log_in("bob", "", &[]).await);
    let mut streams = [ada.stream("").await, bob.stream("").await];
    let session = ada.cookie.split_once('=').unwrap().1;
    let answer = bob.post("/auth/logout", &json!({})).bearer_auth(session).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), clears_the_cookie(&answer)), (204, true));
    for stream in &mut streams {
        assert_eq!(stream.bye().await, "revoked");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_logout_that_was_not_recorded_is_not_reported_as_done_when_it_is_repeated() {
    let Some(redis) = Redis::start().await else { return };
    let proxy = Proxy::start(&redis).await;
    let secret = format!("--secret={SECRET}");
    let flags = [secret.as_str()];
    let (cut, other) = tokio::join!(Redis::node_behind(&proxy, &flags), redis.node_with(&flags));
    let http = Client::new();
    let send = async |url: &str, path: &str, session: &str, body: &str| {
        let request = http.post(format!("{url}{path}")).header("content-type", "application/json");
        let answer = with(request, session).body(body.to_owned()).send().await.unwrap();
        let (status, cookie) = (answer.status().as_u16(), answer.headers().contains_key("set-cookie"));
        (status, cookie, answer.text().await.unwrap())
    };
    let session = |jti: &str| keys(SECRET).sign(&Claims { jti: jti.into(), ..claims(APP) });
    let stream = async |session: &str| {
        let (status, _, body) = send(&other.url, "/auth/sse-token", session, "").await;
        assert_eq!(status, 200);
        let token: serde_json::Value = serde_json::from_str(&body).unwrap();
        let token = token["token"].as_str().unwrap().to_owned();
        Stream::open(http.get(format!("{}/events", other.url)).bearer_auth(token)).await
    };
    let ways = [("/auth/logout", "{}", 204), ("/auth/login", "{\"user\":\"bob\"}", 200)];
    for (round, (path, body, done)) in ways.into_iter().enumerate() {
        let former = session(&format!("former-{round}"));
        let mut elsewhere = stream(&former).await;
        proxy.set(Way::Cut);
        // The cookie stays as it is, so that the request can be repeated; and nobody is logged in.
        for _ in 0..2 {
            let (status, cookie, text) = send(&cut.url, path, &former, body).await;
            assert_eq!((status, cookie), (503, false), "{path}");
            assert!(text.contains("\"not_durable\""), "{text}");
        }
        proxy.set(Way::Open);
        until("it is recorded", || async { send(&cut.url, path, &former, body).await.0 == done }).await;
        assert_eq!(elsewhere.bye().await, "revoked", "the stream on the other node");
    }
}

#[tokio::test]
async fn a_repeated_logout_writes_nothing_more() {
    let file = crate::support::File::new("identity-revocations", "");
    let server = Server::dev(&[&format!("--revocations={}", file.path())]).await;
    let ada = server.log_in("ada", "", &[]).await;
    let lines = || std::fs::read_to_string(file.path()).unwrap().lines().count();
    for _ in 0..3 {
        assert_eq!(ada.post("/auth/logout", &json!({})).send().await.unwrap().status(), 204);
        assert_eq!(lines(), 1);
    }
    // A service that revokes is obeyed each time.
    let answer = server.post("/revoke", &json!({ "user": "ada" })).bearer_auth(DEV_PUBLISH_KEY).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), lines()), (200, 2));
    server.stop().await;
}
