//! The world of the simulation: client cores and the hub's core, joined by a network that does its
//! worst, in virtual time.
//!
//! Everything follows from one seed. The parts: `peer` performs the outputs of a client core, as a
//! browser would; `network` carries bytes, late and cut and not at all; `faults` makes trouble;
//! `judge` knows the truth and holds both sides to it.

mod faults;
mod judge;
mod network;
mod peer;

use std::{cmp::Reverse, collections::BinaryHeap};

use tinysse::proto::{
    audience::Identity,
    registry::Pattern,
    rng::Rng,
    session::io::{Input, Probed, Ticket},
    time::Time,
    wire::{control::Reason, id::Epoch},
};
use tinysse_hub::hub::{Hub, HubConfig, Update};

use faults::Climate;
use judge::Judge;
use network::{Link, Links};
use peer::Peer;

/// How long trouble lasts, in milliseconds; afterwards the world is calm until its end.
const CALM: u64 = 90_000;
/// When the truth is compared.
const END: u64 = 300_000;
/// How often a steady hub rotates its streams.
const EVERY: u64 = 60_000;

/// What will happen, and to whom.
#[derive(Clone, Debug)]
enum Event {
    /// A client core wants to be woken.
    Wake { peer: usize },
    /// A token provider answers, the one who asked with this ticket.
    Answer { peer: usize, ticket: Ticket, answer: peer::Answer },
    /// The browser tries to connect a stream.
    Attempt { peer: usize, ticket: Ticket },
    /// The request reaches the server.
    Arrive { link: Link },
    /// The answer's head reaches the browser.
    Opened { link: Link },
    /// The server looks whether the client is due something.
    Serve { link: Link },
    /// Bytes reach the browser.
    Bytes { link: Link, bytes: Vec<u8> },
    /// The end of the stream reaches the browser.
    End { link: Link },
    /// The server notices that the client is gone.
    Gone { link: Link },
    /// The browser notices that its request failed.
    Refused { peer: usize, ticket: Ticket, how: network::Refusal },
    /// The browser has the head of the answer to a second request.
    Probed { peer: usize, ticket: Ticket, answer: Probed },
    /// Something changes on the server.
    Publish,
    /// Something goes wrong.
    Fault,
    /// The hub asks every client for a new stream, as it does after some time.
    Rotate,
    /// It is over, or the user has had enough.
    Recover { peer: usize, what: faults::Trouble },
    /// The hub is back, with an empty log.
    Restart,
}

/// One run.
pub(crate) struct World {
    now: Time,
    rng: Rng,
    queue: BinaryHeap<Reverse<(Time, u64, Slot)>>,
    scheduled: u64,
    hub: Option<Hub>,
    epoch: u64,
    config: HubConfig,
    peers: Vec<Peer>,
    links: Links,
    climate: Climate,
    judge: Judge,
    published: u64,
    /// When trouble ends, and when the truth is compared.
    calm: u64,
    end: u64,
    log: Option<Vec<String>>,
}

/// An event in the queue, which is ordered by time and number only.
#[derive(Clone, Debug)]
struct Slot(Event);

impl World {
    /// A world that follows from `seed`; with `log`, it writes down every message.
    pub(crate) fn new(seed: u64, log: bool) -> Self {
        let mut rng = Rng::new(seed);
        let config = HubConfig {
            max_count: pick(&mut rng, &[2, 5, 20, 200]),
            max_age_ms: pick(&mut rng, &[5_000, 60_000, 3_600_000]),
            max_bytes: pick(&mut rng, &[1_500, 8_000, 1 << 20]),
            beat_ms: pick(&mut rng, &[1_000, 4_000]),
            retry_ms: pick(&mut rng, &[0, 100, 2_500]),
            linger_ms: 0,
        };
        let climate = Climate::new(&mut rng);
        let peers = (0..1 + rng.below(3) as usize).map(|index| Peer::new(index, &mut rng)).collect::<Vec<_>>();
        let judge = Judge::new(peers.len());
        let mut world = Self {
            now: Time(0),
            rng,
            queue: BinaryHeap::new(),
            scheduled: 0,
            hub: None,
            epoch: seed << 16,
            config,
            peers,
            links: Links::default(),
            climate,
            judge,
            published: 0,
            calm: CALM,
            end: END,
            log: log.then(Vec::new),
        };
        world.config.linger_ms = pick(&mut world.rng, &[0, 300, 5_000]);
        world.restart();
        world.after(0, Event::Publish);
        world.after(50, Event::Fault);
        world
    }

    /// A world without trouble, for this many hours, in which the hub asks for a new stream every
    /// minute.
    pub(crate) fn steady(seed: u64, hours: u64) -> Self {
        let mut world = Self { calm: 0, end: hours * 3_600_000, ..Self::new(seed, false) };
        // A log that holds what a rotation needs; the rest of the world is as the seed has it.
        let kept = HubConfig {
            max_count: 200,
            max_age_ms: 3_600_000,
            max_bytes: 1 << 20,
            linger_ms: 5_000,
            ..world.config.clone()
        };
        world.hub = Some(Hub::new(Epoch(world.epoch), kept.clone()));
        world.config = kept;
        world.climate.shortest_token = 90_000; // longer than a stream, shorter than two
        world.after(EVERY, Event::Rotate);
        world
    }

    /// How often a peer was notified of a gap, opened a stream, and was shown to be anything but
    /// open since it first was.
    pub(crate) fn record(&self, peer: usize) -> (usize, usize, usize) {
        let witness = self.judge.told(peer);
        (witness.0, witness.1, self.peers[peer].breaks)
    }

    pub(crate) fn peers(&self) -> usize {
        self.peers.len()
    }

