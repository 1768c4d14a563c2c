//! Reads what the other nodes add: one question to Redis that waits for both streams.

use std::{collections::VecDeque, sync::atomic::Ordering, time::Duration};

use ::redis::{
    RedisResult,
    aio::MultiplexedConnection,
    cmd,
    streams::{StreamId, StreamRangeReply, StreamReadReply},
};
use tinysse::proto::{
    backoff::{Backoff, Policy},
    rng::Rng,
};
use tokio::time::sleep;

use super::{AffectedUsers, ClusterBus, Notice, Places, Revocation, field, id_of, newest, revocation};
use crate::{clock::jitter, redis::Link};

/// How long one question waits inside Redis.
const BLOCK_MS: u64 = 1_000;
/// Entries of each stream in one answer.
const PAGE: usize = 500;
/// Pauses between attempts while Redis is away, in milliseconds.
const POLICY: Policy = Policy { floor: 50, base: 100, cap: 1_000 };

/// A node's reader of both streams.
#[derive(Debug)]
pub struct Subscriber<'a> {
    shared: &'a ClusterBus,
    /// At most one page, the revocations of it together.
    notices: VecDeque<Notice>,
    /// The last entries that were read.
    places: Places,
    /// There may be more: nothing is waited for.
    behind: bool,
    conn: Option<MultiplexedConnection>,
    /// The connection of the link at that time: if it is replaced, so is this one.
    number: u64,
    backoff: Backoff,
    rng: Rng,
}

impl<'a> Subscriber<'a> {
    pub(super) fn new(shared: &'a ClusterBus) -> Self {
        Self {
            shared,
            notices: VecDeque::new(),
            places: shared.begun.clone(),
            behind: true,
            conn: None,
            number: 0,
            backoff: Backoff::new(POLICY),
            rng: jitter(),
        }
    }

    /// Returns what is added next, whenever that comes. A caller that asks again has acted on it.
    pub async fn next(&mut self) -> Notice {
        loop {
            if let Some(notice) = self.notices.pop_front() {
                return notice;
            }
            let link = self.shared.link.clone();
            if self.conn.is_none() {
                self.number = self.connected(&link).await;
            }
            let number = self.number;
            let read = tokio::select! {
                read = self.read() => read,
                // What was read is noted, so nothing is lost by giving the question up.
                _ = link.until_discarded(number) => {
                    self.conn = None;
                    continue;
                }
            };
            match read {
                Ok(()) => self.backoff.forget(),
                Err(error) => {
                    let error = Link::words(&error);
                    tracing::debug!(target: "tinysse::auth", error, "reports of other nodes do not arrive");
                    self.shared.connected.store(false, Ordering::Release);
                    self.conn = None;
                    link.discard(number, error);
                    sleep(Duration::from_millis(self.backoff.next(&mut self.rng))).await;
                }
            }
        }
    }

    /// Waits until the link has a connection; answers its number.
    async fn connected(&self, link: &Link) -> u64 {
        if let Ok(number) = link.ready().await {
            return number;
        }
        self.shared.connected.store(false, Ordering::Release);
        link.connected().await
    }

    async fn read(&mut self) -> RedisResult<()> {
        let mut conn = match self.conn.clone() {
            Some(conn) => conn,
            None => self.connect().await?,
        };
        let mut read = cmd("XREAD");
        read.arg("COUNT").arg(PAGE);
        if !self.behind {
            read.arg("BLOCK").arg(BLOCK_MS);
        }
        let from = |place: &String| if place.is_empty() { "0".to_owned() } else { place.clone() };
        read.arg("STREAMS").arg(&self.shared.revoked).arg(&self.shared.rights);
        read.arg(from(&self.places.revoked)).arg(from(&self.places.rights));
        let reply: Option<StreamReadReply> = read.query_async(&mut conn).await?;
        let mut none = true;
        for key in reply.into_iter().flat_map(|reply| reply.keys) {
            none &= key.ids.is_empty();
            if key.key == self.shared.rights {
                key.ids.into_iter().for_each(|entry| self.changed(entry));
            } else {
                let page: Vec<_> = key.ids.into_iter().filter_map(|entry| self.revoked(entry)).collect();
                if !page.is_empty() {
                    self.notices.push_back(Notice::Revoked(page));
                }
            }
        }
        if none && self.behind {
            self.behind = false;
            self.shared.connected.store(true, Ordering::Release);
        }
        Ok(())
    }

    async fn connect(&mut self) -> RedisResult<MultiplexedConnection> {
        let mut conn = self.shared.link.reader().await?;
        if !is_there(&mut conn, &self.shared.revoked, &self.places.revoked).await? {
            self.places.revoked.clear();
        }
        if !is_there(&mut conn, &self.shared.rights, &self.places.rights).await? {
            self.places.rights = id_of(newest(&self.shared.rights).query_async(&mut conn).await?);
            self.notices.push_back(Notice::Rights(AffectedUsers::Everybody));
        }
        self.behind = true;
        Ok(self.conn.insert(conn).clone())
    }

    fn revoked(&mut self, entry: StreamId) -> Option<Revocation> {
        let read = revocation(&entry);
        let ours = self.is_ours(&entry);
        self.places.revoked = entry.id;
        read.inspect_err(|error| tracing::error!(target: "tinysse::auth", error, "a revocation that can't be read"))
            .ok()
            .filter(|_| !ours)
    }

    fn changed(&mut self, entry: StreamId) {
        let missed = entry.get::<String>("after").is_none_or(|after| after != self.places.rights);
        let whose = field(&entry, "whose").and_then(|text| serde_json::from_str(&text).map_err(|e| e.to_string()));
        if missed {
            self.notices.push_back(Notice::Rights(AffectedUsers::Everybody));
        } else if !self.is_ours(&entry) {
            // Of what can't be read it is known that something changed.
            self.notices.push_back(Notice::Rights(whose.unwrap_or(AffectedUsers::Everybody)));
        }
        self.places.rights = entry.id;
    }

    fn is_ours(&self, entry: &StreamId) -> bool {
        entry.get::<String>("by").is_some_and(|by| by == self.shared.node)
    }
}

/// Returns true if a stream has an entry, or if none was read yet. Nothing is missed behind an
/// entry that is there: what a failover takes back is the end of a stream.
async fn is_there(conn: &mut MultiplexedConnection, stream: &str, place: &str) -> RedisResult<bool> {
    if place.is_empty() {
        return Ok(true);
    }
    let found: StreamRangeReply = cmd("XRANGE").arg(stream).arg(place).arg(place).query_async(conn).await?;
    Ok(!found.ids.is_empty())
}
