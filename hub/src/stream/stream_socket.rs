//! A stream that owns its socket: once its request is read, HTTP is over, and a stream is a socket
//! and a cursor. HTTP/1.1 needs nothing more from here on than a head and chunks, and hyper's
//! buffers, timers and state are given back.
//!
//! Writing is done by the [flusher](super::writer), for many streams in turn. The task of a stream
//! waits: for the end of the client, for the order to cut it, and, if the socket does not take what
//! it is given, for space.

use std::{
    io,
    pin::{Pin, pin},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
};

use bytes::{Buf, Bytes};
use tokio::time::{Sleep, sleep};

use super::{body::EventBody, conn::Socket, write_buffer::WriteBuffer};

/// How many bytes that a client sends on its stream are discarded at a time.
const DISCARDED: usize = 256;

#[derive(Debug)]
pub(crate) struct StreamSocket {
    socket: Socket,
    state: Mutex<State>,
    /// Nothing more will be written; when `rest` is out, the connection ends.
    ended: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    /// What the socket did not take. While there is some, only the task of the stream writes.
    rest: Bytes,
    failed: bool,
    /// Wakes the task of the stream.
    waker: Option<Waker>,
}

/// What the socket made of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrote {
    All,
    /// The rest is written when there is space.
    Part,
    Failed,
}

impl StreamSocket {
    pub(crate) fn new(socket: Socket) -> Self {
        Self { socket, state: Mutex::default(), ended: AtomicBool::new(false) }
    }

    /// Whether bytes wait for space in the socket.
    pub(super) fn is_full(&self) -> bool {
        !self.state().rest.is_empty()
    }

    /// Writes what the socket takes, and keeps the rest. Only one may write at a time, and only if
    /// the buffer is not full.
    pub(super) fn write(&self, out: WriteBuffer) -> Wrote {
        let mut left = out.as_slice();
        let wrote = self.push(&mut left);
        let written = out.as_slice().len() - left.len();
        if wrote == Wrote::All {
            return wrote;
        }
        let mut state = self.state();
        if wrote == Wrote::Part {
            state.rest = out.bytes();
            state.rest.advance(written);
        } else {
            state.failed = true;
        }
        // The task must know that there is something to wait for.
        let waker = state.waker.take();
        drop(state);
        waker.into_iter().for_each(Waker::wake);
        wrote
    }

    /// Nothing more comes: the connection ends behind what was written.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Release);
        let waker = self.state().waker.take();
        waker.into_iter().for_each(Waker::wake);
    }

    fn push(&self, bytes: &mut impl Buf) -> Wrote {
        while bytes.has_remaining() {
            match self.socket.try_write(bytes.chunk()) {
                Ok(n) => bytes.advance(n),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Wrote::Part,
                Err(_) => return Wrote::Failed,
            }
        }
        Wrote::All
    }

    /// Lives as long as the connection.
    pub(crate) async fn watch(&self, body: &EventBody) {
        let conn = self.socket.conn();
        let mut closing = pin!(conn.closing());
        // Only a connection that is full has a timer of its own.
        let mut stalled: Option<Pin<Box<Sleep>>> = None;
        std::future::poll_fn(|cx| {
            self.state().waker = Some(cx.waker().clone());
            if closing.as_mut().poll(cx).is_ready() || self.left(cx) {
                return Poll::Ready(());
            }
            if self.is_full() {
                let before = self.state().rest.len();
                self.drain(cx);
                let left = self.state().rest.len();
                if left < before {
                    stalled = None;
                }
                if left == 0 {
                    body.streams().resume(body.client());
                } else {
                    let timer = stalled.get_or_insert_with(|| Box::pin(sleep(self.socket.patience())));
                    if timer.as_mut().poll(cx).is_ready() {
                        conn.end("slow");
                        return Poll::Ready(());
                    }
                }
            }
            let state = self.state();
            if state.failed || self.ended.load(Ordering::Acquire) && state.rest.is_empty() {
                return Poll::Ready(());
            }
            Poll::Pending
        })
        .await;
    }

    /// Reads until there is nothing; returns true if the client is gone. What it sends is
    /// discarded: its request was complete.
    fn left(&self, cx: &mut Context<'_>) -> bool {
        loop {
            match self.socket.poll_readable(cx) {
                Poll::Pending => return false,
                Poll::Ready(Err(_)) => return true,
                Poll::Ready(Ok(())) => {}
            }
            match self.socket.try_read(&mut [0; DISCARDED]) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return true,
            }
        }
    }

    /// Writes the rest as far as there is space.
    fn drain(&self, cx: &mut Context<'_>) {
        while self.is_full() {
            match self.socket.poll_writable(cx) {
                Poll::Pending => return,
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => {
                    self.state().failed = true;
                    return;
                }
            }
            let mut state = self.state();
            if self.push(&mut state.rest) == Wrote::Failed {
                state.failed = true;
                return;
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
