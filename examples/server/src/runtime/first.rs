//! The first bytes of a connection: what is a stream at once never meets hyper.

use std::{
    future::poll_fn,
    io,
    mem::MaybeUninit,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, ReadBuf},
    sync::watch,
    time::sleep,
};

use super::{
    conn::{Conn, Socket},
    lane::Lane,
    serve::finished,
    stream::EventBody,
};
use crate::{
    app::App,
    http::{Decided, First, Front},
};

/// A head that is longer is hyper's.
const MOST: usize = 8 * 1024;

/// How a connection begins.
pub(super) enum Begun {
    /// As a stream.
    Stream(Arc<Lane>, EventBody),
    /// As hyper finds it, with an answer to its first request if that is decided.
    Hyper(Socket, Option<Decided>),
    /// Not at all.
    Over,
}

/// Waits for the first bytes and sees what they are.
pub(super) async fn begin(
    app: &App,
    front: &Front,
    mut socket: Socket,
    conn: &Arc<Conn>,
    mut finishing: watch::Receiver<bool>,
) -> Begun {
    let bytes = tokio::select! {
        biased;
        read = poll_fn(|cx| read(&mut socket, cx)) => read.unwrap_or_default(),
        () = finished(&mut finishing) => return Begun::Over,
        () = sleep(app.config.limits.head_timeout.duration()) => return Begun::Over,
    };
    if bytes.is_empty() {
        return Begun::Over;
    }
    match front.answer(conn, &bytes).await {
        First::Stream(body, head) => {
            let lane = Arc::new(Lane::new(socket));
            body.streams().attach(body.client(), &lane, head.now());
            Begun::Stream(lane, body)
        }
        First::Hyper(decided) => {
            socket.put_back(bytes);
            Begun::Hyper(socket, decided)
        }
    }
}

/// Not part of [`begin`], which would keep the room.
fn read(socket: &mut Socket, cx: &mut Context<'_>) -> Poll<io::Result<Vec<u8>>> {
    let mut room = [const { MaybeUninit::uninit() }; MOST];
    let mut read = ReadBuf::uninit(&mut room);
    Pin::new(socket).poll_read(cx, &mut read).map_ok(|()| read.filled().to_vec())
}
