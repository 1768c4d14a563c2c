//! What a client is due, from its hello to its bye: the one walk over the log that serves replay and live alike.

use tinysse::proto::{
    time::Time,
    wire::control::{Beat, Bye, Gap, Hello, Reason, Resync},
};

use super::{ClientId, FrameSink, Hub, slow};

impl Hub {
    /// At this time the client is asked to open its next stream: it is old (bye `rotate`), so that load spreads over new servers, or its
    /// token is (bye `token`). The earliest counts.
    pub fn end_at(&mut self, id: ClientId, at: Time, reason: Reason) {
        if let Some(client) = self.clients.get_mut(id)
            && client.ends.is_none_or(|(earlier, _)| at < earlier)
        {
            client.ends = Some((at, reason));
        }
    }

    /// Appends what the client is due: hello, updates, resync, beat, bye. True if something was appended.
    ///
    /// `budget` is soft: the frame that crosses it is the last one. Poll until false, then again when woken and at
    /// [`wants`](Self::wants). A client that is gone or [`closed`](Self::closed) gets nothing.
    pub fn poll(&mut self, now: Time, id: ClientId, budget: usize, out: &mut impl FrameSink) -> bool {
        self.log.expire(now);
        let before = out.size();
        let Some(client) = self.clients.get_mut(id).filter(|client| !client.closed) else { return false };
        if let Some(head) = client.hello.take() {
            let hello = Hello {
                client: client.name.to_string(),
                after: self.log.id(client.at),
                head: self.log.id(head),
                beat: self.config.beat_ms,
                gap: client.gap,
                retry: self.config.retry_ms,
            };
            out.own(&encoded(|out| hello.encode(out)));
            self.counts.connected(client.gap);
            self.counts.resync(client.gap);
        }
        if let Some((at, reason)) = client.ends
            && now >= at
        {
            client.bye.get_or_insert(Bye { reason, wait: 0, retry: None });
        }
        let mut behind = false;
        if client.bye.is_none_or(|bye| delivers(bye.reason)) {
            let lost = self.log.lost(client.at, |topic| client.may_see(topic)).then_some(Gap::Overflow);
            if let Some(gap) = client.renewed.take().or(lost) {
                self.counts.skipped += self.log.head().saturating_sub(client.at);
                client.at = self.log.head();
                client.waiting = None;
                let resync = Resync { at: self.log.id(client.at), gap, types: Vec::new() };
                out.own(&encoded(|out| resync.encode(out)));
                self.counts.resync(gap);
            }
            if std::mem::take(&mut client.refiltered) {
                let resync = Resync { at: self.log.id(client.at), gap: Gap::Rights, types: Vec::new() };
                out.own(&encoded(|out| resync.encode(out)));
                self.counts.resync(Gap::Rights);
            }
            if slow::judge(&self.log, &self.slow, client, out) {
                self.counts.resync(Gap::Overflow);
            }
            let (mut at, mut made) = (client.at, 0);
            let mut due = self.log.since(at, &client.identity);
            client.at = loop {
                if out.size() - before >= budget.max(1) {
                    behind = due.next().is_some();
                    break if behind { at } else { self.log.head() };
                }
                let Some((seq, entry)) = due.next() else { break self.log.head() };
                at = seq;
                if !client.wants(entry) {
                    continue;
                }
                if slow::passed_over(&self.log, &self.slow, client, seq, entry) {
                    self.counts.passed_over += 1;
                } else {
                    out.shared(entry.forms.form(client.folded, &mut made));
                    self.counts.given(seq > client.came, entry.at, now);
                }
            };
            drop(due);
            self.log.grew(made);
        }
        match (client.bye, client.stands) {
            (Some(bye), None) if !behind => {
                out.own(&encoded(|out| bye.encode(out)));
                let stands = if lingers(bye.reason) { self.config.linger_ms } else { 0 };
                client.stands = Some(now.plus(u64::from(stands)));
                client.closed = stands == 0;
            }
            (Some(_), Some(until)) if now >= until => client.closed = true,
            (Some(_) | None, _) => {
                if out.size() == before && now >= client.spoke.plus(u64::from(self.config.beat_ms)) {
                    let beat = Beat { at: self.log.id(client.at) };
                    out.own(&encoded(|out| beat.encode(out)));
                    self.counts.beats += 1;
                }
            }
        }
        let spoke = out.size() > before;
        if spoke {
            client.spoke = now;
        }
        spoke
    }

