//! The engine of several nodes: the log is a stream in Redis, and every node reads it to its end, once.
//!
//! A script gives the places, so they are dense and the same for all nodes. An update is acknowledged when Redis has it and this node's own
//! streams have it too. What Redis holds is read when a node starts, and the bounds are the same on both sides, so the hub's ring answers
//! for all that can be replayed, on whichever node a client comes back.
//!
//! When Redis is away the node is not ready, its streams stay open, and publishing is refused; nothing is queued here that could be lost.
//! When it comes back the tail goes on behind the last place. If Redis lost what this node has seen (a crash without `appendfsync always`, a
//! failover), the life of the log ends there: another epoch begins, and every client is told to refetch.

mod link;
mod place;
mod script;
mod tail;

use std::{
    error::Error,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use ::redis::{
    RedisError, Script,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use tinysse::core::wire::id::Epoch;
use tokio::{runtime, sync::watch, time::timeout};

use super::{Answer, Appended, Batch, Bounds, Durability, Engine, EngineError, Health, OpenError, Sink, ledger};
use crate::clock::{random_name, random_u64};
use script::APPEND;
use tail::Tail;

pub use link::Link;
pub use place::Place;

/// How long Redis may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a start waits for it.
const START: Duration = Duration::from_secs(5);

/// A log in Redis.
pub struct Redis {
    link: Link,
    /// `None` once closed.
    publisher: Mutex<Option<ConnectionManager>>,
    append: Script,
    place: Place,
    bounds: Bounds,
    state: Arc<State>,
}

/// What the tail lets others know.
#[derive(Debug)]
struct State {
    /// Up to where this node's streams have the log.
    head: watch::Sender<(Epoch, u64)>,
    /// Why Redis is away, if it is.
    away: Mutex<Option<String>>,
    durability: Mutex<Durability>,
    stop: watch::Sender<bool>,
    /// The tail has ended.
    gone: watch::Sender<bool>,
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("place", &self.place).field("state", &self.state).finish_non_exhaustive()
    }
}

impl Redis {
    /// Reads the log, or begins one, and tells the sink what it holds; then follows it. `fresh` names the next life, should one begin.
    ///
    /// # Errors
    /// [`OpenError::Unreachable`] if Redis does not answer within five seconds.
    pub fn open(place: Place, bounds: Bounds, fresh: Epoch, sink: Arc<dyn Sink>) -> Result<Self, OpenError> {
        let away = |what: String| OpenError::Unreachable(what);
        let client = place.client().map_err(away)?;
        let state = Arc::new(State {
            head: watch::Sender::new((fresh, 0)),
            away: Mutex::new(None),
            durability: Mutex::new(Durability::Memory),
            stop: watch::Sender::new(false),
            gone: watch::Sender::new(false),
        });
        let named = client.clone();
        let (ready, first) = std::sync::mpsc::sync_channel(1);
        let mut tail = Tail::new(client.clone(), place.clone(), sink, Arc::clone(&state));
        let ended = Arc::clone(&state);
        let run = move || {
            let runtime = match runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(ready.send(Err(error.to_string()))),
            };
            runtime.block_on(async {
                let opened = async {
                    tail.start(fresh).await?;
                    let config = ConnectionManagerConfig::new()
                        .set_response_timeout(Some(PATIENCE))
                        .set_connection_timeout(Some(PATIENCE))
                        .set_number_of_retries(1);
                    client.get_connection_manager_with_config(config).await
                };
                match timeout(START, opened).await {
                    Ok(Ok(publisher)) => {
                        tail.publisher = Some(publisher.clone());
                        drop(ready.send(Ok(publisher)));
                    }
                    Ok(Err(error)) => return drop(ready.send(Err(words(&error)))),
                    Err(_) => return drop(ready.send(Err("it does not answer".to_owned()))),
                }
                tail.follow().await;
            });
            ended.gone.send_replace(true);
        };
        thread::Builder::new().name("redis".to_owned()).spawn(run).map_err(|error| away(error.to_string()))?;
        let publisher = first.recv().map_err(|error| away(error.to_string()))?.map_err(away)?;
        let link = Link { manager: publisher.clone(), client: named, place: place.clone() };
        let publisher = Mutex::new(Some(publisher));
        Ok(Self { link, publisher, append: Script::new(APPEND), place, bounds, state })
    }

    /// The way to this Redis, for what else the nodes agree on.
    #[must_use]
    pub fn link(&self) -> Link {
        self.link.clone()
    }

    async fn send(&self, mut publisher: ConnectionManager, batch: Batch) -> Result<Appended, EngineError> {
        let receipt = batch.receipt.as_ref();
        let mut call = self.append.prepare_invoke();
        call.key(self.place.key("meta")).key(self.place.key("log"));
        call.key(self.place.key(&format!("receipt:{}", receipt.map_or("", |receipt| &receipt.key))));
        call.arg(format!("{:x}", random_u64() >> 16));
        call.arg(self.bounds.max_count).arg(self.bounds.max_age_ms).arg(self.bounds.max_bytes);
        call.arg(random_name());
        call.arg(receipt.map_or_else(String::new, |receipt| format!("{:x}", receipt.fingerprint)));
        call.arg(ledger::LIFE_MS);
        for record in &batch.records {
            call.arg(record.logged).arg(record.encode());
        }
        let answer: (String, String, u64, u64) =
            call.invoke_async(&mut publisher).await.map_err(|error| refusal(&error))?;
        let (word, epoch, first, count) = answer;
        if word == "reused" {
            return Err(EngineError::Reused);
        }
        let epoch =
            epoch_of(&epoch).ok_or_else(|| EngineError::Unavailable("an epoch that is no number".to_owned()))?;
        // Whoever asked may look at the log next: it should be there. If the tail hangs, the update is in Redis all the same.
        let mut head = self.state.head.subscribe();
        let told = head.wait_for(|(known, seq)| *known != epoch || *seq >= first + count - 1);
        let _ = timeout(PATIENCE, told).await;
        let reached = *self.state.durability.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Appended { epoch, first, count, reached })
    }
}

