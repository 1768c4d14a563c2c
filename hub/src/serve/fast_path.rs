//! A connection's first request, if it is a plain `GET /events`: it is read and answered without
//! hyper and the router, which cost a stream more than all else. The same handler decides, and the
//! head of its answer is the one that the router's layers make. Everything else, and every refusal,
//! is for hyper to answer.

use std::{
    convert::Infallible,
    future::poll_fn,
    io,
    mem::MaybeUninit,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::IntoResponse,
};
use tinysse::proto::wire::names::{EVENTS, H_LAST_EVENT_ID};
use tokio::{
    io::{AsyncRead, ReadBuf},
    sync::watch,
    time::{sleep, timeout},
};
use tower::{Layer, ServiceExt, service_fn};
use tracing::Level;

use super::listener::finished;
use crate::{
    http::{Decided, Hosts, Opened, SPANS, Services, Settings, cors, hardened, open, stream, told},
    stream::{Conn, EventBody, Head, Socket, StreamSocket},
};

/// More lines than this are for hyper to read.
const LINES: usize = 32;
/// An origin that no configuration lists: the `.invalid` of RFC 2606 belongs to no site.
const UNLISTED: HeaderValue = HeaderValue::from_static("https://unlisted.invalid");
/// What the handler looks at.
const HEARD: [HeaderName; 5] = [
    header::AUTHORIZATION,
    HeaderName::from_static(H_LAST_EVENT_ID),
    X_FORWARDED_FOR,
    header::FORWARDED,
    header::ORIGIN,
];
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// With these it is more than a plain request.
const MORE: [&str; 5] = ["content-length", "transfer-encoding", "expect", "upgrade", "http2-settings"];

/// A head that is longer is hyper's.
const MOST: usize = 8 * 1024;

/// How a connection begins.
pub(super) enum Begun {
    /// As a stream.
    Stream(Arc<StreamSocket>, EventBody),
    /// As hyper finds it, with an answer to its first request if that is decided.
    Hyper(Socket, Option<Decided>),
    /// Not at all.
    Over,
}

/// Waits for the first bytes and sees what they are.
pub(super) async fn begin(
    fast_path: &FastPath,
    patience: Duration,
    mut socket: Socket,
    conn: &Arc<Conn>,
    mut finishing: watch::Receiver<bool>,
) -> Begun {
    let bytes = tokio::select! {
        biased;
        read = poll_fn(|cx| read(&mut socket, cx)) => read.unwrap_or_default(),
        () = finished(&mut finishing) => return Begun::Over,
        () = sleep(patience) => return Begun::Over,
    };
    if bytes.is_empty() {
        return Begun::Over;
    }
    match fast_path.answer(conn, &bytes).await {
        First::Stream(body, head) => {
            let stream = Arc::new(StreamSocket::new(socket));
            body.attach(&stream, head);
            Begun::Stream(stream, body)
        }
        First::Hyper(decided) => {
            socket.put_back(bytes);
            Begun::Hyper(socket, decided)
        }
    }
}

/// Not part of [`begin`], which would keep the memory.
fn read(socket: &mut Socket, cx: &mut Context<'_>) -> Poll<io::Result<Vec<u8>>> {
    let mut room = [const { MaybeUninit::uninit() }; MOST];
    let mut read = ReadBuf::uninit(&mut room);
    Pin::new(socket).poll_read(cx, &mut read).map_ok(|()| read.filled().to_vec())
}

/// Answers first requests.
#[derive(Debug)]
pub(crate) struct FastPath {
    services: Services,
    /// Without an `Origin`.
    head: Head,
    /// For those that are listed.
    listed: Vec<(HeaderValue, Head)>,
    unlisted: Head,
    /// Those that requests may name, if not all.
    hosts: Option<Hosts>,
}

/// What becomes of a first request.
#[derive(Debug)]
enum First<'a> {
    /// It is a stream, behind this head.
    Stream(EventBody, &'a Head),
    /// Hyper is to read it (again) and answer it: as was decided here, if it was.
    Hyper(Option<Decided>),
}

impl FastPath {
    /// Returns the fast path in front of the routes of these services.
    pub(crate) async fn new(services: &Services) -> Self {
        let settings = &services.settings;
        let mut listed = Vec::new();
        for origin in &settings.cors_origins {
            listed.push((origin.clone(), head(settings, Some(origin)).await));
        }
        let (head, unlisted) = (head(settings, None).await, head(settings, Some(&UNLISTED)).await);
        Self { services: services.clone(), head, listed, unlisted, hosts: Hosts::of(settings) }
    }

