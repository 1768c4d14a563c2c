//! What happens inside Redis, each in one step for all nodes.
//!
//! `P:meta` holds `epoch` (hex), `head` and `bytes`; `P:log` is a stream whose ids are the places (`42-0`), with the fields `e` (epoch),
//! `l` (when logged), `t` (a tag of the node and the batch) and `d` (the record); `P:receipt:KEY` holds fingerprint, epoch, first place and
//! count. `P` stands in braces, so that all of them live on one node of a Redis Cluster.

/// Appends. Keys: meta, log, receipt. Arguments: fresh epoch, count, age, bytes, tag, fingerprint or empty, receipt's life in ms, then for each
/// record: when logged, the record. Answers `new|known|reused`, epoch, first, count.
pub(super) const APPEND: &str = r"
local meta, log, receipt = KEYS[1], KEYS[2], KEYS[3]
local epoch = redis.call('HGET', meta, 'epoch')
local head = tonumber(redis.call('HGET', meta, 'head') or '0')
local bytes = tonumber(redis.call('HGET', meta, 'bytes') or '0')
if not epoch then
  epoch, head, bytes = ARGV[1], 0, 0
  redis.call('DEL', log)
end
local fingerprint = ARGV[6]
if fingerprint ~= '' then
  local known = redis.call('GET', receipt)
  if known then
    local f, e, first, count = known:match('^(%S+) (%S+) (%S+) (%S+)$')
    if f ~= fingerprint then return {'reused', epoch, '0', '0'} end
    if e == epoch then return {'known', e, first, count} end
  end
end
local first, now = head + 1, 0
for i = 8, #ARGV, 2 do
  head = head + 1
  bytes = bytes + #ARGV[i + 1]
  now = math.max(now, tonumber(ARGV[i]))
  redis.call('XADD', log, string.format('%.0f-0', head), 'e', epoch, 'l', ARGV[i], 't', ARGV[5], 'd', ARGV[i + 1])
end
local max_count, max_age, max_bytes = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
while true do
  local oldest = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
  if not oldest then break end
  local seq, fields = tonumber(oldest[1]:match('^%d+')), oldest[2]
  if head - seq < max_count and bytes <= max_bytes and now - tonumber(fields[4]) <= max_age then break end
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

/// Compares the log with what a node has seen of it, and begins another life if it is not the same any more: a failover or a crash took
/// something back. Keys: meta, log. Arguments: fresh epoch, the node's epoch or empty, its place, the tag there. Answers epoch and head.
pub(super) const CHECK: &str = r"
local meta, log = KEYS[1], KEYS[2]
local epoch = redis.call('HGET', meta, 'epoch')
local head = tonumber(redis.call('HGET', meta, 'head') or '0')
local seen = tonumber(ARGV[3])
local good = epoch and true or false
if good and epoch == ARGV[2] and seen > 0 then
  if head < seen then
    good = false
  else
    local id = string.format('%.0f-0', seen)
    local entry = redis.call('XRANGE', log, id, id)[1]
    if entry and entry[2][6] ~= ARGV[4] then good = false end
  end
end
if not good then
  epoch, head = ARGV[1], 0
  redis.call('DEL', log)
  redis.call('HSET', meta, 'epoch', epoch, 'head', '0', 'bytes', '0')
end
return {epoch, string.format('%.0f', head)}
";
