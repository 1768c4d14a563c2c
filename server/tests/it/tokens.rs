//! Keys, their rotation, and tokens that open one stream only.

use std::{io::Write, process::Stdio};

use serde_json::json;
use tinysse_hub::auth::key::Key;

use crate::support::{File, SECRET, Server, Stream, body_of, refused, until};

async fn kids(server: &Server) -> Vec<String> {
    let response = server.get("/.well-known/jwks.json").send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/jwk-set+json");
    let set = body_of(response).await;
    let keys = set["keys"].as_array().unwrap();
    assert!(keys.iter().all(|key| key["kty"] == "OKP" && key["alg"] == "EdDSA" && key.get("d").is_none()), "{set}");
    keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_key_is_changed_in_place_and_nobody_notices() {
    let file = File::new("key.pem", Key::generate().expose());
    let server = Server::dev(&["--reload-every=20ms", "--token-key", file.path()]).await;
    let ada = server.log_in("ada", "", &[]).await;
    let (first, token) = (kids(&server).await, ada.token().await);
    assert_eq!(first.len(), 1, "and never the secret");
    let path = format!("/events?token={token}");
    Stream::open(server.get(&path)).await;

    // Half a key changes nothing.
    file.write("-----BEGIN PRIVATE KEY-----");
    let next = Key::generate();
    file.write(next.expose());
    until("there are two", || async { kids(&server).await.len() == 2 }).await;
    let both = kids(&server).await;
    assert_eq!((&both[0], &both[1]), (&Key::ed25519(next.expose()).unwrap().id().to_owned(), &first[0]));
    // What the old one signed is good: session and token.
    Stream::open(server.get(&path)).await;
    ada.stream("").await;
    server.stop().await;
}

#[tokio::test]
async fn a_secret_is_changed_with_an_overlap() {
    let old = crate::auth::keys("the-secret-of-the-tests-before-this-one");
    let token = old.sign(&crate::auth::claims(tinysse_hub::auth::jwt::STREAM));
    let path = format!("/events?token={token}");
    let server = Server::dev(&["--previous-secret=the-secret-of-the-tests-before-this-one"]).await;
    Stream::open(server.get(&path)).await;
    assert_eq!(kids(&server).await, Vec::<String>::new());
    let without = Server::dev(&[]).await;
    refused(without.get(&path), 401, "token_invalid").await;
    server.stop().await;
    without.stop().await;
}

#[tokio::test]
async fn a_single_use_token_opens_one_stream() {
    let server = Server::dev(&["--single-use", "--max-streams=2"]).await;
    let ada = server.log_in("ada", "", &[]).await;
    let token = ada.token().await;
    let path = format!("/events?token={token}");
    let first = Stream::open(server.get(&path)).await;
    // The browser's own retry comes with the same address: it has to ask for a new token.
    refused(server.get(&path), 401, "token_used").await;
    drop(first);
    refused(server.get(&path), 401, "token_used").await;
    // A client that is sent away has not used it.
    let (one, two, token) = (ada.stream("").await, ada.stream("").await, ada.token().await);
    assert_eq!(server.get("/events").bearer_auth(&token).send().await.unwrap().status(), 503);
    drop((one, two));
    let count = || async { server.app.services.streams.count() == 0 };
    until("room", count).await;
    Stream::open(server.get("/events").bearer_auth(&token)).await;
    refused(server.get("/events").bearer_auth(&token), 401, "token_used").await;
    // Of many at once one is the first.
    let token = ada.token().await;
    let all = (0..8).map(|_| server.get("/events").bearer_auth(&token).send()).collect::<Vec<_>>();
    let mut statuses = Vec::new();
    let mut open = Vec::new();
    for answer in all.into_iter().map(tokio::spawn).collect::<Vec<_>>() {
        let response = answer.await.unwrap().unwrap();
        statuses.push(response.status().as_u16());
        open.push(response);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    drop(open);
    server.stop().await;
}

/// The program with these arguments and this input: whether it succeeded, and what it wrote.
fn run(args: &[&str], input: &str) -> (bool, String) {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_tinysse-server"))
        .arg("token")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

#[tokio::test]
async fn the_console_makes_keys_and_tokens_and_checks_them() {
    let (good, pem) = run(&["key"], "");
    assert!(good && pem.starts_with("-----BEGIN PRIVATE KEY-----"));
    let file = File::new("console.pem", &pem);
    let key = format!("--token-key={}", file.path());
    let (_, token) = run(&["mint", "--sub=ada", "--role=admin", "--channel=ops.>", "--ttl=5m", &key], "");
    let (good, said) = run(&["check", &key], &token);
    assert!(good && said.contains("\"sub\": \"ada\"") && said.contains("ops.>"), "{said}");
    // A session is no token, and of another key is nothing.
    assert!(!run(&["check", "--session", &key], &token).0);
    assert_eq!(run(&["check", &format!("--secret={SECRET}")], &token).1, "worth nothing: UnknownKey\n");
    assert!(!run(&["check", &key], "nonsense").0);
    // The server takes it, and the session too.
    let server = Server::dev(&[&key]).await;
    Stream::open(server.get(&format!("/events?token={}", token.trim()))).await;
    let (_, session) = run(&["mint", "--session", "--sub=ada", &key], "");
    let answer = server.post("/auth/sse-token", &json!({})).bearer_auth(session.trim()).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    server.stop().await;
}

#[tokio::test]
async fn a_token_may_allow_some_types_only() {
    let server = Server::dev(&[]).await;
    let token = |types: &[&str]| {
        let claims = crate::auth::claims(tinysse_hub::auth::jwt::STREAM);
        let types = Some(types.iter().map(ToString::to_string).collect());
        crate::auth::keys(SECRET).sign(&tinysse_hub::auth::jwt::Claims { types, ..claims })
    };
    let open = async |types: &[&str], asked: &str| {
        let path = format!("/events?token={}&types={asked}", token(types));
        Stream::open(server.get(&path)).await
    };
    let mut some = open(&["projects", "compute.*"], "").await;
    let mut narrowed = open(&["projects", "compute.*"], "compute.done,images,last").await;
    // What is no pattern allows nothing.
    let mut none = open(&["a b"], "").await;
    server.publish(json!([{ "type": "images" }, { "type": "projects" }, { "type": "compute.done" }])).await;
    assert_eq!([some.update().await.event, some.update().await.event], ["projects", "compute.done"]);
    assert_eq!(narrowed.update().await.event, "compute.done");
    server.revoke(json!({ "user": "ada" })).await;
    assert_eq!(none.bye().await, "revoked");
    server.stop().await;
}