    /// When to poll a client that nobody wakes: at its next beat, when it is to end or to close, or at once if a hello, a bye or the
    /// notice of other rights is still to be sent. `None` if it is gone or closed.
    #[must_use]
    pub fn wants(&self, id: ClientId) -> Option<Time> {
        let client = self.clients.get(id).filter(|client| !client.closed)?;
        if client.hello.is_some() || client.refiltered || client.bye.is_some() && client.stands.is_none() {
            return Some(client.spoke);
        }
        let beat = client.spoke.plus(u64::from(self.config.beat_ms));
        let ends = client.ends.filter(|_| client.bye.is_none()).map(|(at, _)| at);
        [Some(beat), client.stands, ends].into_iter().flatten().min()
    }

    /// Whether a poll would give the client nothing before it is woken, or [`wants`](Self::wants) something.
    #[must_use]
    pub fn has_all(&self, id: ClientId) -> bool {
        self.clients.get(id).is_some_and(|client| {
            client.at == self.log.head()
                && client.renewed.is_none()
                && client.hello.is_none()
                && !client.refiltered
                && !client.closed
                && (client.bye.is_none() || client.stands.is_some())
        })
    }

    /// Ends a stream: the next poll gives the bye (behind what is still due, unless the client lost its rights). The first reason
    /// counts, but lost rights beat every other.
    ///
    /// After `drain`, `rotate` and `token` the stream stays open a while longer, see [`linger_ms`](super::HubConfig::linger_ms); after others it closes.
    pub fn bye(&mut self, id: ClientId, reason: Reason, wait_ms: u32, retry_ms: Option<u32>) {
        let Some(client) = self.clients.get_mut(id) else { return };
        let bye = Bye { reason, wait: wait_ms, retry: retry_ms };
        if client.bye.is_none_or(|known| reason == Reason::Revoked && known.reason != reason) {
            client.bye = Some(bye);
            client.stands = None;
        }
    }

    /// True when the stream is to end: behind its bye, and for a client that is gone.
    #[must_use]
    pub fn closed(&self, id: ClientId) -> bool {
        self.clients.get(id).is_none_or(|client| client.closed)
    }

    /// Why a stream is to end, if it is: the reason of its bye, sent or still to be sent.
    #[must_use]
    pub fn leaves(&self, id: ClientId) -> Option<Reason> {
        self.clients.get(id)?.bye.map(|bye| bye.reason)
    }

    /// True once the bye was polled, whether or not the stream is still open.
    #[must_use]
    pub fn said_bye(&self, id: ClientId) -> bool {
        self.clients.get(id).is_some_and(|client| client.stands.is_some())
    }
}

/// A client whose rights are gone gets no further update, not even one that waits for it.
fn delivers(reason: Reason) -> bool {
    match reason {
        Reason::Drain | Reason::Rotate | Reason::Slow => true,
        Reason::Token | Reason::Revoked => false,
    }
}

/// The end was planned, and the client is to come again: nobody has to see a break.
fn lingers(reason: Reason) -> bool {
    match reason {
        Reason::Drain | Reason::Rotate | Reason::Token => true,
        Reason::Revoked | Reason::Slow => false,
    }
}

pub(super) fn encoded(encode: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    // A hello fits.
    let mut frame = Vec::with_capacity(320);
    encode(&mut frame);
    frame
}
