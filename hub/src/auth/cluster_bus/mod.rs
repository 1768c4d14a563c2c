//! What all nodes know, in Redis: revocations, whose rights changed, tokens that were used.
//!
//! `P:revoked` is a stream with the fields `at` (a place in the count of logins and revocations),
//! `whom`, `by` (a node) and `again` (`1` if a node repeats another's at a later place; see
//! [`Revoked`](super::revoked::Revoked)). `P:rights` is a short stream with `whose`, `by` and
//! `after`, the entry before it: by that a node sees whether it missed some. `P:used:JTI` exists
//! while a token that was used would still be good.
//!
//! *Invariant:* a node reads both streams on from where it was when its connection was lost, and
//! knows what was added meanwhile before it is ready again. If Redis does not have that place any
//! more, it reads all revocations again, and takes the rights of all users for changed. Until then
//! it trusts nothing that it remembers of rights.

mod subscriber;

use std::sync::atomic::{AtomicBool, Ordering};

use ::redis::{
    Script, ScriptInvocation, cmd,
    streams::{StreamId, StreamRangeReply},
};

use super::{
    affected_users::AffectedUsers,
    revoked::{Moment, Revoke},
};
use crate::{
    clock::random_name,
    redis::{Link, PATIENCE, Unreachable, script},
};

pub use subscriber::Subscriber;

/// Changes of rights that are kept. A node that falls behind further takes those of all users for
/// changed.
const CHANGES: u32 = 1_000;

/// Keys: the stream. Arguments: for how long it is kept in ms, at, whom, by, again.
const REVOKED: &str = r"
local time = redis.call('TIME')
local oldest = string.format('%.0f', math.max(0, time[1] * 1000 - ARGV[1]))
return redis.call('XADD', KEYS[1], 'MINID', '~', oldest, '*', 'at', ARGV[2], 'whom', ARGV[3], 'by', ARGV[4], 'again', ARGV[5])
";
/// Keys: the stream. Arguments: how many are kept, whose, by.
const CHANGED: &str = r"
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local after = last and last[1] or ''
return redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[1], '*', 'after', after, 'whose', ARGV[2], 'by', ARGV[3])
";
/// Keys: the token. Arguments: when it ends in ms, for how long it counts as used at least, a name
/// of this use. Answers 1 for the use that was first. The end is compared with the time of Redis,
/// so a node whose clock is ahead forgets nothing too early for the others.
const USE_UP: &str = r"
local used = redis.call('GET', KEYS[1])
if used then return used == ARGV[3] and 1 or 0 end
local time = redis.call('TIME')
local left = math.max(tonumber(ARGV[1]) - time[1] * 1000, tonumber(ARGV[2]), 1)
redis.call('SET', KEYS[1], ARGV[3], 'PX', string.format('%.0f', math.min(left, 3e11)))
return 1
";
/// Keys: the token.
const GIVE_BACK: &str = "return redis.call('DEL', KEYS[1])";

/// What this node shares with the others.
#[derive(Debug)]
pub struct ClusterBus {
    link: Link,
    revoked: String,
    rights: String,
    /// How long a revocation counts: no token lives longer.
    life_ms: u64,
    node: String,
    add_revocation: Script,
    add_change: Script,
    consume: Script,
    give_back: Script,
    /// The last entries of both streams when this node began: what was revoked until then it knows,
    /// and of rights it remembers nothing older.
    begun: Places,
    connected: AtomicBool,
}

/// The ids of the last entries that were read; empty at the beginning of a stream.
#[derive(Clone, Debug, Default)]
struct Places {
    revoked: String,
    rights: String,
}

/// What another node reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Rights were taken away, several times perhaps. Some of it may be known: after a loss in
    /// Redis everything comes again.
    Revoked(Vec<Revocation>),
    /// They may be others now.
    Rights(AffectedUsers),
}

/// A revocation by some node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// When it happened: by the count of logins and revocations, and by Redis' clock, which is the
    /// same for all nodes.
    pub moment: Moment,
    /// Whom it concerns.
    pub whom: Revoke,
    /// A node repeats what another reported.
    pub again: bool,
}

impl ClusterBus {
    /// Answers with the revocations that count already.
    ///
    /// # Errors
    /// [`Unreachable`]: without them a revoked client would be let in again.
    pub fn open(link: Link, life_ms: u64) -> Result<(Self, Vec<Revocation>), Unreachable> {
        let (revoked, rights) = (link.key("revoked"), link.key("rights"));
        let read = || -> ::redis::RedisResult<(StreamRangeReply, StreamRangeReply)> {
            let mut conn = link.client().get_connection_with_timeout(PATIENCE)?;
            conn.set_read_timeout(Some(PATIENCE))?;
            let known = cmd("XRANGE").arg(&revoked).arg("-").arg("+").query(&mut conn)?;
            Ok((known, newest(&rights).query(&mut conn)?))
        };
        let (known, last) = read().map_err(|error| Unreachable(Link::words(&error)))?;
        let begun = Places {
            revoked: known.ids.last().map_or_else(String::new, |entry| entry.id.clone()),
            rights: id_of(last),
        };
        let known = known.ids.iter().map(revocation).collect::<Result<_, _>>().map_err(Unreachable)?;
        let shared = Self {
            link,
            revoked,
            rights,
            life_ms,
            node: random_name(),
            add_revocation: script(REVOKED),
            add_change: script(CHANGED),
            consume: script(USE_UP),
            give_back: script(GIVE_BACK),
            begun,
            connected: AtomicBool::new(true),
        };
        Ok((shared, known))
    }

