//! One TCP connection as the rest of the server sees it: it can be closed, and it reports why it
//! ended.

use std::{
    io::{self, IoSlice},
    net::IpAddr,
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tinysse::proto::time::Time;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::Notify,
    time::{Sleep, sleep},
};

use super::refusals::Refusals;

/// The connection goes on, or the client ended it.
const HARMLESS: [io::ErrorKind; 6] = [
    io::ErrorKind::WouldBlock,
    io::ErrorKind::Interrupted,
    io::ErrorKind::BrokenPipe,
    io::ErrorKind::ConnectionReset,
    io::ErrorKind::ConnectionAborted,
    io::ErrorKind::NotConnected,
];

/// Part of the extensions of every request of the connection.
#[derive(Debug, Default)]
pub struct Conn {
    closing: Notify,
    /// The connection is not closed but reset, so that no byte of it lingers in the kernel.
    reset: AtomicBool,
    /// Bytes of an answer wait for space in the socket.
    full: AtomicBool,
    /// They did, since the last call.
    was_full: AtomicBool,
    ended: OnceLock<&'static str>,
    peer: Option<IpAddr>,
    refusals: Refusals,
}

impl Conn {
    /// A connection with this address at its other end.
    #[must_use]
    pub fn from(peer: IpAddr) -> Self {
        Self { peer: Some(peer), ..Self::default() }
    }

    /// The address at its other end, if it is known.
    #[must_use]
    pub fn peer(&self) -> Option<IpAddr> {
        self.peer
    }

    /// How long a request has to wait, at this time, since too many before it were refused.
    pub(crate) fn wait(&self, now: Time) -> Option<Duration> {
        self.refusals.wait(now.0)
    }

    /// Counts a request that was refused or given up. Closes the connection if there are far too
    /// many.
    pub(crate) fn refused(&self, now: Time) {
        if !self.refusals.add(now.0) {
            self.close("flood");
        }
    }

    /// Closes the connection at once, in the middle of whatever it transfers, as a broken network
    /// would. `reason` is for metrics and logs; the first one counts.
    pub fn close(&self, reason: &'static str) {
        self.end(reason);
        self.closing.notify_one();
    }

    /// Whether bytes had to wait for space since the last call.
    pub(crate) fn was_full(&self) -> bool {
        self.was_full.swap(false, Ordering::Relaxed)
    }

    /// Resolves when the connection is to be closed.
    pub(crate) async fn closing(&self) {
        self.closing.notified().await;
    }

    /// Why the server ended the connection, if it did.
    #[must_use]
    pub fn ended(&self) -> Option<&'static str> {
        self.ended.get().copied()
    }

    /// Whether everything that was answered so far is out.
    pub(crate) fn is_clear(&self) -> bool {
        !self.full.load(Ordering::Relaxed)
    }

    /// Notes why the connection ends; the caller, who has its socket, closes it.
    pub(crate) fn end(&self, reason: &'static str) {
        self.reset.store(true, Ordering::Relaxed);
        // The first reason is the cause of the others.
        self.ended.get_or_init(|| reason);
    }
}

/// A socket that fails when its peer takes no bytes for too long: the answer to a reader that never
/// reads.
///
/// Memory stays bounded meanwhile: the HTTP layer stops asking for more while a write is pending,
/// and the hub keeps a cursor only.
#[derive(Debug)]
pub(crate) struct Socket {
    tcp: TcpStream,
    conn: Arc<Conn>,
    patience: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
    /// Bytes that were read before and count as unread.
    ahead: Vec<u8>,
}

impl Socket {
    pub(crate) fn new(tcp: TcpStream, conn: Arc<Conn>, patience: Duration) -> Self {
        // Linux gives a connection what its listener has.
        #[cfg(not(target_os = "linux"))]
        tune(socket2::SockRef::from(&tcp), patience);
        Self { tcp, conn, patience, stalled: None, ahead: Vec::new() }
    }

    /// Has the next [`poll_read`](AsyncRead::poll_read) begin with these.
    pub(crate) fn put_back(&mut self, bytes: Vec<u8>) {
        self.ahead = bytes;
    }

    pub(crate) fn conn(&self) -> &Arc<Conn> {
        &self.conn
    }