impl Engine for Redis {
    fn append(&self, batch: Batch) -> Answer<'_, Result<Appended, EngineError>> {
        let publisher = self.publisher.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Box::pin(async move {
            let closed = || EngineError::Unavailable("the server shuts down".to_owned());
            self.send(publisher.ok_or_else(closed)?, batch).await
        })
    }

    fn health(&self) -> Health {
        let away = self.state.away.lock().unwrap_or_else(PoisonError::into_inner).clone();
        away.map_or(Health::Good, |what| Health::Away(EngineError::Unavailable(what)))
    }

    fn close(&self) -> Answer<'_, ()> {
        drop(self.publisher.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.state.stop.send_replace(true);
        let mut gone = self.state.gone.subscribe();
        Box::pin(async move {
            // After this the sink is told nothing more. A tail that hangs in the network is not worth waiting for.
            drop(timeout(PATIENCE, gone.wait_for(|gone| *gone)).await);
        })
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.state.stop.send_replace(true);
    }
}

fn epoch_of(text: &str) -> Option<Epoch> {
    u64::from_str_radix(text, 16).ok().map(Epoch)
}

fn refusal(error: &RedisError) -> EngineError {
    // What Redis says when `maxmemory` is reached.
    if error.code() == Some("OOM") || error.to_string().contains("OOM ") {
        EngineError::Full(words(error))
    } else {
        EngineError::Unavailable(words(error))
    }
}

/// An error in words. The address is not among them: it may hold a password.
fn words(error: &RedisError) -> String {
    let category = error.category();
    match error.source().filter(|_| error.is_io_error()) {
        // What the system says of the connection, or rustls of a certificate.
        Some(cause) => format!("redis: {category}: {cause}"),
        None => format!("redis: {category}"),
    }
}

#[cfg(test)]
mod tests;
#[cfg(all(test, feature = "redis-tls"))]
mod tls_tests;