    /// Whether this node knows what the others reported. Not while it is cut off from Redis.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.connected.load(Ordering::Acquire)
    }

    /// Records a revocation for all nodes, and those that are started later. Returns the time of it
    /// by Redis' clock, in milliseconds.
    ///
    /// # Errors
    /// In words. It may be recorded all the same.
    pub async fn revoked(&self, revocation: &Revocation) -> Result<u64, String> {
        let Revocation { moment: Moment { at, .. }, whom, again } = revocation;
        let whom = serde_json::to_string(whom).map_err(|error| error.to_string())?;
        let fill = |call: &mut ScriptInvocation<'_>, _| {
            call.key(&self.revoked);
            call.arg(self.life_ms).arg(at).arg(&whom).arg(&self.node).arg(u8::from(*again));
        };
        added_ms(&self.link.run::<String>(&self.add_revocation, fill).await.map_err(|failure| failure.to_string())?)
    }

    /// Reports to all nodes whose rights changed. Those that are started later know nothing older.
    ///
    /// # Errors
    /// In words. It may have been reported all the same.
    pub async fn rights(&self, whose: &AffectedUsers) -> Result<(), String> {
        let whose = serde_json::to_string(whose).map_err(|error| error.to_string())?;
        let fill = |call: &mut ScriptInvocation<'_>, _| {
            call.key(&self.rights).arg(CHANGES).arg(&whose).arg(&self.node);
        };
        self.link.run::<String>(&self.add_change, fill).await.map(drop).map_err(|failure| failure.to_string())
    }

    /// Uses a token up that ends at `exp_ms` (since 1970), and by this node's clock in `left_ms`.
    /// True for the first, on whichever node.
    ///
    /// # Errors
    /// In words. It may have been used up all the same.
    pub async fn consume(&self, jti: &str, exp_ms: u64, left_ms: u64) -> Result<bool, String> {
        let (key, name) = (self.used(jti), random_name());
        let fill = |call: &mut ScriptInvocation<'_>, _| {
            call.key(&key).arg(exp_ms).arg(left_ms).arg(&name);
        };
        let first = self.link.run::<i64>(&self.consume, fill).await;
        first.map(|first| first == 1).map_err(|failure| failure.to_string())
    }

    /// Nothing was opened with it after all.
    pub async fn give_back(&self, jti: &str) {
        let key = self.used(jti);
        let fill = |call: &mut ScriptInvocation<'_>, _| {
            call.key(&key);
        };
        drop(self.link.run::<i64>(&self.give_back, fill).await);
    }

    fn used(&self, jti: &str) -> String {
        self.link.key(&format!("used:{jti}"))
    }

    /// Returns a reader of what the other nodes report.
    #[must_use]
    pub fn subscribe(&self) -> Subscriber<'_> {
        Subscriber::new(self)
    }
}

/// Asks for the last entry of a stream.
fn newest(key: &str) -> ::redis::Cmd {
    let mut ask = cmd("XREVRANGE");
    ask.arg(key).arg("+").arg("-").arg("COUNT").arg(1);
    ask
}

/// Its id, or an empty text.
fn id_of(newest: StreamRangeReply) -> String {
    newest.ids.into_iter().next().map_or_else(String::new, |entry| entry.id)
}

fn field(entry: &StreamId, name: &str) -> Result<String, String> {
    entry.get::<String>(name).ok_or_else(|| format!("{} has no {name}", entry.id))
}

/// The id of an entry begins with the time at which Redis added it, in milliseconds since 1970.
fn added_ms(id: &str) -> Result<u64, String> {
    id.split('-').next().unwrap_or_default().parse().map_err(|error| format!("{id}: {error}"))
}

fn revocation(entry: &StreamId) -> Result<Revocation, String> {
    Ok(Revocation {
        moment: Moment {
            at: field(entry, "at")?.parse().map_err(|error| format!("{}: {error}", entry.id))?,
            ms: added_ms(&entry.id)?,
        },
        whom: serde_json::from_str(&field(entry, "whom")?).map_err(|error| format!("{}: {error}", entry.id))?,
        again: field(entry, "again")? == "1",
    })
}
