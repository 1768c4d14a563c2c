//! Hears what the other nodes say: one question to Redis that waits for both streams.

use std::{collections::VecDeque, sync::atomic::Ordering, time::Duration};

use ::redis::{
    AsyncConnectionConfig, RedisResult,
    aio::MultiplexedConnection,
    cmd,
    streams::{StreamId, StreamReadReply},
};
use tinysse::core::{
    backoff::{Backoff, Policy},
    rng::Rng,
};
use tokio::time::sleep;

use super::{Heard, PATIENCE, Shared, Whose, field, id_of, newest, revocation};
use crate::{clock::jitter, engine::redis::Link};

/// How long one question waits inside Redis.
const BLOCK_MS: u64 = 1_000;
/// Entries of each stream in one answer.
const PAGE: usize = 500;
/// Pauses between attempts while Redis is away, in milliseconds.
const POLICY: Policy = Policy { floor: 50, base: 100, cap: 1_000 };

/// A node's ear. After every loss of the connection it hears all revocations once more.
#[derive(Debug)]
pub struct Ear<'a> {
    shared: &'a Shared,
    /// At most one page.
    heard: VecDeque<Heard>,
    /// The last entries that were read.
    revoked: String,
    rights: String,
    /// There may be more: nothing is waited for.
    behind: bool,
    conn: Option<MultiplexedConnection>,
    backoff: Backoff,
    rng: Rng,
}

impl<'a> Ear<'a> {
    pub(super) fn new(shared: &'a Shared) -> Self {
        Self {
            shared,
            heard: VecDeque::new(),
            revoked: "0".to_owned(),
            rights: shared.begun.clone(),
            behind: true,
            conn: None,
            backoff: Backoff::new(POLICY),
            rng: jitter(),
        }
    }

    /// What is said next, whenever that comes. Whoever asks again has acted on it.
    pub async fn next(&mut self) -> Heard {
        loop {
            if let Some(heard) = self.heard.pop_front() {
                return heard;
            }
            match self.read().await {
                Ok(()) => self.backoff.forget(),
                Err(error) => {
                    let error = Link::words(&error);
                    tracing::debug!(target: "tinysse::auth", error, "what other nodes say is not heard");
                    self.shared.hears.store(false, Ordering::Release);
                    self.conn = None;
                    sleep(Duration::from_millis(self.backoff.next(&mut self.rng))).await;
                }
            }
        }
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
        let rights = if self.rights.is_empty() { "0" } else { &self.rights };
        read.arg("STREAMS").arg(&self.shared.revoked).arg(&self.shared.rights).arg(&self.revoked).arg(rights);
        let reply: Option<StreamReadReply> = read.query_async(&mut conn).await?;
        let mut none = true;
        for key in reply.into_iter().flat_map(|reply| reply.keys) {
            none &= key.ids.is_empty();
            let rights = key.key == self.shared.rights;
            key.ids.into_iter().for_each(|entry| if rights { self.changed(entry) } else { self.revoked(entry) });
        }
        if none && self.behind {
            self.behind = false;
            self.shared.hears.store(true, Ordering::Release);
        }
        Ok(())
    }

    async fn connect(&mut self) -> RedisResult<MultiplexedConnection> {
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(PATIENCE)).set_response_timeout(Some(PATIENCE));
        let mut conn = self.shared.link.client().get_multiplexed_async_connection_with_config(&config).await?;
        let last = id_of(newest(&self.shared.rights).query_async(&mut conn).await?);
        if last != self.rights {
            self.heard.push_back(Heard::Rights(Whose::Everybody));
        }
        (self.revoked, self.rights, self.behind) = ("0".to_owned(), last, true);
        Ok(self.conn.insert(conn).clone())
    }

    fn revoked(&mut self, entry: StreamId) {
        match revocation(&entry) {
            Ok(heard) if !self.is_ours(&entry) => self.heard.push_back(Heard::Revoked(heard)),
            Ok(_) => {}
            Err(error) => tracing::error!(target: "tinysse::auth", error, "a revocation that can't be read"),
        }
        self.revoked = entry.id;
    }

    fn changed(&mut self, entry: StreamId) {
        let missed = entry.get::<String>("after").is_none_or(|after| after != self.rights);
        let whose = field(&entry, "whose").and_then(|text| serde_json::from_str(&text).map_err(|e| e.to_string()));
        if missed {
            self.heard.push_back(Heard::Rights(Whose::Everybody));
        } else if !self.is_ours(&entry) {
            // Of what can't be read it is known that something changed.
            self.heard.push_back(Heard::Rights(whose.unwrap_or(Whose::Everybody)));
        }
        self.rights = entry.id;
    }

    fn is_ours(&self, entry: &StreamId) -> bool {
        entry.get::<String>("by").is_some_and(|by| by == self.shared.who)
    }
}
