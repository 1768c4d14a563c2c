//! What can go wrong, as owned data: an error may outlive the client, be cloned, and cross into
//! `anyhow` or a framework's boundary.

use std::{boxed::Box, error, fmt, string::String, vec};

use js_sys::JsString;
use wasm_bindgen::JsValue;

use super::js;
use crate::proto::error::ErrorKind;

/// Why a client could not be built, a pattern was refused, or a connection is not there.
///
/// ```no_run
/// use std::error::Error as _;
/// use tinysse::{ErrorKind, SseClient};
///
/// let error = SseClient::builder("").build().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Options);
/// assert!(error.source().is_none() && !error.retryable());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    status: Option<u16>,
    retryable: bool,
    cause: Option<Cause>,
}

impl Error {
    /// The class of the failure.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The HTTP status, where one is known.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// True while the client goes on trying by itself.
    #[must_use]
    pub fn retryable(&self) -> bool {
        self.retryable
    }

    /// A mistake in the arguments.
    pub(super) fn option(message: String) -> Self {
        Self { kind: ErrorKind::Options, message, status: None, retryable: false, cause: None }
    }

    /// An `SseError` of the class.
    pub(super) fn read(error: &JsValue) -> Self {
        Self {
            kind: js::word(error, "code", ErrorKind::parse, ErrorKind::Protocol),
            message: message(error),
            status: js::number(error, "status").map(|status| status as u16), // saturates
            retryable: js::field(error, "retryable").is_truthy(),
            cause: Cause::of(error, DEEPEST),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.status.map_or(Ok(()), |status| write!(f, " ({status})"))
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(self.cause.as_ref()?)
    }
}

/// The cause of an error, kept as its message; its own cause is its
/// [`source`](error::Error::source).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    message: String,
    next: Option<Box<Self>>,
}

/// Causes of causes that are kept. A chain may be long, or in JavaScript a ring.
const DEEPEST: usize = 8;

impl Cause {
    /// The whole chain of a Rust error.
    pub(super) fn new(error: &(dyn error::Error + 'static)) -> Self {
        let mut messages = vec![std::format!("{error}")];
        let mut at = error.source();
        while let Some(source) = at.filter(|_| messages.len() < DEEPEST) {
            messages.push(std::format!("{source}"));
            at = source.source();
        }
        let link = |next, message| Some(Box::new(Self { message, next }));
        messages.into_iter().rev().fold(None, link).map_or_else(|| Self::text(String::new()), |first| *first)
    }

    pub(super) fn text(message: String) -> Self {
        Self { message, next: None }
    }

    /// The `cause` of a JavaScript error.
    fn of(error: &JsValue, left: usize) -> Option<Self> {
        let cause = js::field(error, "cause");
        if left == 0 || cause.is_undefined() || cause.is_null() {
            return None;
        }
        Some(Self { message: message(&cause), next: Self::of(&cause, left - 1).map(Box::new) })
    }

    /// The same chain as JavaScript errors.
    pub(super) fn into_js(self) -> JsValue {
        let error = js_sys::Error::new(&self.message).into();
        if let Some(next) = self.next {
            js::set(&error, "cause", &next.into_js());
        }
        error
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl error::Error for Cause {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(self.next.as_deref()?)
    }
}

/// What is thrown need not be an error.
fn message(thrown: &JsValue) -> String {
    js::text(thrown, "message").unwrap_or_else(|| {
        // A `Symbol` has no text, and an object's `toString` is the application's: both may throw.
        thrown.as_string().unwrap_or_else(|| {
            let text = js_sys::JSON::stringify(thrown).ok().and_then(|text: JsString| text.as_string());
            text.unwrap_or_else(|| "something that is no error".into())
        })
    })
}
