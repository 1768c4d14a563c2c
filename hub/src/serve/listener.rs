//! Accepts connections and serves them until shutdown. One task a connection, so that each can be
//! cut, and the whole never hangs on one.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, Method, Version, response::Parts},
    response::Response,
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{Notify, mpsc, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use tower::ServiceExt;

use super::{
    Serving, drain,
    fast_path::{Begun, begin},
    tls,
    unread::{Unread, linger},
};
use crate::{
    descriptors::Descriptors,
    http::Decided,
    stream::{BACKLOG, Client, Conn, EventBody, Head, Permit, Quota, RateKey, Socket, StreamSocket, prepare},
};

/// What a connection buffers at most in each direction.
pub(super) const BUFFER: usize = 64 * 1024;

/// How long what windows hold may take to be published once the streams are gone.
const FLUSH: Duration = Duration::from_secs(2);

/// How long connections that are cut may take to notice.
const CUT: Duration = Duration::from_secs(1);

/// Binds the address that the configuration names, with a backlog of 4,096 connections that are not
/// accepted yet.
///
/// # Errors
/// As the system reports, with the address.
pub async fn bind(listen: SocketAddr) -> io::Result<TcpListener> {
    let bound = || {
        let socket = if listen.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // On Windows it would mean that others may take the port.
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        socket.bind(listen)?;
        socket.listen(BACKLOG)
    };
    bound().map_err(|error| io::Error::new(error.kind(), format!("--listen {listen}: {error}")))
}

/// Carries connections until `stop` resolves and all of them ended, each stream on its own socket;
/// without what runs in the background.
pub(crate) async fn carry(serving: Serving, listener: TcpListener, stop: impl Future<Output = ()>) {
    prepare(&listener, serving.stall_timeout);
    let (finish, finishing) = watch::channel(false);
    let mut connections = JoinSet::new();
    let settings = serving.settings.clone();
    // More would fail as they are accepted, and with them the log's files and Redis.
    let most = settings.max_connections.min(Descriptors::current().connections());
    let shares = Quota::new(settings.max_connections_address);
    // At most one for each connection.
    let (give, mut taken) = mpsc::unbounded_channel::<(Arc<StreamSocket>, EventBody)>();
    let common = Arc::new(Common { serving, finishing, give });
    let services = &common.serving.services;
    let drained = async {
        stop.await;
        drain(&services.streams, settings.grace.duration()).await;
    };
    tokio::pin!(drained);
    loop {
        tokio::select! {
            () = &mut drained => break,
            Some(_) = connections.join_next() => {}
            Some((socket, body)) = taken.recv() => {
                connections.spawn(async move { socket.watch(&body).await });
            }
            accepted = listener.accept(), if connections.len() < most => match accepted {
                Ok((tcp, from)) => {
                    let known = Client::of(from.ip(), &HeaderMap::new(), &services.settings.trusted_proxies).site();
                    // An address with too many gets no answer: that would cost more than the
                    // connection.
                    let Some(share) = shares.take(known) else {
                        services.metrics.too_many_connections();
                        continue;
                    };
                    let conn = Arc::new(Conn::from(from.ip()));
                    let common = Arc::clone(&common);
                    if common.serving.tls.is_some() {
                        connections.spawn(async move {
                            tls::connection(&common.serving, tcp, conn, common.finishing.clone()).await;
                            drop(share);
                        });
                        continue;
                    }
                    connections.spawn(connection(Box::pin(opened(common, tcp, conn, share))));
                }
                Err(error) => {
                    // Mostly: out of file descriptors. The pause lets others close.
                    tracing::warn!(target: "tinysse::server", %error, "accept");
                    sleep(Duration::from_millis(100)).await;
                }
            },
        }
    }
    drop(listener);
    // What is cut short here is published, or owed, at the end.
    let _ = timeout(FLUSH, services.updates.flush()).await;
    finish.send_replace(true);
    let idle = async { while connections.join_next().await.is_some() {} };
    if timeout(settings.grace.duration(), idle).await.is_err() {
        tracing::warn!(target: "tinysse::server", connections = connections.len(), "connections that do not end are cut");
    }
    // An aborted task ends at its next await; one that blocks its thread is left behind.
    let _ = timeout(CUT, connections.shutdown()).await;
}

/// What all connections share.
struct Common {
    serving: Serving,
    finishing: watch::Receiver<bool>,
    /// To whom streams are given that leave hyper.
    give: mpsc::UnboundedSender<(Arc<StreamSocket>, EventBody)>,
}

/// A stream that leaves hyper: the head of its response, and its place on the hub.
#[derive(Default)]
struct Leaving {
    stream: Mutex<Option<(Parts, EventBody)>>,
    left: Notify,
}

/// One connection, until it ends; or until it is a stream after other answers, whose socket another
/// task watches.
///
/// How it is opened is in a box of its own, so that a stream's task takes no more memory than its
/// socket.
async fn connection(opened: Pin<Box<impl Future<Output = Option<(Arc<StreamSocket>, EventBody)>>>>) {
    if let Some((socket, body)) = opened.await {
        socket.watch(&body).await;
    }
}

/// What a connection is that begins with a stream. Any other ends in here.
async fn opened(
    common: Arc<Common>,
    tcp: TcpStream,
    conn: Arc<Conn>,
    share: Permit<RateKey>,
) -> Option<(Arc<StreamSocket>, EventBody)> {
    common.serving.services.metrics.connected("http/1.1");
    let mut socket = Socket::new(tcp, Arc::clone(&conn), common.serving.stall_timeout);
    let mut decided = None;
    if let Some(fast_path) = &common.serving.fast_path {
        let patience = common.serving.settings.head_timeout.duration();
        match begin(fast_path, patience, socket, &conn, common.finishing.clone()).await {
            Begun::Over => return None,
            Begun::Stream(socket, body) => return Some((socket, body)),
            Begun::Hyper(back, answer) => (socket, decided) = (back, answer),
        }
    }
    Box::pin(http(&common, socket, decided, conn)).await;
    drop(share);
    None
}

async fn http(common: &Common, socket: Socket, decided: Option<Decided>, conn: Arc<Conn>) {
    let Common { serving, give, finishing } = common;
    let mut finishing = finishing.clone();
    let leaving = Leaving::default();
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let mut request: Request = request.map(Body::new);
        request.extensions_mut().insert(Arc::clone(&conn));
        if let Some(decided) = &decided {
            request.extensions_mut().insert(decided.clone());
        }
        let (request, unread) = Unread::keep(request);
        // HEAD wants no stream, and HTTP/1.0 knows no chunks.
        let plain = request.method() == Method::GET && request.version() == Version::HTTP_11;
        let (router, conn, leaving) = (serving.router.clone(), &conn, &leaving);
        async move {
            let mut response = router.oneshot(request).await.unwrap_or_else(|never| match never {});
            if let Some(unread) = unread {
                unread.settle(&mut response).await;
            }
            // An answer before this one may still be on its way, in hyper's buffers.
            let response = if plain && conn.is_clear() { leaving.take(response).await } else { response };
            Ok::<_, Infallible>(response)
        }
    });
    let mut http = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(serving.settings.head_timeout.duration())
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(socket), service);
    let mut finish = std::pin::pin!(finished(&mut finishing));
    let mut finishes = false;
    let ended = loop {
        tokio::select! {
            ended = &mut http => break ended,
            () = conn.closing() => return,
            () = leaving.left.notified() => {
                let stream = leaving.stream.lock().unwrap_or_else(PoisonError::into_inner).take();
                let Some((parts, body)) = stream else { continue };
                let socket = Arc::new(StreamSocket::new(http.into_parts().io.into_inner()));
                body.attach(&socket, &Head::of(&parts));
                // If nobody takes it, the server is down.
                drop(give.send((socket, body)));
                return;
            }
            () = &mut finish, if !finishes => {
                finishes = true;
                Pin::new(&mut http).graceful_shutdown();
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(target: "tinysse::http", %error, "connection");
    }
    linger(http.into_parts().io.into_inner(), common.finishing.clone()).await;
}

impl Leaving {
    /// Gives back an answer that hyper is to write. A stream is taken, and hyper waits for it until
    /// it is dropped.
    async fn take(&self, mut response: Response) -> Response {
        let Some(body) = response.extensions_mut().remove::<EventBody>() else { return response };
        let parts = response.into_parts().0;
        *self.stream.lock().unwrap_or_else(PoisonError::into_inner) = Some((parts, body));
        self.left.notify_one();
        std::future::pending().await
    }
}

pub(super) async fn finished(finishing: &mut watch::Receiver<bool>) {
    // The sender lives as long as `serve`; if it is gone, so is the server.
    drop(finishing.wait_for(|finish| *finish).await);
}
