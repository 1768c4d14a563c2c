//! The network between browser and hub, and the browser's side of a stream.

use tinysse::proto::{
    session::io::{Input, Probed, StreamError, Ticket},
    wire::{
        decode::{Decoder, Item},
        id::EventId,
    },
};
use tinysse_hub::hub::ClientId;

use super::{Event, World, identity, patterns, pick};
use crate::world::peer::Stream;

/// Names a connection; numbers are not used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link(pub(super) usize);

/// Why a request fails.
#[derive(Clone, Copy, Debug)]
pub(super) enum Refusal {
    /// No connection.
    Network,
    /// 401
    Unauthorized,
    /// 503 with `Retry-After` in milliseconds.
    Busy(u32),
    /// 204, or whatever else ends it.
    Gone,
}

/// One TCP connection that carries one stream.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) peer: usize,
    pub(super) ticket: Ticket,
    token: Option<String>,
    cursor: String,
    /// The hub's side, while it has one.
    pub(super) client: Option<ClientId>,
    epoch: u64,
    /// What is on its way arrives in order.
    arrives: u64,
    /// The wire is cut: what is on its way is lost.
    pub(super) cut: bool,
    /// Half-open: nothing arrives and no side is notified.
    pub(super) stalled: bool,
    /// The browser does not read before.
    pub(super) slow_until: u64,
    /// The browser let go of it.
    hung_up: bool,
    /// The head of the answer has arrived: without it no byte of the body can.
    opened: bool,
}

#[derive(Debug, Default)]
pub(super) struct Links(pub(super) Vec<Connection>);

impl Links {
    pub(super) fn of(&self, client: ClientId) -> Option<Link> {
        self.0.iter().rposition(|link| link.client == Some(client)).map(Link)
    }

    pub(super) fn open(&self) -> Vec<Link> {
        (0..self.0.len()).map(Link).filter(|link| self.0[link.0].client.is_some()).collect()
    }
}

impl World {
    /// The browser sends the request: the first one of a stream, or a native retry.
    pub(super) fn attempt(&mut self, peer: usize, ticket: Ticket) {
        let latency = self.latency();
        let bad_network =
            self.now.0 < self.calm && (self.climate.outage > self.now.0 || self.chance(self.climate.no_network));
        let headless = self.chance(self.climate.headless);
        let has = EventId::parse(self.peers[peer].core.session().cursor());
        let Some(stream) = self.peers[peer].streams.iter_mut().find(|stream| stream.ticket == ticket) else { return };
        // Some proxies drop the header of a native retry. The cursor in the URL is older, then; and
        // also if another stream went on meanwhile.
        let dropped = stream.last_id.is_empty() || headless;
        let cursor = if dropped { stream.cursor.clone() } else { stream.last_id.clone() };
        let older = |sent: EventId| has.is_some_and(|has| sent != has && !sent.follows(has));
        let misquoted = stream.asked && EventId::parse(&cursor).map_or(has.is_some(), older);
        stream.asked = true;
        self.judge.connects(self.now, peer, misquoted);
        if bad_network {
            if self.rng.below(4) > 0 {
                self.after(latency, Event::Refused { peer, ticket, how: Refusal::Network });
            } // else the request vanishes, and no side is notified
            return;
        }
        let link = Link(self.links.0.len());
        stream.link = Some(link);
        self.links.0.push(Connection {
            peer,
            ticket,
            token: stream.token.clone(),
            cursor,
            client: None,
            epoch: self.epoch,
            arrives: 0,
            cut: false,
            stalled: false,
            slow_until: 0,
            hung_up: false,
            opened: false,
        });
        self.after(latency, Event::Arrive { link });
    }

    pub(super) fn arrive(&mut self, link: Link) {
        let latency = self.latency();
        let Connection { peer, ticket, hung_up, cut, .. } = self.links.0[link.0];
        if hung_up || cut {
            return;
        }
        let storm = self.now.0 < self.calm;
        let how = if self.hub.is_none() {
            Some(Refusal::Network)
        } else if !self.takes(link) {
            Some(Refusal::Unauthorized)
        } else if storm && self.chance(self.climate.busy) {
            Some(if self.rng.below(20) == 0 { Refusal::Gone } else { Refusal::Busy(self.rng.below(4_000) as u32) })
        } else {
            None
        };
        if let Some(how) = how {
            if let Some(stream) = self.stream(peer, ticket) {
                stream.refusal = Some(how);
            }
            self.after(latency, Event::Refused { peer, ticket, how });
            return;
        }
        let Some(hub) = &mut self.hub else { return };
        let (this, cursor) = (&self.peers[peer], self.links.0[link.0].cursor.clone());
        let cursor = Some(cursor.as_str()).filter(|cursor| !cursor.is_empty());
        // Rights are those of the token, not of the user who is there now.
        let token = self.links.0[link.0].token.as_deref();
        let of =
            this.tokens.iter().find(|known| Some(known.text.as_str()) == token).map_or(this.who, |known| known.who);
        let client = hub.connect(self.now, identity(of), cursor, patterns(&this.types));
        if this.native {
            hub.fold(client);
        }
        let connection = &mut self.links.0[link.0];
        connection.client = Some(client);
        connection.epoch = self.epoch;
        connection.arrives = self.now.0 + latency;
        self.after(latency, Event::Opened { link });
        self.after(0, Event::Serve { link });
        if storm && self.chance(self.climate.accept_and_close) {
            let soon = self.rng.below(200);
            self.after(soon, Event::End { link });
        }
    }