    /// Answers the first request of a connection, of which these are the first bytes.
    async fn answer(&self, conn: &Arc<Conn>, bytes: &[u8]) -> First<'_> {
        // A collector gets the spans of the router's layers.
        let Some(Plain { query, headers, host }) =
            plain(bytes).filter(|_| !tracing::enabled!(target: SPANS, Level::INFO))
        else {
            return First::Hyper(None);
        };
        // Refusing is for the router's layers.
        if self.hosts.as_ref().zip(host).is_some_and(|(hosts, host)| !hosts.allow(host)) {
            return First::Hyper(None);
        }
        let (begun, patience) = (Instant::now(), self.services.settings.request_timeout.duration());
        let response = match timeout(patience, open(&self.services, Arc::clone(conn), query, &headers)).await {
            Ok(Ok(Opened::Stream(body))) => {
                told(&Method::GET, EVENTS, StatusCode::OK, None, begun);
                return First::Stream(body, self.head(headers.get(header::ORIGIN)));
            }
            Ok(answer) => answer.map(IntoResponse::into_response).unwrap_or_else(IntoResponse::into_response),
            Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
        };
        First::Hyper(Some(Decided::new(response)))
    }

    fn head(&self, origin: Option<&HeaderValue>) -> &Head {
        let Some(origin) = origin else { return &self.head };
        self.listed.iter().find(|(listed, _)| listed == origin).map_or(&self.unlisted, |(_, head)| head)
    }
}

/// The head that the router's layers would give to a stream for this origin.
async fn head(settings: &Settings, origin: Option<&HeaderValue>) -> Head {
    let mut request = Request::new(Body::empty());
    request.headers_mut().extend(origin.map(|origin| (header::ORIGIN, origin.clone())));
    let service = service_fn(|_: Request| async { Ok::<_, Infallible>(stream(Body::empty())) });
    let mut response = cors(settings).layer(service).oneshot(request).await.unwrap_or_else(|never| match never {});
    hardened(&mut response);
    Head::of(&response.into_parts().0)
}

/// A request for a stream that nothing else comes with.
struct Plain<'a> {
    query: &'a str,
    /// Those that the handler looks at.
    headers: HeaderMap,
    host: Option<&'a [u8]>,
}

/// Reads a request for a stream; `None` for any other.
fn plain(bytes: &[u8]) -> Option<Plain<'_>> {
    let mut lines = [httparse::EMPTY_HEADER; LINES];
    let mut request = httparse::Request::new(&mut lines);
    let end = match request.parse(bytes) {
        Ok(httparse::Status::Complete(end)) => end,
        Ok(httparse::Status::Partial) | Err(_) => return None,
    };
    // Behind the head may be a body or another request.
    if end != bytes.len() || request.method != Some("GET") || request.version != Some(1) {
        return None;
    }
    let query = match request.path?.strip_prefix(EVENTS)? {
        "" => "",
        rest => rest.strip_prefix('?').filter(|query| query.bytes().all(stands_in_queries))?,
    };
    let (mut headers, mut host) = (HeaderMap::new(), None);
    for line in request.headers.iter() {
        let is = |name: &str| line.name.eq_ignore_ascii_case(name);
        if let Some(name) = HEARD.iter().find(|name| is(name.as_str())) {
            headers.append(name, HeaderValue::from_bytes(line.value).ok()?);
        } else if is("host") {
            // Two are one too many, which hyper's side may judge.
            if host.replace(line.value).is_some() {
                return None;
            }
        } else if MORE.into_iter().any(is)
            || is("connection")
                && !["keep-alive", "close"].iter().any(|is| line.value.eq_ignore_ascii_case(is.as_bytes()))
        {
            return None;
        }
    }
    Some(Plain { query, headers, host })
}

/// RFC 3986, 3.4. By a table: a token is long.
fn stands_in_queries(byte: u8) -> bool {
    QUERY[usize::from(byte)]
}

