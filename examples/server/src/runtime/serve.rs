//! Accepting, serving and shutting down. One task a connection, so that each can be cut, and the whole never hangs on one.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderMap, Method, Version, response::Parts},
    response::Response,
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Notify, mpsc, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use tower::ServiceExt;

use super::{
    conn::{self, Conn, Socket},
    drain::{self, GRACE},
    lane::{self, Lane},
    peer::{Shares, site},
    stream::EventBody,
    tls,
};
use crate::app::App;

/// What a connection buffers at most in each direction.
pub(super) const BUFFER: usize = 64 * 1024;

/// Binds the address that the configuration names.
///
/// # Errors
/// As the system says, with the address.
pub async fn bind(listen: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(listen).await.map_err(|error| io::Error::new(error.kind(), format!("--listen {listen}: {error}")))
}

/// Serves until `stop` resolves, then drains and ends, in bounded time: the drain window, the time a stream
/// stands behind its goodbye, and four seconds at most.
///
/// Meanwhile `/readyz` says 503, publishing goes on, and new streams are sent away with a time to come back.
pub async fn serve(app: Arc<App>, listener: TcpListener, stop: impl Future<Output = ()>) {
    let mut background = JoinSet::new();
    app.spawn_background(&mut background);
    carry(&app, app.router(), listener, stop).await;
    background.shutdown().await;
    app.engine.close().await;
    tracing::info!(target: "tinysse::server", "stopped");
}

/// Carries the connections of these routes, streams in lanes of their own; without what runs in the background.
pub(crate) async fn carry(app: &Arc<App>, router: Router, listener: TcpListener, stop: impl Future<Output = ()>) {
    conn::prepare(&listener, app.config.stall_timeout.duration());
    let (finish, finishing) = watch::channel(false);
    let mut connections = JoinSet::new();
    let limits = &app.config.limits;
    let shares = Shares::new(limits.connections_address);
    // At most one for each connection.
    let (give, mut taken) = mpsc::unbounded_channel::<(Arc<Lane>, EventBody)>();
    let drained = async {
        stop.await;
        drain::drain(app).await;
    };
    tokio::pin!(drained);
    loop {
        tokio::select! {
            () = &mut drained => break,
            Some(_) = connections.join_next() => {}
            Some((lane, body)) = taken.recv() => {
                connections.spawn(async move { lane.watch(&body).await });
            }
            accepted = listener.accept(), if connections.len() < limits.connections => match accepted {
                Ok((tcp, from)) => {
                    let known = site(from.ip(), &HeaderMap::new(), &limits.proxies);
                    // An address with too many gets no answer: that would cost more than the connection.
                    let Some(share) = shares.take(known) else {
                        app.metrics.too_many_connections();
                        continue;
                    };
                    let conn = Arc::new(Conn::from(from.ip()));
                    let (app, router, finishing) = (Arc::clone(app), router.clone(), finishing.clone());
                    if app.tls.is_some() {
                        connections.spawn(async move {
                            tls::connection(app, router, tcp, conn, finishing).await;
                            drop(share);
                        });
                        continue;
                    }
                    let give = give.clone();
                    connections.spawn(async move {
                        connection(app, router, tcp, conn, finishing, give).await;
                        drop(share);
                    });
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
    app.updates.flush().await;
    finish.send_replace(true);
    let idle = async { while connections.join_next().await.is_some() {} };
    if timeout(GRACE, idle).await.is_err() {
        tracing::warn!(target: "tinysse::server", connections = connections.len(), "connections that do not end are cut");
    }
    connections.shutdown().await;
}

/// A stream that leaves hyper: the head of its response, and its place on the hub.
#[derive(Default)]
struct Leaving {
    stream: Mutex<Option<(Parts, EventBody)>>,
    left: Notify,
}

async fn connection(
    app: Arc<App>,
    router: Router,
    tcp: TcpStream,
    conn: Arc<Conn>,
    mut finishing: watch::Receiver<bool>,
    give: mpsc::UnboundedSender<(Arc<Lane>, EventBody)>,
) {
    app.metrics.connected("http/1.1");
    let socket = Socket::new(tcp, Arc::clone(&conn), app.config.stall_timeout.duration());
    let leaving = Leaving::default();
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let mut request: Request = request.map(Body::new);
        request.extensions_mut().insert(Arc::clone(&conn));
        // HEAD wants no stream, and HTTP/1.0 knows no chunks.
        let plain = request.method() == Method::GET && request.version() == Version::HTTP_11;
        let (router, conn, leaving) = (router.clone(), &conn, &leaving);
        async move {
            let response = router.oneshot(request).await.unwrap_or_else(|never| match never {});
            // An answer before this one may still be on its way, in hyper's buffers.
            let response = if plain && conn.is_clear() { leaving.take(response).await } else { response };
            Ok::<_, Infallible>(response)
        }
    });
    let mut http = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(app.config.limits.head_timeout.duration())
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(socket), service);
    let mut finish = std::pin::pin!(finished(&mut finishing));
    let mut finishes = false;
    let ended = loop {
        tokio::select! {
            ended = &mut http => break ended,
            () = conn.aborted() => return,
            () = leaving.left.notified() => {
                let stream = leaving.stream.lock().unwrap_or_else(PoisonError::into_inner).take();
                let Some((parts, body)) = stream else { continue };
                let lane = Arc::new(Lane::new(http.into_parts().io.into_inner()));
                body.streams().attach(body.client(), &lane, lane::head(&parts));
                // If nobody takes it, the server is down.
                drop(give.send((lane, body)));
                return;
            }
            () = &mut finish, if !finishes => {
                finishes = true;
                std::pin::Pin::new(&mut http).graceful_shutdown();
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(target: "tinysse::http", %error, "connection");
    }
}

impl Leaving {
    /// Gives back an answer that hyper is to write. A stream is taken, and hyper waits for it until it is dropped.
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
