//! What a user may see, and what happens when that changes.

use std::sync::{Arc, Mutex};

use axum::{Router, http::StatusCode, routing::post};
use serde_json::{Value, json};
use tinysse::proto::wire::control::Gap;

use crate::support::{File, Server, Stream, refused};

#[tokio::test]
async fn a_changed_file_refilters_live_streams_and_replays() {
    let file = File::new("live.toml", "[roles.staff]\nchannels = [\"ops.>\"]\n[roles.guest]\ntypes = [\"news.*\"]\n");
    let server = Server::dev(&["--reload-every=20ms", "--directory", file.path()]).await;
    let (ada, bob) = (server.log_in("ada", "staff", &[]).await, server.log_in("bob", "guest", &[]).await);
    let mut of_ada = ada.stream("").await;
    let mut of_bob = bob.stream("&types=*").await;
    let mut away = ada.stream("").await;
    server.publish(json!([{ "type": "a", "to": "channel:ops.eu" }, { "type": "news.a" }])).await;
    assert_eq!(of_ada.types_until("news.a").await, ["a", "news.a"]);
    assert_eq!(of_bob.types_until("news.a").await, ["news.a"]);
    let cursor = away.types_until("news.a").await.len();
    assert_eq!(cursor, 2);
    drop(away);

    file.write("[roles.staff]\ntypes = [\"b\"]\n[users.bob]\nrole = \"staff\"\nchannels = [\"ops.eu\"]\n");
    assert_eq!((of_ada.resync().await, of_bob.resync().await), (Gap::Rights, Gap::Rights));
    let ids = server
        .publish(json!([
            { "type": "a" }, { "type": "b", "to": "channel:ops.eu" }, { "type": "b", "to": "role:guest" },
            { "type": "b", "to": "role:staff" },
        ]))
        .await;
    let next = of_ada.update().await;
    assert_eq!((next.event.as_str(), next.id.as_str()), ("b", ids[3].as_str()), "the channel is gone");
    let next = (of_bob.update().await.id, of_bob.update().await.id);
    assert_eq!(next, (ids[1].clone(), ids[3].clone()), "the role is another");

    // A client that was away meanwhile is notified in the hello, and replayed by its present
    // rights.
    let epoch = ids[0].split('.').next().unwrap();
    let mut back = ada.stream(&format!("&lastEventId={epoch}.2")).await;
    assert_eq!(back.hello.gap, Gap::Rights);
    assert_eq!(back.update().await.id, ids[3]);
    // And who is locked out is out.
    file.write("[users.ada]\nblocked = true\n");
    assert_eq!((of_ada.bye().await, back.bye().await), ("revoked".to_owned(), "revoked".to_owned()));
    refused(ada.post("/auth/sse-token", &json!({})), 403, "forbidden").await;
    // Half a file changes nothing.
    file.write("[users.ada");
    let problem =
        refused(server.post("/rights", &json!({})).bearer_auth("dev-publish-key"), 503, "directory_unavailable").await;
    assert!(problem["detail"].as_str().unwrap().contains("can't be read"), "{problem}");
    refused(ada.post("/auth/sse-token", &json!({})), 403, "forbidden").await;
    server.stop().await;
}

#[tokio::test]
async fn rights_hold_from_the_open_on_whatever_the_token_says() {
    let file = File::new("open.toml", "[users.ada]\nsince = 1\n");
    let server = Server::dev(&["--reload-every=20ms", "--directory", file.path()]).await;
    let ada = server.log_in("ada", "admin", &["ops"]).await;
    let token = ada.token().await;
    let path = format!("/events?token={token}&lastEventId=");
    Stream::open(server.get(&path)).await;
    // The token was issued before; its generation is over, and it claims admin.
    let far = crate::auth::now() * 1_000 + 60_000;
    file.write(&format!("[users.ada]\nsince = {far}\n"));
    crate::support::until("refused", || async { server.get(&path).send().await.unwrap().status() == 401 }).await;
    refused(server.get(&path), 401, "token_revoked").await;
    file.write("[users.ada]\nrole = \"\"\nchannels = []\n");
    crate::support::until("let in", || async { server.get(&path).send().await.unwrap().status() == 200 }).await;
    let mut stream = Stream::open(server.get(&path)).await;
    for to in ["role:admin", "channel:ops"] {
        server.publish(json!({ "type": "a", "to": to })).await;
    }
    server.publish(json!({ "type": "b", "to": "user:ada" })).await;
    assert_eq!(stream.update().await.event, "b");
    server.stop().await;
}

