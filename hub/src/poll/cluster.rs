//! What the nodes of a cluster agree on about one poller, in Redis: who polls, and what is known.
//!
//! `P:poll:TYPE` is a hash of the value: `text`, `print`, `etag`, `modified`, `version` (it rises),
//! `at` (when it was confirmed) and `owed` (`1` until the log has the news of it).
//! `P:poll:TYPE:lease` names who polls. All times are Redis's, so the nodes' clocks need not agree.
//!
//! *Invariant:* only the holder of the lease writes the value, and that is checked where it is
//! written, in the same step. A node that was paused and comes back late changes nothing.

use ::redis::{Script, ScriptInvocation};
use tinysse::proto::time::Time;

use super::{lease::Reply, poller::Known};
use crate::{
    clock::{Clock, random_name},
    redis::{Link, script},
    values::Span,
};

/// How long a value outlives its last confirmation, in milliseconds.
const KEPT_MS: u64 = 86_400_000;

/// Keys: lease. Arguments: who, milliseconds. Answers -1 if it is theirs now, else for how long it
/// is another's.
const TAKE: &str = r"
local holder = redis.call('GET', KEYS[1])
if not holder or holder == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return -1
end
return math.max(0, redis.call('PTTL', KEYS[1]))
";

/// Keys: lease. Arguments: who.
const GIVE_BACK: &str = r"
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
";

/// Keys: lease, value. Arguments: who, life of the value, the version that is meant or empty for a
/// new one, whether the value is fresh (1 or 0), then fields and values. Answers the version that
/// is there now; 0 if the lease is another's, -1 if another version is there than is meant: nothing
/// was written then.
const PUT: &str = r"
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return '0' end
local time = redis.call('TIME')
local version = redis.call('HGET', KEYS[2], 'version')
if ARGV[3] ~= '' then
  if version ~= ARGV[3] then return '-1' end
else
  version = string.format('%.0f', math.max((tonumber(version) or 0) + 1, time[1] * 1000000 + time[2]))
end
if ARGV[4] == '1' then
  redis.call('HSET', KEYS[2], 'at', string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)))
end
redis.call('HSET', KEYS[2], 'version', version)
for i = 5, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return version
";

/// Keys: value. Arguments: the known version. Answers nothing, or age, owed, version, print, etag,
/// modified and, if it is another version, text.
const READ: &str = r"
local at, owed, version, print, etag, modified =
  unpack(redis.call('HMGET', KEYS[1], 'at', 'owed', 'version', 'print', 'etag', 'modified'))
if not version then return {} end
local time = redis.call('TIME')
local age = math.max(0, time[1] * 1000 + math.floor(time[2] / 1000) - at)
local answer = {string.format('%.0f', age), owed, version, print, etag, modified}
if version ~= ARGV[1] then answer[7] = redis.call('HGET', KEYS[1], 'text') end
return answer
";

/// One poller's place in Redis.
#[derive(Debug)]
pub(super) struct Cluster {
    link: Link,
    /// The name of this process: no other ever has it.
    who: String,
    lease: String,
    value: String,
    ttl: Span,
    scripts: [Script; 4],
}

/// The lease is another's, so nothing was written; or Redis did not answer, so nobody knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unwritten {
    Anothers,
    Away(String),
}

impl Cluster {
    pub(super) fn new(link: Link, kind: &str, ttl: Span) -> Self {
        let (value, lease) = (link.key(&format!("poll:{kind}")), link.key(&format!("poll:{kind}:lease")));
        Self { link, who: random_name(), lease, value, ttl, scripts: [TAKE, GIVE_BACK, PUT, READ].map(script) }
    }

    pub(super) fn ttl(&self) -> Span {
        self.ttl
    }

