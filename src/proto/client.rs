//! A whole client, composed: the session's updates, given to whom the registry names, when the batch says so.

use alloc::{string::String, vec::Vec};

use super::{
    coalescer::Batch,
    queue::Queue,
    registry::{Pattern, Registry, Subscriber},
    session::{
        Config, Session,
        bytes::Wants,
        io::{Heard, Input, Output, Ticket, Update},
    },
    time::Time,
    wire::decode::Interest,
};

/// Session, registry and batch in one hand.
///
/// ```
/// use tinysse::proto::{client::Client, registry::Pattern, session::{Config, io::{Input, Output}}, time::Time};
/// let mut client = Client::new(Config { provider: false, ..Config::default() }, 0, 7);
/// client.subscribe([Pattern::parse("projects").unwrap()]);
/// client.handle(Time(0), Input::Start);
/// while !matches!(client.poll(), Output::Sleep(_)) { /* perform it */ }
/// ```
#[derive(Debug)]
pub struct Client {
    session: Session,
    registry: Registry,
    batch: Batch<String, Update>,
    /// What the batch gave out when its window ended.
    ready: Queue<Update>,
    now: Time,
}

impl Client {
    /// An idle client. `coalesce` is the window, in milliseconds, in which only the latest update of a type is delivered; 0 delivers
    /// each one. `seed` is the source of all jitter.
    #[must_use]
    pub fn new(config: Config, coalesce: u64, seed: u64) -> Self {
        Self {
            session: Session::new(config, seed),
            registry: Registry::default(),
            batch: Batch::new(coalesce),
            ready: Queue::new(),
            now: Time::default(),
        }
    }

    /// Takes one input. Call [`poll`](Self::poll) until [`Output::Sleep`] afterwards.
    pub fn handle(&mut self, now: Time, input: Input) {
        // The cursor stands behind what a window holds: a stop must neither lose it nor let it come later.
        let held = if matches!(input, Input::Stop) { self.batch.close() } else { self.batch.flush(now) };
        self.give_out(now, held);
        let changes = self.session.user_changes();
        self.session.handle(now, input);
        if self.session.user_changes() != changes {
            self.batch.close(); // what it holds is for another user
            self.ready = Queue::new();
        }
    }

    /// Takes bytes of a stream that core decodes; see [`Session::bytes`].
    pub fn bytes(&mut self, now: Time, ticket: Ticket, bytes: &[u8]) {
        let held = self.batch.flush(now);
        self.give_out(now, held);
        let mut sorter = Sorter { registry: &self.registry, batch: &mut self.batch, waits: false };
        self.session.bytes(now, ticket, bytes, &mut sorter);
    }

    fn give_out(&mut self, now: Time, held: Vec<Update>) {
        self.now = now;
        for update in held {
            self.ready.push(update);
        }
    }

    /// The next thing to do: the session's outputs, of whose updates a window lets only the latest pass.
    /// [`matching`](Self::matching) says who wants one.
    pub fn poll(&mut self) -> Output {
        if let Some(update) = self.ready.pop() {
            return Output::Update(update);
        }
        loop {
            let output = self.session.poll();
            if let Output::Sleep(due) = output {
                let windows = self.batch.due();
                return Output::Sleep(if due.is_none() || windows.is_some_and(|at| Some(at) < due) {
                    windows
                } else {
                    due
                });
            }
            if let Output::Update(update) = output {
                let key = if self.batch.holds() { update.frame.event.clone() } else { String::new() };
                if let Some(update) = self.batch.add(self.now, key, update) {
                    return Output::Update(update);
                }
            } else {
                return output;
            }
        }
    }

    /// The subscribers that want an update of this type, in the order in which they came.
    #[must_use]
    pub fn matching(&self, kind: &str) -> Vec<Subscriber> {
        self.registry.matching(kind)
    }

    /// Adds a subscriber for any of these patterns.
    pub fn subscribe(&mut self, patterns: impl IntoIterator<Item = Pattern>) -> Subscriber {
        self.registry.add(patterns)
    }

    /// Removes a subscriber; false if it was not there.
    pub fn unsubscribe(&mut self, subscriber: Subscriber) -> bool {
        self.registry.remove(subscriber)
    }

    /// The connection, to look at.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// How many updates were left out for a later one of their type.
    #[must_use]
    pub fn coalesced(&self) -> u32 {
        self.batch.replaced()
    }

    /// Resumes from a cursor that was stored elsewhere; see [`Session::set_cursor`].
    pub fn set_cursor(&mut self, cursor: &str, user: &str) {
        self.session.set_cursor(cursor, user);
    }
}

/// Takes what replaces something that a window holds, which needs no memory of its own.
struct Sorter<'a> {
    registry: &'a Registry,
    batch: &'a mut Batch<String, Update>,
    /// Something waits to be polled, and is older than what a window holds: from then on everything waits behind it.
    waits: bool,
}

impl Wants for Sorter<'_> {
    fn interest(&mut self, kind: &str) -> Interest {
        match self.registry.wants(kind) {
            false => Interest::Nobody,
            true if !self.waits && self.batch.replaces(|held| held == kind) => Interest::Newest,
            true => Interest::Each,
        }
    }

    fn take(&mut self, heard: Heard<'_>, before: u32) -> bool {
        let held = if self.waits { None } else { self.batch.replaceable(|kind| kind == heard.seen.event, 1 + before) };
        self.waits |= held.is_none();
        held.map(|held| held.replace(heard)).is_some()
    }
}
