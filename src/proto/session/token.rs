//! Tokens: a secret with a type of its own, and the small machine that keeps at most one question
//! open.

use alloc::string::String;
use core::fmt;

use super::io::{Ticket, TokenFailure, TokenReason};
use crate::proto::time::Time;

/// A stream token. `Debug` hides it: it must appear in no log and no error.
///
/// ```
/// use tinysse::proto::session::token::Token;
/// let token = Token::new("eyJhbGciOi".into());
/// assert_eq!(format!("{token:?}"), "Token(…)");
/// assert_eq!(token.reveal(), "eyJhbGciOi");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Wraps a secret.
    #[must_use]
    pub fn new(secret: String) -> Self {
        Self(secret)
    }

    /// The secret itself, for the one place that sends it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// A good answer of the token provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The token.
    pub token: Token,
    /// How long it lives, in milliseconds, if that is known.
    pub expires_in: Option<u64>,
    /// Whom it speaks for; empty if that is not known.
    pub user: String,
}

impl Grant {
    /// Returns `None` for an empty token; one that is over already would be asked for again at
    /// once, for ever.
    pub(super) fn check(self) -> Result<Self, TokenFailure> {
        if self.token.reveal().is_empty() || self.expires_in == Some(0) {
            Err(TokenFailure::Malformed)
        } else {
            Ok(self)
        }
    }
}

/// What the session knows about its token; orthogonal to its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TokenState {
    /// None, and nobody was asked.
    Absent(TokenReason),
    /// The provider was asked.
    Asked(Ticket, TokenReason),
    /// Usable until the moment given.
    Held(Token, Option<Time>),
}

impl TokenState {
    /// A held token whose time is over is no token.
    pub(super) fn expire(&mut self, now: Time) {
        if let Self::Held(_, Some(end)) = self
            && *end <= now
        {
            *self = Self::Absent(TokenReason::Expired);
        }
    }
}
