//! The body of a stream, for any server: hyper asks it for frames, or the server's own
//! [`StreamSocket`](super::stream_socket::StreamSocket) takes it over.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame};
use tinysse::proto::wire::control::{Bye, Reason};

use super::{head::Head, state::Next, stream_socket::StreamSocket, streams::Streams};
use crate::hub::ClientId;

/// The body of `GET /events`. Dropping the last clone takes the client off the hub.
#[derive(Clone, Debug)]
pub struct EventBody {
    place: Arc<Place>,
}

/// A client's place on the hub.
#[derive(Debug)]
struct Place {
    streams: Arc<Streams>,
    client: ClientId,
}

impl EventBody {
    pub(super) fn new(streams: Arc<Streams>, client: ClientId) -> Self {
        Self { place: Arc::new(Place { streams, client }) }
    }

    /// From now on the stream's bytes go to `socket`, the head of the response first.
    pub(crate) fn attach(&self, socket: &Arc<StreamSocket>, head: &Head) {
        self.streams().attach(self.client(), socket, head.now());
    }

    pub(super) fn streams(&self) -> &Arc<Streams> {
        &self.place.streams
    }

    pub(super) fn client(&self) -> ClientId {
        self.place.client
    }
}

impl Body for EventBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.place.streams.next(self.place.client, cx.waker()) {
            Next::Send(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes.into())))),
            Next::End => Poll::Ready(None),
            Next::Wait => Poll::Pending,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.streams.gone(self.client);
    }
}

/// The body for a client that can't be served now: a native `EventSource` would take a 503 for
/// final, so it is sent when to come again.
#[must_use]
pub fn goodbye(wait_ms: u32) -> Vec<u8> {
    let mut out = Vec::new();
    Bye { reason: Reason::Drain, wait: wait_ms, retry: Some(wait_ms) }.encode(&mut out);
    out
}
