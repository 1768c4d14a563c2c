//! How far a client has come in the log, and the gap that is still to be announced to it.

use tinysse::proto::wire::control::Gap;

use super::{log::Log, subscription::Subscription};

/// A client's cursor.
#[derive(Debug)]
pub(super) struct Position {
    /// Everything up to here that the client may see was sent.
    at: u64,
    /// The head of the log when the client connected. What it gets up to here is a replay, which
    /// alone makes no client slow; what follows is live.
    joined_at: u64,
    /// The head of the log at the time of connecting, while the hello is still to be sent.
    hello: Option<u64>,
    /// What the hello announces.
    gap: Gap,
    /// The log was replaced since the client was last served, and why that is a loss.
    replaced: Option<Gap>,
    /// The client's rights changed, and that was not announced yet.
    rights_changed: bool,
}

impl Position {
    /// Continues at the cursor that a client shows, or at the head if the log cannot honour it.
    pub(super) fn resume(log: &Log, cursor: Option<&str>, subscription: &Subscription) -> Self {
        let head = log.head();
        let (at, gap) = match log.resume_from(cursor, |route| subscription.may_see(route)) {
            Ok(seq) => (seq, Gap::None),
            Err(gap) => (head, gap),
        };
        Self { at, joined_at: head, hello: Some(head), gap, replaced: None, rights_changed: false }
    }

    /// Continues at the begin of another log, behind `after`. `gap` is why that may be a loss.
    pub(super) fn restart(&mut self, after: u64, gap: Gap) {
        if gap == Gap::Epoch || self.at < after {
            // A hello that is still to be sent announces it; a client that continues gets a resync.
            if self.hello.is_some() {
                self.gap = if self.gap == Gap::None { Gap::Epoch } else { self.gap };
            } else {
                self.replaced = Some(gap);
            }
        }
        (self.at, self.joined_at) = (after, after);
        self.hello = self.hello.map(|_| after);
    }

    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// Returns the place behind which updates are live for this client.
    pub(super) fn joined_at(&self) -> u64 {
        self.joined_at
    }

    pub(super) fn advance(&mut self, at: u64) {
        self.at = at;
    }

    pub(super) fn awaits_hello(&self) -> bool {
        self.hello.is_some()
    }

    /// Returns true if a hello or a change of rights is still to be sent, without regard to
    /// updates.
    pub(super) fn has_notice(&self) -> bool {
        self.hello.is_some() || self.rights_changed
    }

    /// Returns true if nothing of the log, and nothing about the log, is still to be sent.
    pub(super) fn is_current(&self, head: u64) -> bool {
        self.at == head && self.replaced.is_none() && !self.has_notice()
    }

    /// Takes the hello that is to be sent: the head of the log at that time, and the gap.
    pub(super) fn take_hello(&mut self) -> Option<(u64, Gap)> {
        self.hello.take().map(|head| (head, self.gap))
    }

    /// Takes the loss that is to be announced, if the log was replaced or trimmed too far.
    pub(super) fn take_loss(&mut self, log: &Log, subscription: &Subscription) -> Option<Gap> {
        let trimmed = || log.lost(self.at, |route| subscription.may_see(route)).then_some(Gap::Overflow);
        self.replaced.take().or_else(trimmed)
    }

    pub(super) fn take_rights_change(&mut self) -> bool {
        std::mem::take(&mut self.rights_changed)
    }

    /// Notes that the client's rights changed under its stream.
    pub(super) fn change_rights(&mut self) {
        self.rights_changed = true;
    }

    /// Notes that the client's rights changed since its last stream, whatever its cursor.
    pub(super) fn miss_rights_change(&mut self) {
        if self.gap == Gap::None {
            self.gap = Gap::Rights;
        }
    }
}
