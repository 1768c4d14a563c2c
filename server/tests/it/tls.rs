//! Streams over TLS, with HTTP/1.1 and HTTP/2: real handshakes, and the guarantees of every other
//! stream.

use std::time::Duration;

use hyper::{Method, StatusCode};
use serde_json::json;
use tinysse::proto::wire::control::Gap;
use tinysse_hub::hub::Update;
use tinysse_server::config::Config;
use tokio::{
    io::AsyncReadExt,
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::{
    secure::{Ca, Client, Secure},
    support::{BOUND, File, until},
};

#[tokio::test]
async fn both_protocols_carry_replay_revocation_and_a_planned_end() {
    for protocol in ["h2", "http/1.1"] {
        let secure = Secure::start(&protocol.replace('/', ""), &["--beat=20ms"]).await;
        let mut side = secure.connect(protocol).await;
        let token = side.token("ada").await;
        let key = [("authorization", "Bearer dev-publish-key")];
        let ids = side
            .post("/publish", &key, json!([{ "type": "a" }, { "type": "b" }, { "type": "for.bob", "to": "user:bob" }]))
            .await;
        let first = ids["ids"][0].as_str().unwrap().to_owned();
        // Over HTTP/2 both streams share the connection with everything else.
        let mut other = secure.connect(protocol).await;
        let mut replayed = other.stream(&token, &first).await;
        assert_eq!(replayed.hello().await.gap, Gap::None);
        assert_eq!(replayed.update().await.event, "b");
        if protocol == "h2" {
            let mut beside = other.stream(&token, "").await;
            assert_eq!(beside.hello().await.gap, Gap::First);
            side.post("/publish", &key, json!({ "type": "c", "data": "x".repeat(300_000) })).await;
            let (one, two) = (replayed.update().await, beside.update().await);
            assert_eq!((one.event.as_str(), one.id, one.data.len()), ("c", two.id, two.data.len()));
            // One of them leaves, and the other goes on.
            drop(beside);
            until("one is left", || async { secure.metric("tinysse_streams_open") == 1.0 }).await;
        }
        side.post("/publish", &key, json!({ "type": "d" })).await;
        assert_eq!(replayed.update().await.event, "d");
        side.post("/revoke", &key, json!({ "user": "ada" })).await;
        assert_eq!(replayed.bye().await, "revoked");
        let headers = [("authorization", &*format!("Bearer {token}"))];
        assert_eq!(side.send(Method::GET, "/events", &headers, String::new()).await.status(), StatusCode::UNAUTHORIZED);
        let bob = side.token("bob").await;
        let mut last = secure.connect(protocol).await.stream(&bob, &first).await;
        let Secure { mut server, .. } = secure;
        server.begin_stop();
        assert_eq!(last.bye().await, "drain");
        server.stop().await;
    }
}

#[tokio::test]
async fn strangers_and_plain_text_get_nothing_and_are_counted() {
    let secure = Secure::start("strangers", &["--head-timeout=200ms"]).await;
    let nobody = Client::connect(&secure.server, &Ca::new().roots, "h2").await;
    assert_eq!(
        nobody.err().map(|error| error.kind()),
        Some(std::io::ErrorKind::InvalidData),
        "another authority vouches for nothing"
    );
    assert!(secure.server.get("/healthz").send().await.is_err(), "plain text is no TLS");
    // A connection that sends nothing is not waited for.
    let mut silent = TcpStream::connect(secure.server.url.strip_prefix("http://").unwrap()).await.unwrap();
    let mut heard = [0; 64];
    timeout(BOUND, silent.read(&mut heard)).await.expect("it is closed").unwrap_or(0);
    until("all are counted", || async { secure.metric("tinysse_tls_failures_total") == 3.0 }).await;
    let mut one = secure.connect("http/1.1").await;
    assert_eq!(one.send(Method::GET, "/healthz", &[], String::new()).await.status(), StatusCode::OK);
    assert_eq!(secure.metric("tinysse_connections_total{protocol=\"https/1.1\"}"), 1.0);
    secure.server.stop().await;
}

#[tokio::test]
async fn another_certificate_counts_as_soon_as_it_is_there_and_open_streams_go_on() {
    let mut secure = Secure::start("renewed", &["--reload-every=10ms", "--beat=20ms"]).await;
    let mut client = secure.connect("h2").await;
    let token = client.token("ada").await;
    let mut stream = client.stream(&token, "").await;
    stream.hello().await;
    // Half of a change, and nonsense: the known one counts.
    secure.cert.write("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n");
    let old = secure.ca.roots.clone();
    for _ in 0..3 {
        sleep(Duration::from_millis(20)).await;
        Client::connect(&secure.server, &old, "h2").await.unwrap();
    }
    secure.ca = Ca::new();
    let (cert, key) = secure.ca.sign();
    secure.key.write(&key);
    secure.cert.write(&cert);
    until("renewed", || async { Client::connect(&secure.server, &secure.ca.roots, "h2").await.is_ok() }).await;
    assert!(Client::connect(&secure.server, &old, "h2").await.is_err());
    secure.server.app.services.updates.notify("a").await.unwrap();
    assert_eq!(stream.update().await.event, "a");
    drop((stream, client));
    secure.server.stop().await;
}

#[tokio::test]
async fn a_stream_that_takes_nothing_is_found_though_its_connection_lives() {
    let secure = Secure::start("stuck", &["--stall-timeout=300ms", "--beat=20ms", "--log-max-bytes=4194304"]).await;
    let mut client = secure.connect("h2").await;
    let token = client.token("ada").await;
    let mut stuck = client.stream(&token, "").await;
    stuck.hello().await;
    // More than the window that the client opened for it; the connection answers pings meanwhile.
    for _ in 0..40 {
        let update = Update { data: Some(format!("\"{}\"", "x".repeat(100_000))), ..Update::new("a") };
        secure.server.app.services.updates.publish(update).await.unwrap();
    }
    until("dropped as slow", || async { secure.metric("tinysse_streams_closed_total{reason=\"slow\"}") == 1.0 }).await;
    drop(stuck);
    let mut other = secure.connect("h2").await;
    other.stream(&token, "").await.hello().await;
    secure.server.stop().await;
}

#[test]
fn files_that_do_not_fit_end_the_start_with_their_name() {
    let (ca, config) = (Ca::new(), |cert: &str, key: &str| {
        let flags = ["tinysse-server", "--dev", "--memory", cert, key];
        Config::from_args(flags.iter().filter(|flag| !flag.is_empty())).map_err(|error| error.to_string())
    });
    let ((cert, key), (_, strange)) = (ca.sign(), ca.sign());
    let file = |name: &str, text: &str| File::new(&format!("fit-{name}.pem"), text);
    let (cert, key, strange, nonsense) =
        (file("cert", &cert), file("key", &key), file("strange", &strange), file("nonsense", "hush-hush"));
    let flag = |name: &str, file: &File| format!("--tls-{name}={}", file.path());
    assert!(config(&flag("cert", &cert), &flag("key", &key)).is_ok());
    for (cert, key, named) in [
        (flag("cert", &cert), flag("key", &strange), "--tls-cert and --tls-key"),
        (flag("cert", &nonsense), flag("key", &key), "--tls-cert"),
        (flag("cert", &cert), flag("key", &nonsense), "--tls-key"),
        (flag("cert", &cert), String::new(), "--tls-key"),
        (String::new(), flag("key", &key), "--tls-cert"),
        ("--tls-cert=nowhere.pem".to_owned(), flag("key", &key), "nowhere.pem"),
    ] {
        let error = config(&cert, &key).expect_err(named);
        assert!(error.contains(named) && !error.contains("hush-hush"), "{error}");
    }
}
