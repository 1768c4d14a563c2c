//! The web app's files, served beside the API.

use std::{
    convert::Infallible,
    path::Path,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use http_body::{Frame, SizeHint};
use ipnet::IpNet;
use tokio::time::timeout;
use tower::{Service, ServiceExt, service_fn};
use tower_http::services::{ServeDir, ServeFile};

use super::slots::{Slot, Slots};
use crate::{
    descriptors::Descriptors,
    error::Problem,
    stream::{Client, Conn, RateKey},
};

/// How long a request waits while too many files are open.
const PATIENCE: Duration = Duration::from_secs(10);

/// Files of a directory; any other address is its `index.html`, so that routes of the web app can
/// be reloaded.
///
/// A response holds its file open until it is sent, so the number of open files is bounded, in all
/// and by address: readers that take their time leave descriptors for the streams.
pub(super) fn pages(
    trusted_proxies: &[IpNet],
    dir: &Path,
) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + Sync + 'static {
    let files = ServeDir::new(dir).fallback(ServeFile::new(dir.join("index.html")));
    let (proxies, slots): (Arc<[IpNet]>, _) = (trusted_proxies.into(), Slots::new(Descriptors::current().pages()));
    service_fn(move |request: Request| {
        let (files, proxies, slots) = (files.clone(), Arc::clone(&proxies), slots.clone());
        async move {
            if is_hidden(request.uri().path()) {
                return Ok(Problem::not_found("nothing has this address").into_response());
            }
            let peer = request.extensions().get::<Arc<Conn>>().and_then(|conn| conn.peer());
            let client = peer.map(|peer| Client::of(peer, request.headers(), &proxies));
            let Ok(Some(slot)) = timeout(PATIENCE, slots.take(client.and_then(Client::site))).await else {
                return Ok(Problem::unavailable("busy", "too many files are being sent", 1).into_response());
            };
            let mut response =
                files.oneshot(request).await.into_response().map(|body| Body::new(Held { body, _slot: slot }));
            // Asked again each time, answered 304 mostly: a new build shows at once. Not
            // `no-store`, which would keep pages out of the back/forward cache.
            response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-cache"));
            Ok(response)
        }
    })
}

/// Whether a segment of the path begins with a dot: `.env` and `.git` are never meant for visitors.
/// `/.well-known` is (RFC 8615).
fn is_hidden(path: &str) -> bool {
    let path = decoded(path);
    let path = path.strip_prefix(b"/.well-known").filter(|rest| matches!(rest, [] | [b'/', ..])).unwrap_or(&path);
    path.windows(2).any(|two| matches!(two, [b'/' | b'\\', b'.'])) || path.starts_with(b".")
}

/// A path without percent encoding (RFC 3986, 2.1), decoded once, as the file service does.
fn decoded(path: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        let digit = |at: usize| behind.get(at).and_then(|digit| char::from(*digit).to_digit(16));
        match digit(0).zip(digit(1)).filter(|_| byte == b'%') {
            Some((high, low)) => {
                out.extend(u8::try_from(high << 4 | low));
                rest = &behind[2..];
            }
            None => out.push(byte),
        }
    }
    out
}

/// A body that holds a slot until it is sent or dropped.
struct Held {
    body: Body,
    _slot: Slot<RateKey>,
}

impl http_body::Body for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_a_dot_are_hidden_however_they_are_written() {
        for path in [
            "/.env",
            "/.git/config",
            "/a/.git/HEAD",
            "/%2eenv",
            "/%2E%65nv",
            "/a%2f.env",
            "/a%5c.env",
            "//.env",
            "/./.env",
            "/.well-known/.secret",
            "/.well-known/../.env",
            "/.well-knownx",
            "/a/.well-known/x",
            "/a/..%2f.env",
            "/..",
            "/.",
        ] {
            assert!(is_hidden(path), "{path}");
        }
        for path in [
            "/",
            "/a.js",
            "/a/b.c/d",
            "/.well-known",
            "/.well-known/security.txt",
            "/a..b",
            "/%",
            "/%2",
            "/%zz",
            "/a%2eb",
        ] {
            assert!(!is_hidden(path), "{path}");
        }
    }
}
