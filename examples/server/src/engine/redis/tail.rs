//! Reads the stream to its end and waits for more. The one place that tells the sink.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use ::redis::{
    AsyncConnectionConfig, Client, RedisError, Script,
    aio::{ConnectionManager, MultiplexedConnection},
    cmd,
    streams::{StreamId, StreamRangeReply, StreamReadReply},
};
use tinysse::core::{
    backoff::{Backoff, Policy},
    rng::Rng,
    wire::id::Epoch,
};
use tokio::time::sleep;

use super::{
    super::{Durability, Record, Sink},
    PATIENCE, Place, State, epoch_of,
    script::CHECK,
    words,
};
use crate::clock::{jitter, random_u64};

/// How long one question waits inside Redis. Another epoch is noticed after this at the latest.
const BLOCK_MS: u64 = 400;
/// Entries in one answer.
const PAGE: usize = 500;
/// Pauses between attempts while Redis is away, in milliseconds.
const POLICY: Policy = Policy { floor: 50, base: 100, cap: 2_000 };

/// One reader.
pub(super) struct Tail {
    client: Client,
    place: Place,
    sink: Arc<dyn Sink>,
    state: Arc<State>,
    check: Script,
    /// The life that is read, and the last place that was told, with its tag.
    epoch: Option<Epoch>,
    seen: u64,
    tag: String,
    conn: Option<MultiplexedConnection>,
    /// What publishes. It finds out that its connection is gone only when it is used, so it is tried before Redis counts as back.
    pub(super) publisher: Option<ConnectionManager>,
    rng: Rng,
}

enum Ended {
    /// The life of the log is another one.
    Life,
    Error(RedisError),
}

impl From<RedisError> for Ended {
    fn from(error: RedisError) -> Self {
        Self::Error(error)
    }
}

impl Tail {
    pub(super) fn new(client: Client, place: Place, sink: Arc<dyn Sink>, state: Arc<State>) -> Self {
        let (check, rng) = (Script::new(CHECK), jitter());
        Self {
            client,
            place,
            sink,
            state,
            check,
            epoch: None,
            seen: 0,
            tag: String::new(),
            conn: None,
            publisher: None,
            rng,
        }
    }

    /// Connects and tells what is there.
    pub(super) async fn start(&mut self, fresh: Epoch) -> Result<(), RedisError> {
        self.attach(fresh).await?;
        loop {
            match self.read(false).await {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(Ended::Life) => self.attach(fresh).await?,
                Err(Ended::Error(error)) => return Err(error),
            }
        }
    }

