//! Whose a connection is and what it asked for: together they decide which updates it gets.

use std::sync::Arc;

use tinysse::proto::{audience::Identity, registry::Pattern};

use super::{entry::Entry, route::Route};

/// The identity behind a connection, its name, and the types that it asked for.
#[derive(Debug)]
pub(super) struct Subscription {
    name: Arc<str>,
    identity: Identity,
    types: Option<Vec<Pattern>>,
}

impl Subscription {
    pub(super) fn new(name: Arc<str>, identity: Identity, types: Option<Vec<Pattern>>) -> Self {
        Self { name, identity, types }
    }

    /// Returns the name of the connection: the `client` of its hello.
    pub(super) fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub(super) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Returns the types that it gets; `None` for all.
    pub(super) fn types(&self) -> Option<&[Pattern]> {
        self.types.as_deref()
    }

    /// Returns true if identity and types are these.
    pub(super) fn is(&self, identity: &Identity, types: Option<&[Pattern]>) -> bool {
        self.identity == *identity && self.types() == types
    }

    pub(super) fn replace(&mut self, identity: Identity, types: Option<Vec<Pattern>>) {
        (self.identity, self.types) = (identity, types);
    }

    /// Returns true if audience and type allow it, whatever the connection.
    pub(super) fn may_see(&self, route: &Route) -> bool {
        route.admits(&self.identity) && self.asked_for(route.kind())
    }

    pub(super) fn asked_for(&self, kind: &str) -> bool {
        self.types.as_ref().is_none_or(|types| types.iter().any(|pattern| pattern.matches(kind)))
    }

    /// Returns true if this is the connection that an update excludes.
    pub(super) fn is_excluded(&self, except: Option<&str>) -> bool {
        except == Some(&*self.name)
    }

    /// Returns true if the connection gets the update.
    pub(super) fn wants(&self, entry: &Entry) -> bool {
        self.may_see(entry.route()) && !self.is_excluded(entry.except())
    }
}
