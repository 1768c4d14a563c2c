//! The client's connection as a state machine (not the HTTP session).
//!
//! [`Session::handle`] takes one input, then [`Session::poll`] is called until it returns
//! [`Output::Sleep`]. Every transition is in `step.rs`; what a frame means is in `receive.rs`; this
//! file holds the parts together.

pub mod bytes;
mod config;
mod counters;
mod cursor;
pub mod io;
mod receive;
mod response;
mod retries;
mod server;
mod step;
pub mod token;
#[cfg(any(not(target_arch = "wasm32"), feature = "std", feature = "fetch"))]
mod trace;
#[cfg(not(any(not(target_arch = "wasm32"), feature = "std", feature = "fetch")))]
#[path = "untraced.rs"]
mod trace;
mod user;
mod watchdog;

use alloc::{boxed::Box, string::String};

use self::{
    bytes::UpdateSink,
    cursor::Cursor,
    io::{ConnectReason, Output, Pause, Phase, Status, Ticket, TokenReason},
    retries::Retries,
    server::Server,
    token::TokenState,
    trace::Trace,
    user::User,
    watchdog::Watchdog,
};
pub use self::{config::Config, counters::Counters};
use super::{
    error::Error,
    queue::Queue,
    time::Time,
    timers::{Timer, Timers},
    wire::{decode::Decoder, id::EventId},
};

/// The state of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not started, or stopped.
    Idle,
    /// Started, but there is no user, or the one there was is forgotten.
    SignedOut,
    /// UpdateSink a stream and has no usable token.
    Authorizing,
    /// Asked for a stream, or the browser retries by itself.
    Connecting(Ticket),
    /// A stream is open.
    Live(Ticket),
    /// Backing off.
    Waiting,
    /// Put to rest by the application or by the page's life cycle.
    Paused,
    /// Gave up. Left by the application, a new user, or the next sign that something may have
    /// changed.
    Failed,
}

/// The connection of one client.
///
/// ```
/// use tinysse::proto::{session::{Config, Session, io::{Input, Output}}, time::Time};
/// let mut session = Session::new(Config { provider: false, ..Config::default() }, 7);
/// session.handle(Time(0), Input::Start);
/// assert!(matches!(session.poll(), Output::Status(_)));
/// assert!(matches!(session.poll(), Output::Open { .. }));
/// assert_eq!(session.poll(), Output::Sleep(Some(Time(20_000)))); // the answer is due
/// ```
#[derive(Debug)]
pub struct Session {
    config: Config,
    state: State,
    token: TokenState,
    stream: Stream,
    /// A stream whose server sent bye, and whose events still count until the next one is open.
    draining: Option<Ticket>,
    /// Follow the tab that holds the connection, in place of holding one.
    follow: bool,
    user: User,
    /// Why the next stream is opened.
    connect_reason: ConnectReason,
    /// The cursor at which an event was larger than the limit.
    oversized_at: Option<String>,
    cursor: Cursor,
    timers: Timers,
    retries: Retries,
    /// The reasons not to be connected, as bits of [`Pause`].
    pauses: u8,
    /// A native stream was refused, and its status was asked for.
    probed: bool,
    /// The browser opens the stream in hand again by itself.
    retried: bool,
    server: Server,
    /// When it last gave up.
    failed_at: Time,
    was_open: bool,
    error: Option<Error>,
    reported: Status,
    counters: Counters,
    trace: Trace,
    last_ticket: u32,
    now: Time,
    outputs: Queue<Output>,
}

/// What is known of the stream in hand.
#[derive(Debug)]
struct Stream {
    /// For streams whose bytes core decodes, from the first one on.
    decoder: Option<Box<Decoder>>,
    /// The first frame was a hello: ids can be trusted to grow.
    hello: Option<Greeting>,
    /// Any frame at all was seen.
    got_frame: bool,
    /// It is decided whether a stream without hello begins with a gap.
    gap_reported: bool,
    /// A gap was announced for its beginning.
    gap: bool,
    /// The browser opened it again by itself, and sent `Last-Event-ID`.
    retried: bool,
    /// An event with a number as its id was seen.
    numbered: bool,
    stable: bool,
    watchdog: Watchdog,
}

#[derive(Clone, Debug)]
struct Greeting {
    client: String,
    head: EventId,
}

impl Session {
    /// An idle session. `seed` is the source of all its jitter.
    #[must_use]
    pub fn new(config: Config, seed: u64) -> Self {
        Self {
            config,
            state: State::Idle,
            token: TokenState::Absent(TokenReason::Initial),
            stream: Stream::new(&config, Time::default()),
            draining: None,
            follow: config.share,
            user: User::default(),
            connect_reason: ConnectReason::Initial,
            oversized_at: None,
            cursor: Cursor::default(),
            timers: Timers::default(),
            retries: Retries::new(config.backoff, seed),
            pauses: 0,
            probed: false,
            retried: false,
            server: Server::default(),
            failed_at: Time::default(),
            was_open: false,
            error: None,
            reported: Status { phase: Phase::Idle, error: None },
            counters: Counters::default(),
            trace: Trace::default(),
            last_ticket: 0,
            now: Time::default(),
            outputs: Queue::new(),
        }
    }