    /// How long the peer may take no bytes.
    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.note_failure(self.tcp.try_write(bytes))
    }

    pub(crate) fn try_read(&self, into: &mut [u8]) -> io::Result<usize> {
        self.note_failure(self.tcp.try_read(into))
    }

    /// Sends nothing more.
    pub(crate) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }

    /// Reads bytes that are thrown away. Returns how many.
    pub(crate) fn poll_discard(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut read = ReadBuf::new(buffer);
        Pin::new(&mut self.tcp).poll_read(cx, &mut read).map_ok(|()| read.filled().len())
    }

    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tcp.poll_read_ready(cx)
    }

    pub(crate) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tcp.poll_write_ready(cx)
    }

    fn progress<T>(&mut self, cx: &mut Context<'_>, wrote: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        let wrote = self.noted(wrote);
        self.conn.full.store(wrote.is_pending(), Ordering::Relaxed);
        if wrote.is_ready() {
            self.stalled = None;
            return wrote;
        }
        self.conn.was_full.store(true, Ordering::Relaxed);
        let patience = self.patience;
        let timer = self.stalled.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(timer.as_mut().poll(cx));
        self.conn.end("slow");
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the peer takes no bytes")))
    }

    fn noted<T>(&self, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        result.map(|result| self.note_failure(result))
    }

    /// The kernel counts too (`TCP_USER_TIMEOUT`), and may be the first to give up.
    fn note_failure<T>(&self, result: io::Result<T>) -> io::Result<T> {
        result.inspect_err(|error| {
            if error.kind() == io::ErrorKind::TimedOut {
                self.conn.end("slow");
            } else if !HARMLESS.contains(&error.kind()) {
                self.conn.end("error");
            }
        })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.conn.reset.load(Ordering::Relaxed)
            && let Err(error) = self.tcp.set_zero_linger()
        {
            tracing::debug!(target: "tinysse::http", %error, "no reset");
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.ahead.is_empty() {
            let n = self.ahead.len().min(into.remaining());
            into.put_slice(&self.ahead[..n]);
            self.ahead.drain(..n);
            // The connection may last long, or become a stream.
            if self.ahead.is_empty() {
                self.ahead = Vec::new();
            }
            return Poll::Ready(Ok(()));
        }
        let read = Pin::new(&mut self.tcp).poll_read(cx, into);
        self.noted(read)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.tcp).poll_write(cx, bytes);
        self.progress(cx, wrote)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.tcp).poll_write_vectored(cx, bytes);
        self.progress(cx, wrote)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.tcp).poll_flush(cx);
        self.noted(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

/// Connections that the system keeps until they are accepted: as many as Linux allows by default
/// (`net.core.somaxconn`). One that finds no space is tried again by its client's system after a
/// second, so after a restart thousands would wait.
pub(crate) const BACKLOG: u32 = 4_096;

/// Prepares a listener, so that its connections need no calls of their own where the system hands
/// options down.
pub(crate) fn prepare(listener: &TcpListener, patience: Duration) {
    let socket = socket2::SockRef::from(listener);
    // It may come from an app that embeds the hub; most libraries ask for 128.
    #[cfg(unix)]
    if let Err(error) = socket.listen(BACKLOG.cast_signed()) {
        tracing::debug!(target: "tinysse::http", %error, "the backlog stays");
    }
    tune(socket, patience);
}

/// Every option is an improvement only: a system that refuses one serves without it.
fn tune(socket: socket2::SockRef<'_>, patience: Duration) {
    let keepalive = socket2::TcpKeepalive::new().with_time(Duration::from_secs(15));
    let mut results = vec![socket.set_tcp_nodelay(true), socket.set_tcp_keepalive(&keepalive)];
    #[cfg(target_os = "linux")]
    {
        // A peer that vanished without a word is found even when the kernel's buffers take all we
        // write.
        results.push(socket.set_tcp_user_timeout(Some(patience)));
        // What waits, waits in the log, where it is stored once, and not in the buffers of each
        // connection.
        results.push(socket.set_tcp_notsent_lowat(64 * 1024));
    }
    #[cfg(not(target_os = "linux"))]
    let _ = patience;
    for error in results.into_iter().filter_map(Result::err) {
        tracing::debug!(target: "tinysse::http", %error, "socket option refused");
    }
}
