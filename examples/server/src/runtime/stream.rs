//! A stream's body: whenever the connection can take bytes, it asks the hub what this client is due.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame};
use tinysse::core::wire::control::{Bye, Reason};
use tokio::time::{Instant, Sleep, sleep_until};

use super::streams::{Next, Streams};
use crate::{clock::Clock, hub::ClientId};

/// The body of `GET /events`. Dropping it takes the client off the hub.
#[derive(Debug)]
pub struct EventBody {
    streams: Arc<Streams>,
    clock: Clock,
    client: ClientId,
    timer: Pin<Box<Sleep>>,
}

impl EventBody {
    pub(super) fn new(streams: Arc<Streams>, clock: Clock, client: ClientId) -> Self {
        Self { streams, clock, client, timer: Box::pin(sleep_until(Instant::now())) }
    }
}

impl Body for EventBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        loop {
            match self.streams.next(self.client, cx.waker()) {
                Next::Send(bytes) => return Poll::Ready(Some(Ok(Frame::data(bytes.into())))),
                Next::End => return Poll::Ready(None),
                Next::Sleep(due) => {
                    let due = Instant::from_std(self.clock.instant(due));
                    if self.timer.deadline() != due {
                        self.timer.as_mut().reset(due);
                    }
                    ready!(self.timer.as_mut().poll(cx));
                }
            }
        }
    }
}

impl Drop for EventBody {
    fn drop(&mut self) {
        self.streams.gone(self.client);
    }
}

/// The body for a client that can't be served now: a native `EventSource` would take a 503 for final, so it is told when to come again.
#[must_use]
pub fn goodbye(wait_ms: u32) -> Vec<u8> {
    let mut out = Vec::new();
    Bye { reason: Reason::Drain, wait: wait_ms, retry: Some(wait_ms) }.encode(&mut out);
    out
}