    /// A token is good while it lives, at every server.
    fn takes(&self, link: Link) -> bool {
        let Connection { peer, token, .. } = &self.links.0[link.0];
        let good = |text: &str| self.peers[*peer].tokens.iter().any(|one| one.text == text && self.now.0 < one.end);
        token.as_deref().is_some_and(good)
    }

    pub(super) fn opened(&mut self, link: Link) {
        let Connection { peer, ticket, cut, stalled, .. } = self.links.0[link.0];
        if !cut && !stalled && self.listens(link) {
            self.links.0[link.0].opened = true;
            if let Some(stream) = self.stream(peer, ticket) {
                let last = stream.last_id.clone();
                stream.decoder = Decoder::new(&last, 1 << 20);
            }
            self.judge.opens(peer, self.peers[peer].core.session().draining().is_some());
            self.feed(peer, Input::Opened(ticket));
        }
    }

    /// The server writes what the client is due, in pieces of any size.
    pub(super) fn serve(&mut self, link: Link) {
        let Connection { client, slow_until, cut, epoch, .. } = self.links.0[link.0];
        let (Some(client), Some(hub)) = (client, &mut self.hub) else { return };
        if epoch != self.epoch || cut {
            return;
        }
        if slow_until > self.now.0 {
            let wait = slow_until - self.now.0;
            return self.after(wait, Event::Serve { link });
        }
        let mut out = Vec::new();
        let mut polls = 0;
        while hub.poll(self.now, client, 400, &mut out) {
            polls += 1;
            if polls > MOST_POLLS {
                return self.judge.lie("the hub has something to send for ever".into());
            }
        }
        let (closed, wants) = (hub.closed(client), hub.wants(client));
        self.send(link, out);
        if closed {
            self.links.0[link.0].client = None;
            if let Some(hub) = &mut self.hub {
                hub.disconnect(client);
            }
            let wait = self.links.0[link.0].arrives.saturating_sub(self.now.0);
            self.after(wait, Event::End { link });
        } else if let Some(at) = wants {
            self.after(at.since(self.now).max(1), Event::Serve { link });
        }
    }

    fn send(&mut self, link: Link, mut bytes: Vec<u8>) {
        while !bytes.is_empty() {
            let most = pick(&mut self.rng, &[8, 600, 600]);
            let size = 1 + self.rng.below(most) as usize;
            let rest = bytes.split_off(size.min(bytes.len()));
            let latency = self.latency();
            let connection = &mut self.links.0[link.0];
            connection.arrives = connection.arrives.max(self.now.0 + latency);
            let wait = connection.arrives - self.now.0;
            self.after(wait, Event::Bytes { link, bytes });
            bytes = rest;
        }
    }

    pub(super) fn bytes(&mut self, link: Link, mut bytes: Vec<u8>) {
        let Connection { peer, ticket, cut, stalled, opened, .. } = self.links.0[link.0];
        if stalled || !opened || !self.listens(link) {
            return;
        }
        if cut {
            // One more piece may still arrive, in part, and then nothing.
            bytes.truncate(self.rng.below(bytes.len() as u64) as usize);
            self.links.0[link.0].stalled = true;
        }
        if !self.peers[peer].native {
            return self.feed_bytes(peer, ticket, &bytes);
        }
        let mut items = Vec::new();
        let Some(stream) = self.stream(peer, ticket) else {
            // A late callback: whatever is whole in these bytes.
            let _ = Decoder::new("", 1 << 20).feed(&bytes, &mut |item| items.push(item));
            for item in items {
                if let Item::Frame(frame) = item {
                    self.feed(peer, Input::Frame(ticket, frame));
                }
            }
            return;
        };
        let _ = stream.decoder.feed(&bytes, &mut |item| items.push(item));
        for item in items {
            let Some(stream) = self.stream(peer, ticket) else { return };
            match item {
                Item::Retry(ms) => stream.retry = u64::from(ms),
                Item::Id(id) => stream.last_id = id,
                Item::Frame(frame) => {
                    stream.last_id.clone_from(&frame.id);
                    // A browser gives a named event only to listeners of that very name.
                    if LISTENED.contains(&frame.event.as_str()) {
                        self.feed(peer, Input::Frame(ticket, frame));
                    }
                }
            }
        }
    }

