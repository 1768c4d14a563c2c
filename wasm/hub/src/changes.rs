//! Whose rights changed, and at which place of the log: so that a client that was away meanwhile
//! refetches.
//!
//! A replay is filtered by the rights of now. What lies before the cursor is not sent again, and
//! who gained a right has never seen it.

use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
};

use tinysse::proto::wire::id::EventId;
use tinysse_hub::hub::{Rights, written};

/// Users whose rights are remembered; the first that came is forgotten first. Of who is forgotten
/// no change is seen.
const REMEMBERED: usize = 100_000;

/// The rights that users had last.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    known: HashMap<u64, Known>,
    order: VecDeque<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    rights: u64,
    /// The head of the log when they became these, if they were others before.
    since: Option<u64>,
}

impl Changes {
    /// Takes note of what a user may see now. Returns true if that was something else since
    /// `cursor`.
    pub(crate) fn outdated(&mut self, rights: &Rights, cursor: Option<&str>, head: EventId) -> bool {
        let user = print(|into| rights.identity.user.hash(into));
        let now = print(|into| {
            rights.identity.role.hash(into);
            rights.identity.channels.hash(into);
            rights.types.as_ref().map(|types| types.iter().map(written).collect::<Vec<_>>()).hash(into);
        });
        let since = match self.known.get(&user) {
            None => {
                self.order.push_back(user);
                None
            }
            Some(known) if known.rights == now => known.since,
            Some(_) => Some(head.seq),
        };
        self.known.insert(user, Known { rights: now, since });
        if self.order.len() > REMEMBERED
            && let Some(first) = self.order.pop_front()
        {
            self.known.remove(&first);
        }
        let cursor = cursor.and_then(EventId::parse).filter(|cursor| cursor.epoch == head.epoch);
        cursor.zip(since).is_some_and(|(cursor, since)| cursor.seq <= since)
    }
}

fn print(hash: impl FnOnce(&mut DefaultHasher)) -> u64 {
    let mut hasher = DefaultHasher::new();
    hash(&mut hasher);
    hasher.finish()
}
