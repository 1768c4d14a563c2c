//! One connected client: what it is due, from its hello to its bye. One walk over the log serves
//! replay and live alike.

use std::sync::Arc;

use tinysse::proto::{
    audience::Identity,
    registry::Pattern,
    time::Time,
    wire::control::{Beat, Bye, Gap, Hello, Reason, Resync},
};

use super::{
    Counts, FrameSink, HubConfig, SlowRules, View,
    backlog::Backlog,
    ending::{Ending, Step},
    log::Log,
    position::Position,
    subscription::Subscription,
};

/// A connected client.
#[derive(Debug)]
pub(super) struct Client {
    subscription: Subscription,
    /// The client cannot name the events that it listens to.
    folded: bool,
    position: Position,
    backlog: Backlog,
    ending: Ending,
    /// When the client was last given bytes.
    last_sent: Time,
}

/// What a client is served from.
#[derive(Debug)]
pub(super) struct Source<'a> {
    log: &'a mut Log,
    config: &'a HubConfig,
    rules: &'a SlowRules,
    counts: &'a mut Counts,
}

impl<'a> Source<'a> {
    pub(super) fn new(log: &'a mut Log, config: &'a HubConfig, rules: &'a SlowRules, counts: &'a mut Counts) -> Self {
        Self { log, config, rules, counts }
    }
}

impl Client {
    pub(super) fn new(log: &Log, cursor: Option<&str>, subscription: Subscription, now: Time) -> Self {
        let position = Position::resume(log, cursor, &subscription);
        let (backlog, ending) = (Backlog::default(), Ending::default());
        Self { subscription, folded: false, position, backlog, ending, last_sent: now }
    }

    #[cfg(test)]
    pub(super) fn of(identity: Identity) -> Self {
        let log = Log::new(tinysse::proto::wire::id::Epoch(1), 0, &HubConfig::default());
        let name = identity.user.as_str().into();
        Self::new(&log, None, Subscription::new(name, identity, None), Time(0))
    }

    pub(super) fn name(&self) -> &Arc<str> {
        self.subscription.name()
    }

    pub(super) fn subscription(&self) -> &Subscription {
        &self.subscription
    }

    pub(super) fn identity(&self) -> &Identity {
        self.subscription.identity()
    }

    pub(super) fn fold(&mut self) {
        self.folded = true;
    }

    /// Continues in another log, behind `after`. `gap` is why that may be a loss.
    pub(super) fn restart(&mut self, after: u64, gap: Gap) {
        self.position.restart(after, gap);
        self.backlog = Backlog::default();
    }

    pub(super) fn set_rights(&mut self, identity: Identity, types: Option<Vec<Pattern>>) {
        self.subscription.replace(identity, types);
        self.position.change_rights();
    }

    /// Notes that the rights changed since the client's last stream.
    pub(super) fn miss_rights_change(&mut self) {
        self.position.miss_rights_change();
    }

    /// Counts what waits, now that the connection takes no bytes. Returns true if the client is to
    /// be disconnected.
    pub(super) fn stalled(&mut self, log: &Log, rules: &SlowRules) -> bool {
        !self.position.awaits_hello() && self.backlog.count(log, rules, &self.subscription, &self.position)
    }

    pub(super) fn end_at(&mut self, at: Time, reason: Reason) {
        self.ending.plan(at, reason);
    }

    pub(super) fn bye(&mut self, bye: Bye) {
        self.ending.begin(bye);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.ending.is_closed()
    }

    pub(super) fn is_bye_sent(&self) -> bool {
        self.ending.is_bye_sent()
    }

    /// Returns the reason of its bye, sent or still to be sent.
    pub(super) fn reason(&self) -> Option<Reason> {
        self.ending.reason()
    }

    /// Returns when to poll the client if nothing wakes it; `None` if it is closed.
    pub(super) fn wants(&self, config: &HubConfig) -> Option<Time> {
        if self.ending.is_closed() {
            return None;
        }
        if self.position.has_notice() || self.ending.awaits_bye() {
            return Some(self.last_sent);
        }
        let beat = self.last_sent.plus(u64::from(config.beat_ms));
        Some(self.ending.next().map_or(beat, |end| end.min(beat)))
    }

