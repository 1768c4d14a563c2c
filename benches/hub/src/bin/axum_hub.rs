//! What one writes in fifty lines: axum's `Sse` over tokio's broadcast. No log, no rights, no
//! replay; a reader that lags misses updates.
//!
//! `axum-hub PORT`

#[path = "../sys.rs"]
#[allow(dead_code)]
mod sys;

use std::convert::Infallible;

use axum::{
    Router,
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
    routing::{get, post},
};
use futures_util::{Stream, StreamExt};
use tokio::{net::TcpListener, sync::broadcast};
use tokio_stream::wrappers::BroadcastStream;

type Feed = broadcast::Sender<(u64, String)>;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    sys::raise_files()?;
    let port: u16 = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(0);
    let (feed, _) = broadcast::channel(1_024);
    let routes = Router::new().route("/events", get(events)).route("/publish", post(publish)).with_state(feed);
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(axum::serve::ListenerExt::tap_io(listener, |tcp| drop(tcp.set_nodelay(true))), routes).await
}

async fn events(State(feed): State<Feed>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let updates = BroadcastStream::new(feed.subscribe()).filter_map(|update| async {
        let (id, data) = update.ok()?;
        Some(Ok(Event::default().id(id.to_string()).event("bench").data(data)))
    });
    Sse::new(updates).keep_alive(KeepAlive::default())
}

async fn publish(State(feed): State<Feed>, data: String) {
    let _ = feed.send((1, data));
}
