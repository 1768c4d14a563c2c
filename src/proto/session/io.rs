//! The vocabulary between core and shell: what comes in, what goes out.

use alloc::{string::String, vec::Vec};

pub use super::response::StreamError;

use super::token::{Grant, Token};
use crate::proto::{
    error::Error,
    time::Time,
    wire::{Frame, FrameRef, control::Gap},
    words::words,
};

/// Names a question to the shell. Every answer returns it; answers with another ticket are
/// strangers and ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u32);

/// What the shell reports to the session.
#[derive(Clone, Debug)]
pub enum Input {
    /// Connect, from `Idle` or `Failed`; ignored elsewhere.
    Start,
    /// Let everything go. The cursor is kept for the next start.
    Stop,
    /// Drop the stream and the token, and connect anew at once.
    Reconnect,
    /// There is a reason not to be connected.
    Pause(Pause),
    /// That reason is gone.
    Resume(Pause),
    /// The page is looked at again, or the machine woke up: look after the connection now.
    Wake,
    /// Another tab holds the connection: follow it, and if one was followed already, anew.
    Follow,
    /// This tab is to hold the connection itself.
    Lead,
    /// The user of the application from now on; `None` is nobody. Of another user nothing is kept.
    User(Option<String>),
    /// Ends the stream, and drops the token and the cursor, until there is a reason to begin anew.
    Forget,
    /// The answer to [`Output::FetchToken`].
    Token(Ticket, Result<Grant, TokenFailure>),
    /// The stream of [`Output::Open`] is accepted. A native stream reports it again after each
    /// retry of its own.
    Opened(Ticket),
    /// An event of a stream that the browser decodes. An empty id means that the browser knows
    /// none.
    Frame(Ticket, Frame),
    /// The stream ended, or never came.
    Lost(Ticket, StreamError),
    /// The answer to [`Output::Probe`].
    Probed(Ticket, Probed),
    /// The time of the last [`Output::Sleep`] has come.
    Tick,
}

/// A reason not to be connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// The application asked for it.
    User = 1,
    /// The browser reports that there is no network. A hint: attempts go on, and only what is shown
    /// changes.
    Offline = 2,
    /// The page is hidden away or frozen; an open connection would keep it out of the back/forward
    /// cache.
    Page = 4,
    /// The tab is hidden, and the application wants no connection then.
    Hidden = 8,
}

/// Why the token provider gave no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenFailure {
    /// It answered 401 or 403: asking again is no use.
    Refused(u16),
    /// It threw or rejected otherwise, for example for lack of a network.
    Failed,
    /// It answered something that is no token.
    Malformed,
}

/// What a second request for a stream was answered, whose body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probed {
    /// A refusal.
    Refused(StreamError),
    /// A stream; `hub` if its head shows that its server speaks tinysse/1.
    Stream {
        /// The head carries [`H_WIRE`](crate::proto::wire::names::H_WIRE).
        hub: bool,
    },
    /// The answer cannot be read, or there was no answer: CORS and a network failure look alike.
    Unseen,
}

/// What the session asks of the shell.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Ask the token provider.
    FetchToken {
        /// To be returned with the answer.
        ticket: Ticket,
        /// Why a token is needed.
        reason: TokenReason,
    },
    /// The answer to this question is no longer awaited: abort it.
    CancelToken(Ticket),
    /// Open a stream.
    Open {
        /// To be returned with every event of the stream.
        ticket: Ticket,
        /// The token to show, if the client has a provider.
        token: Option<Token>,
        /// The cursor to resume from; empty for none.
        cursor: String,
    },
    /// Receive the events of the leading tab's stream, in place of an own stream: as frames with
    /// this ticket, the first of them a hello.
    Follow {
        /// To be returned with every event of the leading tab.
        ticket: Ticket,
        /// The cursor to resume from; empty for none.
        cursor: String,
    },
    /// Request the stream of this ticket once more with `fetch`, read only the head of the answer,
    /// and return [`Input::Probed`].
    Probe(Ticket),
    /// The user is another one, or nobody: drop what is kept for the former one.
    UserChanged,
    /// Close a stream, if it is not closed already.
    Close(Ticket),
    /// An update to deliver. The cursor is past it already.
    Update(Update),
    /// An event of the stream, for tabs that follow this one. Only if the connection is shared.
    Relay(Frame),
    /// Updates may be missing.
    Resync(Resync),
    /// What the user sees has changed.
    Status(Status),
    /// The end of the outputs: send [`Input::Tick`] at this time, or rest until the next input.
    Sleep(Option<Time>),
}

words! {
    /// Why a token is asked for.
    pub enum TokenReason {
        /// There was none yet.
        Initial = "initial",
        /// The last one is past its time.
        Expired = "expired",
        /// The last one was refused.
        Rejected = "rejected",
        /// The hub reports that the user's rights have changed.
        Revoked = "revoked",
        /// The application asked for a new connection.
        Manual = "manual",
    }
}

words! {
    /// Why a stream is opened, for the statistics.
    pub enum ConnectReason {
        /// The first one after a start.
        Initial = "initial",
        /// The application asked for a new connection.
        Manual = "manual",
        /// The browser's own retry.
        Glitch = "glitch",
        /// After a failure and a wait.
        Retry = "retry",
        /// The token was refused, or was over.
        Token = "token",
        /// The server sent bye.
        Rotate = "rotate",
        /// After a pause: offline, hidden, put away.
        Wake = "wake",
        /// From one tab to another.
        Handover = "handover",
        /// To learn the status of a refusal ([`Output::Probe`]).
        Probe = "probe",
    }
}

/// An update as it came from the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// Type, id and data.
    pub frame: Frame,
    /// True if it happened before this stream was opened.
    pub replayed: bool,
    /// True if it comes from a tinysse hub, whose data is a JSON envelope.
    pub envelope: bool,
}

/// An [`Update`] in borrowed words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpdateRef<'a> {
    /// Type, id and data.
    pub frame: FrameRef<'a>,
    /// See [`Update::replayed`].
    pub replayed: bool,
    /// See [`Update::envelope`].
    pub envelope: bool,
}

impl UpdateRef<'_> {
    /// The same, owned.
    #[must_use]
    pub fn to_update(self) -> Update {
        let Self { frame, replayed, envelope } = self;
        Update { frame: frame.to_frame(), replayed, envelope }
    }
}

impl Update {
    /// Becomes a later one of the same type, in the memory that is there.
    pub fn replace(&mut self, by: UpdateRef<'_>) {
        for (text, new) in [(&mut self.frame.id, by.frame.id), (&mut self.frame.data, by.frame.data)] {
            text.clear();
            text.push_str(new);
        }
        (self.replayed, self.envelope) = (by.replayed, by.envelope);
    }
}

/// News of a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resync {
    /// Why.
    pub gap: Gap,
    /// The types concerned; empty means all.
    pub types: Vec<String>,
}

/// The session as the user sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// In one word.
    pub phase: Phase,
    /// Why it is not open, if something failed.
    pub error: Option<Error>,
}

words! {
    /// The session in one word.
    pub enum Phase {
        /// Not started, stopped, or without a user.
        Idle = "idle",
        /// On the way to the first stream.
        Connecting = "connecting",
        /// A stream is open.
        Open = "open",
        /// A stream was open, and the next one is on its way.
        Reconnecting = "reconnecting",
        /// Not connected, and the browser reports that there is no network.
        Offline = "offline",
        /// Put to rest by the application or by the page's life cycle.
        Paused = "paused",
        /// Gave up.
        Failed = "failed",
    }
}