    /// Takes bytes of a stream that core decodes, for those who want them. Poll until
    /// [`Output::Sleep`] afterwards.
    ///
    /// No [`Input`](io::Input), so that a shell whose streams are all decoded by the browser links
    /// no decoder.
    pub fn handle_bytes(&mut self, now: Time, ticket: Ticket, bytes: &[u8], wants: &mut dyn UpdateSink) {
        self.now = self.now.max(now);
        if self.accepts(ticket) {
            match self.take_bytes(ticket, bytes, wants) {
                Ok(bye) => self.after_event(bye),
                Err(_) => self.too_large(),
            }
        }
        self.conclude();
    }

    /// The next thing to do; [`Output::Sleep`] ends the list.
    pub fn poll(&mut self) -> Output {
        self.outputs.pop().unwrap_or(Output::Sleep(self.timers.next()))
    }

    /// The state of the connection.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// What the user sees.
    #[must_use]
    pub fn status(&self) -> Status {
        Status { phase: self.phase(), error: self.error }
    }

    /// The id up to which everything was delivered; empty for none.
    #[must_use]
    pub fn cursor(&self) -> &str {
        self.cursor.text()
    }

    /// Resumes from a cursor that was stored elsewhere, for this user; empty if it is for any. Has
    /// an effect on the next stream, unless the streams turn out to be another user's.
    pub fn set_cursor(&mut self, cursor: &str, user: &str) {
        if self.user.stored(user) {
            self.cursor.set(cursor);
        }
    }

    /// Returns whose connection it is; empty if that is not known, and for nobody.
    #[must_use]
    pub fn user(&self) -> &str {
        self.user.name()
    }

    /// Returns a number that is another one whenever everything of a user was dropped.
    #[must_use]
    pub fn user_changes(&self) -> u32 {
        self.user.changes()
    }

    /// The hub's name for the stream in hand.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        let hello = self.stream.hello.as_ref().filter(|_| self.phase() == Phase::Open);
        hello.map(|hello| hello.client.as_str())
    }

    /// The stream whose events count until the next one is open.
    #[must_use]
    pub fn draining(&self) -> Option<Ticket> {
        self.draining
    }

    /// What was counted so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// The last inputs, oldest first, as text in the lines of `tests/transcripts`: what came in,
    /// when, and nothing secret. Played to a session with the same configuration and seed they lead
    /// to the same state, if none is missing at the beginning.
    #[must_use]
    pub fn trace(&self) -> String {
        self.trace.text()
    }

    /// Failures in a row.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.retries.failures()
    }

    /// When the next attempt begins, while waiting for it.
    #[must_use]
    pub fn retry_at(&self) -> Option<Time> {
        self.timers.due(Timer::Retry)
    }

    fn phase(&self) -> Phase {
        match self.state {
            State::Idle | State::SignedOut => Phase::Idle,
            State::Live(_) => Phase::Open,
            State::Paused => Phase::Paused,
            State::Failed => Phase::Failed,
            State::Authorizing | State::Connecting(_) | State::Waiting if self.draining.is_some() => Phase::Open,
            State::Authorizing | State::Connecting(_) | State::Waiting if self.pauses & Pause::Offline as u8 != 0 => {
                Phase::Offline
            }
            State::Authorizing | State::Connecting(_) | State::Waiting if self.was_open => Phase::Reconnecting,
            State::Authorizing | State::Connecting(_) | State::Waiting => Phase::Connecting,
        }
    }

    /// Reports what the user sees, if it has changed.
    fn report_status(&mut self) {
        let status = self.status();
        if status != self.reported {
            self.reported = status;
            self.emit(Output::Status(status));
        }
    }

    /// Returns true if there is a reason not to be connected. That the browser calls itself offline
    /// is no reason: it may be wrong.
    fn must_pause(&self) -> bool {
        self.pauses & !(Pause::Offline as u8) != 0
    }

    /// Returns true if streams are those of another tab. Tabs share what is one user's, so the user
    /// must be known.
    fn follows(&self) -> bool {
        self.follow && !self.user.name().is_empty()
    }

    /// The server does not speak tinysse/1. It may be quiet for as long as it likes, unless the
    /// application knows better.
    fn trust_silence(&mut self) {
        self.server.mark_plain();
        self.stream.watchdog.trust_silence(&self.config);
    }

    /// Returns true if a server that never sent a frame before has sent none: it may be quiet, or
    /// the connection dead.
    fn in_doubt(&self) -> bool {
        !self.stream.got_frame
            && !self.server.saw_hello()
            && !self.server.is_plain()
            && !self.config.watch_plain
            && !self.follows()
    }

    /// Returns true if the events of a stream count.
    fn accepts(&self, ticket: Ticket) -> bool {
        self.state == State::Live(ticket) || self.draining == Some(ticket)
    }

    fn ticket(&mut self) -> Ticket {
        self.last_ticket = self.last_ticket.wrapping_add(1);
        Ticket(self.last_ticket)
    }

    fn emit(&mut self, output: Output) {
        self.outputs.push(output);
    }
}

impl Stream {
    fn new(config: &Config, now: Time) -> Self {
        Self {
            decoder: None,
            hello: None,
            got_frame: false,
            gap_reported: false,
            gap: false,
            retried: false,
            numbered: false,
            stable: false,
            watchdog: Watchdog::new(config, now),
        }
    }
}
