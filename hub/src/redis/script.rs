//! Scripts that a connection runs: each first compares the number of the connection it came over.

use ::redis::Script;

/// The beginning of every script. The last key and the last argument are of the connection: what
/// came over one that was replaced changes nothing.
const PRELUDE: &str = r"
local fence, number = table.remove(KEYS), tonumber(table.remove(ARGV))
if tonumber(redis.call('GET', fence) or '0') > number then
  return redis.error_reply('STALE this connection was replaced')
end
";

/// Writes the number of a node's connection down. Keys: fence. Arguments: the number, for how long
/// it is kept in ms. One that arrives late lowers nothing.
const FENCE: &str = r"
if tonumber(redis.call('GET', KEYS[1]) or '0') > tonumber(ARGV[1]) then
  return redis.error_reply('STALE this connection was replaced')
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
";

/// Makes a script that a [`Link`](super::Link) runs: it does nothing if it comes over a connection
/// that was replaced.
pub(crate) fn script(code: &str) -> Script {
    Script::new(&format!("{PRELUDE}{code}"))
}

/// See [`FENCE`].
pub(crate) fn fence() -> Script {
    Script::new(FENCE)
}
