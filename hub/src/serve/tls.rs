//! HTTPS: certificate and key from files that are read again when they change, and HTTP/2 for those
//! who speak it.
//!
//! What is encrypted cannot leave hyper for a [socket of its own](crate::stream): hyper carries
//! these streams as bodies, from the same hub.

use std::{
    convert::Infallible,
    fs, io,
    path::Path,
    pin::{Pin, pin},
    sync::{Arc, Mutex, PoisonError},
};

use axum::{body::Body, extract::Request};
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls_pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{self, PemObject},
};
use sha2::{Digest, Sha256};
use tokio::{
    net::TcpStream,
    sync::{Notify, watch},
    time::timeout,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{self, ServerConfig, crypto::ring},
};
use tower::ServiceExt;

use super::{
    Serving, TlsFiles,
    http2::{Requests, Watched},
    listener::{BUFFER, finished},
    unread::{Unread, linger},
};
use crate::stream::{Conn, EventBody, Socket};

/// Requests and streams on one connection of HTTP/2 at a time: the tabs of a browser share it.
const STREAMS: u32 = 128;
/// Bytes of a request's headers over HTTP/2.
const HEADERS: u32 = 16 * 1024;

/// Requests that a client reset before they were looked at, and responses reset for errors of a
/// client, that end a connection of HTTP/2.
const RESETS: usize = 20;
const ERRORS: usize = 128;

/// Certificate and key.
#[derive(Debug)]
pub struct Tls {
    files: TlsFiles,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    config: Arc<ServerConfig>,
    /// Of what was read last, good or bad.
    print: Print,
}

type Print = [u8; 32];

/// Why a certificate or key is invalid.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// It can't be read.
    #[error("{0}: {1}")]
    File(String, io::Error),
    /// It is no PEM, or not what it should be.
    #[error("{0}: {1}")]
    Pem(String, pem::Error),
    /// They do not fit each other, or are of a kind that nobody speaks.
    #[error("--tls-cert and --tls-key: {0}")]
    Pair(#[from] rustls::Error),
}

impl Tls {
    /// Reads both.
    ///
    /// # Errors
    /// [`TlsError`] names the file.
    pub fn open(files: TlsFiles) -> Result<Self, TlsError> {
        let (cert, key) = read(&files)?;
        let known = Known { config: build(&files, &cert, &key)?, print: print(&cert, &key) };
        Ok(Self { files, known: Mutex::new(known) })
    }

    /// Looks whether the files changed. New connections get what is new; what can't be used is not,
    /// and is logged once.
    pub(crate) fn refresh(&self) {
        let Ok((cert, key)) = read(&self.files) else { return };
        let print = print(&cert, &key);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.print == print {
            return;
        }
        known.print = print;
        match build(&self.files, &cert, &key) {
            Ok(config) => {
                known.config = config;
                tracing::info!(target: "tinysse::server", "another certificate from now on");
            }
            Err(error) => {
                tracing::warn!(target: "tinysse::server", %error, "the certificate can't be used; the known one counts");
            }
        }
    }

    fn acceptor(&self) -> TlsAcceptor {
        Arc::clone(&self.known.lock().unwrap_or_else(PoisonError::into_inner).config).into()
    }
}

fn read(files: &TlsFiles) -> Result<(Vec<u8>, Vec<u8>), TlsError> {
    let file = |name: &str, path: &Path| fs::read(path).map_err(|error| TlsError::File(named(name, path), error));
    Ok((file("--tls-cert", &files.cert)?, file("--tls-key", &files.key)?))
}

fn named(name: &str, path: &Path) -> String {
    format!("{name} {}", path.display())
}

fn print(cert: &[u8], key: &[u8]) -> Print {
    Sha256::new().chain_update(cert).chain_update(key).finalize().into()
}

fn build(files: &TlsFiles, cert: &[u8], key: &[u8]) -> Result<Arc<ServerConfig>, TlsError> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(cert).collect();
    let chain = chain.map_err(|error| TlsError::Pem(named("--tls-cert", &files.cert), error))?;
    let key =
        PrivateKeyDer::from_pem_slice(key).map_err(|error| TlsError::Pem(named("--tls-key", &files.key), error))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // Who comes back need not be remembered here.
    config.ticketer = ring::Ticketer::new()?;
    Ok(Arc::new(config))
}

