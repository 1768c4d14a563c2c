//! How a client's stream ends: when that is due, its bye, and how long the stream stays open behind
//! it.

use tinysse::proto::{
    time::Time,
    wire::control::{Bye, Reason},
};

/// The end of a stream, from its plan until the stream is closed.
#[derive(Debug, Default)]
pub(super) struct Ending {
    /// From then on the client is asked to reconnect, and why.
    due: Option<(Time, Reason)>,
    bye: Option<Bye>,
    /// The bye was sent, and the stream stays open until then.
    lingers_until: Option<Time>,
    closed: bool,
}

/// What a poll does about the end, behind everything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The stream goes on.
    None,
    Send(Bye),
    /// The stream is closed now.
    Close,
}

impl Ending {
    /// Plans the end for this time. The earliest counts.
    pub(super) fn plan(&mut self, at: Time, reason: Reason) {
        if self.due.is_none_or(|(earlier, _)| at < earlier) {
            self.due = Some((at, reason));
        }
    }

    /// Has the next poll send a bye. The first reason counts, but lost rights beat every other.
    pub(super) fn begin(&mut self, bye: Bye) {
        if self.bye.is_none_or(|known| bye.reason == Reason::Revoked && known.reason != bye.reason) {
            self.bye = Some(bye);
            self.lingers_until = None;
        }
    }

    /// Begins the planned end if its time has come.
    pub(super) fn begin_if_due(&mut self, now: Time) {
        if let Some((at, reason)) = self.due
            && now >= at
        {
            self.bye.get_or_insert(Bye { reason, wait: 0, retry: None });
        }
    }

    /// Returns true if updates are still sent.
    pub(super) fn delivers(&self) -> bool {
        self.bye.is_none_or(|bye| delivers(bye.reason))
    }

    /// Takes the next step. `behind` is true while updates wait that go before the bye.
    pub(super) fn step(&mut self, now: Time, behind: bool, linger_ms: u32) -> Step {
        match (self.bye, self.lingers_until) {
            (Some(bye), None) if !behind => {
                let linger = if lingers(bye.reason) { linger_ms } else { 0 };
                self.lingers_until = Some(now.plus(u64::from(linger)));
                self.closed = linger == 0;
                Step::Send(bye)
            }
            (Some(_), Some(until)) if now >= until => {
                self.closed = true;
                Step::Close
            }
            (Some(_) | None, _) => Step::None,
        }
    }

    /// Returns the time of the next step, if it has one.
    pub(super) fn next(&self) -> Option<Time> {
        let due = self.due.filter(|_| self.bye.is_none()).map(|(at, _)| at);
        [self.lingers_until, due].into_iter().flatten().min()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn awaits_bye(&self) -> bool {
        self.bye.is_some() && self.lingers_until.is_none()
    }

    pub(super) fn is_bye_sent(&self) -> bool {
        self.lingers_until.is_some()
    }

    /// Returns the reason of the bye, sent or still to be sent.
    pub(super) fn reason(&self) -> Option<Reason> {
        self.bye.map(|bye| bye.reason)
    }
}

/// A client whose rights are gone gets no further update, not even one that waits for it.
fn delivers(reason: Reason) -> bool {
    match reason {
        Reason::Drain | Reason::Rotate | Reason::Slow => true,
        Reason::Token | Reason::Revoked => false,
    }
}

/// The end was planned and the client is to reconnect: its user should see no interruption.
fn lingers(reason: Reason) -> bool {
    match reason {
        Reason::Drain | Reason::Rotate | Reason::Token => true,
        Reason::Revoked | Reason::Slow => false,
    }
}
