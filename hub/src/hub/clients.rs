//! The connected clients: who each is, how far it has come, what it is still due.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::Arc,
};

use tinysse::proto::{
    audience::Identity,
    registry::Pattern,
    time::Time,
    wire::control::{Bye, Gap, Reason},
};

use super::{log::Entry, slow::Waiting, trimmed::Route};

/// Names a connection inside the hub; numbers are not used twice. The name on the wire is the hello's `client`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(u64);

impl ClientId {
    /// Its number: the first connection has 1, and every later one a higher one.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0
    }
}

/// A map by connection, without any order.
pub type ClientMap<V> = HashMap<ClientId, V, BuildHasherDefault<Spread>>;

/// Numbers that count up need no more than to be spread over the bits (the golden ratio does it); nobody outside chooses them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spread(u64);

impl Hasher for Spread {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[derive(Debug)]
pub(super) struct Client {
    pub(super) name: Arc<str>,
    pub(super) identity: Identity,
    /// It cannot name the events it listens to.
    pub(super) folded: bool,
    pub(super) types: Option<Vec<Pattern>>,
    /// Everything up to here that the client may see was given out.
    pub(super) at: u64,
    /// The head of the log at the time of connecting, while the hello is still to be sent.
    pub(super) hello: Option<u64>,
    pub(super) gap: Gap,
    /// Its rights changed, and it was not notified yet.
    pub(super) refiltered: bool,
    /// The log was replaced since the client was last served, and why that is a loss.
    pub(super) renewed: Option<Gap>,
    /// The head of the log when it connected: up to here it is given a replay, which alone makes no client slow; what follows is live.
    pub(super) came: u64,
    /// Its connection takes no bytes, and this waits for it.
    pub(super) waiting: Option<Box<Waiting>>,
    /// Up to here it gets what is left to slow readers.
    pub(super) slow_until: u64,
    /// When the client was last given bytes.
    pub(super) spoke: Time,
    /// From then on it is asked to come again, and why.
    pub(super) ends: Option<(Time, Reason)>,
    pub(super) bye: Option<Bye>,
    /// The bye was sent, and the stream stays open until then.
    pub(super) stands: Option<Time>,
    pub(super) closed: bool,
}

impl Client {
    pub(super) fn new(name: Arc<str>, identity: Identity, types: Option<Vec<Pattern>>, now: Time) -> Self {
        Self {
            name,
            identity,
            folded: false,
            types,
            at: 0,
            hello: None,
            gap: Gap::None,
            refiltered: false,
            renewed: None,
            came: 0,
            waiting: None,
            slow_until: 0,
            spoke: now,
            ends: None,
            bye: None,
            stands: None,
            closed: false,
        }
    }

    /// By audience and by type, whatever the connection.
    pub(super) fn may_see(&self, topic: &Route) -> bool {
        topic.admits(&self.identity) && self.asked_for(&topic.kind)
    }

    pub(super) fn asked_for(&self, kind: &str) -> bool {
        self.types.as_ref().is_none_or(|types| types.iter().any(|pattern| pattern.matches(kind)))
    }

    pub(super) fn is_named(&self, except: Option<&str>) -> bool {
        except == Some(&*self.name)
    }

    pub(super) fn wants(&self, entry: &Entry) -> bool {
        self.may_see(&entry.topic) && !self.is_named(entry.except.as_deref())
    }
}

#[derive(Debug, Default)]
pub(super) struct Clients {
    last: u64,
    /// In boxes, so that a map that grows has little to move.
    by_id: ClientMap<Box<Client>>,
    /// Only ever asked for one name, so its order shows nowhere.
    by_name: HashMap<Arc<str>, ClientId>,
}

impl Clients {
    pub(super) fn next_id(&self) -> ClientId {
        ClientId(self.last + 1)
    }

    pub(super) fn next_name(&self) -> String {
        format!("c{}", self.last + 1)
    }

    pub(super) fn insert(&mut self, client: Client) -> ClientId {
        let id = self.next_id();
        self.last += 1;
        self.by_name.insert(Arc::clone(&client.name), id);
        self.by_id.insert(id, Box::new(client));
        id
    }

    pub(super) fn remove(&mut self, id: ClientId) -> Option<Client> {
        let client = self.by_id.remove(&id)?;
        // A later connection may have come under the same name; it keeps it.
        if self.by_name.get(&client.name) == Some(&id) {
            self.by_name.remove(&client.name);
        }
        Some(*client)
    }

    pub(super) fn get(&self, id: ClientId) -> Option<&Client> {
        self.by_id.get(&id).map(|client| &**client)
    }

    pub(super) fn get_mut(&mut self, id: ClientId) -> Option<&mut Client> {
        self.by_id.get_mut(&id).map(|client| &mut **client)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Client> {
        self.by_id.values_mut().map(|client| &mut **client)
    }

    pub(super) fn find(&self, name: &str) -> Option<ClientId> {
        self.by_name.get(name).copied()
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = ClientId> + use<> {
        let mut ids: Vec<_> = self.by_id.keys().copied().collect();
        ids.sort_unstable();
        ids.into_iter()
    }
}
