//! The requests of one HTTP/2 connection: the deadline of responses that make no progress, and when
//! the connection is idle.
//!
//! The window of a stream belongs to the client. With a window of 0 a response waits for as long as
//! the client likes, while the socket is idle and its own deadline never begins; and each response
//! of a file holds a descriptor.

use std::{
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::rt::Executor;
use tokio::{
    sync::watch,
    time::{Instant, Sleep, sleep, timeout},
};

use crate::stream::Conn;

/// Bytes that a response hands over at a time. Taking one such piece within the deadline is
/// progress, so this over the deadline is the slowest rate that is served; it also bounds what a
/// stream with a closed window keeps in memory.
const PIECE: usize = 8 * 1024;

tokio::task_local! {
    /// The progress of the response that this task sends.
    static PROGRESS: Arc<Progress>;
}

/// Runs the requests of one connection.
#[derive(Clone, Debug)]
pub(super) struct Requests {
    conn: Arc<Conn>,
    /// How long a client may take no bytes of a response.
    patience: Duration,
    /// How many run.
    running: Arc<watch::Sender<usize>>,
}

impl Requests {
    pub(super) fn new(conn: &Arc<Conn>, patience: Duration) -> Self {
        Self { conn: Arc::clone(conn), patience, running: Arc::new(watch::Sender::new(0)) }
    }

    /// Resolves when no request has run for this long.
    pub(super) async fn idle(&self, span: Duration) {
        let mut running = self.running.subscribe();
        loop {
            let none = *running.borrow_and_update() == 0;
            let changed = running.changed();
            if !none {
                // The sender is held by `self`.
                drop(changed.await);
            } else if timeout(span, changed).await.is_err() {
                return;
            }
        }
    }
}

impl<F: Future<Output: Send> + Send + 'static> Executor<F> for Requests {
    /// Runs a request until its response is sent. Dropping it resets its stream.
    fn execute(&self, request: F) {
        let Self { conn, patience, running } = self.clone();
        running.send_modify(|running| *running += 1);
        let running = Running(running);
        tokio::spawn(async move {
            let progress = Arc::<Progress>::default();
            let request = pin!(PROGRESS.scope(Arc::clone(&progress), request));
            if !in_time(request, &progress, &conn, patience).await {
                tracing::debug!(target: "tinysse::http", "a response without progress was reset");
            }
            drop(running);
        });
    }
}

/// A request that runs.
struct Running(Arc<watch::Sender<usize>>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.send_modify(|running| *running -= 1);
    }
}

/// Whether the request ended before a piece of its response waited for longer than `patience`.
async fn in_time(mut request: Pin<&mut impl Future>, progress: &Progress, conn: &Conn, patience: Duration) -> bool {
    let mut timer: Option<(u64, Pin<Box<Sleep>>)> = None;
    std::future::poll_fn(|cx| {
        if request.as_mut().poll(cx).is_ready() {
            return Poll::Ready(true);
        }
        let Some(piece) = progress.waiting() else {
            timer = None;
            return Poll::Pending;
        };
        let (of, sleep) = timer.get_or_insert_with(|| (piece, Box::pin(sleep(patience))));
        if *of != piece {
            *of = piece;
            sleep.as_mut().reset(Instant::now() + patience);
        }
        loop {
            ready!(sleep.as_mut().poll(cx));
            if conn.is_clear() {
                return Poll::Ready(false);
            }
            // The network is slow, for all responses of the connection: the socket has a deadline
            // of its own.
            sleep.as_mut().reset(Instant::now() + patience);
        }
    })
    .await
}

/// How far a response has come.
#[derive(Debug, Default)]
struct Progress {
    /// Pieces that were handed over.
    pieces: AtomicU64,
    /// No more was asked for since the last one.
    waits: AtomicBool,
}

impl Progress {
    /// The number of the piece that waits for the client, if one does.
    fn waiting(&self) -> Option<u64> {
        self.waits.load(Ordering::Relaxed).then(|| self.pieces.load(Ordering::Relaxed))
    }

