//! The sessions that a request wants to end: at logout, and at a login that replaces another one.

use super::jwt::{Claims, Invalid};

/// What a request shows of sessions, for ending them.
#[derive(Debug, Default)]
pub struct Ending {
    /// The sessions with a good signature, each once.
    pub sessions: Vec<Claims>,
    /// True if the request showed something that is not a session of this server.
    pub unknown: bool,
}

impl Ending {
    /// Adds what a token turned out to be.
    pub(super) fn add(&mut self, token: Result<Claims, Invalid>) {
        match token {
            Ok(claims) if self.sessions.iter().any(|known| known.jti == claims.jti) => {}
            Ok(claims) => self.sessions.push(claims),
            Err(Invalid::Expired | Invalid::Early | Invalid::UnknownKey | Invalid::Forged | Invalid::BadName) => {
                self.unknown = true
            }
        }
    }
}
