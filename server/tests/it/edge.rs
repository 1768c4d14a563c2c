//! Where connections come in: how many wait, from whom they are, and how an early refusal reaches
//! its client.

use std::{process::Stdio, sync::Arc};

use serde_json::{Value, json};
use tinysse_hub::serve::bind;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    process::Command,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, crypto::ring, pki_types::ServerName},
};

use crate::{
    secure::Secure,
    support::{BOUND, Server, Stream, refused},
};

/// Without a process that accepts, a connect that finds the backlog full stays unanswered.
#[tokio::test]
async fn a_thousand_connections_wait_to_be_accepted() {
    let most = std::fs::read_to_string("/proc/sys/net/core/somaxconn");
    let most = most.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(128);
    let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while waiting.len() < 1_000.min(most) {
        let connected = timeout(BOUND, TcpStream::connect(address)).await;
        waiting.push(connected.unwrap_or_else(|_| panic!("the backlog holds {}", waiting.len())).unwrap());
    }
}

#[tokio::test]
async fn addresses_in_whatever_form_proxies_write_them_are_limited() {
    let admin = "an-admin-key-of-the-edge";
    let server = Server::dev(&["--connect-rate-address=2/h", &format!("--admin-key={admin}")]).await;
    let token = server.log_in("ada", "", &[]).await.token().await;
    let ask = |name: &str, line: &str| server.get("/events").bearer_auth(&token).header(name, line);
    // Each of these is one client, whatever port it has, and has two streams in an hour.
    for (name, lines) in [
        ("x-forwarded-for", ["192.0.2.1:1111", "192.0.2.1:2222", "192.0.2.1"]),
        ("x-forwarded-for", ["[2001:db8::1]:1111", "\"[2001:db8::2]:2222\"", "2001:db8::3"]),
        ("forwarded", ["for=192.0.2.2;proto=https", "For=\"192.0.2.2:4711\"", "for=192.0.2.9, for=192.0.2.2"]),
        // And all whose address is unknown count as one.
        ("x-forwarded-for", ["unknown", "192.0.2.1:", ""]),
    ] {
        let mut streams = Vec::new();
        for line in &lines[..2] {
            streams.push(Stream::open(ask(name, line)).await);
        }
        refused(ask(name, lines[2]), 429, "too_many_requests").await;
        let clients = server.get("/clients").bearer_auth(admin).send().await.unwrap().text().await.unwrap();
        let clients: Value = serde_json::from_str(&clients).unwrap();
        let addresses: Vec<_> = clients["clients"].as_array().unwrap().iter().map(|one| &one["address"]).collect();
        assert!(addresses.iter().all(|address| **address != json!("127.0.0.1")), "{addresses:?}");
        assert_eq!(addresses.iter().all(|address| address.is_null()), lines[0] == "unknown", "{addresses:?}");
        drop(streams);
        crate::support::until("they are gone", || async { server.app.services.streams.count() == 0 }).await;
    }
    refused(ask("forwarded", "for=_hidden"), 429, "too_many_requests").await;
    refused(ask("x-forwarded-for", "192.0.2.77").header("forwarded", "for=192.0.2.78"), 429, "too_many_requests").await;
    // Tokens alike.
    server.stop().await;
}

/// Sends a whole request before it reads, as many clients do; the answer.
async fn deaf(mut io: impl AsyncRead + AsyncWrite + Unpin, head: &str, body: usize) -> String {
    let talk = async {
        io.write_all(format!("{head}content-length: {body}\r\n\r\n").as_bytes()).await.expect("the head");
        let piece = vec![b' '; 64 * 1024];
        let mut left = body;
        while left > 0 {
            let count = left.min(piece.len());
            io.write_all(&piece[..count]).await.unwrap_or_else(|error| panic!("{left} bytes before the end: {error}"));
            left -= count;
        }
        io.flush().await.expect("all of it");
        let mut answer = Vec::new();
        io.read_to_end(&mut answer).await.expect("an answer and an end");
        String::from_utf8(answer).unwrap()
    };
    timeout(BOUND, talk).await.expect("an answer")
}