    fn rotate(&mut self) {
        let clients: Vec<_> = self.hub.iter().flat_map(Hub::clients).collect();
        for client in clients {
            if let Some(hub) = &mut self.hub {
                hub.bye(client, Reason::Rotate, 0, Some(self.config.retry_ms));
            }
            if let Some(link) = self.links.of(client) {
                self.after(0, Event::Serve { link });
            }
        }
        self.after(EVERY, Event::Rotate);
    }

    /// Runs to the end, or to the first lie.
    ///
    /// # Errors
    /// What was wrong, in a sentence.
    pub(crate) fn run(&mut self) -> Result<(), String> {
        for peer in 0..self.peers.len() {
            self.start(peer);
        }
        while let Some(Reverse((at, _, Slot(event)))) = self.queue.pop() {
            if at.0 > self.end {
                break;
            }
            self.now = self.now.max(at);
            self.happen(event);
            if let Some(lie) = self.judge.lie.take() {
                return Err(format!("at {} ms: {lie}", self.now.0));
            }
        }
        self.now = Time(self.end);
        self.verdict()
    }

    /// Every message, in order.
    pub(crate) fn conversation(&self) -> &[String] {
        self.log.as_deref().unwrap_or_default()
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Wake { peer } => self.wake(peer),
            Event::Answer { peer, ticket, answer } => self.answer(peer, ticket, answer),
            Event::Attempt { peer, ticket } => self.attempt(peer, ticket),
            Event::Arrive { link } => self.arrive(link),
            Event::Opened { link } => self.opened(link),
            Event::Serve { link } => self.serve(link),
            Event::Bytes { link, bytes } => self.bytes(link, bytes),
            Event::End { link } => self.end(link),
            Event::Gone { link } => self.gone(link),
            Event::Refused { peer, ticket, how } => self.refused(peer, ticket, how),
            Event::Probed { peer, ticket, answer } => self.feed(peer, Input::Probed(ticket, answer)),
            Event::Publish => self.publish(),
            Event::Fault => self.fault(),
            Event::Rotate => self.rotate(),
            Event::Recover { peer, what } => self.recover(peer, what),
            Event::Restart => self.restart(),
        }
    }

    fn publish(&mut self) {
        // The last ones come when all is calm: a client that still receives nothing then is found
        // out.
        let pause = if self.now.0 < self.calm { self.climate.publish_every } else { 20_000 };
        if self.now.0 < self.end - 60_000 {
            let pause = 1 + self.rng.below(2 * pause);
            self.after(pause, Event::Publish);
        }
        let Some(hub) = &mut self.hub else { return };
        for _ in 0..1 + self.rng.below(3) {
            self.published += 1;
            let number = self.published;
            let to = pick(&mut self.rng, &["all", "all", "all", "user:ada", "user:bob", "role:admin", "channel:ops"]);
            let kind = pick(&mut self.rng, &["projects", "compute.progress", "images"]);
            let update = Update {
                data: Some(number.to_string()),
                to: vec![to.parse().expect("an audience")],
                ..Update::new(kind)
            };
            let sees: Vec<bool> = self.peers.iter().map(|peer| peer.may_see(&update)).collect();
            let users = self.peers.iter().map(|peer| peer.who).collect();
            match hub.publish(self.now, update) {
                Ok((id, woken)) => {
                    self.judge.published(self.now, number, sees, users);
                    if let Some(log) = &mut self.log {
                        log.push(format!("{:>7}  hub   publish {id} {kind} to {to} ({number})", self.now.0));
                    }
                    for client in woken {
                        if let Some(link) = self.links.of(client) {
                            self.queue.push(Reverse((self.now, self.scheduled, Slot(Event::Serve { link }))));
                            self.scheduled += 1;
                        }
                    }
                }
                Err(error) => self.judge.lie(format!("the hub refused an update: {error}")),
            }
        }
    }

    fn restart(&mut self) {
        if self.hub.is_none() {
            self.epoch += 1;
            self.hub = Some(Hub::new(Epoch(self.epoch), self.config.clone()));
            self.note(usize::MAX, || "hub   begins a new life".into());
        }
    }

    fn after(&mut self, ms: u64, event: Event) {
        self.queue.push(Reverse((self.now.plus(ms), self.scheduled, Slot(event))));
        self.scheduled += 1;
    }

    fn note(&mut self, peer: usize, what: impl FnOnce() -> String) {
        if let Some(log) = &mut self.log {
            let who = if peer == usize::MAX { String::new() } else { format!("peer{peer} ") };
            log.push(format!("{:>7}  {who}{}", self.now.0, what()));
        }
    }
}

/// Who the peers are, by number.
fn identity(peer: usize) -> Identity {
    let (user, role, channels): (_, _, &[&str]) = match peer % 3 {
        0 => ("ada", "admin", &["ops"]),
        1 => ("bob", "", &[]),
        _ => ("eve", "guest", &["ops", "other"]),
    };
    Identity { user: user.into(), role: role.into(), channels: channels.iter().map(|name| (*name).into()).collect() }
}

fn patterns(texts: &[String]) -> Option<Vec<Pattern>> {
    (!texts.is_empty()).then(|| texts.iter().filter_map(|text| Pattern::parse(text)).collect())
}

fn pick<T: Clone>(rng: &mut Rng, choices: &[T]) -> T {
    choices[rng.below(choices.len() as u64) as usize].clone()
}

impl PartialEq for Slot {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Slot {}

impl PartialOrd for Slot {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Slot {
    fn cmp(&self, _: &Self) -> std::cmp::Ordering {
        std::cmp::Ordering::Equal
    }
}
