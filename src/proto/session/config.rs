//! The configuration of a session.

use crate::proto::backoff::Policy;

/// The numbers a session lives by; times in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// True if there is a token provider; without one, streams are opened with no token.
    pub provider: bool,
    /// How long the token provider may take.
    pub token_timeout: u32,
    /// How long a stream may take to open, and a native retry to succeed.
    pub connect_timeout: u32,
    /// The longest silence before `hello` has named the beat; afterwards two beats. 0: before a
    /// hello, silence means nothing.
    pub heartbeat_timeout: u32,
    /// Watch streams without a hello as well. Otherwise, only a stream whose bytes are seen and
    /// that sends comments is watched.
    pub watch_plain: bool,
    /// Streams are read by the browser's `EventSource`: comments are not seen, and a new stream
    /// sends no `Last-Event-ID`.
    pub native: bool,
    /// A stream that lived this long proved good: earlier failures are forgotten.
    pub stable_after: u32,
    /// How many of the browser's own retries are trusted in a row before one of its streams proved
    /// good.
    pub max_native_retries: u32,
    /// After this many refusals in a row (401, or answers that hold no token) the session gives up.
    pub max_refusals: u32,
    /// Delays between attempts.
    pub backoff: Policy,
    /// The most bytes of one event, for streams that core decodes.
    pub event_limit: usize,
    /// One connection for all tabs of a user: follow the tab that holds it, until asked to lead.
    pub share: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            provider: true,
            token_timeout: 10_000,
            connect_timeout: 20_000,
            heartbeat_timeout: 45_000,
            watch_plain: false,
            native: true,
            stable_after: 2_000,
            max_native_retries: 3,
            max_refusals: 8,
            backoff: Policy::default(),
            event_limit: 16 << 20,
            share: false,
        }
    }
}