const JSON: &str = "content-type: application/json\r\n";
const KEY: &str = "authorization: Bearer dev-publish-key\r\n";
const LARGE: usize = 8 << 20;

fn publish(headers: &str) -> String {
    format!("POST /publish HTTP/1.1\r\nhost: localhost\r\n{headers}")
}

#[tokio::test]
async fn who_sends_a_large_body_before_reading_sees_why_it_is_refused() {
    let secure = Secure::start("edge", &[]).await;
    let plain = Server::dev(&[]).await;
    for (status, headers) in
        [(401, JSON.to_owned()), (413, format!("{KEY}{JSON}")), (415, format!("{KEY}content-type: text/plain\r\n"))]
    {
        let expected = format!("HTTP/1.1 {status} ");
        let tcp = TcpStream::connect(plain.url.strip_prefix("http://").unwrap()).await.unwrap();
        let answer = deaf(tcp, &publish(&headers), LARGE).await;
        assert!(answer.starts_with(&expected) && answer.contains("\r\nconnection: close\r\n"), "{answer}");
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(secure.ca.roots.clone())
            .with_no_client_auth();
        let tcp = TcpStream::connect(secure.server.url.strip_prefix("http://").unwrap()).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let tls = TlsConnector::from(Arc::new(config)).connect(name, tcp).await.unwrap();
        let answer = deaf(tls, &publish(&headers), LARGE).await;
        assert!(answer.starts_with(&expected), "{answer}");
    }
    plain.stop().await;
    secure.server.stop().await;
}

#[tokio::test]
async fn a_refusal_of_a_small_body_keeps_the_connection() {
    let server = Server::dev(&[]).await;
    let tcp = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).await.unwrap();
    let first = format!("{}content-length: 100000\r\n\r\n{}", publish(JSON), " ".repeat(100_000));
    let second = "GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n";
    let answers = deaf(tcp, &(first + second), 0).await;
    assert!(answers.starts_with("HTTP/1.1 401 ") && answers.contains("HTTP/1.1 200 "), "{answers}");
    // Who asks before it sends is not asked to send.
    let tcp = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).await.unwrap();
    let asks = format!("{}expect: 100-continue\r\ncontent-length: 5\r\n\r\n", publish(JSON));
    let (mut tcp, mut answer) = (tcp, Vec::new());
    tcp.write_all(asks.as_bytes()).await.unwrap();
    timeout(BOUND, tcp.read_to_end(&mut answer)).await.expect("an end").unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 ") && answer.contains("connection: close"), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn node_and_python_see_the_status_of_an_early_refusal() {
    let server = Server::dev(&[]).await;
    let node = "const [url] = process.argv.slice(1);
        const asked = async (headers) => (await fetch(url, { method: 'POST', headers, body: ' '.repeat(8 << 20) })).status;
        const [json, text] = ['application/json', 'text/plain'], authorization = 'Bearer dev-publish-key';
        for (let n = 0; n < 3; n += 1) console.log(await asked({ 'content-type': json }),
            await asked({ authorization, 'content-type': json }), await asked({ authorization, 'content-type': text }));";
    let python = "import sys, urllib.request, urllib.error
def asked(headers):
    try: return urllib.request.urlopen(urllib.request.Request(sys.argv[1], b' ' * (8 << 20), headers)).status
    except urllib.error.HTTPError as error: return error.code
json, text, key = 'application/json', 'text/plain', 'Bearer dev-publish-key'
for n in range(3): print(asked({'content-type': json}), asked({'authorization': key, 'content-type': json}), asked({'authorization': key, 'content-type': text}))";
    for (program, args) in [("node", ["--input-type=module", "-e", node].as_slice()), ("python3", &["-c", python])] {
        let url = format!("{}/publish", server.url);
        let run = Command::new(program).args(args).arg(url).stdin(Stdio::null()).kill_on_drop(true).output();
        match timeout(BOUND, run).await.expect("it ends") {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => eprintln!("SKIPPED: there is no {program}"),
            Err(error) => panic!("{program}: {error}"),
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stdout).into_owned();
                assert_eq!(said, "401 413 415\n".repeat(3), "{program}: {}", String::from_utf8_lossy(&output.stderr));
            }
        }
    }
    server.stop().await;
}
