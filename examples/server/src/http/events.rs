//! `GET /events`: the stream.

use std::sync::Arc;

use axum::{
    Extension,
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use tinysse::core::{
    registry::Pattern,
    wire::{
        id::EventId,
        names::{H_LAST_EVENT_ID, WIRE_NATIVE},
    },
};

use crate::{
    app::App,
    auth::{bearer, directory::Denied, gone, limit::too_many},
    clock::jitter,
    error::Problem,
    runtime::{Asked, Conn, Site, Transport, address, goodbye},
};

/// More patterns than this are refused.
const MAX_TYPES: usize = 64;

/// The names are those of `core::wire::names`. No `Debug`: it holds a token.
#[derive(Deserialize)]
pub(super) struct Ask {
    token: Option<String>,
    #[serde(rename = "lastEventId")]
    last_event_id: Option<String>,
    types: Option<String>,
    wire: Option<String>,
}

pub(super) async fn events(
    State(app): State<Arc<App>>,
    conn: Option<Extension<Arc<Conn>>>,
    ask: Result<Query<Ask>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    // Not the rejection's own text: it may quote the query.
    let Query(ask) = ask.map_err(|_| Problem::bad_request("bad_query", "each parameter once, in UTF-8"))?;
    let folded = match ask.wire.as_deref() {
        None | Some("") => false,
        Some(WIRE_NATIVE) => true,
        Some(_) => return Err(Problem::bad_request("bad_wire", "`wire` is `native`, or left out")),
    };
    let bearer = bearer(&headers);
    let transport = if bearer.is_none() { Transport::Native } else { Transport::Fetch };
    let types = ask.types.as_deref().filter(|text| !text.is_empty()).map(patterns).transpose()?;
    let conn = conn.map(|Extension(conn)| conn).unwrap_or_default();
    let address = conn.peer().and_then(|peer| address(peer, &headers, &app.config.limits.proxies));
    let site = address.map(Site::of);
    // Before the token is looked at: guessing costs as much as knowing.
    if let Some(wait) = site.and_then(|site| app.limits.connect.take(&site).err()) {
        let away = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX).saturating_add(app.away(&mut jitter()));
        return shed(&app, transport, away, || too_many(wait));
    }
    let claims = app.auth.redeem(bearer.or(ask.token.as_deref()))?;
    // Rights are resolved now, not when the token was issued.
    let mark = app.mark();
    let rights = match app.rights(&claims).await {
        Ok(rights) => rights,
        Err(Denied::Gone) => return Err(gone()),
        Err(Denied::Unavailable) => return busy(&app, transport),
    };
    // On a native retry the address is old and the header new.
    let header = headers.get(H_LAST_EVENT_ID).filter(|value| !value.is_empty());
    // A cursor that is not even text is one that we never gave out; the hub says so.
    let header = header.map(|value| value.to_str().unwrap_or("?"));
    let cursor = header.or(ask.last_event_id.as_deref());
    if let Some(id) = cursor.and_then(EventId::parse).filter(|id| id.follows(app.streams.cursor())) {
        app.engine.claimed(id);
    }
    if !app.use_up(&claims).await? {
        return busy(&app, transport);
    }
    let address = address.or(conn.peer());
    let asked = Asked { claims: claims.clone(), rights, cursor, types, folded, transport, site, address, conn };
    let Ok(body) = app.streams.open(asked) else {
        app.give_back(&claims).await;
        return busy(&app, transport);
    };
    // A revocation that came in between did not find this stream yet; it marks before it looks, so one of the two sees the other.
    if app.auth.is_revoked(&claims) {
        return Err(gone());
    }
    if app.mark() != mark {
        app.refilter(|open| open.jti == claims.jti && open.sub == claims.sub).await;
    }
    let mut response = stream(Body::new(body.clone()));
    // For a server that gives the stream a lane of its own.
    response.extensions_mut().insert(body);
    Ok(response)
}

/// There is no room now.
fn busy(app: &App, transport: Transport) -> Result<Response, Problem> {
    let away = app.away(&mut jitter());
    let seconds = u64::from(away.div_ceil(1_000));
    shed(app, transport, away, || Problem::unavailable("busy", "no stream can be opened now", seconds))
}

/// Sends a client away for so many milliseconds. A native `EventSource` takes every status but 200 for final.
fn shed(app: &App, transport: Transport, away: u32, problem: impl FnOnce() -> Problem) -> Result<Response, Problem> {
    app.metrics.shed(transport);
    match transport {
        Transport::Native => Ok(stream(Body::from(goodbye(away)))),
        Transport::Fetch => Err(problem()),
    }
}

fn stream(body: Body) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    // nginx would hold frames back otherwise.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

fn patterns(text: &str) -> Result<Vec<Pattern>, Problem> {
    let wrong = |detail: String| Problem::bad_request("bad_types", detail);
    // Named by its number: where an `&` was forgotten, the text goes on with a token.
    let read =
        |(n, part)| Pattern::parse(part).ok_or_else(|| wrong(format!("number {n} is no type, `prefix.*` or `*`")));
    let patterns = (1..).zip(text.split(',')).map(read).collect::<Result<Vec<_>, _>>()?;
    if patterns.len() > MAX_TYPES { Err(wrong(format!("at most {MAX_TYPES} types"))) } else { Ok(patterns) }
}
