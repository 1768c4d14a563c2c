//! Which updates are the newest of their kind: a newer one repeats what an older one announced.

use std::{collections::HashMap, sync::Arc};

use super::route::Route;

/// Updates that are alike in all this reach the same clients and concern the same thing, so the
/// newest of them replaces all.
///
/// Tab and connection count too: a client that takes an update for its own echo must not lose
/// another client's by that.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct CoalesceKey {
    route: Arc<Route>,
    key: Option<String>,
    origin: Option<String>,
    except: Option<String>,
}

/// The newest place of each; as many as the log has updates, at most. Only ever asked for one, so
/// its order shows nowhere.
#[derive(Debug, Default)]
pub(super) struct Newest(HashMap<Arc<CoalesceKey>, u64>);

impl Newest {
    /// Takes note of an update. Places must rise.
    pub(super) fn note(&mut self, seq: u64, same: &Arc<CoalesceKey>) {
        self.0.insert(Arc::clone(same), seq);
    }

    /// The update at `seq` was trimmed.
    pub(super) fn forget(&mut self, seq: u64, same: &CoalesceKey) {
        if self.0.get(same) == Some(&seq) {
            self.0.remove(same);
        }
    }

    /// Whether a newer update replaces the one at `seq`.
    pub(super) fn replaced(&self, seq: u64, same: &CoalesceKey) -> bool {
        self.0.get(same).is_some_and(|newest| *newest > seq)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl CoalesceKey {
    pub(super) fn new(
        route: Arc<Route>,
        key: Option<String>,
        origin: Option<String>,
        except: Option<String>,
    ) -> Arc<Self> {
        Arc::new(Self { route, key, origin, except })
    }

    /// What it costs in memory beside its route, near enough.
    pub(super) fn weight(&self) -> usize {
        let texts = [&self.key, &self.origin, &self.except].into_iter().flatten();
        // The entry of the map is the place and twice a pointer, with some spare bytes.
        size_of::<Self>() + 48 + texts.map(String::len).sum::<usize>()
    }
}
