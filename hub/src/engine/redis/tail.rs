//! Reads the stream to its end and waits for more. The one place that calls the sink.

use std::{sync::Arc, time::Duration};

use ::redis::{
    RedisError, RedisResult, Script, ScriptInvocation,
    aio::MultiplexedConnection,
    cmd,
    streams::{StreamId, StreamRangeReply, StreamReadReply},
};
use tinysse::proto::{
    backoff::{Backoff, Policy},
    rng::Rng,
    wire::id::Epoch,
};
use tokio::time::sleep;

use super::{
    super::{Record, Sink},
    State,
    script::{self, Seen, epoch_of},
    settings::Settings,
};
use crate::{
    clock::{Clock, jitter, random_u64},
    redis::{Link, words},
};

/// How long one question waits inside Redis, in milliseconds. Another epoch is noticed after this
/// at the latest.
const BLOCK_MS: u64 = 400;
/// Entries in one answer.
const PAGE: usize = 500;
/// Pauses between attempts while the log can't be read, in milliseconds.
const POLICY: Policy = Policy { floor: 50, base: 100, cap: 2_000 };

/// One reader.
pub(super) struct Tail {
    link: Link,
    sink: Arc<dyn Sink>,
    state: Arc<State>,
    clock: Clock,
    check: Script,
    settings: Settings,
    /// The life that is read, and the last place that the sink got, with its tag.
    epoch: Option<Epoch>,
    seen: u64,
    tag: String,
    conn: Option<MultiplexedConnection>,
    /// The connection of the link at that time: if it is replaced, so is this one.
    number: u64,
    rng: Rng,
}

enum Ended {
    /// The life of the log is another one.
    Life,
    Error(String),
}

impl From<RedisError> for Ended {
    fn from(error: RedisError) -> Self {
        Self::Error(words(&error))
    }
}

impl Tail {
    pub(super) fn new(link: Link, sink: Arc<dyn Sink>, state: Arc<State>, clock: Clock) -> Self {
        Self {
            link,
            sink,
            state,
            clock,
            check: script::check(),
            settings: Settings::default(),
            epoch: None,
            seen: 0,
            tag: String::new(),
            conn: None,
            number: 0,
            rng: jitter(),
        }
    }

    /// Connects and gives the sink what is there.
    pub(super) async fn start(&mut self, fresh: Epoch) -> Result<(), String> {
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

    /// Gives the sink what comes, for ever.
    pub(super) async fn follow(mut self) {
        let mut backoff = Backoff::new(POLICY);
        loop {
            let Err(error) = self.round().await else {
                backoff.forget();
                if self.link.number() == self.number {
                    self.state.set_away(None);
                }
                continue;
            };
            tracing::warn!(target: "tinysse::engine", error, "the log can't be read");
            self.state.set_away(Some(error.clone()));
            self.conn = None;
            self.link.discard(self.number, error);
            sleep(Duration::from_millis(backoff.next(&mut self.rng))).await;
            self.link.connected().await;
        }
    }

    async fn round(&mut self) -> Result<(), String> {
        let fresh = Epoch(random_u64() >> 16);
        if self.conn.is_none() || self.link.number() != self.number {
            self.attach(fresh).await?;
        }
        let (link, state, number) = (self.link.clone(), Arc::clone(&self.state), self.number);
        let read = tokio::select! {
            read = self.read(true) => read,
            // What the sink got is noted, so nothing is lost by giving the question up.
            why = link.until_discarded(number) => {
                self.conn = None;
                tracing::debug!(target: "tinysse::engine", why, "the log is read over a new connection");
                self.link.connected().await;
                return self.attach(fresh).await;
            }
            () = state.another_life.notified() => Err(Ended::Life),
        };
        match read {
            Ok(_) => Ok(()),
            Err(Ended::Life) => self.attach(fresh).await,
            Err(Ended::Error(error)) => Err(error),
        }
    }

    /// Connects, and finds out whether the log is still the one that was read. If not, the sink
    /// learns where the other one begins.
    async fn attach(&mut self, fresh: Epoch) -> Result<(), String> {
        self.number = self.link.ready().await?;
        let seen = self.epoch.map(|epoch| Seen { epoch, seq: self.seen, tag: &self.tag });
        let asked = self.clock.now();
        let fill = |call: &mut ScriptInvocation<'_>, _| script::fill_check(call, &self.link, fresh, seen);
        let checked = self.link.run(&self.check, fill).await;
        let (epoch, head, time): (String, u64, u64) = checked.map_err(|failure| failure.to_string())?;
        self.state.dates.measure(asked, self.clock.now(), time);
        let conn = self.open(epoch_of(&epoch).unwrap_or(fresh), head).await.map_err(|error| words(&error))?;
        self.conn = Some(conn);
        Ok(())
    }

    /// Opens the connection for reading. If the log is another one than before, the sink learns
    /// where it begins.
    async fn open(&mut self, epoch: Epoch, head: u64) -> RedisResult<MultiplexedConnection> {
        let mut conn = self.link.reader().await?;
        if self.epoch != Some(epoch) {
            let mut first = cmd("XRANGE");
            first.arg(self.link.key("log")).arg("-").arg("+").arg("COUNT").arg(1);
            let oldest: StreamRangeReply = first.query_async(&mut conn).await?;
            let after = oldest.ids.first().map_or(head, |entry| place_of(entry).saturating_sub(1));
            (self.epoch, self.seen, self.tag) = (Some(epoch), after, String::new());
            self.sink.begin(epoch, after);
            self.state.head.send_replace((epoch, after));
        }
        self.state.set_durability(self.settings.read(&mut conn).await);
        Ok(conn)
    }

    /// Gives the sink the next entries; answers how many. `live` waits for some, and marks them as
    /// new.
    async fn read(&mut self, live: bool) -> Result<usize, Ended> {
        let Some(conn) = self.conn.as_mut() else { return Ok(0) };
        let log = self.link.key("log");
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
            let life: Option<String> = cmd("HGET").arg(self.link.key("meta")).arg("epoch").query_async(conn).await?;
            return if life.as_deref().and_then(epoch_of) == self.epoch { Ok(0) } else { Err(Ended::Life) };
        }
        for entry in &entries {
            if entry.get::<String>("e").as_deref().and_then(epoch_of) != self.epoch {
                return Err(Ended::Life);
            }
            let seq = place_of(entry);
            match self.record(entry) {
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

    /// Reads an entry. Redis dated it.
    fn record(&self, entry: &StreamId) -> Result<Record, String> {
        let bytes = entry.get::<Vec<u8>>("d").ok_or_else(|| "it has no data".to_owned())?;
        let logged = entry.get("l").ok_or_else(|| "it has no date".to_owned())?;
        Ok(Record { logged: self.state.dates.local(logged, self.clock.now()), ..Record::decode(&bytes)? })
    }
}

fn place_of(entry: &StreamId) -> u64 {
    entry.id.split('-').next().and_then(|seq| seq.parse().ok()).unwrap_or(0)
}