    /// The stream ends: cut, or closed by the server.
    pub(super) fn end(&mut self, link: Link) {
        let Connection { peer, ticket, stalled, cut, .. } = self.links.0[link.0];
        self.links.0[link.0].cut = true;
        let wait = self.rng.below(5_000);
        self.after(wait, Event::Gone { link });
        if (cut || !stalled) && self.listens(link) {
            self.lose(peer, ticket, StreamError::Dropped);
        }
    }

    /// The server notices.
    pub(super) fn gone(&mut self, link: Link) {
        let connection = &mut self.links.0[link.0];
        if let (Some(client), Some(hub)) = (connection.client.take(), &mut self.hub)
            && connection.epoch == self.epoch
        {
            hub.disconnect(client);
        }
    }

    pub(super) fn refused(&mut self, peer: usize, ticket: Ticket, how: Refusal) {
        let native = self.peers[peer].native;
        let loss = match how {
            Refusal::Network => StreamError::Dropped,
            _ if native => StreamError::Refused,
            Refusal::Unauthorized => StreamError::Unauthorized,
            Refusal::Busy(wait) => StreamError::Unavailable { status: 503, retry_after: wait },
            Refusal::Gone => StreamError::Rejected { status: 204 },
        };
        self.lose(peer, ticket, loss);
    }

    /// A request for the same stream once more, of which only the head is read. Most often the
    /// answer is the same.
    pub(super) fn probe(&mut self, peer: usize, ticket: Ticket) {
        self.judge.connects_again(self.now, peer);
        let latency = self.latency() + self.latency();
        let storm = self.now.0 < self.calm;
        let outage = storm && (self.climate.outage > self.now.0 || self.chance(self.climate.no_network));
        let same = self.rng.below(10) < 7;
        let Some(stream) = self.stream(peer, ticket) else { return };
        let how = if outage { Some(Refusal::Network) } else { stream.refusal.filter(|_| same) };
        let answer = match how {
            Some(Refusal::Network) => Probed::Unseen,
            Some(Refusal::Unauthorized) => Probed::Refused(StreamError::Unauthorized),
            Some(Refusal::Busy(wait)) => Probed::Refused(StreamError::Unavailable { status: 503, retry_after: wait }),
            Some(Refusal::Gone) => Probed::Refused(StreamError::Rejected { status: 204 }),
            None if self.hub.is_none() => Probed::Unseen,
            None => Probed::Stream { hub: true },
        };
        if storm && self.rng.below(10) == 0 {
            return; // it hangs
        }
        self.after(latency, Event::Probed { peer, ticket, answer });
    }

    /// A native stream that was cut is retried by the browser: same URL, same token, its own id.
    fn lose(&mut self, peer: usize, ticket: Ticket, loss: StreamError) {
        let native = self.peers[peer].native;
        let jitter = self.rng.below(100);
        match self.stream(peer, ticket) {
            Some(stream) if native && loss == StreamError::Dropped => {
                stream.link = None;
                let wait = stream.retry + jitter;
                self.after(wait, Event::Attempt { peer, ticket });
                self.feed(peer, Input::Lost(ticket, StreamError::Retrying));
            }
            _ => self.feed(peer, Input::Lost(ticket, loss)),
        }
    }

    /// The browser lets go. What is on its way may still be called back.
    pub(super) fn hang_up(&mut self, stream: Stream) {
        if let Some(link) = stream.link {
            self.links.0[link.0].hung_up = true;
            let wait = self.rng.below(2_000);
            self.after(wait, Event::Gone { link });
        }
    }

    /// True if what a connection carries still reaches the core: late callbacks do, now and then.
    fn listens(&mut self, link: Link) -> bool {
        let Connection { peer, ticket, hung_up, .. } = self.links.0[link.0];
        if hung_up {
            return self.rng.below(2) == 0;
        }
        self.stream(peer, ticket).is_some_and(|stream| stream.link == Some(link))
    }

    fn stream(&mut self, peer: usize, ticket: Ticket) -> Option<&mut Stream> {
        self.peers[peer].streams.iter_mut().find(|stream| stream.ticket == ticket)
    }

    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.rng.below(100) < percent
    }

    fn latency(&mut self) -> u64 {
        let most = pick(&mut self.rng, &[3, 30, 300]);
        1 + self.rng.below(most)
    }
}

/// No log of the simulation is longer.
const MOST_POLLS: usize = 10_000;

/// What the shell listens to (`src/web/transport/eventsource.rs`), for a server that folds.
const LISTENED: [&str; 6] =
    ["message", "tinysse.update", "tinysse.hello", "tinysse.beat", "tinysse.resync", "tinysse.bye"];