    fn asked(&self) {
        self.waits.store(false, Ordering::Relaxed);
    }

    fn handed(&self) {
        self.pieces.fetch_add(1, Ordering::Relaxed);
        self.waits.store(true, Ordering::Relaxed);
    }
}

/// A response's body in small pieces, whose progress is watched.
pub(super) struct Watched {
    body: Body,
    /// What is left of the last frame.
    rest: Bytes,
    progress: Arc<Progress>,
}

impl Watched {
    /// Watches a body that the current request answers with.
    pub(super) fn watch(body: Body) -> Body {
        match PROGRESS.try_with(Arc::clone) {
            Ok(progress) => Body::new(Self { body, rest: Bytes::new(), progress }),
            // Not a task of `Requests`.
            Err(_) => body,
        }
    }
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        this.progress.asked();
        if this.rest.is_empty() {
            match ready!(Pin::new(&mut this.body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => this.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                other @ (Some(Err(_)) | None) => return Poll::Ready(other),
            }
        }
        this.progress.handed();
        Poll::Ready(Some(Ok(Frame::data(this.rest.split_to(this.rest.len().min(PIECE))))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (inner, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut hint = SizeHint::new();
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint.set_lower(inner.lower().saturating_add(rest));
        hint
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, poll_fn};

    use http_body::Body as _;

    use super::*;

    /// Asks a watched body for a piece every `every`, as a client that opens its window bit by bit.
    async fn reader(length: usize, every: Duration) -> usize {
        let mut body = Watched::watch(Body::from(vec![b'x'; length]));
        let mut read = 0;
        while let Some(piece) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            read += piece.expect("a piece").into_data().expect("data").len();
            sleep(every).await;
        }
        read
    }

    async fn judged(conn: &Conn, request: impl Future) -> bool {
        let progress = Arc::<Progress>::default();
        let request = pin!(PROGRESS.scope(Arc::clone(&progress), request));
        in_time(request, &progress, conn, Duration::from_secs(30)).await
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_piece_that_waits_too_long_ends_a_response() {
        let conn = Conn::default();
        assert!(judged(&conn, reader(10 * PIECE, Duration::from_secs(29))).await, "slow, with progress");
        assert!(!judged(&conn, reader(10 * PIECE, Duration::from_secs(31))).await, "stalled");
        // A body that has nothing to give is not the client's fault, nor is a handler that thinks.
        assert!(judged(&conn, sleep(Duration::from_secs(3_600))).await);
        let began = Instant::now();
        assert!(
            !judged(&conn, async {
                let mut body = Watched::watch(Body::from("x"));
                drop(poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await);
                pending::<()>().await
            })
            .await
        );
        assert_eq!(began.elapsed().as_secs(), 30, "even of a single byte");
    }

    #[tokio::test]
    async fn a_body_is_handed_over_whole_and_in_pieces() {
        let progress = Arc::<Progress>::default();
        PROGRESS
            .scope(Arc::clone(&progress), async {
                assert_eq!(reader(3 * PIECE + 1, Duration::ZERO).await, 3 * PIECE + 1);
                assert_eq!(progress.pieces.load(Ordering::Relaxed), 4);
                let body = Watched::watch(Body::from("abc"));
                assert_eq!(body.size_hint().exact(), Some(3));
            })
            .await;
    }

    #[tokio::test(start_paused = true)]
    async fn idle_begins_when_the_last_request_ends() {
        let requests = Requests::new(&Arc::default(), Duration::from_secs(30));
        let began = Instant::now();
        requests.execute(async { sleep(Duration::from_secs(50)).await });
        requests.execute(async { sleep(Duration::from_secs(20)).await });
        requests.idle(Duration::from_secs(60)).await;
        assert_eq!(began.elapsed().as_secs(), 110);
    }
}
