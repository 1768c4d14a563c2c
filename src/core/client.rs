//! A whole client, composed: the session's updates, given to whom the registry names, when the batch says so.

use alloc::{string::String, vec::Vec};

use super::{
    batch::Batch,
    queue::Queue,
    registry::{Pattern, Registry, Subscriber},
    session::{
        Config, Session,
        io::{AskReason, Input, Output, Resync, Status, Ticket, Update},
        token::Token,
    },
    time::Time,
    wire::Frame,
};

/// What the client tells the shell: the session's outputs, with updates addressed.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Ask the token provider.
    Ask(Ticket, AskReason),
    /// Abort that question.
    Forget(Ticket),
    /// Open a stream with this token, from this cursor (empty for none).
    Open(Ticket, Option<Token>, String),
    /// Close a stream.
    Close(Ticket),
    /// Give an update to these subscribers, in this order. One that is gone by now is skipped.
    Call(Update, Vec<Subscriber>),
    /// Tell that updates may be missing.
    Resync(Resync),
    /// Tell the new status.
    Status(Status),
    /// Hear what the leading tab passes on, from this cursor.
    Follow(Ticket, String),
    /// What the stream said, for tabs that follow this one.
    Heard(Frame),
    /// The end of the list: come back with [`Input::Tick`] at this time.
    Sleep(Option<Time>),
}

/// Session, registry and batch in one hand.
///
/// ```
/// use tinysse::core::{client::{Action, Client}, registry::Pattern, session::{Config, io::Input}, time::Time};
/// let mut client = Client::new(Config { provider: false, ..Config::default() }, 0, 7);
/// client.subscribe([Pattern::parse("projects").unwrap()]);
/// client.handle(Time(0), Input::Start);
/// while !matches!(client.poll(), Action::Sleep(_)) { /* perform it */ }
/// ```
#[derive(Debug)]
pub struct Client {
    session: Session,
    registry: Registry,
    batch: Batch<String, Update>,
    actions: Queue<Action>,
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
            actions: Queue::new(),
        }
    }

    /// Takes one input. Call [`poll`](Self::poll) until [`Action::Sleep`] afterwards.
    pub fn handle(&mut self, now: Time, input: Input) {
        // The cursor stands behind what a window holds: a stop must neither lose it nor let it come later.
        let held = if matches!(input, Input::Stop) { self.batch.close() } else { self.batch.flush(now) };
        self.call_all(held);
        self.session.handle(now, input);
        self.collect(now);
    }

    /// Takes bytes of a stream that core decodes; see [`Session::bytes`].
    pub fn bytes(&mut self, now: Time, ticket: Ticket, bytes: &[u8]) {
        let held = self.batch.flush(now);
        self.call_all(held);
        self.session.bytes(now, ticket, bytes);
        self.collect(now);
    }

    fn call_all(&mut self, updates: Vec<Update>) {
        for update in updates {
            self.call(update);
        }
    }

    /// Takes what the session says.
    fn collect(&mut self, now: Time) {
        loop {
            let action = match self.session.poll() {
                Output::Ask { ticket, reason } => Action::Ask(ticket, reason),
                Output::Forget(ticket) => Action::Forget(ticket),
                Output::Open { ticket, token, cursor } => Action::Open(ticket, token, cursor),
                Output::Close(ticket) => Action::Close(ticket),
                Output::Follow { ticket, cursor } => Action::Follow(ticket, cursor),
                Output::Heard(frame) => Action::Heard(frame),
                Output::Stranger => {
                    self.batch.close(); // what it holds was meant for another user
                    continue;
                }
                Output::Update(update) => {
                    let key = update.frame.event.clone();
                    if let Some(update) = self.batch.add(now, key, update) {
                        self.call(update);
                    }
                    continue;
                }
                Output::Resync(resync) => Action::Resync(resync),
                Output::Status(status) => Action::Status(status),
                Output::Sleep(_) => break,
            };
            self.actions.push(action);
        }
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Action {
        self.actions.pop().unwrap_or_else(|| {
            let Output::Sleep(session) = self.session.poll() else {
                return Action::Sleep(Some(Time(0)));
            };
            Action::Sleep(session.into_iter().chain(self.batch.due()).min())
        })
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

    /// The types that subscribers ask for by name.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.registry.names()
    }

    /// How many updates were left out for a later one of their type.
    #[must_use]
    pub fn coalesced(&self) -> u32 {
        self.batch.replaced()
    }

    /// Says whom the streams are for, if it is known without a token; else tabs share what their tokens' user has.
    pub fn set_user(&mut self, user: String) {
        self.session.set_user(user);
    }

    /// Resumes from a cursor that was kept elsewhere.
    pub fn set_cursor(&mut self, cursor: String) {
        self.session.set_cursor(cursor);
    }

    fn call(&mut self, update: Update) {
        let to = self.registry.matching(&update.frame.event);
        if !to.is_empty() {
            self.actions.push(Action::Call(update, to));
        }
    }
}
