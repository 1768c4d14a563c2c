//! Rights that change under a stream.

use tinysse::proto::{audience::Identity, registry::Pattern, wire::control::Gap};

use super::{ClientId, Hub};

impl Hub {
    /// Replaces the client's rights: what is still due is judged by them, after a resync that announces it.
    ///
    /// Nothing moves the cursor: what waits and is still allowed follows. Answers whether it is news.
    pub fn rights(&mut self, id: ClientId, identity: Identity, types: Option<Vec<Pattern>>) -> bool {
        let Some(client) = self.clients.get_mut(id) else { return false };
        if client.identity == identity && client.types == types {
            return false;
        }
        self.routing.remove(id, &client.identity);
        self.routing.insert(id, &identity);
        self.watched.leave(client);
        (client.identity, client.types, client.refiltered) = (identity, types, true);
        self.watched.come(client);
        true
    }

    /// The client's rights changed since its last stream: whatever its cursor, it missed something. Before the first poll.
    pub fn changed(&mut self, id: ClientId) {
        if let Some(client) = self.clients.get_mut(id).filter(|client| client.gap == Gap::None) {
            client.gap = Gap::Rights;
        }
    }
}