    /// Returns true if a poll would give it nothing before it is woken, or wants something.
    pub(super) fn has_all(&self, head: u64) -> bool {
        self.position.is_current(head) && !self.ending.is_closed() && !self.ending.awaits_bye()
    }

    pub(super) fn view(&self, log: &Log) -> View<'_> {
        View {
            name: self.subscription.name(),
            identity: self.subscription.identity(),
            types: self.subscription.types(),
            cursor: log.id(self.position.at()),
            behind: log.head().saturating_sub(self.position.at()),
        }
    }

    /// Appends what the client is due. Returns true if something was appended.
    pub(super) fn poll(&mut self, from: Source<'_>, now: Time, budget: usize, out: &mut impl FrameSink) -> bool {
        if self.ending.is_closed() {
            return false;
        }
        let Source { log, config, rules, counts } = from;
        let before = out.size();
        if let Some((head, gap)) = self.position.take_hello() {
            let hello = Hello {
                client: self.subscription.name().to_string(),
                after: log.id(self.position.at()),
                head: log.id(head),
                beat: config.beat_ms,
                gap,
                retry: config.retry_ms,
            };
            out.own(&encoded(|out| hello.encode(out)));
            counts.connected(gap);
            counts.resync(gap);
        }
        self.ending.begin_if_due(now);
        let mut behind = false;
        if self.ending.delivers() {
            self.resync(log, rules, counts, out);
            let (mut at, mut made) = (self.position.at(), 0);
            let mut due = log.since(at, self.subscription.identity());
            let reached = loop {
                if out.size() - before >= budget.max(1) {
                    behind = due.next().is_some();
                    break if behind { at } else { log.head() };
                }
                let Some((seq, entry)) = due.next() else { break log.head() };
                at = seq;
                if !self.subscription.wants(entry) {
                    continue;
                }
                if self.backlog.passes_over(log, rules, seq, entry) {
                    counts.passed_over += 1;
                } else {
                    out.shared(entry.form(self.folded, &mut made));
                    counts.given(seq > self.position.joined_at(), entry.at(), now);
                }
            };
            drop(due);
            self.position.advance(reached);
            log.grew(made);
        }
        match self.ending.step(now, behind, config.linger_ms) {
            Step::Send(bye) => out.own(&encoded(|out| bye.encode(out))),
            Step::None if out.size() == before && now >= self.last_sent.plus(u64::from(config.beat_ms)) => {
                let beat = Beat { at: log.id(self.position.at()) };
                out.own(&encoded(|out| beat.encode(out)));
                counts.beats += 1;
            }
            Step::None | Step::Close => {}
        }
        let sent = out.size() > before;
        if sent {
            self.last_sent = now;
        }
        sent
    }

    /// Announces what the updates that follow do not contain.
    fn resync(&mut self, log: &Log, rules: &SlowRules, counts: &mut Counts, out: &mut impl FrameSink) {
        let mut announce = |counts: &mut Counts, resync: Resync| {
            out.own(&encoded(|out| resync.encode(out)));
            counts.resync(resync.gap);
        };
        if let Some(gap) = self.position.take_loss(log, &self.subscription) {
            counts.skipped += log.head().saturating_sub(self.position.at());
            self.position.advance(log.head());
            self.backlog.clear();
            announce(counts, Resync { at: log.id(log.head()), gap, types: Vec::new() });
        }
        if self.position.take_rights_change() {
            announce(counts, Resync { at: log.id(self.position.at()), gap: Gap::Rights, types: Vec::new() });
        }
        if let Some(resync) = self.backlog.settle(log, rules, &self.subscription, self.position.at()) {
            announce(counts, resync);
        }
    }
}

fn encoded(encode: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    // A hello fits.
    let mut frame = Vec::with_capacity(320);
    encode(&mut frame);
    frame
}
