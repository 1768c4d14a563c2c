//! Too much of everything, from one user or one address.

use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::support::{BOUND, Server, Stream, refused, until};

/// Reads to the end of the connection; what came.
async fn rest(tcp: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // Reset or closed: both are an end.
    let _ = timeout(BOUND, tcp.read_to_end(&mut bytes)).await.expect("the server ends it");
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.url.strip_prefix("http://").unwrap()).await.unwrap()
}

#[tokio::test]
async fn tokens_by_user_and_by_address() {
    let server = Server::dev(&["--token-rate=3/h", "--token-rate-address=5/h"]).await;
    let (ada, bob) = (server.log_in("ada", "", &[]).await, server.log_in("bob", "", &[]).await);
    for _ in 0..3 {
        ada.token().await;
    }
    let response = ada.post("/auth/sse-token", &json!({})).send().await.unwrap();
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["retry-after"], "1200");
    refused(ada.post("/auth/sse-token", &json!({})), 429, "too_many_requests").await;
    bob.token().await;
    // By address, sessions or not. The /64 of IPv6 is one; what is further left in the header may
    // be forged.
    let from = |hops: &str| server.post("/auth/sse-token", &json!({})).header("x-forwarded-for", hops);
    for n in 0..5 {
        refused(from(&format!("203.0.113.{n}, 2001:db8::{n}")), 401, "unauthenticated").await;
    }
    refused(from("2001:db8::ffff"), 429, "too_many_requests").await;
    refused(from("2001:db8:0:1::1"), 401, "unauthenticated").await;
    assert_eq!(server.metric("tinysse_auth_failures_total{code=\"too_many_requests\"}").await, 2.0 + 1.0);
    server.stop().await;
}

#[tokio::test]
async fn streams_by_user_by_address_and_by_rate() {
    let server = Server::dev(&["--max-streams-user=2", "--max-streams-address=3", "--connect-rate-address=6/h"]).await;
    let (ada, bob) = (server.log_in("ada", "", &[]).await, server.log_in("bob", "", &[]).await);
    let (of_ada, of_bob) = (ada.token().await, bob.token().await);
    let from = |address: &str, token: &str| server.get("/events").bearer_auth(token).header("x-forwarded-for", address);
    let mut open = vec![Stream::open(from("192.0.2.1", &of_ada)).await, Stream::open(from("192.0.2.2", &of_ada)).await];
    refused(from("192.0.2.3", &of_ada), 503, "busy").await;
    // A native reader would take a status for final; it is sent when to come again.
    let query = server.get(&format!("/events?token={of_ada}"));
    let mut away = Stream::raw(query).await;
    assert_eq!(away.bye().await, "drain");
    for _ in 0..2 {
        open.push(Stream::open(from("192.0.2.1", &of_bob)).await);
    }
    let carl = server.log_in("carl", "", &[]).await.token().await;
    refused(from("192.0.2.1", &carl), 503, "busy").await;
    Stream::open(from("192.0.2.9", &carl)).await;
    // A stream that ends frees a place.
    open.clear();
    until("all ended", || async { server.app.services.streams.count() == 0 }).await;
    Stream::open(from("192.0.2.1", &carl)).await;
    Stream::open(from("192.0.2.1", &carl)).await;
    refused(from("192.0.2.1", &carl), 429, "too_many_requests").await;
    refused(from("192.0.2.1", "nonsense"), 429, "too_many_requests").await;
    let native = server.get(&format!("/events?token={carl}")).header("x-forwarded-for", "192.0.2.1");
    assert_eq!(Stream::raw(native).await.bye().await, "drain");
    Stream::open(from("192.0.2.7", &carl)).await;
    server.stop().await;
}

/// `TINYSSE_FLOOD=10000` for the whole flood; every connection costs two file descriptors here.
#[tokio::test]
async fn connections_of_one_address() {
    let many: usize = std::env::var("TINYSSE_FLOOD").map_or(400, |text| text.parse().unwrap());
    let server = Server::dev(&["--max-connections-address=100", "--trusted-proxy=10.0.0.0/8"]).await;
    let mut held = Vec::new();
    for _ in 0..many {
        held.push(connect(&server).await);
    }
    let refused = many as f64 - 100.0;
    let server = &server;
    let series = "tinysse_connections_refused_total";
    // Another client is served meanwhile, by another address of this machine.
    let other = Client::builder().local_address(Some([127, 0, 0, 2].into())).build().unwrap();
    let metric = || async {
        let text = other.get(format!("{}/metrics", server.url)).send().await.unwrap().text().await.unwrap();
        text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse::<f64>().ok()) == Some(refused)
    };
    until("all but a hundred are refused", metric).await;
    let mut last = held.pop().unwrap();
    assert_eq!(rest(&mut last).await, "");
    drop(held);
    until("there is room again", || async {
        server.request(Method::GET, "/healthz").send().await.is_ok_and(|response| response.status() == 200)
    })
    .await;
}

