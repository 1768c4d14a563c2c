//! An update as the log keeps it.

use std::sync::Arc;

use tinysse::proto::{audience::Audience, time::Time};

use super::{
    Update,
    encoded_frame::{EncodedFrame, EncodedFrames},
    latest::CoalesceKey,
    route::Route,
};

/// An update of the log.
#[derive(Debug)]
pub(super) struct Entry {
    at: Time,
    /// The whole frame, encoded once for all clients.
    frames: EncodedFrames,
    route: Arc<Route>,
    /// The connection, by name, that must not get it.
    except: Option<String>,
    /// By this key a newer update replaces it, if its type is coalesced for slow readers.
    coalesce_key: Option<Arc<CoalesceKey>>,
}

impl Entry {
    /// Makes the entry of an update that was logged at `at` and encoded as `frame`.
    pub(super) fn new(at: Time, frame: &[u8], update: Update, coalesced: bool) -> Self {
        let Update { kind, data: _, key, to, origin, except, at: _ } = update;
        let route = Route::new(kind, to);
        let coalesce_key = coalesced.then(|| CoalesceKey::new(Arc::clone(&route), key, origin, except.clone()));
        Self { at, frames: EncodedFrames::new(frame), route, except, coalesce_key }
    }

    /// Returns the time when it was logged.
    pub(super) fn at(&self) -> Time {
        self.at
    }

    pub(super) fn kind(&self) -> &str {
        self.route.kind()
    }

    pub(super) fn to(&self) -> &[Audience] {
        self.route.to()
    }

    pub(super) fn route(&self) -> &Route {
        &self.route
    }

    pub(super) fn into_route(self) -> Arc<Route> {
        self.route
    }

    /// Returns the name of the connection that must not get it.
    pub(super) fn except(&self) -> Option<&str> {
        self.except.as_deref()
    }

    pub(super) fn coalesce_key(&self) -> Option<&Arc<CoalesceKey>> {
        self.coalesce_key.as_ref()
    }

    /// Returns the frame as it was encoded.
    pub(super) fn frame(&self) -> &[u8] {
        self.frames.frame()
    }

    /// Returns the form for a client; `made` grows by the bytes of a form that is new.
    pub(super) fn form(&self, folded: bool, made: &mut usize) -> &EncodedFrame {
        self.frames.form(folded, made)
    }

    /// Returns the bytes that it takes in memory beside the index.
    pub(super) fn weight(&self) -> usize {
        size_of::<Self>()
            + self.frames.size()
            + self.route.weight()
            + self.except.as_ref().map_or(0, String::len)
            + self.coalesce_key.as_ref().map_or(0, |key| key.weight())
    }
}
