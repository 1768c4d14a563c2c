//! Stream tokens for an app that knows its users by itself, and needs no session of the hub to prove who asks.

use tinysse::proto::audience::Identity;

use super::{
    Auth,
    jwt::STREAM,
    names::{self, BadName},
};

impl Auth {
    /// Returns a stream token for a user whom the app vouches for, now. A user who was revoked before has their rights back by that.
    ///
    /// `session` is the app's own name of the login, or empty: [`Revoke::Jti`](super::revoked::Revoke::Jti) of it ends the streams that it
    /// opened.
    ///
    /// # Errors
    /// [`BadName`].
    pub fn issue_for(&self, identity: Identity, session: &str) -> Result<String, BadName> {
        names::check(&identity)?;
        if !session.is_empty() {
            names::name("session", session)?;
        }
        let generation = self.revoked().generation(self.clock.unix_ms());
        Ok(self.keys.sign(&self.claims(STREAM, identity, Some(generation), self.token_ttl, session.to_owned())))
    }
}
