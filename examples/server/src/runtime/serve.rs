//! Accepting, serving and shutting down. One task a connection, so that each can be cut, and the whole never hangs on one.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};
use tower::ServiceExt;

use super::{
    conn::{Conn, Socket},
    drain::{self, GRACE},
};
use crate::app::App;

/// How long a client may take to send a request's head, and how long an idle connection is kept.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);
/// What a connection buffers at most in each direction.
const BUFFER: usize = 64 * 1024;

/// Binds the address that the configuration names.
///
/// # Errors
/// As the system says, with the address.
pub async fn bind(listen: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(listen).await.map_err(|error| io::Error::new(error.kind(), format!("--listen {listen}: {error}")))
}

/// Serves until `stop` resolves, then drains and ends, in bounded time: the drain window plus four seconds at most.
///
/// Meanwhile `/readyz` says 503, publishing goes on, and new streams are sent away with a time to come back.
pub async fn serve(app: Arc<App>, listener: TcpListener, stop: impl Future<Output = ()>) {
    let mut background = JoinSet::new();
    app.spawn_background(&mut background);
    let router = app.router();
    let (finish, finishing) = watch::channel(false);
    let mut connections = JoinSet::new();
    let drained = async {
        stop.await;
        drain::drain(Arc::clone(&app)).await;
    };
    tokio::pin!(drained);
    loop {
        tokio::select! {
            () = &mut drained => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((tcp, _)) => {
                    connections.spawn(connection(Arc::clone(&app), router.clone(), tcp, finishing.clone()));
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
    background.shutdown().await;
    app.engine.close().await;
    tracing::info!(target: "tinysse::server", "stopped");
}

async fn connection(app: Arc<App>, router: Router, tcp: TcpStream, mut finishing: watch::Receiver<bool>) {
    let conn = Arc::new(Conn::default());
    let socket = Socket::new(tcp, Arc::clone(&conn), app.config.stall_timeout.duration());
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let mut request: Request = request.map(Body::new);
        request.extensions_mut().insert(Arc::clone(&conn));
        let router = router.clone();
        async move { Ok::<_, Infallible>(router.oneshot(request).await.unwrap_or_else(|never| match never {})) }
    });
    let http = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(socket), service);
    tokio::pin!(http);
    let ended = tokio::select! {
        ended = http.as_mut() => ended,
        () = conn.aborted() => return,
        () = finished(&mut finishing) => {
            http.as_mut().graceful_shutdown();
            tokio::select! {
                ended = http.as_mut() => ended,
                () = conn.aborted() => return,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(target: "tinysse::http", %error, "connection");
    }
}

async fn finished(finishing: &mut watch::Receiver<bool>) {
    // The sender lives as long as `serve`; if it is gone, so is the server.
    drop(finishing.wait_for(|finish| *finish).await);
}