    /// Tells what comes, until it is told to stop.
    pub(super) async fn follow(mut self) {
        let mut stop = self.state.stop.subscribe();
        let work = async {
            let mut backoff = Backoff::new(POLICY);
            loop {
                let error = match self.round().await {
                    Ok(()) => {
                        backoff.forget();
                        self.away(None);
                        continue;
                    }
                    Err(error) => words(&error),
                };
                tracing::warn!(target: "tinysse::engine", error, "Redis is away");
                self.away(Some(error));
                self.conn = None;
                sleep(Duration::from_millis(backoff.next(&mut self.rng))).await;
            }
        };
        tokio::select! {
            () = work => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }

    async fn round(&mut self) -> Result<(), RedisError> {
        let fresh = Epoch(random_u64() >> 16);
        if self.conn.is_none() {
            self.attach(fresh).await?;
            self.wake_publisher().await?;
        }
        match self.read(true).await {
            Ok(_) => Ok(()),
            Err(Ended::Life) => self.attach(fresh).await,
            Err(Ended::Error(error)) => Err(error),
        }
    }

    /// Connects, and finds out whether the log is still the one that was read. If not, the sink is told where the other one begins.
    async fn attach(&mut self, fresh: Epoch) -> Result<(), RedisError> {
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(PATIENCE)).set_response_timeout(Some(PATIENCE));
        let mut conn = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        let mut check = self.check.prepare_invoke();
        check.key(self.place.key("meta")).key(self.place.key("log"));
        check.arg(format!("{:x}", fresh.0)).arg(self.epoch.map_or_else(String::new, |epoch| format!("{:x}", epoch.0)));
        check.arg(self.seen).arg(&self.tag);
        let (epoch, head): (String, u64) = check.invoke_async(&mut conn).await?;
        let epoch = epoch_of(&epoch);
        if epoch != self.epoch {
            let oldest: StreamRangeReply = cmd("XRANGE")
                .arg(self.place.key("log"))
                .arg("-")
                .arg("+")
                .arg("COUNT")
                .arg(1)
                .query_async(&mut conn)
                .await?;
            let after = oldest.ids.first().map_or(head, |entry| place_of(entry).saturating_sub(1));
            (self.epoch, self.seen, self.tag) = (epoch, after, String::new());
            let epoch = epoch.unwrap_or(fresh);
            self.sink.begin(epoch, after);
            self.state.head.send_replace((epoch, after));
        }
        // Not everybody may ask for it; then the least is promised.
        let fsync: Vec<String> =
            cmd("CONFIG").arg("GET").arg("append*").query_async(&mut conn).await.unwrap_or_default();
        let says = |name: &str, value: &str| fsync.chunks(2).any(|pair| pair[0] == name && pair[1] == value);
        let durable = says("appendonly", "yes") && says("appendfsync", "always");
        *self.state.durability.lock().unwrap_or_else(PoisonError::into_inner) =
            if durable { Durability::Group } else { Durability::Memory };
        self.conn = Some(conn);
        Ok(())
    }

    async fn wake_publisher(&mut self) -> Result<(), RedisError> {
        let Some(publisher) = &mut self.publisher else { return Ok(()) };
        if cmd("PING").query_async::<String>(publisher).await.is_ok() {
            return Ok(());
        }
        cmd("PING").query_async::<String>(publisher).await.map(drop)
    }

    /// Tells the next entries; answers how many. `live` waits for some, and says that they are new.
    async fn read(&mut self, live: bool) -> Result<usize, Ended> {
        let Some(conn) = self.conn.as_mut() else { return Ok(0) };
        let log = self.place.key("log");
        let mut read = cmd("XREAD");
        read.arg("COUNT").arg(PAGE);
        if live {
            read.arg("BLOCK").arg(BLOCK_MS);
        }
        read.arg("STREAMS").arg(&log).arg(format!("{}-0", self.seen));
        let entries: Option<StreamReadReply> = read.query_async(conn).await?;
        let entries: Vec<_> = entries.into_iter().flat_map(|reply| reply.keys).flat_map(|key| key.ids).collect();
        if entries.is_empty() {
            // Silence may mean that nothing comes under these places any more.
            let life: Option<String> = cmd("HGET").arg(self.place.key("meta")).arg("epoch").query_async(conn).await?;
            return if life.as_deref().and_then(epoch_of) == self.epoch { Ok(0) } else { Err(Ended::Life) };
        }
        for entry in &entries {
            if entry.get::<String>("e").as_deref().and_then(epoch_of) != self.epoch {
                return Err(Ended::Life);
            }
            let seq = place_of(entry);
            let record = entry.get::<Vec<u8>>("d").ok_or_else(|| "it has no data".to_owned());
            match record.and_then(|bytes| Record::decode(&bytes)) {
                Ok(record) if live => self.sink.deliver(seq, record),
                Ok(record) => self.sink.restore(seq, record),
                // The next one leaves a hole, and a hole is announced.
                Err(error) => tracing::error!(target: "tinysse::engine", seq, error, "an update that can't be read"),
            }
            self.seen = seq;
            self.tag = entry.get("t").unwrap_or_default();
            self.state.head.send_replace((self.epoch.unwrap_or(Epoch(0)), seq));
        }
        Ok(entries.len())
    }

    fn away(&self, why: Option<String>) {
        *self.state.away.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }
}

fn place_of(entry: &StreamId) -> u64 {
    entry.id.split('-').next().and_then(|seq| seq.parse().ok()).unwrap_or(0)
}
