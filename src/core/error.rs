//! What can go wrong for good, as the user sees it.

/// The class of a failure; the text is the `code` of the JavaScript `SseError`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Code {
    /// The token provider was refused (401, 403), or the user was revoked.
    Unauthorized,
    /// No connection.
    Network,
    /// The stream was refused.
    Http,
    /// The server broke the wire format.
    Protocol,
    /// The token provider threw, hung or answered nonsense.
    Token,
    /// The token is for another user than the application's.
    User,
    /// A content security policy forbids it.
    Csp,
    /// An option is unknown or of the wrong type.
    Options,
}

impl Code {
    /// The code as JavaScript sees it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::Network => "network",
            Self::Http => "http",
            Self::Protocol => "protocol",
            Self::Token => "token",
            Self::User => "user",
            Self::Csp => "csp",
            Self::Options => "options",
        }
    }
}

/// A failure of the session: why it is waiting or gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// The class.
    pub code: Code,
    /// The HTTP status, where one is known.
    pub status: Option<u16>,
    /// True while the session goes on trying by itself.
    pub retryable: bool,
    /// One plain sentence.
    pub message: &'static str,
}

impl Error {
    /// A failure that the session goes on from.
    pub(crate) fn new(code: Code, status: Option<u16>, message: &'static str) -> Self {
        Self { code, status, retryable: true, message }
    }
}
