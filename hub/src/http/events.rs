//! `GET /events`: the stream.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    Extension,
    body::Body,
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use tinysse::proto::wire::{
    id::EventId,
    names::{H_LAST_EVENT_ID, H_WIRE, WIRE_VERSION},
};

use super::{Services, ask::Ask};
use crate::{
    auth::{bearer, directory::Denied, gone, limit::too_many},
    clock::jitter,
    error::Problem,
    stream::{Asked, Client, Conn, EventBody, Transport, goodbye},
};

/// What becomes of a request for a stream that is not refused.
#[derive(Debug)]
pub(crate) enum Opened {
    Stream(EventBody),
    /// Sends a native `EventSource` away for this number of milliseconds: it takes every status but
    /// 200 for final.
    Away(u32),
}

/// An answer that was decided before the router was asked. It is in the extensions of the request.
#[derive(Clone, Debug)]
pub(crate) struct Decided(Arc<Mutex<Option<Response>>>);

impl Decided {
    pub(crate) fn new(response: Response) -> Self {
        Self(Arc::new(Mutex::new(Some(response))))
    }

    fn take(&self) -> Option<Response> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

pub(super) async fn events(
    State(services): State<Services>,
    conn: Option<Extension<Arc<Conn>>>,
    decided: Option<Extension<Decided>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Some(response) = decided.and_then(|Extension(decided)| decided.take()) {
        return Ok(response);
    }
    let conn = conn.map(|Extension(conn)| conn).unwrap_or_default();
    open(&services, conn, query.as_deref().unwrap_or_default(), &headers).await.map(Opened::into_response)
}

/// Opens the stream that a request asks for.
///
/// # Errors
/// Why no stream is opened.
pub(crate) async fn open(
    services: &Services,
    conn: Arc<Conn>,
    query: &str,
    headers: &HeaderMap,
) -> Result<Opened, Problem> {
    let Services { settings, auth, rights: live, cluster, streams, engine, limits, .. } = services;
    let ask = Ask::read(query)?;
    let bearer = bearer(headers);
    let transport = if bearer.is_none() { Transport::Native } else { Transport::Fetch };
    let client = conn.peer().map(|peer| Client::of(peer, headers, &settings.trusted_proxies));
    let (site, address) = (client.and_then(Client::site), client.and_then(Client::address));
    // Before the token is looked at: guessing costs as much as knowing.
    if let Some(wait) = site.and_then(|site| limits.connect.take(&site).err()) {
        let away =
            u32::try_from(wait.as_millis()).unwrap_or(u32::MAX).saturating_add(streams.retry_after_ms(&mut jitter()));
        return shed(services, transport, away, || too_many(wait));
    }
    let claims = Arc::new(auth.verify(bearer.or(ask.token.as_deref()))?);
    // Rights are resolved now, not when the token was issued.
    let version = live.version();
    let rights = match live.of(&claims).await {
        Ok(rights) => rights,
        Err(Denied::Gone) => return Err(gone()),
        Err(Denied::Unavailable) => return busy(services, transport),
    };
    // On a native retry the address is old and the header new.
    let header = headers.get(H_LAST_EVENT_ID).filter(|value| !value.is_empty());
    // A cursor that is not even text is one that the hub never gave out; the hub reports that.
    let header = header.map(|value| value.to_str().unwrap_or("?"));
    let cursor = header.or(ask.last_event_id.as_deref());
    if let Some(id) = cursor.and_then(EventId::parse).filter(|id| id.follows(streams.cursor())) {
        engine.catch_up(id).await;
        if id.follows(streams.cursor()) {
            engine.ahead_of_log(id);
        }
    }
    if !cluster.consume(&claims).await? {
        return busy(services, transport);
    }
    let (types, folded) = (ask.types, ask.folded);
    let asked = Asked { claims: Arc::clone(&claims), rights, cursor, types, folded, transport, site, address, conn };
    let Ok(body) = streams.open(asked) else {
        cluster.give_back(&claims).await;
        return busy(services, transport);
    };
    // A revocation that came in between did not find this stream yet; it marks before it looks, so
    // one of the two sees the other.
    if auth.is_revoked(&claims) {
        return Err(gone());
    }
    if live.version() != version {
        live.refilter(|open| open.jti == claims.jti && open.sub == claims.sub).await;
    }
    Ok(Opened::Stream(body))
}

/// There is no capacity now.
fn busy(services: &Services, transport: Transport) -> Result<Opened, Problem> {
    let away = services.streams.retry_after_ms(&mut jitter());
    let seconds = u64::from(away.div_ceil(1_000));
    shed(services, transport, away, || Problem::unavailable("busy", "no stream can be opened now", seconds))
}

/// Sends a client away for `away` milliseconds.
fn shed(
    services: &Services,
    transport: Transport,
    away: u32,
    problem: impl FnOnce() -> Problem,
) -> Result<Opened, Problem> {
    services.metrics.shed(transport.as_str());
    match transport {
        Transport::Native => Ok(Opened::Away(away)),
        Transport::Fetch => Err(problem()),
    }
}

impl IntoResponse for Opened {
    fn into_response(self) -> Response {
        match self {
            Self::Stream(body) => {
                let mut response = stream(Body::new(body.clone()));
                // For a server that gives the stream a socket of its own.
                response.extensions_mut().insert(body);
                response
            }
            Self::Away(ms) => stream(Body::from(goodbye(ms))),
        }
    }
}

/// The answer that is a stream.
pub(crate) fn stream(body: Body) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    // A client that sees the head, and nothing behind it, knows by this whose stream it is.
    headers.insert(H_WIRE, HeaderValue::from_static(WIRE_VERSION));
    // nginx would hold frames back otherwise.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}
