//! What can go wrong for good, as the user sees it.

use super::words::words;

words! {
    /// The class of a failure; the text is the `code` of the JavaScript `SseError`.
    #[non_exhaustive]
    pub enum ErrorKind {
        /// The token provider was refused (401, 403), or the user was revoked.
        Unauthorized = "unauthorized",
        /// No connection.
        Network = "network",
        /// The stream was refused.
        Http = "http",
        /// The server broke the wire format.
        Protocol = "protocol",
        /// The token provider threw, hung or answered nonsense.
        Token = "token",
        /// The token is for another user than the application's.
        User = "user",
        /// A content security policy forbids it.
        Csp = "csp",
        /// An option is unknown or of the wrong type.
        Options = "options",
    }
}

/// What went wrong: the rows of one table, each with its class and one phrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    Lost,
    Silent,
    Unanswered,
    RefusedOnce,
    Unreadable,
    OtherUser,
    ProviderRefused,
    ProviderFailed,
    ProviderUnanswered,
    NoToken,
    TokenRefused,
    Redirected,
    Busy,
    NoStream,
    Url,
    Policy,
    TooLarge,
}

impl Cause {
    fn row(self) -> (ErrorKind, &'static str) {
        match self {
            Self::Lost => (ErrorKind::Network, "the connection was lost"),
            Self::Silent => (ErrorKind::Network, "the stream fell silent"),
            Self::Unanswered => (ErrorKind::Network, "the server did not answer in time"),
            Self::RefusedOnce => (ErrorKind::Network, "the stream was refused once"),
            Self::Unreadable => (ErrorKind::Network, "the status cannot be read"),
            Self::OtherUser => (ErrorKind::User, "the token is for another user"),
            Self::ProviderRefused => (ErrorKind::Unauthorized, "the token provider was refused"),
            Self::ProviderFailed => (ErrorKind::Token, "the token provider failed"),
            Self::ProviderUnanswered => (ErrorKind::Token, "the token provider did not answer in time"),
            Self::NoToken => (ErrorKind::Token, "the token provider's answer has no token"),
            Self::TokenRefused => (ErrorKind::Unauthorized, "the token was refused"),
            Self::Redirected => (ErrorKind::Unauthorized, "redirected, probably to a login page"),
            Self::Busy => (ErrorKind::Http, "the server is busy"),
            Self::NoStream => (ErrorKind::Http, "there is no event stream"),
            Self::Url => (ErrorKind::Options, "option `url`: the browser cannot read it"),
            Self::Policy => (ErrorKind::Csp, "a content security policy forbids the connection"),
            Self::TooLarge => (ErrorKind::Protocol, "an event is above the limit"),
        }
    }
}

/// A failure of the session: why it is waiting or gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    cause: Cause,
    /// The HTTP status, where one is known.
    pub status: Option<u16>,
    /// True while the session goes on trying by itself.
    pub retryable: bool,
}

impl Error {
    /// A failure that the session goes on from.
    pub(crate) fn new(cause: Cause, status: Option<u16>) -> Self {
        Self { cause, status, retryable: true }
    }

    /// The same, for a session that gives up.
    pub(crate) fn last(self) -> Self {
        Self { retryable: false, ..self }
    }

    /// Returns the class.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.cause.row().0
    }

    /// Returns one plain phrase.
    #[must_use]
    pub fn message(&self) -> &'static str {
        self.cause.row().1
    }
}