const QUERY: [bool; 256] = {
    let (mut table, marks, mut n) = ([false; 256], b"-._~!$&'()*+,;=:@/?%", 0);
    while n < marks.len() {
        table[marks[n] as usize] = true;
        n += 1;
    }
    n = 0;
    while n < 256 {
        table[n] |= (n as u8).is_ascii_alphanumeric();
        n += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use axum::http::Uri;
    use tinysse::proto::rng::Rng;

    use super::*;

    fn read(lines: &str) -> Option<(String, HeaderMap)> {
        let text = lines.replace('\n', "\r\n");
        plain(text.as_bytes()).map(|plain| (plain.query.to_owned(), plain.headers))
    }

    #[test]
    fn a_plain_request_is_read() {
        let (query, headers) = read(
            "GET /events?token=a.b-c_d&types=a,b.* HTTP/1.1\nHost: x\nLast-Event-ID: 7.1\nOrigin: https://a.example\n\
             Connection: keep-alive\nX-Forwarded-For: 192.0.2.1\nx-forwarded-for: 192.0.2.2\nAccept: text/event-stream\n\n",
        )
        .expect("plain");
        assert_eq!(query, "token=a.b-c_d&types=a,b.*");
        assert_eq!(headers["last-event-id"], "7.1");
        assert_eq!(headers["origin"], "https://a.example");
        assert_eq!(headers.get_all(X_FORWARDED_FOR).iter().count(), 2);
        assert_eq!(headers.len(), 4, "the others are nobody's concern");
        assert_eq!(read("GET /events HTTP/1.1\n\n").expect("plain").0, "");
    }

    /// What is read here is what hyper would have read: its address is one, and its headers are
    /// sound.
    #[test]
    fn whatever_strangers_send_is_read_as_hyper_reads_it_or_not_at_all() {
        const GOOD: &[u8] =
            b"GET /events?token=a.b%20c&types=a,b.* HTTP/1.1\r\nHost: x\r\nOrigin: https://a.example\r\n\
            Last-Event-ID: 7.1\r\nConnection: keep-alive\r\nContent-Lengths: 3\r\n\r\n";
        let (mut rng, mut taken) = (Rng::new(11), 0);
        for _ in 0..50_000 {
            let mut bytes = GOOD.to_vec();
            for _ in 0..=rng.below(2) {
                let at = rng.below(bytes.len() as u64) as usize;
                match rng.below(3) {
                    0 => bytes[at] = rng.below(256) as u8,
                    1 => drop(bytes.remove(at)),
                    _ => bytes.insert(at, b"\r\n :?#%&=+\0\xff"[rng.below(12) as usize]),
                }
            }
            let Some(Plain { query, headers, .. }) = plain(&bytes) else { continue };
            taken += 1;
            let head = String::from_utf8_lossy(&bytes);
            let address = head.split(' ').nth(1).unwrap_or_default();
            let uri: Uri = address.parse().unwrap_or_else(|error| panic!("{error}: {head:?}"));
            assert_eq!((uri.path(), uri.query().unwrap_or_default()), (EVENTS, query), "{head:?}");
            assert!(!head.to_ascii_lowercase().contains("\ncontent-length:"), "{head:?}");
            assert!(headers.values().all(|value| !value.as_bytes().contains(&b'\n')), "{head:?}");
        }
        assert!(taken > 10_000, "{taken}");
    }

    #[test]
    fn whatever_else_is_hypers() {
        for (why, lines) in [
            ("part of a head", "GET /events HTTP/1.1\nHost: x\n"),
            ("a body", "GET /events HTTP/1.1\nContent-Length: 1\n\nx"),
            ("an empty body", "GET /events HTTP/1.1\nContent-Length: 0\n\n"),
            ("a body in chunks", "GET /events HTTP/1.1\nTransfer-Encoding: chunked\n\n"),
            ("two requests", "GET /events HTTP/1.1\n\nGET /events HTTP/1.1\n\n"),
            ("another method", "HEAD /events HTTP/1.1\n\n"),
            ("another version", "GET /events HTTP/1.0\n\n"),
            ("another address", "GET /events/ HTTP/1.1\n\n"),
            ("a whole address", "GET http://x/events HTTP/1.1\n\n"),
            ("no query of an address", "GET /events?a=\"<b> HTTP/1.1\n\n"),
            ("another protocol", "GET /events HTTP/1.1\nConnection: Upgrade\nUpgrade: websocket\n\n"),
            ("an expectation", "GET /events HTTP/1.1\nExpect: 100-continue\n\n"),
            ("two hosts", "GET /events HTTP/1.1\nHost: x\nHost: y\n\n"),
            ("nonsense", "GET\n\n"),
            ("many lines", &format!("GET /events HTTP/1.1\n{}\n", "A: b\n".repeat(LINES + 1))),
            ("nothing", ""),
        ] {
            assert!(read(lines).is_none(), "{why}");
        }
    }
}
