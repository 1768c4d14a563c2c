//! A first request that asks for a stream is answered before hyper sees it: as the routes would.

use tokio::io::AsyncWriteExt;

use crate::{
    stream_bytes::{ask, read_until},
    support::{Server, until},
};

const LISTED: &str = "https://app.example";

/// Status line and headers in the order of their names, without the date.
fn head(text: &str) -> Vec<String> {
    let lines = text.split_once("\r\n\r\n").unwrap().0.to_ascii_lowercase();
    let mut lines: Vec<_> = lines.lines().filter(|line| !line.starts_with("date: ")).map(ToOwned::to_owned).collect();
    lines[1..].sort();
    lines
}

#[tokio::test]
async fn the_head_is_the_one_of_the_routes() {
    let server = Server::dev(&[&format!("--cors-origin={LISTED}"), "--cors-origin=https://other.example"]).await;
    let token = server.log_in("ada", "", &[]).await.token().await;
    for (origin, listed) in
        [("", false), (LISTED, true), ("https://other.example", true), ("https://eve.example", false), ("null", false)]
    {
        let line = if origin.is_empty() { String::new() } else { format!("origin: {origin}\r\n") };
        let mut heads = Vec::new();
        // A whole address is one that hyper reads.
        for address in ["/events", "http://localhost/events"] {
            let request = format!("GET {address}?token={token} HTTP/1.1\r\nhost: localhost\r\n{line}\r\n");
            let (mut client, mut text) = (ask(&server, &request).await, String::new());
            read_until(&mut client, &mut text, "tinysse.hello").await;
            heads.push(head(&text));
        }
        assert_eq!(heads[0], heads[1], "{origin}");
        let allowed = heads[0].iter().any(|line| line.starts_with("access-control-allow-origin"));
        assert_eq!(allowed, listed, "{origin}");
        assert!(heads[0].contains(&"referrer-policy: no-referrer".to_owned()), "{:?}", heads[0]);
    }
    server.stop().await;
}

#[tokio::test]
async fn what_is_refused_is_answered_once_and_the_connection_goes_on() {
    let server = Server::dev(&["--single-use", &format!("--cors-origin={LISTED}")]).await;
    let token = server.log_in("ada", "", &[]).await.token().await;
    let get =
        |token: &str| format!("GET /events?token={token} HTTP/1.1\r\nhost: localhost\r\norigin: {LISTED}\r\n\r\n");
    let (mut client, mut text) = (ask(&server, &get("nonsense")).await, String::new());
    read_until(&mut client, &mut text, "token_invalid").await;
    assert!(
        text.starts_with("HTTP/1.1 401 ") && text.contains(&format!("access-control-allow-origin: {LISTED}")),
        "{text}"
    );
    // The answer was for the first request only.
    client.write_all(get(&token).as_bytes()).await.unwrap();
    text.clear();
    read_until(&mut client, &mut text, "tinysse.hello").await;
    assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
    // Counted once, as are connections.
    assert_eq!(server.metric("tinysse_auth_failures_total{code=\"token_invalid\"}").await, 1.0);
    let (mut again, mut text) = (ask(&server, &get(&token)).await, String::new());
    read_until(&mut again, &mut text, "token_used").await;
    drop((client, again));
    let server = &server;
    until("no stream stays", || async { server.metric("tinysse_streams_open").await == 0.0 }).await;
}

#[tokio::test]
async fn a_head_in_pieces_and_one_with_a_cookie_of_kilobytes_open_streams_too() {
    let server = Server::dev(&[]).await;
    let token = server.log_in("ada", "", &[]).await.token().await;
    let first = format!("GET /events?token={token} HTTP/1.1\r\nhos");
    let (mut client, mut text) = (ask(&server, &first).await, String::new());
    // Another connection is answered meanwhile, so these bytes were read by themselves.
    assert_eq!(server.get("/healthz").send().await.unwrap().status(), 200);
    client.write_all(b"t: localhost\r\n\r\n").await.unwrap();
    read_until(&mut client, &mut text, "tinysse.hello").await;
    let cookie = "c".repeat(20_000);
    let request = format!("GET /events?token={token} HTTP/1.1\r\nhost: localhost\r\ncookie: a={cookie}\r\n\r\n");
    let (mut client, mut text) = (ask(&server, &request).await, String::new());
    read_until(&mut client, &mut text, "tinysse.hello").await;
    server.stop().await;
}
