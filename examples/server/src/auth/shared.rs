//! Revocations and used tokens that all nodes know, in Redis. `P:revoked` is a stream with the fields `at` (a place in the count of generations), `whom`,
//! `by` (a node) and `again` (`1` if a node repeats another's at a later place; see [`Revoked::hear`](super::revoked::Revoked::hear)).
//! `P:used:JTI` stands there while a token that was used would still be good.
//!
//! *Invariant:* a node reads all of them whenever it connects, so what it could not hear it knows before it is ready again.

use std::{collections::VecDeque, time::Duration};

use ::redis::{
    AsyncConnectionConfig, Script,
    aio::MultiplexedConnection,
    cmd,
    streams::{StreamId, StreamRangeReply, StreamReadReply},
};
use tinysse::core::{
    backoff::{Backoff, Policy},
    rng::Rng,
};
use tokio::time::sleep;

use super::revoked::Revoke;
use crate::{
    clock::{jitter, random_name},
    engine::{OpenError, redis::Link},
};

/// How long Redis may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long one question waits inside Redis.
const BLOCK_MS: u64 = 1_000;
/// Entries in one answer.
const PAGE: usize = 500;
/// Pauses between attempts while Redis is away, in milliseconds.
const POLICY: Policy = Policy { floor: 50, base: 100, cap: 1_000 };

/// Keys: the stream. Arguments: for how long it is kept in ms, at, whom, by, again.
const ADD: &str = r"
local time = redis.call('TIME')
local oldest = string.format('%.0f', math.max(0, time[1] * 1000 - ARGV[1]))
return redis.call('XADD', KEYS[1], 'MINID', '~', oldest, '*', 'at', ARGV[2], 'whom', ARGV[3], 'by', ARGV[4], 'again', ARGV[5])
";

/// A node's ear and mouth.
#[derive(Debug)]
pub struct Shared {
    link: Link,
    key: String,
    /// How long a revocation counts: no token lives longer.
    life_ms: u64,
    who: String,
    add: Script,
}

/// A revocation by some node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Its place in the count of generations.
    pub at: u64,
    /// Whom it concerns.
    pub whom: Revoke,
    /// A node repeats what another said.
    pub again: bool,
}

impl Shared {
    /// Answers with those that count already.
    ///
    /// # Errors
    /// [`OpenError::Unreachable`]: without them somebody would be let in again.
    pub fn open(link: Link, life_ms: u64) -> Result<(Self, Vec<Heard>), OpenError> {
        let shared = Self { key: link.key("revoked"), who: random_name(), add: Script::new(ADD), link, life_ms };
        let read = || -> ::redis::RedisResult<StreamRangeReply> {
            let mut conn = shared.link.client().get_connection_with_timeout(PATIENCE)?;
            conn.set_read_timeout(Some(PATIENCE))?;
            cmd("XRANGE").arg(&shared.key).arg("-").arg("+").query(&mut conn)
        };
        let known = read().map_err(|error| OpenError::Unreachable(Link::words(&error)))?;
        let known = known.ids.iter().map(heard).collect::<Result<_, _>>().map_err(OpenError::Unreachable)?;
        Ok((shared, known))
    }

    /// Says it to all nodes, and to those that are started later.
    ///
    /// # Errors
    /// In words. It may have been said all the same.
    pub async fn say(&self, revocation: &Heard) -> Result<(), String> {
        let Heard { at, whom, again } = revocation;
        let whom = serde_json::to_string(whom).map_err(|error| error.to_string())?;
        let mut call = self.add.key(&self.key);
        call.arg(self.life_ms).arg(at).arg(whom).arg(&self.who).arg(u8::from(*again));
        self.link.run::<String>(&call).await.map(drop)
    }

    /// Uses a token up that is good for so many milliseconds. True for the first, on whichever node.
    ///
    /// # Errors
    /// In words. It may have been used up all the same.
    pub async fn use_up(&self, jti: &str, left_ms: u64) -> Result<bool, String> {
        let mut set = cmd("SET");
        set.arg(self.link.key(&format!("used:{jti}"))).arg(1).arg("NX").arg("PX").arg(left_ms.max(1));
        self.link.ask::<Option<String>>(&set).await.map(|done| done.is_some())
    }

    /// Nothing was opened with it after all.
    pub async fn give_back(&self, jti: &str) {
        drop(self.link.ask::<i64>(cmd("DEL").arg(self.link.key(&format!("used:{jti}")))).await);
    }

    /// An ear for what the other nodes say.
    #[must_use]
    pub fn ear(&self) -> Ear<'_> {
        let (heard, last, conn) = (VecDeque::new(), "0".to_owned(), None);
        Ear { shared: self, heard, last, conn, backoff: Backoff::new(POLICY), rng: jitter() }
    }
}

/// Hears what the other nodes say; after every loss of the connection, all of it once more.
#[derive(Debug)]
pub struct Ear<'a> {
    shared: &'a Shared,
    /// At most one page.
    heard: VecDeque<Heard>,
    /// The last entry that was read.
    last: String,
    conn: Option<MultiplexedConnection>,
    backoff: Backoff,
    rng: Rng,
}

impl Ear<'_> {
    /// The next revocation, whenever that comes.
    pub async fn next(&mut self) -> Heard {
        loop {
            if let Some(heard) = self.heard.pop_front() {
                return heard;
            }
            match self.read().await {
                Ok(entries) => {
                    self.backoff.forget();
                    entries.into_iter().for_each(|entry| self.take(entry));
                }
                Err(error) => {
                    let error = Link::words(&error);
                    tracing::debug!(target: "tinysse::auth", error, "revocations of other nodes are not heard");
                    (self.conn, self.last) = (None, "0".to_owned());
                    sleep(Duration::from_millis(self.backoff.next(&mut self.rng))).await;
                }
            }
        }
    }

    fn take(&mut self, entry: StreamId) {
        let ours = entry.get::<String>("by").is_some_and(|by| by == self.shared.who);
        match heard(&entry) {
            Ok(heard) if !ours => self.heard.push_back(heard),
            Ok(_) => {}
            Err(error) => tracing::error!(target: "tinysse::auth", error, "a revocation that can't be read"),
        }
        self.last = entry.id;
    }

    async fn read(&mut self) -> ::redis::RedisResult<Vec<StreamId>> {
        let conn = match &mut self.conn {
            Some(conn) => conn,
            None => {
                let config = AsyncConnectionConfig::new()
                    .set_connection_timeout(Some(PATIENCE))
                    .set_response_timeout(Some(PATIENCE));
                let client = self.shared.link.client();
                self.conn.insert(client.get_multiplexed_async_connection_with_config(&config).await?)
            }
        };
        let mut read = cmd("XREAD");
        read.arg("COUNT").arg(PAGE).arg("BLOCK").arg(BLOCK_MS).arg("STREAMS").arg(&self.shared.key).arg(&self.last);
        let reply: Option<StreamReadReply> = read.query_async(conn).await?;
        Ok(reply.into_iter().flat_map(|reply| reply.keys).flat_map(|key| key.ids).collect())
    }
}

fn heard(entry: &StreamId) -> Result<Heard, String> {
    let field = |name: &str| entry.get::<String>(name).ok_or_else(|| format!("{} has no {name}", entry.id));
    Ok(Heard {
        at: field("at")?.parse().map_err(|error| format!("{}: {error}", entry.id))?,
        whom: serde_json::from_str(&field("whom")?).map_err(|error| format!("{}: {error}", entry.id))?,
        again: field("again")? == "1",
    })
}