/// One connection, from its handshake to its end.
pub(super) async fn connection(
    serving: &Serving,
    tcp: TcpStream,
    conn: Arc<Conn>,
    mut finishing: watch::Receiver<bool>,
) {
    let Serving { settings, stall_timeout: patience, tls: Some(tls), services, router, .. } = serving else { return };
    let patience = *patience;
    let socket = Socket::new(tcp, Arc::clone(&conn), patience);
    let shaken = timeout(settings.head_timeout.duration(), tls.acceptor().accept(socket)).await;
    let Ok(Ok(stream)) = shaken else { return services.metrics.handshake_failed() };
    let two = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    services.metrics.connected(if two { "h2" } else { "https/1.1" });
    let answer = |request: Request| {
        let (mut request, router) = (request, router.clone());
        request.extensions_mut().insert(Arc::clone(&conn));
        router.oneshot(request)
    };
    let ended = if two {
        let (requests, retired) = (Requests::new(&conn, patience), Notify::new());
        let service = service_fn(|request: hyper::Request<Incoming>| {
            let answer = answer(request.map(Body::new));
            async move {
                let response = answer.await?;
                // A stream of updates has rules of its own for readers that are slow.
                let updates = response.extensions().get::<EventBody>().is_some();
                Ok::<_, Infallible>(if updates { response } else { response.map(Watched::watch) })
            }
        });
        let http = http2::Builder::new(requests.clone())
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(HEADERS)
            .max_pending_accept_reset_streams(RESETS)
            .max_local_error_reset_streams(ERRORS)
            // What waits, waits in the log.
            .max_send_buf_size(BUFFER)
            .keep_alive_interval(patience)
            .keep_alive_timeout(patience)
            .serve_connection(TokioIo::new(stream), service);
        // Also a connection that never sends a request, or never the rest of one, and what a closed
        // window keeps behind its last response.
        let idle = async {
            requests.idle(settings.head_timeout.duration()).await;
            retired.notify_one();
            requests.idle(settings.grace.duration()).await;
        };
        let finish = async {
            tokio::select! {
                () = finished(&mut finishing) => {}
                () = retired.notified() => {}
            }
        };
        let http = pin!(http);
        tokio::select! {
            ended = drive(http, http2::Connection::graceful_shutdown, &conn, finish) => ended,
            () = idle => Ok(()),
        }
    } else {
        let service = service_fn(|request: hyper::Request<Incoming>| {
            let (request, unread) = Unread::keep(request.map(Body::new));
            let answer = answer(request);
            async move {
                let mut response = answer.await?;
                if let Some(unread) = unread {
                    unread.settle(&mut response).await;
                }
                Ok::<_, Infallible>(response)
            }
        });
        let mut http = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(settings.head_timeout.duration())
            .max_buf_size(BUFFER)
            .serve_connection(TokioIo::new(stream), service);
        let finish = finished(&mut finishing);
        let ended = drive(Pin::new(&mut http), http1::Connection::graceful_shutdown, &conn, finish).await;
        linger(http.into_parts().io.into_inner().into_inner().0, finishing.clone()).await;
        ended
    };
    if let Err(error) = ended {
        tracing::debug!(target: "tinysse::http", %error, "connection");
    }
}

/// Serves until the connection ends or is cut; asks it to end when `finish` resolves.
async fn drive<C: Future<Output = hyper::Result<()>>>(
    mut http: Pin<&mut C>,
    end: fn(Pin<&mut C>),
    conn: &Conn,
    finish: impl Future<Output = ()>,
) -> hyper::Result<()> {
    let (mut finish, mut finishes) = (pin!(finish), false);
    loop {
        tokio::select! {
            ended = &mut http => return ended,
            () = conn.closing() => return Ok(()),
            () = &mut finish, if !finishes => {
                finishes = true;
                end(http.as_mut());
            }
        }
    }
}
