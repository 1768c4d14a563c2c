//! Type and audience of an update: together they decide which clients get it.

use std::sync::Arc;

use tinysse::proto::audience::{Audience, Identity};

/// The type and the audience of an update.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Route {
    kind: String,
    /// Sorted; empty means all clients.
    to: Vec<Audience>,
}

impl Route {
    pub(super) fn new(kind: String, mut to: Vec<Audience>) -> Arc<Self> {
        if to.contains(&Audience::All) {
            to.clear();
        }
        to.sort_unstable();
        to.dedup();
        Arc::new(Self { kind, to })
    }

    pub(super) fn kind(&self) -> &str {
        &self.kind
    }

    /// Returns the audiences, sorted; none means all clients.
    pub(super) fn to(&self) -> &[Audience] {
        &self.to
    }

    /// Returns the bytes that it takes in memory.
    pub(super) fn weight(&self) -> usize {
        let names = self.to.iter().map(|audience| audience.name().len()).sum::<usize>();
        size_of::<Self>() + self.kind.len() + size_of_val(&*self.to) + names
    }

    /// Returns true if one of the audiences contains `identity`.
    pub(super) fn admits(&self, identity: &Identity) -> bool {
        self.to.is_empty() || self.to.iter().any(|audience| audience.admits(identity))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_audience_for_all_is_everybody() {
        let route = Route::new("a".into(), vec![Audience::User("ada".into()), Audience::All]);
        assert!(route.to.is_empty() && route.admits(&Identity::default()));
    }
}