#[tokio::test]
async fn who_sends_slowly_is_not_waited_for() {
    let server = Server::dev(&["--head-timeout=300ms", "--request-timeout=300ms"]).await;
    let mut heads = Vec::new();
    for _ in 0..50 {
        let mut tcp = connect(&server).await;
        tcp.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nx-").await.unwrap();
        heads.push(tcp);
    }
    let mut body = connect(&server).await;
    let head = "POST /publish HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer dev-publish-key\r\n\
                content-type: application/json\r\ncontent-length: 1000\r\n\r\n{";
    body.write_all(head.as_bytes()).await.unwrap();
    // Others are served. The connection is not kept: it would be idle until the server closes it,
    // as the next request is sent.
    assert_eq!(server.get("/healthz").header("connection", "close").send().await.unwrap().status(), 200);
    for tcp in &mut heads {
        let answer = rest(tcp).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
    assert!(rest(&mut body).await.starts_with("HTTP/1.1 408"));
    // A stream is no slow request.
    let mut stream = server.log_in("ada", "", &[]).await.stream("").await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    server.publish(json!({ "type": "a" })).await;
    assert_eq!(stream.update().await.event, "a");
    server.stop().await;
}

#[tokio::test]
async fn what_is_too_large_is_not_taken() {
    let server = Server::dev(&[]).await;
    for length in ["content-length: 104857600", "transfer-encoding: chunked"] {
        let (mut reader, mut writer) = connect(&server).await.into_split();
        let head = format!(
            "POST /publish HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer dev-publish-key\r\n\
             content-type: application/json\r\n{length}\r\n\r\n"
        );
        let chunked = length.starts_with("transfer");
        let pour = tokio::spawn(async move {
            let mut sent = 0_usize;
            let mut piece = if chunked { b"10000\r\n".to_vec() } else { Vec::new() };
            piece.extend(vec![b' '; 65_536]);
            piece.extend_from_slice(if chunked { b"\r\n" } else { b"" });
            let _ = writer.write_all(head.as_bytes()).await;
            while sent < 100 << 20 && writer.write_all(&piece).await.is_ok() {
                sent += 65_536;
            }
            sent
        });
        let mut answer = [0; 12];
        timeout(BOUND, reader.read_exact(&mut answer)).await.expect("an answer").unwrap();
        assert_eq!(&answer, b"HTTP/1.1 413", "{length}");
        drop(reader);
        let sent = timeout(BOUND, pour).await.expect("an end").unwrap();
        assert!(sent < 32 << 20, "{sent} bytes were taken");
    }
    // Heads have bounds too.
    let mut tcp = connect(&server).await;
    let endless = format!("GET /healthz HTTP/1.1\r\nx: {}", "y".repeat(200_000));
    let _ = tcp.write_all(endless.as_bytes()).await;
    let answer = rest(&mut tcp).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    let mut tcp = connect(&server).await;
    let lines: String = (0..200).map(|n| format!("x-{n}: y\r\n")).collect();
    let _ = tcp.write_all(format!("GET /healthz HTTP/1.1\r\n{lines}\r\n").as_bytes()).await;
    assert!(rest(&mut tcp).await.starts_with("HTTP/1.1 431"));
    server.stop().await;
}

#[tokio::test]
async fn a_connection_that_is_refused_all_the_time_is_slowed_down() {
    let server = Server::dev(&["--trusted-proxy=10.0.0.0/8"]).await;
    let mut tcp = connect(&server).await;
    let (many, began) = (240, std::time::Instant::now());
    let asked = "GET /nothing HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(many - 1);
    let last = "GET /nothing HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    tcp.write_all((asked + last).as_bytes()).await.unwrap();
    // Others are not.
    assert_eq!(server.get("/healthz").send().await.unwrap().status(), 200);
    let answers = rest(&mut tcp).await;
    assert_eq!(answers.matches("HTTP/1.1 404 ").count(), many, "each is answered");
    // Two hundred at once, and then twenty a second.
    assert!(began.elapsed() >= Duration::from_millis(1_900), "{:?}", began.elapsed());
    server.stop().await;
}
