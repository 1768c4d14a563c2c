//! Readers that read slowly or never.

use std::time::Duration;

use serde_json::json;
use tinysse_hub::hub::Update;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use crate::support::{BOUND, Server, until};

/// A client with a small receive buffer that asks for a stream and then reads nothing.
pub async fn lazy(server: &Server, token: &str) -> TcpStream {
    lazy_over(server, token, "1.1").await
}

/// The same over another version of HTTP/1.
pub async fn lazy_over(server: &Server, token: &str, version: &str) -> TcpStream {
    let address = server.url.strip_prefix("http://").unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut client = socket.connect(address.parse().unwrap()).await.unwrap();
    let request = format!("GET /events?token={token} HTTP/{version}\r\nhost: {address}\r\n\r\n");
    client.write_all(request.as_bytes()).await.unwrap();
    until("the stream is open", || async { server.metric("tinysse_streams_open").await >= 1.0 }).await;
    client
}

const UPDATE: usize = 32 * 1024;

/// Publishes inside the process: it is the reader that is under test here.
async fn publish_large(server: &Server, count: usize) {
    let update = Update { data: Some(format!("\"{}\"", "x".repeat(UPDATE))), ..Update::new("a") };
    for _ in 0..count {
        server.app.services.updates.publish(update.clone()).await.unwrap();
        // Lets the streams write.
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_reader_that_never_reads_is_dropped_and_holds_up_nobody() {
    let server = Server::dev(&["--stall-timeout=300ms", "--log-max-bytes=1048576"]).await;
    let ada = server.log_in("ada", "", &[]).await;
    let client = lazy(&server, &ada.token().await).await;
    publish_large(&server, 200).await;
    let server = &server;
    until("dropped as slow", || async { server.metric("tinysse_streams_closed_total{reason=\"slow\"}").await == 1.0 })
        .await;
    // What it was given is what fits the buffers on its way, not the 6.5 MB that were published.
    let given = server.metric("tinysse_frames_total").await * UPDATE as f64;
    assert!(given < 3e6, "{given} bytes were taken for a reader that reads nothing");
    assert!(server.metric("tinysse_log_bytes").await <= 1_048_576.0);
    let mut other = ada.stream("").await;
    server.publish(json!({ "type": "b" })).await;
    assert_eq!(other.update().await.event, "b");
    drop(client);
}

#[tokio::test]
async fn a_reader_that_falls_behind_the_log_is_told_once() {
    let server = Server::dev(&["--stall-timeout=60s", "--log-max-count=4"]).await;
    let ada = server.log_in("ada", "", &[]).await;
    let mut client = lazy(&server, &ada.token().await).await;
    publish_large(&server, 400).await;
    server.publish(json!({ "type": "last" })).await;
    // Now it reads.
    let mut text = Vec::new();
    let read = async {
        let mut buffer = vec![0; 65_536];
        while !String::from_utf8_lossy(&text[text.len().saturating_sub(200_000)..]).contains("tinysse.resync") {
            let n = client.read(&mut buffer).await.unwrap();
            assert_ne!(n, 0, "the stream goes on");
            text.extend_from_slice(&buffer[..n]);
        }
    };
    timeout(BOUND, read).await.expect("a resync");
    let text = String::from_utf8_lossy(&text);
    assert_eq!(text.matches("tinysse.resync").count(), 1);
    assert!(text.contains("gap=overflow"));
    assert_eq!(server.metric("tinysse_resyncs_total{gap=\"overflow\"}").await, 1.0);
    drop(client);
    server.stop().await;
}

#[tokio::test]
async fn shutdown_does_not_wait_for_a_reader_that_never_reads() {
    let server = Server::dev(&["--stall-timeout=60s"]).await;
    let ada = server.log_in("ada", "", &[]).await;
    let client = lazy(&server, &ada.token().await).await;
    publish_large(&server, 200).await;
    // An idle connection, and one that never finishes its request.
    let address = server.url.strip_prefix("http://").unwrap().to_owned();
    let idle = TcpStream::connect(&address).await.unwrap();
    let mut half = TcpStream::connect(&address).await.unwrap();
    half.write_all(b"GET /healthz HTTP/1.1\r\n").await.unwrap();
    timeout(Duration::from_secs(30), server.stop()).await.expect("bounded");
    drop((client, idle, half));
}
