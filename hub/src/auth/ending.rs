//! The sessions that a request wants to end: at logout, and at a login that replaces another one.

use axum::http::HeaderMap;

use super::{
    Auth,
    jwt::{Claims, Invalid},
    revoked::Revoke,
};

/// What a request shows of sessions, for ending them.
#[derive(Debug, Default)]
pub struct Ending {
    /// The sessions with a good signature, each once.
    pub sessions: Vec<Claims>,
    /// True if the request showed something that is not a session of this server.
    pub unknown: bool,
}

impl Auth {
    /// Returns every session that a request shows, whether or not it is still valid.
    ///
    /// A stream may outlive the session that opened it, and a revocation may have failed to be recorded. So an expired session and a
    /// revoked one can be ended too.
    pub async fn ending(&self, headers: &HeaderMap) -> Ending {
        let mut ending = Ending::default();
        for token in self.sessions.shown(headers) {
            match self.sessions.signed(&self.keys, token, self.clock.now(), self.clock.unix_ms()).await {
                Ok(claims) if ending.sessions.iter().any(|known| known.jti == claims.jti) => {}
                Ok(claims) => ending.sessions.push(claims),
                Err(Invalid::Expired | Invalid::Early | Invalid::UnknownKey | Invalid::Forged | Invalid::BadName) => {
                    ending.unknown = true
                }
            }
        }
        ending
    }

    /// Remembers that a revocation is on disk and known to the other nodes.
    pub fn recorded(&self, whom: &Revoke) {
        self.revoked().recorded(whom);
    }

    /// Returns true if this revocation needs no repetition. May return false for one that is recorded.
    #[must_use]
    pub fn is_recorded(&self, whom: &Revoke) -> bool {
        self.revoked().is_recorded(whom)
    }
}
