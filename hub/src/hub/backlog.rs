//! What waits for a client whose connection takes no bytes, and what a slow reader does without.

use std::collections::BTreeSet;

use tinysse::proto::wire::control::{Gap, Resync};

use super::{
    entry::Entry,
    log::Log,
    position::Position,
    slow::{Slow, SlowRules},
    subscription::Subscription,
};

/// More types than this are not named in a resync: then it is one of all types.
const MAX_NAMED: usize = 16;

/// The backlog of one client. It has no updates of its own: what waits is what follows the cursor
/// in the log.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    /// The client's connection takes no bytes, and this waits for it.
    waiting: Option<Box<Waiting>>,
    /// Up to here the client gets what is left to slow readers.
    slow_until: u64,
}

/// What waits for a client, as far as it was counted.
#[derive(Debug)]
struct Waiting {
    /// Up to this place.
    upto: u64,
    count: usize,
    /// Some of it is of a type whose slow readers are disconnected.
    disconnects: bool,
    /// The types that are refetched instead.
    refetched: BTreeSet<String>,
}

impl Backlog {
    /// Forgets what was counted.
    pub(super) fn clear(&mut self) {
        self.waiting = None;
    }

    /// Counts what waits, now that the connection takes no bytes. Returns true if the client is to
    /// be disconnected.
    pub(super) fn count(
        &mut self,
        log: &Log,
        rules: &SlowRules,
        subscription: &Subscription,
        position: &Position,
    ) -> bool {
        let behind = position.at().max(position.joined_at());
        let mut waiting = self.waiting.take().unwrap_or_else(|| Box::new(Waiting::behind(behind)));
        waiting.count(log, rules, subscription, self);
        let disconnect = waiting.disconnects && rules.is_slow(waiting.count);
        self.waiting = Some(waiting);
        disconnect
    }

    /// Prepares a client that had stalled for being served. If it is slow, the walk from its cursor
    /// to the head passes over what the rules drop, and the returned resync, to be sent first,
    /// names what the client lacks.
    pub(super) fn settle(
        &mut self,
        log: &Log,
        rules: &SlowRules,
        subscription: &Subscription,
        at: u64,
    ) -> Option<Resync> {
        let mut waiting = self.waiting.take()?;
        waiting.count(log, rules, subscription, self);
        if !rules.is_slow(waiting.count) {
            return None;
        }
        self.slow_until = log.head();
        if waiting.refetched.is_empty() {
            return None;
        }
        let named = waiting.refetched.len() <= MAX_NAMED;
        let types = if named { waiting.refetched.into_iter().collect() } else { Vec::new() };
        Some(Resync { at: log.id(at), gap: Gap::Overflow, types })
    }

    /// Returns true if the walk passes over an update that the client may see.
    pub(super) fn passes_over(&self, log: &Log, rules: &SlowRules, seq: u64, entry: &Entry) -> bool {
        seq <= self.slow_until
            && match rules.of(entry.kind()) {
                Slow::Deliver | Slow::Disconnect => false,
                Slow::Coalesce => log.replaced(seq, entry),
                Slow::Resync => true,
            }
    }
}

impl Waiting {
    fn behind(at: u64) -> Self {
        Self { upto: at, count: 0, disconnects: false, refetched: BTreeSet::new() }
    }

    /// Continues counting to the head of the log.
    fn count(&mut self, log: &Log, rules: &SlowRules, subscription: &Subscription, backlog: &Backlog) {
        for (seq, entry) in log.since(self.upto, subscription.identity()) {
            self.upto = seq;
            if !subscription.wants(entry) || backlog.passes_over(log, rules, seq, entry) {
                continue;
            }
            self.count += 1;
            match rules.of(entry.kind()) {
                Slow::Deliver | Slow::Coalesce => {}
                Slow::Resync => {
                    if self.refetched.len() <= MAX_NAMED {
                        self.refetched.insert(entry.kind().to_owned());
                    }
                }
                Slow::Disconnect => self.disconnects = true,
            }
        }
        self.upto = log.head();
    }
}
