//! Streams byte by byte: what takes over from hyper speaks HTTP/1.1 as hyper did, and leaves to
//! hyper what it cannot.

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::support::{BOUND, Server, until};

pub(crate) async fn ask(server: &Server, request: &str) -> TcpStream {
    let address = server.url.strip_prefix("http://").unwrap();
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(request.as_bytes()).await.unwrap();
    client
}

/// Reads on until `end` was read.
pub(crate) async fn read_until(client: &mut TcpStream, text: &mut String, end: &str) {
    let read = async {
        let mut buffer = [0; 4_096];
        while !text.contains(end) {
            let n = client.read(&mut buffer).await.unwrap();
            assert_ne!(n, 0, "{text}");
            text.push_str(std::str::from_utf8(&buffer[..n]).unwrap());
        }
    };
    timeout(BOUND, read).await.unwrap_or_else(|_| panic!("no {end:?} in {text}"));
}

/// The body behind the head, out of its chunks; what is behind the last one is the rest.
fn unchunked(text: &str) -> String {
    let (_, mut rest) = text.split_once("\r\n\r\n").unwrap();
    let mut body = String::new();
    while let Some((size, behind)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        let (chunk, behind) = behind.split_at(size);
        body.push_str(chunk);
        rest = behind.strip_prefix("\r\n").unwrap();
        if size == 0 {
            return body;
        }
    }
    body
}

#[tokio::test]
async fn a_stream_has_a_head_chunks_and_an_end() {
    let mut server = Server::dev(&[]).await;
    let token = {
        let ada = server.log_in("ada", "", &[]).await;
        ada.token().await
    };
    let mut client = ask(&server, &format!("GET /events?token={token} HTTP/1.1\r\nhost: localhost\r\n\r\n")).await;
    let mut text = String::new();
    read_until(&mut client, &mut text, "tinysse.hello").await;
    server.publish(json!([{ "type": "a" }, { "type": "b", "data": "x".repeat(40_000) }, { "type": "c" }])).await;
    read_until(&mut client, &mut text, "event: c").await;
    // What a client sends on its stream is discarded, and harms nothing.
    client.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    server.publish(json!({ "type": "d" })).await;
    read_until(&mut client, &mut text, "event: d").await;
    server.begin_stop();
    read_until(&mut client, &mut text, "\r\n0\r\n\r\n").await;
    assert_eq!(timeout(BOUND, client.read(&mut [0; 16])).await.expect("the end").unwrap(), 0);
    let head = text.split_once("\r\n\r\n").unwrap().0.to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 200 ok\r\n"), "{head}");
    for line in ["transfer-encoding: chunked", "connection: close", "content-type: text/event-stream", "date: "] {
        assert_eq!(head.matches(&format!("\r\n{line}")).count(), 1, "{line} in {head}");
    }
    let body = unchunked(&text);
    let types: Vec<_> = body.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
    assert_eq!(types, ["tinysse.hello", "a", "b", "c", "d", "tinysse.bye"]);
}

#[tokio::test]
async fn an_answer_before_the_stream_on_the_same_connection_is_whole() {
    let server = Server::dev(&[]).await;
    let token = server.log_in("ada", "", &[]).await.token().await;
    let both = format!(
        "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\nGET /events?token={token} HTTP/1.1\r\nhost: localhost\r\n\r\n"
    );
    let mut client = ask(&server, &both).await;
    let mut text = String::new();
    read_until(&mut client, &mut text, "tinysse.hello").await;
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 2, "{text}");
    server.publish(json!({ "type": "a" })).await;
    read_until(&mut client, &mut text, "event: a").await;
    drop(client);
    server.stop().await;
}

#[tokio::test]
async fn http_1_0_gets_its_stream_without_chunks_and_head_gets_none() {
    let server = Server::dev(&["--beat=20ms"]).await;
    let token = server.log_in("ada", "", &[]).await.token().await;
    let mut old = ask(&server, &format!("GET /events?token={token} HTTP/1.0\r\n\r\n")).await;
    let mut text = String::new();
    read_until(&mut old, &mut text, "tinysse.beat").await;
    assert!(text.contains("\r\n\r\nretry: "), "no chunk before the first frame: {text}");
    server.publish(json!({ "type": "a" })).await;
    read_until(&mut old, &mut text, "event: a").await;
    drop(old);
    let request = format!("HEAD /events?token={token} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    let (mut head, mut text) = (ask(&server, &request).await, String::new());
    read_until(&mut head, &mut text, "\r\n\r\n").await;
    let server = &server;
    until("no stream stays", || async { server.metric("tinysse_streams_open").await == 0.0 }).await;
}

#[tokio::test]
async fn a_stream_rotates_before_it_is_too_old_and_lingers_until_the_next_one_is_open() {
    let server = Server::start(&["--dev", "--max-stream-age=200ms", "--linger=30s", "--beat=20ms"]).await;
    let ada = server.log_in("ada", "", &[]).await;
    let mut old = ada.stream("").await;
    loop {
        let frame = old.next().await.expect("a bye");
        if frame.event == "tinysse.bye" {
            assert!(frame.data.contains("reason=rotate"), "{frame:?}");
            break;
        }
    }
    // Nothing that comes before the next stream is open has to wait for it.
    server.publish(json!({ "type": "a" })).await;
    assert_eq!(old.update().await.event, "a");
    drop(old);
    let server = &server;
    until("counted as rotated", || async {
        server.metric("tinysse_streams_closed_total{reason=\"rotate\"}").await == 1.0
    })
    .await;
}
