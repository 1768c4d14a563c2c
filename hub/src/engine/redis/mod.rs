//! The engine of several nodes: the log is a stream in Redis, and every node reads it to its end,
//! once.
//!
//! A script gives the places, so they are dense and the same for all nodes. An update is
//! acknowledged when Redis has it and this node's own streams have it too. What Redis holds is read
//! when a node starts, and the bounds are the same on both sides, so the hub's ring answers for all
//! that can be replayed, on whichever node a client comes back.
//!
//! When Redis is away the node is not ready, its streams stay open, and publishing is refused;
//! nothing is queued here that could be lost. When it comes back the tail goes on behind the last
//! place. If Redis lost what this node has seen (a crash without `appendfsync always`, a failover,
//! an eviction), the life of the log ends there: another epoch begins, and every client refetches.
//!
//! All calls go over one connection that is watched and replaced (`link.rs`, `monitor.rs`). The
//! tail reads over another one, since it waits inside Redis; both are replaced together.

mod dates;
mod monitor;
mod script;
mod settings;
mod state;
mod tail;

use std::{fmt, sync::Arc, thread, time::Duration};

use ::redis::{Script, ScriptInvocation};
use tinysse::proto::wire::id::{Epoch, EventId};
use tokio::{runtime, time::timeout};

use super::{Answer, Appended, Batch, Bounds, Engine, EngineError, Health, OpenError, Sink};
use crate::{
    clock::{Clock, random_name, random_u64},
    redis::{Failure, Link, PATIENCE, Place, Status, Unreachable},
};
use monitor::Monitor;
use script::{Encoded, epoch_of};
use state::State;
use tail::Tail;

/// How long a client whose cursor is ahead of this node waits for the update it names.
const CATCH_UP: Duration = Duration::from_secs(1);
/// How long a start waits for it.
const START: Duration = Duration::from_secs(5);

/// A log in Redis.
pub struct Redis {
    link: Link,
    append: Script,
    bounds: Bounds,
    state: Arc<State>,
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("link", &self.link).field("state", &self.state).finish_non_exhaustive()
    }
}

impl Redis {
    /// Reads the log, or begins one, and gives the sink what it holds; then follows it. `fresh`
    /// names the next life, should one begin. The records that the sink gets are dated by the time
    /// of Redis, translated to that of `clock`.
    ///
    /// # Errors
    /// [`OpenError::Unreachable`] if Redis does not answer within five seconds, or takes no writes.
    pub fn open(
        place: Place,
        bounds: Bounds,
        clock: Clock,
        fresh: Epoch,
        sink: Arc<dyn Sink>,
    ) -> Result<Self, OpenError> {
        let away = |what: String| OpenError::from(Unreachable(what));
        let link = Link::new(place.client().map_err(away)?, place);
        let state = Arc::new(State::new(fresh));
        let (ready, first) = std::sync::mpsc::sync_channel(1);
        let mut tail = Tail::new(link.clone(), sink, Arc::clone(&state), clock);
        let mut monitor = Monitor::new(link.clone(), Arc::clone(&state), clock);
        let (ended, closing) = (Arc::clone(&state), link.clone());
        let run = move || {
            let runtime = match runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(ready.send(Err(error.to_string()))),
            };
            runtime.block_on(async {
                let opened = async {
                    monitor.start().await?;
                    tail.start(fresh).await
                };
                match timeout(START, opened).await {
                    Ok(Ok(())) => drop(ready.send(Ok(()))),
                    Ok(Err(error)) => return drop(ready.send(Err(error))),
                    Err(_) => return drop(ready.send(Err("it does not answer".to_owned()))),
                }
                tokio::select! {
                    () = tail.follow() => {}
                    () = monitor.run() => {}
                    () = ended.stopped() => {}
                }
            });
            closing.set(Status::Away("the server shuts down".to_owned()));
            ended.end();
        };
        thread::Builder::new().name("redis".to_owned()).spawn(run).map_err(|error| away(error.to_string()))?;
        first.recv().map_err(|error| away(error.to_string()))?.map_err(away)?;
        Ok(Self { link, append: script::append(), bounds, state })
    }

    /// Returns the connection to this Redis, for what else the nodes agree on.
    #[must_use]
    pub fn link(&self) -> Link {
        self.link.clone()
    }

    async fn send(&self, batch: Batch) -> Result<Appended, EngineError> {
        if self.state.is_stopped() {
            return Err(EngineError::Unavailable("the server shuts down".to_owned()));
        }
        let before = *self.state.head.borrow();
        let Batch { records, receipt } = batch;
        let records = records.iter().map(super::Record::encode).collect();
        let batch = Encoded { fresh: Epoch(random_u64() >> 16), tag: random_name(), receipt, records };
        let fill = |call: &mut ScriptInvocation<'_>, again: bool| {
            script::fill_append(call, &self.link, &self.bounds, &batch, again.then_some(before));
        };
        let (word, epoch, first, count): (String, String, u64, u64) =
            self.link.run(&self.append, fill).await.map_err(EngineError::from)?;
        match word.as_str() {
            "reused" => return Err(EngineError::Reused),
            "unknown" => {
                let what = "the connection was lost, and whether the update was logged can't be found out any more";
                return Err(EngineError::Unavailable(what.to_owned()));
            }
            _ => {}
        }
        let epoch =
            epoch_of(&epoch).ok_or_else(|| EngineError::Unavailable("an epoch that is no number".to_owned()))?;
        if epoch != before.0 {
            self.state.another_life.notify_one();
        }
        // The caller may look at the log next: it should be there. If the tail hangs, the update is
        // in Redis all the same.
        let mut head = self.state.head.subscribe();
        let read = head.wait_for(|(known, seq)| match *known == epoch {
            true => *seq >= first + count - 1,
            false => *known != before.0,
        });
        let _ = timeout(PATIENCE, read).await;
        Ok(Appended { epoch, first, count, reached: self.state.durability() })
    }
}

impl From<Failure> for EngineError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Full(what) => Self::Full(what),
            Failure::Unavailable(what) => Self::Unavailable(what),
        }
    }
}

impl Engine for Redis {
    fn append(&self, batch: Batch) -> Answer<'_, Result<Appended, EngineError>> {
        Box::pin(self.send(batch))
    }

    fn catch_up(&self, id: EventId) -> Answer<'_, ()> {
        let mut head = self.state.head.subscribe();
        Box::pin(async move {
            let reached = head.wait_for(|(epoch, seq)| *epoch != id.epoch || *seq >= id.seq);
            let _ = timeout(CATCH_UP, reached).await;
        })
    }

    fn health(&self) -> Health {
        match self.link.away().or_else(|| self.state.away()) {
            Some(what) => Health::Away(EngineError::Unavailable(what)),
            None => match self.state.refusing() {
                Some(what) => Health::Refusing(EngineError::Unavailable(what)),
                None => Health::Good,
            },
        }
    }

    fn close(&self) -> Answer<'_, ()> {
        self.state.stop();
        Box::pin(async move {
            // After this the sink gets nothing more. A tail that hangs in the network is not worth
            // waiting for.
            drop(timeout(PATIENCE, self.state.ended()).await);
        })
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.state.stop();
    }
}

#[cfg(test)]
mod tests;
#[cfg(all(test, feature = "redis-tls"))]
mod tls_tests;
