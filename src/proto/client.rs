//! A whole client, composed: the session's updates, given to whom the registry names, when the
//! coalescer releases them.

use alloc::{string::String, vec::Vec};

use super::{
    coalescer::Coalescer,
    queue::Queue,
    registry::{Pattern, Registry, Subscriber},
    session::{
        Config, Session,
        bytes::UpdateSink,
        io::{Input, Output, Ticket, Update, UpdateRef},
    },
    time::Time,
    wire::decode::Interest,
};

/// Session, registry and coalescer in one hand.
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
    coalescer: Coalescer<String, Update>,
    /// What the coalescer gave out when its window ended.
    ready: Queue<Update>,
    now: Time,
}

impl Client {
    /// An idle client. `coalesce` is the window, in milliseconds, in which only the latest update
    /// of a type is delivered; 0 delivers each one. `seed` is the source of all jitter.
    #[must_use]
    pub fn new(config: Config, coalesce: u64, seed: u64) -> Self {
        Self {
            session: Session::new(config, seed),
            registry: Registry::default(),
            coalescer: Coalescer::new(coalesce),
            ready: Queue::new(),
            now: Time::default(),
        }
    }

    /// Takes one input. Call [`poll`](Self::poll) until [`Output::Sleep`] afterwards.
    pub fn handle(&mut self, now: Time, input: Input) {
        // The cursor is past what a window holds: a stop must neither lose it nor let it come
        // later.
        let held = if matches!(input, Input::Stop) { self.coalescer.close() } else { self.coalescer.flush(now) };
        self.give_out(now, held);
        let changes = self.session.user_changes();
        self.session.handle(now, input);
        if self.session.user_changes() != changes {
            self.coalescer.close(); // what it holds is for another user
            self.ready = Queue::new();
        }
    }

    /// Takes bytes of a stream that core decodes; see [`Session::handle_bytes`].
    pub fn handle_bytes(&mut self, now: Time, ticket: Ticket, bytes: &[u8]) {
        let held = self.coalescer.flush(now);
        self.give_out(now, held);
        let mut sorter = CoalescingSink { registry: &self.registry, coalescer: &mut self.coalescer, waits: false };
        self.session.handle_bytes(now, ticket, bytes, &mut sorter);
    }

    fn give_out(&mut self, now: Time, held: Vec<Update>) {
        self.now = now;
        for update in held {
            self.ready.push(update);
        }
    }

    /// The next thing to do: the session's outputs, of whose updates a window lets only the latest
    /// pass. [`matching`](Self::matching) names who wants one.
    pub fn poll(&mut self) -> Output {
        if let Some(update) = self.ready.pop() {
            return Output::Update(update);
        }
        loop {
            let output = self.session.poll();
            if let Output::Sleep(due) = output {
                let windows = self.coalescer.due();
                return Output::Sleep(if due.is_none() || windows.is_some_and(|at| Some(at) < due) {
                    windows
                } else {
                    due
                });
            }
            if let Output::Update(update) = output {
                let key = if self.coalescer.holds() { update.frame.event.clone() } else { String::new() };
                if let Some(update) = self.coalescer.add(self.now, key, update) {
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
        self.coalescer.replaced()
    }

    /// Resumes from a cursor that was stored elsewhere; see [`Session::set_cursor`].
    pub fn set_cursor(&mut self, cursor: &str, user: &str) {
        self.session.set_cursor(cursor, user);
    }
}

/// Takes what replaces something that a window holds, which needs no memory of its own.
struct CoalescingSink<'a> {
    registry: &'a Registry,
    coalescer: &'a mut Coalescer<String, Update>,
    /// Something waits to be polled, and is older than what a window holds: from then on everything
    /// waits behind it.
    waits: bool,
}

impl UpdateSink for CoalescingSink<'_> {
    fn interest(&mut self, kind: &str) -> Interest {
        match self.registry.wants(kind) {
            false => Interest::Ignored,
            true if !self.waits && self.coalescer.replaces(|held| held == kind) => Interest::Newest,
            true => Interest::Each,
        }
    }

    fn consume(&mut self, update: UpdateRef<'_>, before: u32) -> bool {
        let held =
            if self.waits { None } else { self.coalescer.replaceable(|kind| kind == update.frame.event, 1 + before) };
        self.waits |= held.is_none();
        held.map(|held| held.replace(update)).is_some()
    }
}
