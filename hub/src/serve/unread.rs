//! Requests over HTTP/1.1 that are answered before their body was read: refusals, mostly.
//!
//! A server that closes its socket while a client still sends makes the client's system throw away
//! the answer, and the client sees a reset instead of a 413 (RFC 9112, 9.6). So a short rest is
//! read before the answer, which keeps the connection; with a long one the answer announces that
//! the connection closes, and [`linger`] reads on behind it for a while.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderValue, header},
    response::Response,
};
use http_body::{Frame, SizeHint};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use super::listener::finished;
use crate::stream::Socket;

/// A rest of a body up to this length, in bytes, and for this long, is read before the answer.
const SHORT: (usize, Duration) = (256 * 1024, Duration::from_secs(1));
/// Behind an answer that ends the connection, at most this many bytes are read, in this time; and
/// no longer than the client sends.
const LONG: (usize, Duration) = (16 << 20, Duration::from_secs(10));
const SILENCE: Duration = Duration::from_secs(2);

/// A body whose rest can still be read when its handler is done with it.
#[derive(Debug)]
pub(super) struct Unread(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    body: Mutex<Body>,
    ended: AtomicBool,
    /// Nobody asked for it yet, so a client that expects `100 Continue` does not send it.
    untouched: AtomicBool,
    expects: bool,
}

impl Unread {
    /// Keeps a hold on the request's body, if it has one.
    pub(super) fn keep(request: Request) -> (Request, Option<Self>) {
        if http_body::Body::is_end_stream(request.body()) {
            return (request, None);
        }
        let (parts, body) = request.into_parts();
        let expects = parts.headers.contains_key(header::EXPECT);
        let shared = Arc::new(Shared {
            body: Mutex::new(body),
            ended: AtomicBool::new(false),
            untouched: AtomicBool::new(true),
            expects,
        });
        (Request::from_parts(parts, Body::new(Kept(Arc::clone(&shared)))), Some(Self(shared)))
    }

    /// Reads a short rest; if more is left, makes the response announce that it ends the
    /// connection.
    pub(super) async fn settle(self, response: &mut Response) {
        if !self.0.ended.load(Ordering::Relaxed) && !self.drained().await {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }

    async fn drained(&self) -> bool {
        let shared = &self.0;
        if shared.expects && shared.untouched.load(Ordering::Relaxed) || shared.hint().lower() > SHORT.0 as u64 {
            return false;
        }
        let drained = async {
            let mut left = SHORT.0;
            while let Some(frame) = poll_fn(|cx| shared.poll(cx)).await {
                let Ok(frame) = frame else { return false };
                left = match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
                    Some(left) => left,
                    None => return false,
                };
            }
            true
        };
        timeout(SHORT.1, drained).await.unwrap_or(false)
    }
}

impl Shared {
    fn poll(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.untouched.store(false, Ordering::Relaxed);
        let mut body = self.body.lock().unwrap_or_else(PoisonError::into_inner);
        let polled = http_body::Body::poll_frame(Pin::new(&mut *body), cx);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) || http_body::Body::is_end_stream(&*body) {
            self.ended.store(!matches!(polled, Poll::Ready(Some(Err(_)))), Ordering::Relaxed);
        }
        polled
    }

    fn hint(&self) -> SizeHint {
        http_body::Body::size_hint(&*self.body.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What the handler reads.
struct Kept(Arc<Shared>);

impl http_body::Body for Kept {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.0.poll(cx)
    }

    fn is_end_stream(&self) -> bool {
        http_body::Body::is_end_stream(&*self.0.body.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn size_hint(&self) -> SizeHint {
        self.0.hint()
    }
}

/// Ends a connection in stages: nothing more is sent, and what still comes is read and thrown away,
/// so that the client gets to read the answer. Until the client closes, falls silent, or has sent
/// too much for too long, or the server shuts down.
pub(super) async fn linger(mut socket: Socket, mut finishing: watch::Receiver<bool>) {
    if socket.conn().ended().is_some() || poll_fn(|cx| socket.poll_end(cx)).await.is_err() {
        return;
    }
    let drained = async {
        let (mut buffer, mut left) = (vec![0; 16 * 1024], LONG.0);
        loop {
            let read = poll_fn(|cx| socket.poll_discard(cx, &mut buffer));
            match timeout(SILENCE, read).await {
                Ok(Ok(count)) if count > 0 && count < left => left -= count,
                Ok(_) | Err(_) => return,
            }
        }
    };
    tokio::select! {
        () = drained => {}
        () = sleep(LONG.1) => {}
        () = finished(&mut finishing) => {}
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;

    use super::*;

    async fn settled(body: Body, read: bool, expects: bool) -> bool {
        let mut request = Request::new(body);
        if expects {
            request.headers_mut().insert(header::EXPECT, HeaderValue::from_static("100-continue"));
        }
        let (request, unread) = Unread::keep(request);
        if read {
            drop(axum::body::to_bytes(request.into_body(), usize::MAX).await.expect("a body"));
        }
        let mut response = ().into_response();
        if let Some(unread) = unread {
            unread.settle(&mut response).await;
        }
        !response.headers().contains_key(header::CONNECTION)
    }

    /// A body without a length, in pieces.
    struct Pieces(usize);

    impl http_body::Body for Pieces {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            let piece = self.0.min(1_000);
            self.0 -= piece;
            Poll::Ready((piece > 0).then(|| Ok(Frame::data(vec![0; piece].into()))))
        }
    }

    /// A body that never comes.
    struct Never;

    impl http_body::Body for Never {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            Poll::Pending
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_connection_is_kept_if_the_rest_is_short() {
        let short = || Body::from(vec![0; SHORT.0]);
        assert!(settled(Body::empty(), false, false).await);
        assert!(settled(short(), false, false).await && settled(short(), true, false).await);
        assert!(!settled(Body::from(vec![0; SHORT.0 + 1]), false, false).await);
        assert!(settled(Body::from(vec![0; SHORT.0 + 1]), true, false).await);
        assert!(settled(Body::new(Pieces(SHORT.0)), false, false).await);
        assert!(!settled(Body::new(Pieces(SHORT.0 + 1)), false, false).await);
        // Asking for it would ask the client to send it.
        assert!(!settled(short(), false, true).await && settled(short(), true, true).await);
        let began = tokio::time::Instant::now();
        assert!(!settled(Body::new(Never), false, false).await);
        assert_eq!(began.elapsed(), SHORT.1);
    }
}
