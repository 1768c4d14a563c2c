//! What clients of HTTP/2 can hold without a login: windows that stay closed, connections that send
//! nothing.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{ClientConfig, crypto::ring, pki_types::ServerName},
};

use crate::{
    secure::Secure,
    support::{BOUND, until},
};

/// A folder of pages with one large file, gone when it is dropped.
struct Pages(PathBuf);

const LARGE: usize = 300_000;

impl Pages {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("tinysse-pages-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("index.html"), "<p>hello</p>").unwrap();
        std::fs::write(folder.join("large.bin"), vec![b'x'; LARGE]).unwrap();
        Self(folder)
    }

    fn flag(&self) -> String {
        format!("--pages={}", self.0.display())
    }

    /// How often this process has the large file open.
    fn open(&self) -> usize {
        let large = self.0.join("large.bin");
        let descriptors = std::fs::read_dir("/proc/self/fd").unwrap().filter_map(Result::ok);
        descriptors.filter(|fd| std::fs::read_link(fd.path()).is_ok_and(|to| to == large)).count()
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// A connection that speaks frames.
pub struct Raw(TlsStream<TcpStream>);

pub const DATA: u8 = 0;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;

impl Raw {
    /// With this initial window for each response.
    pub async fn open(secure: &Secure, window: u32) -> Self {
        let mut raw = Self::silent(secure).await;
        raw.0.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
        raw.send(SETTINGS, 0, 0, &[&[0, 4], window.to_be_bytes().as_slice()].concat()).await;
        raw
    }

    /// Behind the handshake of TLS, without a word of HTTP.
    pub async fn silent(secure: &Secure) -> Self {
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(secure.ca.roots.clone())
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let tcp = TcpStream::connect(secure.server.url.strip_prefix("http://").unwrap()).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        Self(TlsConnector::from(Arc::new(config)).connect(name, tcp).await.unwrap())
    }

    /// Whether it could be sent.
    pub async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> bool {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let head = [&length[1..], &[kind, flags], stream.to_be_bytes().as_slice()].concat();
        self.0.write_all(&[&head, payload].concat()).await.is_ok()
    }

    /// `GET path` as a header block: indexed and literal fields of RFC 7541, without Huffman codes.
    pub fn get(path: &str) -> Vec<u8> {
        let literal =
            |index: u8, value: &str| [&[index, u8::try_from(value.len()).unwrap()], value.as_bytes()].concat();
        [vec![0x82, 0x87], literal(0x04, path), literal(0x01, "localhost")].concat()
    }

    pub async fn request(&mut self, stream: u32, path: &str) -> bool {
        self.send(1, 0x4 | 0x1, stream, &Self::get(path)).await
    }

    /// The next frame: its kind, stream and payload; `None` at the end of the connection. Answers
    /// settings and pings.
    pub async fn next(&mut self) -> Option<(u8, u32, Vec<u8>)> {
        loop {
            let mut head = [0; 9];
            timeout(BOUND, self.0.read_exact(&mut head)).await.expect("a frame or an end").ok()?;
            let [_, _, _, kind, flags, stream @ ..] = head;
            let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
            timeout(BOUND, self.0.read_exact(&mut payload)).await.expect("a frame").ok()?;
            match kind {
                SETTINGS if flags & 1 == 0 => drop(self.send(SETTINGS, 1, 0, &[]).await),
                PING if flags & 1 == 0 => drop(self.send(PING, 1, 0, &payload).await),
                _ => return Some((kind, u32::from_be_bytes(stream), payload)),
            }
        }
    }

    async fn until(&mut self, kind: u8) -> Option<(u32, Vec<u8>)> {
        while let Some((seen, stream, payload)) = self.next().await {
            if seen == kind {
                return Some((stream, payload));
            }
        }
        None
    }
}

#[tokio::test]
async fn responses_behind_a_closed_window_are_reset_and_their_files_closed() {
    let pages = Pages::new("window");
    let secure = Secure::start("window", &["--stall-timeout=500ms", "--beat=100ms", &pages.flag()]).await;
    let mut attackers = Vec::new();
    for _ in 0..4 {
        let mut raw = Raw::open(&secure, 0).await;
        for n in 0..20 {
            assert!(raw.request(2 * n + 1, "/large.bin").await);
        }
        attackers.push(raw);
    }
    until("all files are open", || async { pages.open() == 80 }).await;
    for raw in &mut attackers {
        let mut reset = std::collections::BTreeSet::new();
        while reset.len() < 20 {
            let (stream, _) = raw.until(RST_STREAM).await.expect("the connection itself lives");
            reset.insert(stream);
        }
    }
    until("all files are closed", || async { pages.open() == 0 }).await;
    // The connection still serves who takes what was asked for, and small answers are held to the
    // same.
    let raw = &mut attackers[0];
    assert!(raw.request(101, "/healthz").await);
    assert_eq!(raw.until(RST_STREAM).await.map(|(stream, _)| stream), Some(101));
    secure.server.stop().await;
}

#[tokio::test]
async fn who_takes_little_by_little_gets_it_all() {
    let pages = Pages::new("slow");
    let secure = Secure::start("slow", &["--stall-timeout=1s", "--beat=100ms", &pages.flag()]).await;
    let mut raw = Raw::open(&secure, 0).await;
    assert!(raw.request(1, "/large.bin").await);
    let (mut taken, began) = (0, Instant::now());
    // 16 kB each 100 ms: longer in all than the deadline, and never a deadline without progress.
    while taken < LARGE {
        let step = (LARGE - taken).min(16_384);
        assert!(raw.send(WINDOW_UPDATE, 0, 0, &u32::try_from(step).unwrap().to_be_bytes()).await);
        assert!(raw.send(WINDOW_UPDATE, 0, 1, &u32::try_from(step).unwrap().to_be_bytes()).await);
        let mut got = 0;
        while got < step {
            let (stream, data) = raw.until(DATA).await.expect("more of the file");
            assert_eq!(stream, 1);
            got += data.len();
        }
        taken += got;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(began.elapsed() > Duration::from_millis(1_500), "{:?}", began.elapsed());
    until("closed", || async { pages.open() == 0 }).await;
    secure.server.stop().await;
}

#[tokio::test]
async fn connections_that_ask_for_nothing_are_closed() {
    let secure = Secure::start("idle", &["--head-timeout=300ms", "--beat=100ms"]).await;
    // Nothing at all; a preface, with all pings answered; and a request whose head never ends.
    let mut silent = Raw::silent(&secure).await;
    let mut polite = Raw::open(&secure, 65_535).await;
    let mut endless = Raw::open(&secure, 65_535).await;
    assert!(endless.send(1, 0x1, 1, &[0x82]).await);
    let mut served = Raw::open(&secure, 65_535).await;
    assert!(served.request(1, "/healthz").await);
    assert!(served.until(DATA).await.is_some());
    for raw in [&mut polite, &mut endless, &mut served] {
        assert!(raw.until(GOAWAY).await.is_some(), "it is asked to leave");
        while raw.next().await.is_some() {}
    }
    while silent.next().await.is_some() {}
    // A stream is no idle connection.
    let mut client = secure.connect("h2").await;
    let token = client.token("ada").await;
    let mut stream = client.stream(&token, "").await;
    stream.hello().await;
    for _ in 0..8 {
        assert_eq!(stream.next().await.expect("a beat").event, "tinysse.beat");
    }
    secure.server.stop().await;
}

/// Floods of frames that no well-behaved client sends end the connection, and others are served
/// meanwhile.
#[tokio::test]
async fn floods_of_frames_end_their_connection_only() {
    let flags = ["--stall-timeout=500ms", "--beat=100ms", "--trusted-proxy=10.0.0.0/8"];
    let secure = Secure::start("floods", &flags).await;
    let mut other = secure.connect("h2").await;
    let frame = |kind: u8, flags: u8, stream: u32, payload: &[u8]| {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length[1..], &[kind, flags], stream.to_be_bytes().as_slice(), payload].concat()
    };
    let reset = |n: u32| {
        let get = Raw::get("/events?token=nonsense");
        [frame(1, 0x4 | 0x1, 2 * n + 1, &get), frame(RST_STREAM, 0, 2 * n + 1, &[0, 0, 0, 8])].concat()
    };
    type Flood<'a> = Box<dyn Fn(u32) -> Vec<u8> + 'a>;
    let floods: [(&str, Flood); 4] = [
        ("pings", Box::new(|_| frame(PING, 0, 0, &[7; 8]))),
        ("settings", Box::new(|_| frame(SETTINGS, 0, 0, &[]))),
        ("continuations", Box::new(|n| if n == 0 { frame(1, 0x1, 1, &[0x82]) } else { frame(9, 0, 1, &[]) })),
        ("rapid reset", Box::new(reset)),
    ];
    for (name, flood) in floods {
        let mut raw = Raw::open(&secure, 65_535).await;
        let (mut batches, mut ended) = (0_u32, false);
        // Nothing is read, so pings and settings go on until their acknowledgements find no space.
        while !ended {
            assert!(batches < 5_000, "{name}: it goes on for ever");
            let batch: Vec<u8> = (0..1_000).flat_map(|n| flood(batches * 1_000 + n)).collect();
            ended = timeout(BOUND, raw.0.write_all(&batch)).await.unwrap_or_else(|_| panic!("{name} hangs")).is_err();
            batches += 1;
            if batches.is_multiple_of(20) {
                let alive = other.send(hyper::Method::GET, "/healthz", &[], String::new()).await;
                assert_eq!(alive.status(), 200, "{name}");
            }
        }
    }
    let alive = other.send(hyper::Method::GET, "/healthz", &[], String::new()).await;
    assert_eq!(alive.status(), 200);
    secure.server.stop().await;
}
