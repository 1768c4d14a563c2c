//! Clients over TLS: a certificate authority of the tests, connections of either protocol, and
//! streams on them.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use http_body::Body;
use hyper::{Method, Request, Response, StatusCode, body::Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};
use tinysse::proto::wire::{
    Frame,
    control::{Control, Hello},
    decode::{Decoder, Item},
};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName},
};

use crate::support::{BOUND, File, Server, metric};

/// A certificate authority of the tests, and what it signed.
pub struct Ca {
    pub issuer: Issuer<'static, KeyPair>,
    pub roots: RootCertStore,
}

impl Ca {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let cert = params.self_signed(&key).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(cert.der().clone()).unwrap();
        Self { issuer: Issuer::new(params, key), roots }
    }

    /// Certificate and key for `localhost`, in PEM.
    pub fn sign(&self) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let cert = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap();
        (cert.pem(), key.serialize_pem())
    }
}

/// A server with HTTPS, and the files it has it from.
pub struct Secure {
    pub server: Server,
    pub ca: Ca,
    pub cert: File,
    pub key: File,
}

impl Secure {
    pub async fn start(name: &str, args: &[&str]) -> Self {
        let ca = Ca::new();
        let (cert, key) = ca.sign();
        let (cert, key) = (File::new(&format!("{name}-cert.pem"), &cert), File::new(&format!("{name}-key.pem"), &key));
        let files = [format!("--tls-cert={}", cert.path()), format!("--tls-key={}", key.path())];
        let server = Server::dev(&[&[files[0].as_str(), files[1].as_str()], args].concat()).await;
        Self { server, ca, cert, key }
    }

    pub async fn connect(&self, protocol: &'static str) -> Client {
        Client::connect(&self.server, &self.ca.roots, protocol).await.unwrap()
    }

    pub fn metric(&self, series: &str) -> f64 {
        metric(&tinysse_hub::http::render_metrics(&self.server.app.services), series)
    }
}

/// One connection.
pub enum Client {
    One(hyper::client::conn::http1::SendRequest<String>),
    Two(hyper::client::conn::http2::SendRequest<String>),
}

impl Client {
    pub async fn connect(server: &Server, roots: &RootCertStore, protocol: &'static str) -> std::io::Result<Self> {
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots.clone())
            .with_no_client_auth();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        let tcp = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).await?;
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, tcp).await?;
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(protocol.as_bytes()));
        let io = TokioIo::new(stream);
        Ok(if protocol == "h2" {
            let (send, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
            tokio::spawn(async move { drop(connection.await) });
            Self::Two(send)
        } else {
            let (send, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
            tokio::spawn(async move { drop(connection.await) });
            Self::One(send)
        })
    }

    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Response<Incoming> {
        let two = matches!(self, Self::Two(_));
        let uri = if two { format!("https://localhost{path}") } else { path.to_owned() };
        let mut request = Request::builder().method(method).uri(uri).header("content-type", "application/json");
        if !two {
            request = request.header("host", "localhost");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body).unwrap();
        let answer = async {
            match self {
                Self::One(send) => send.send_request(request).await,
                Self::Two(send) => send.send_request(request).await,
            }
        };
        timeout(BOUND, answer).await.expect("an answer").unwrap()
    }

    pub async fn post(&mut self, path: &str, headers: &[(&str, &str)], body: Value) -> Value {
        let mut answer = self.send(Method::POST, path, headers, body.to_string()).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let mut bytes = Vec::new();
        while let Some(more) = piece(answer.body_mut()).await {
            bytes.extend_from_slice(&more);
        }
        serde_json::from_slice(&bytes).unwrap()
    }

    /// A token for a user.
    pub async fn token(&mut self, user: &str) -> String {
        let login = self.send(Method::POST, "/auth/login", &[], json!({ "user": user }).to_string()).await;
        let cookie = login.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        drop(login);
        self.post("/auth/sse-token", &[("cookie", &cookie)], json!({})).await["token"].as_str().unwrap().to_owned()
    }

    pub async fn stream(&mut self, token: &str, cursor: &str) -> Stream {
        let headers = [("authorization", &*format!("Bearer {token}")), ("last-event-id", cursor)];
        let answer = self.send(Method::GET, "/events", &headers, String::new()).await;
        assert_eq!(
            (answer.status(), &answer.headers()["content-type"]),
            (StatusCode::OK, &"text/event-stream".parse().unwrap())
        );
        let mut stream =
            Stream { body: answer.into_body(), decoder: Decoder::new("", 1 << 22), frames: VecDeque::new() };
        let first = stream.next().await.expect("a hello");
        assert!(matches!(Control::read(&first), Some(Control::Hello(_))), "{first:?}");
        stream.frames.push_front(first);
        stream
    }
}

async fn piece(body: &mut Incoming) -> Option<Bytes> {
    let frame = std::future::poll_fn(|cx| std::pin::Pin::new(&mut *body).poll_frame(cx));
    timeout(BOUND, frame).await.expect("a piece or an end")?.ok()?.into_data().ok()
}

pub struct Stream {
    pub body: Incoming,
    pub decoder: Decoder,
    pub frames: VecDeque<Frame>,
}

impl Stream {
    pub async fn next(&mut self) -> Option<Frame> {
        while self.frames.is_empty() {
            let bytes = piece(&mut self.body).await?;
            let frames = &mut self.frames;
            self.decoder
                .feed(&bytes, &mut |item| match item {
                    Item::Frame(frame) => frames.push_back(frame),
                    Item::Id(_) | Item::Retry(_) => {}
                })
                .unwrap();
        }
        self.frames.pop_front()
    }

    pub async fn hello(&mut self) -> Hello {
        match Control::read(&self.next().await.expect("a hello")) {
            Some(Control::Hello(hello)) => hello,
            other => panic!("{other:?}"),
        }
    }

    /// The next update that is no beat.
    pub async fn update(&mut self) -> Frame {
        let read = async {
            loop {
                let frame = self.next().await.expect("an update");
                if frame.event != "tinysse.beat" {
                    return frame;
                }
            }
        };
        timeout(BOUND, read).await.expect("an update among the beats")
    }

    /// The reason of the bye, behind which the stream ends.
    pub async fn bye(&mut self) -> String {
        loop {
            if let Some(Control::Bye(bye)) = Control::read(&self.next().await.expect("a bye")) {
                // A stream that stays open a while after its bye has beats.
                while let Some(frame) = self.next().await {
                    assert_eq!(frame.event, "tinysse.beat");
                }
                return bye.reason.as_str().to_owned();
            }
        }
    }
}
