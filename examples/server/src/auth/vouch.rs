//! Stream tokens for an app that knows its users by itself, and needs no session of ours to prove who asks.

use tinysse::core::audience::Identity;

use super::{Auth, jwt::STREAM};

impl Auth {
    /// A stream token for a user whom the app vouches for, now. Whoever was revoked before has their rights back by that: the app said so.
    ///
    /// `session` is the app's own name of the login, or empty: [`Revoke::Jti`](super::revoked::Revoke::Jti) of it ends the streams that it
    /// opened.
    #[must_use]
    pub fn vouch(&self, identity: Identity, session: &str) -> String {
        let generation = self.revoked().generation(self.clock.unix_ms());
        self.keys.sign(&self.claims(STREAM, identity, Some(generation), self.token_ttl, session.to_owned()))
    }
}
