//! What happens inside Redis, each in one step for all nodes.
//!
//! `P:meta` holds `epoch` (hex), `head` and `bytes`; `P:log` is a stream whose ids are the places
//! (`42-0`), with the fields `e` (epoch), `l` (when logged, by the time of Redis), `t` (a tag of
//! the batch) and `d` (the record); `P:receipt:KEY` holds fingerprint, epoch, first place and
//! count; `P:fence:NODE` the number of a node's connection. `P` is in braces, so that all of them
//! live on one node of a Redis Cluster.
//!
//! *Invariant:* the log has an entry at the place `head`, and none if `head` is 0. Where that does
//! not hold, Redis lost one of the two keys (it was deleted, or evicted), and another epoch begins.

use ::redis::{Script, ScriptInvocation};
use tinysse::proto::wire::id::Epoch;

use super::super::{Bounds, Receipt, sequencer::LIFE_MS};
use crate::redis::{Link, script};

/// Reads what is known of the log, and sees whether it is whole. Keys: meta, log.
const LIFE: &str = r"
local meta, log = KEYS[1], KEYS[2]
local epoch = redis.call('HGET', meta, 'epoch')
local head = tonumber(redis.call('HGET', meta, 'head') or '0')
local bytes = tonumber(redis.call('HGET', meta, 'bytes') or '0')
local whole = epoch and (head > 0) == (redis.call('XLEN', log) > 0)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function begin()
  epoch, head, bytes = ARGV[1], 0, 0
  redis.call('DEL', log)
  redis.call('HSET', meta, 'epoch', epoch, 'head', '0', 'bytes', '0')
end
";

/// Appends. Keys: meta, log, receipt. Arguments: fresh epoch, count, age, bytes, tag, fingerprint
/// or empty, receipt's life in ms, epoch and place up to which the node has the log if this is the
/// second attempt (else empty and 0), then the records. Answers `new|known|reused|unknown`, epoch,
/// first, count. `unknown`: the first attempt may have been executed, and is too far back to find
/// out.
const APPEND: &str = r"
local receipt, tag = KEYS[3], ARGV[5]
if not whole then begin() end
local fingerprint = ARGV[6]
if fingerprint ~= '' then
  local known = redis.call('GET', receipt)
  if known then
    local f, e, first, count = known:match('^(%S+) (%S+) (%S+) (%S+)$')
    if f ~= fingerprint then return {'reused', epoch, '0', '0'} end
    if e == epoch then return {'known', e, first, count} end
  end
end
if ARGV[8] ~= '' then
  local since = ARGV[8] == epoch and tonumber(ARGV[9]) or 0
  local below, found, count = '+', nil, 0
  repeat
    local page = redis.call('XREVRANGE', log, below, string.format('(%.0f-0', since), 'COUNT', 100)
    for _, entry in ipairs(page) do
      if entry[2][6] == tag then
        found, count = entry[1]:match('^%d+'), count + 1
      end
      below = '(' .. entry[1]
    end
  until #page < 100 or (found and page[#page][2][6] ~= tag)
  if found then return {'known', epoch, found, string.format('%.0f', count)} end
  local oldest = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
  if oldest and tonumber(oldest[1]:match('^%d+')) > since + 1 then return {'unknown', epoch, '0', '0'} end
end
local function add(record)
  return redis.pcall('XADD', log, string.format('%.0f-0', head + 1), 'e', epoch, 'l', string.format('%.0f', now), 't', tag, 'd', record)
end
local first = head + 1
for i = 10, #ARGV do
  local added = add(ARGV[i])
  if added.err and i == 10 and added.err:find('equal or smaller') then
    -- The log is ahead of what is known of it.
    begin()
    first, added = 1, add(ARGV[i])
  end
  if added.err then return added end
  head, bytes = head + 1, bytes + #ARGV[i]
end
local max_count, max_age, max_bytes = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
while true do
  local oldest = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
  local seq, fields = tonumber(oldest[1]:match('^%d+')), oldest[2]
  local fits = head - seq < max_count and bytes <= max_bytes and now - tonumber(fields[4]) <= max_age
  if fits or seq >= head then break end
  redis.call('XDEL', log, oldest[1])
  bytes = bytes - #fields[8]
