//! The table of connected clients, by number and by name.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::Arc,
};

use super::client::Client;

/// Names a connection inside the hub; numbers are not used twice. The name on the wire is the
/// hello's `client`.
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

/// Numbers that count up need no more than to be spread over the bits (the golden ratio does it);
/// nobody outside chooses them.
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
        self.by_name.insert(Arc::clone(client.name()), id);
        self.by_id.insert(id, Box::new(client));
        id
    }

    pub(super) fn remove(&mut self, id: ClientId) -> Option<Client> {
        let client = self.by_id.remove(&id)?;
        // A later connection may have come under the same name; it keeps it.
        if self.by_name.get(client.name()) == Some(&id) {
            self.by_name.remove(client.name());
        }
        Some(*client)
    }

    pub(super) fn get(&self, id: ClientId) -> Option<&Client> {
        self.by_id.get(&id).map(|client| &**client)
    }

    pub(super) fn get_mut(&mut self, id: ClientId) -> Option<&mut Client> {
        self.by_id.get_mut(&id).map(|client| &mut **client)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Client> {
        self.by_id.values().map(|client| &**client)
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