/// An app that answers as the test sets it, and keeps the questions.
async fn app(answer: Arc<Mutex<(u16, Value)>>) -> (String, Arc<Mutex<Vec<(String, Value)>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let questions = Arc::clone(&asked);
    let handler = move |headers: axum::http::HeaderMap, body: String| async move {
        let key = headers["authorization"].to_str().unwrap().to_owned();
        questions.lock().unwrap().push((key, serde_json::from_str(&body).unwrap()));
        let (status, body) = answer.lock().unwrap().clone();
        (StatusCode::from_u16(status).unwrap(), body.to_string())
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/rights", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/rights", post(handler))).await });
    (url, asked)
}

#[tokio::test]
async fn the_app_itself_may_be_asked() {
    let answer = Arc::new(Mutex::new((200, json!({ "role": "staff", "types": ["b"] }))));
    let (url, asked) = app(Arc::clone(&answer)).await;
    let server = Server::dev(&["--directory", &url, "--directory-key=sesame"]).await;
    let ada = server.log_in("ada", "admin", &["ops"]).await;
    let mut stream = ada.stream("").await;
    {
        let asked = asked.lock().unwrap();
        assert_eq!(asked.len(), 1, "token and stream are one question");
        assert_eq!(asked[0].0, "Bearer sesame");
        let mut question = asked[0].1.clone();
        assert!(question["gen"].take().as_u64().unwrap() > 0);
        assert_eq!(question, json!({ "user": "ada", "role": "admin", "channels": ["ops"], "gen": null }));
    }
    for (kind, to) in [("b", "role:admin"), ("a", "role:staff"), ("b", "role:staff"), ("b", "channel:ops")] {
        server.publish(json!({ "type": kind, "to": to })).await;
    }
    assert!(stream.update().await.id.ends_with(".3") && stream.update().await.id.ends_with(".4"));
    let rights = |body: Value| server.post("/rights", &body).bearer_auth("dev-publish-key");
    // No answer: what is open stays as it is, what opens has to wait.
    *answer.lock().unwrap() = (500, json!({}));
    let changed = async |body| crate::support::body_of(rights(body).send().await.unwrap()).await["changed"].take();
    let problem = refused(rights(json!({ "user": "ada" })), 503, "directory_unavailable").await;
    assert!(problem["detail"].as_str().unwrap().contains("1 open streams"), "{problem}");
    assert_eq!(changed(json!({ "user": "bob" })).await, 0, "who has no stream");
    let token = server.app.services.auth.mint(
        tinysse::proto::audience::Identity { user: "ada".into(), ..Default::default() },
        false,
        None,
    );
    assert_eq!(server.get("/events").bearer_auth(&token).send().await.unwrap().status(), 503);
    let mut away = Stream::raw(server.get(&format!("/events?token={token}"))).await;
    assert_eq!(away.bye().await, "drain");
    // Another answer, and the news that it is another.
    *answer.lock().unwrap() = (200, json!({ "channels": [] }));
    assert_eq!(changed(json!({ "user": "bob" })).await, 0);
    assert_eq!(changed(json!({})).await, 1);
    assert_eq!(stream.resync().await, Gap::Rights);
    *answer.lock().unwrap() = (404, json!({}));
    assert_eq!(changed(json!({ "user": "ada" })).await, 1);
    assert_eq!(stream.bye().await, "revoked");
    refused(server.get("/events").bearer_auth(&token), 401, "token_revoked").await;
    refused(server.post("/rights", &json!({})), 401, "unauthenticated").await;
    server.stop().await;
}