end
redis.call('HSET', meta, 'epoch', epoch, 'head', string.format('%.0f', head), 'bytes', string.format('%.0f', bytes))
local at, count = string.format('%.0f', first), string.format('%.0f', head - first + 1)
if fingerprint ~= '' then
  redis.call('SET', receipt, table.concat({fingerprint, epoch, at, count}, ' '), 'PX', ARGV[7])
end
return {'new', epoch, at, count}
";

/// Compares the log with what a node has seen of it, and begins another life if it is not the same
/// any more: a failover or a crash took something back. Keys: meta, log, a key that is never there.
/// Arguments: fresh epoch, the node's epoch or empty, its place, the tag there. Answers epoch, head
/// and the time in milliseconds. It fails where nothing can be written.
const CHECK: &str = r"
redis.call('DEL', KEYS[3])
local seen = tonumber(ARGV[3])
if whole and epoch == ARGV[2] and seen > 0 then
  if head < seen then
    whole = false
  else
    local id = string.format('%.0f-0', seen)
    local entry = redis.call('XRANGE', log, id, id)[1]
    if entry and entry[2][6] ~= ARGV[4] then whole = false end
  end
end
if not whole then begin() end
return {epoch, string.format('%.0f', head), string.format('%.0f', now)}
";

pub(super) fn append() -> Script {
    script(&format!("{LIFE}{APPEND}"))
}

pub(super) fn check() -> Script {
    script(&format!("{LIFE}{CHECK}"))
}

/// Up to where a node has the log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a> {
    pub(super) epoch: Epoch,
    pub(super) seq: u64,
    pub(super) tag: &'a str,
}

/// Adds keys and arguments of [`CHECK`].
pub(super) fn fill_check(call: &mut ScriptInvocation<'_>, link: &Link, fresh: Epoch, seen: Option<Seen<'_>>) {
    call.key(link.key("meta")).key(link.key("log")).key(link.key("nothing")).arg(hex(fresh));
    match seen {
        Some(Seen { epoch, seq, tag }) => call.arg(hex(epoch)).arg(seq).arg(tag),
        None => call.arg("").arg(0).arg(""),
    };
}

/// Adds keys and arguments of [`APPEND`]. `since` is up to where the node has the log, if this is
/// the second attempt.
pub(super) fn fill_append(
    call: &mut ScriptInvocation<'_>,
    link: &Link,
    bounds: &Bounds,
    batch: &Encoded,
    since: Option<(Epoch, u64)>,
) {
    let Encoded { fresh, tag, receipt, records } = batch;
    let (key, fingerprint) = receipt
        .as_ref()
        .map_or(("", String::new()), |receipt| (receipt.key.as_str(), format!("{:x}", receipt.fingerprint)));
    call.key(link.key("meta")).key(link.key("log")).key(link.key(&format!("receipt:{key}")));
    call.arg(hex(*fresh)).arg(bounds.max_count).arg(bounds.max_age_ms).arg(bounds.max_bytes);
    call.arg(tag).arg(fingerprint).arg(LIFE_MS);
    match since {
        Some((epoch, seq)) => call.arg(hex(epoch)).arg(seq),
        None => call.arg("").arg(0),
    };
    for record in records {
        call.arg(record.as_slice());
    }
}

/// A batch on its way, the same for both attempts.
#[derive(Debug)]
pub(super) struct Encoded {
    /// Names the next life of the log, should one begin.
    pub(super) fresh: Epoch,
    /// No other batch has it.
    pub(super) tag: String,
    pub(super) receipt: Option<Receipt>,
    pub(super) records: Vec<Vec<u8>>,
}

pub(super) fn hex(epoch: Epoch) -> String {
    format!("{:x}", epoch.0)
}

pub(super) fn epoch_of(text: &str) -> Option<Epoch> {
    u64::from_str_radix(text, 16).ok().map(Epoch)
}