    /// Asks for the lease, or for more of it.
    pub(super) async fn take(&self) -> Reply {
        let [take, ..] = &self.scripts;
        let fill = |call: &mut ScriptInvocation<'_>, _| {
            call.key(&self.lease).arg(&self.who).arg(self.ttl.ms());
        };
        let answer = self.link.run::<i64>(take, fill).await;
        match answer.map(u64::try_from) {
            Ok(Err(_)) => Reply::Ours,
            Ok(Ok(left_ms)) => Reply::Anothers(left_ms),
            Err(_) => Reply::None,
        }
    }

    /// Releases the lease. If that does not arrive, it ends by itself.
    pub(super) async fn give_back(&self) {
        let [_, give_back, ..] = &self.scripts;
        let fill = |call: &mut ScriptInvocation<'_>, _| {
            call.key(&self.lease).arg(&self.who);
        };
        drop(self.link.run::<i64>(give_back, fill).await);
    }

    /// Writes a value, and whether the log has no news of it yet. Answers its version.
    pub(super) async fn put(&self, known: &Known, owed: bool) -> Result<u64, Unwritten> {
        let (etag, modified) = (known.etag.as_deref().unwrap_or(""), known.modified.as_deref().unwrap_or(""));
        let fields =
            [("text", &*known.text), ("print", &known.print), ("etag", etag), ("modified", modified), flag(owed)];
        match self.write("", true, &fields).await? {
            0 | -1 => Err(Unwritten::Anothers),
            version => Ok(version.unsigned_abs()),
        }
    }

    /// Confirms the value as it is there. Returns false if another one is there.
    pub(super) async fn confirm(&self, known: &Known, owed: bool) -> Result<bool, Unwritten> {
        match self.write(&known.version.to_string(), true, &[flag(owed)]).await? {
            0 => Err(Unwritten::Anothers),
            -1 => Ok(false),
            _ => Ok(true),
        }
    }

    /// Records that the log has an update for this value. If the record is lost, the next node that
    /// polls publishes once more.
    pub(super) async fn told(&self, known: &Known) {
        drop(self.write(&known.version.to_string(), false, &[flag(false)]).await);
    }

    async fn write(&self, version: &str, fresh: bool, fields: &[(&str, &str)]) -> Result<i64, Unwritten> {
        let [_, _, put, _] = &self.scripts;
        // Written a second time it is the same value under a later version.
        let fill = |call: &mut ScriptInvocation<'_>, _| {
            call.key(&self.lease).key(&self.value);
            call.arg(&self.who).arg(KEPT_MS).arg(version).arg(u8::from(fresh));
            for (field, value) in fields {
                call.arg(field).arg(value);
            }
        };
        self.link.run(put, fill).await.map_err(|failure| Unwritten::Away(failure.to_string()))
    }

    /// What is there, and whether the log has no update for it yet. `ours` is not sent again.
    pub(super) async fn read(&self, clock: Clock, ours: Option<&Known>) -> Result<Option<(Known, bool)>, String> {
        let [.., read] = &self.scripts;
        let version = ours.map_or(0, |ours| ours.version);
        let fill = |call: &mut ScriptInvocation<'_>, _| {
            call.key(&self.value).arg(version);
        };
        let answer: Vec<String> = self.link.run(read, fill).await.map_err(|failure| failure.to_string())?;
        let [age, owed, version, print, etag, modified, rest @ ..] = answer.as_slice() else { return Ok(None) };
        let text = match (rest.first(), ours) {
            (Some(text), _) => text.as_str().into(),
            (None, Some(ours)) => ours.text.clone(),
            (None, None) => return Ok(None),
        };
        let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let known = Known {
            text,
            print: print.clone(),
            etag: some(etag),
            modified: some(modified),
            version: version.parse().unwrap_or(0),
            at: Time(clock.now().0.saturating_sub(age.parse().unwrap_or(u64::MAX))),
        };
        Ok(Some((known, owed == "1")))
    }
}

fn flag(owed: bool) -> (&'static str, &'static str) {
    ("owed", if owed { "1" } else { "0" })
}
