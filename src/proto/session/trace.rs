//! The last inputs of the session, in the words of `tests/transcripts`: a bug report that replays
//! natively.
//!
//! Nothing secret is written down: tokens have no text here, and of updates only type and id are
//! kept.

use alloc::string::String;

use super::io::{Input, Pause, Probed, StreamError, Ticket, TokenFailure};
use crate::proto::{
    time::Time,
    wire::{FrameRef, id::push_number, split_once_at},
};

/// The last inputs, a line each; the oldest go first.
#[derive(Clone, Debug, Default)]
pub(super) struct Trace {
    text: String,
    lines: usize,
    /// What came last, if it is one of many that are alike: the next one replaces it, so it is
    /// written when something else comes.
    last: Option<Many>,
    at: Time,
    ticket: Ticket,
    id: String,
    event: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Many {
    Update,
    Alive,
}

/// More lines than this are not kept.
const MOST: usize = 64;

impl Trace {
    pub(super) fn text(&self) -> String {
        let mut all = self.clone();
        all.settle();
        all.text
    }

    /// Writes down an input; frames are written when they are taken, whatever decoded them.
    pub(super) fn input(&mut self, now: Time, input: &Input) {
        let none = Ticket(0);
        let (word, ticket, more, number) = match input {
            Input::Start => ("start", none, "", None),
            Input::Stop => ("stop", none, "", None),
            Input::Reconnect => ("reconnect", none, "", None),
            Input::Pause(why) => ("pause", none, pause(*why), None),
            Input::Resume(why) => ("resume", none, pause(*why), None),
            Input::Wake => ("wake", none, "", None),
            Input::Follow => ("follow", none, "", None),
            Input::Lead => ("lead", none, "", None),
            // Whose connection it is, is private.
            Input::User(Some(_)) => ("user", none, "u", None),
            Input::User(None) => ("user", none, "", None),
            Input::Forget => ("forget", none, "", None),
            Input::Token(ticket, Ok(grant)) => match grant.expires_in {
                Some(ms) => ("token", *ticket, "is t lives", Some(u32::try_from(ms).unwrap_or(u32::MAX))),
                None => ("token", *ticket, "is t", None),
            },
            Input::Token(ticket, Err(loss)) => match loss {
                TokenFailure::Refused(status) => ("token", *ticket, "refused", Some(u32::from(*status))),
                TokenFailure::Failed => ("token", *ticket, "failed", None),
                TokenFailure::Malformed => ("token", *ticket, "nonsense", None),
            },
            Input::Opened(ticket) => ("opened", *ticket, "", None),
            Input::Frame(..) => return,
            Input::Lost(ticket, loss) => ("lost", *ticket, lost(loss), status(loss)),
            Input::Probed(ticket, answer) => match answer {
                Probed::Refused(loss) => ("probed", *ticket, lost(loss), status(loss)),
                Probed::Stream { hub: true } => ("probed", *ticket, "hub", None),
                Probed::Stream { hub: false } => ("probed", *ticket, "stream", None),
                Probed::Unseen => ("probed", *ticket, "unseen", None),
            },
            Input::Tick => ("tick", none, "", None),
        };
        self.begin(now, word, ticket);
        self.word(more);
        if let Some(number) = number {
            self.number(number);
        }
        if let Input::Lost(_, StreamError::Unavailable { retry_after, .. })
        | Input::Probed(_, Probed::Refused(StreamError::Unavailable { retry_after, .. })) = input
        {
            self.word("wait");
            self.number(*retry_after);
        }
    }

    /// A control message.
    pub(super) fn frame(&mut self, now: Time, ticket: Ticket, frame: FrameRef<'_>) {
        let FrameRef { event, id, data } = frame;
        self.begin(now, "frame", ticket);
        self.word(if id.is_empty() { "-" } else { id });
        self.word(event);
        self.word(split_once_at(data, b'\n').map_or(data, |(line, _)| line));
    }

    /// Any other event.
    pub(super) fn update(&mut self, now: Time, ticket: Ticket, frame: FrameRef<'_>) {
        self.replace(Many::Update, now, ticket);
        self.id.clear();
        self.id.push_str(frame.id);
        if self.event != frame.event {
            self.event.clear();
            self.event.push_str(frame.event);
        }
    }

    /// Bytes came that finished nothing.
    pub(super) fn alive(&mut self, now: Time, ticket: Ticket) {
        self.replace(Many::Alive, now, ticket);
    }

    pub(super) fn retry(&mut self, now: Time, ticket: Ticket, ms: u32) {
        self.begin(now, "bytes", ticket);
        self.word("retry:");
        self.number(ms);
        self.text.push_str("\\n");
    }

    fn replace(&mut self, what: Many, now: Time, ticket: Ticket) {
        if self.last != Some(what) {
            self.settle();
        }
        (self.last, self.at, self.ticket) = (Some(what), now, ticket);
    }

    /// Writes down what was held back, and begins a new line.
    fn begin(&mut self, now: Time, word: &str, ticket: Ticket) {
        self.settle();
        if self.lines == MOST
            && let Some((first, _)) = split_once_at(&self.text, b'\n')
        {
            let end = first.len() + 1;
            self.text.drain(..end);
            self.lines -= 1;
        }
        if self.lines > 0 {
            self.text.push('\n');
        }
        self.lines += 1;
        self.text.push('@');
        push_number(now.0, 10, &mut self.text);
        self.word("<-");
        self.word(word);
        if ticket != Ticket(0) {
            self.number(ticket.0);
        }
    }

    fn settle(&mut self) {
        let (at, ticket) = (self.at, self.ticket);
        match self.last.take() {
            Some(Many::Alive) => {
                self.begin(at, "bytes", ticket);
                self.word(":\\n");
            }
            Some(Many::Update) => {
                let (id, event) = (core::mem::take(&mut self.id), core::mem::take(&mut self.event));
                self.begin(at, "frame", ticket);
                self.word(if id.is_empty() { "-" } else { &id });
                self.word(&event);
            }
            None => {}
        }
    }

    /// Returns `None` for an empty word.
    fn word(&mut self, word: &str) {
        if !word.is_empty() {
            self.text.push(' ');
            self.text.push_str(word);
        }
    }

    fn number(&mut self, number: u32) {
        self.text.push(' ');
        push_number(u64::from(number), 10, &mut self.text);
    }
}

fn lost(loss: &StreamError) -> &'static str {
    match loss {
        StreamError::Retrying => "retrying",
        StreamError::Dropped => "dropped",
        StreamError::Refused => "closed",
        StreamError::Unauthorized => "unauthorized",
        StreamError::Redirected => "redirected",
        StreamError::Unavailable { .. } => "busy",
        StreamError::Rejected { .. } => "gone",
        StreamError::BlockedByCsp => "forbidden",
        StreamError::InvalidUrl => "unusable",
    }
}

fn status(loss: &StreamError) -> Option<u32> {
    match loss {
        StreamError::Unavailable { status, .. } | StreamError::Rejected { status } => Some(u32::from(*status)),
        StreamError::Retrying
        | StreamError::Dropped
        | StreamError::Refused
        | StreamError::Unauthorized
        | StreamError::Redirected
        | StreamError::BlockedByCsp
        | StreamError::InvalidUrl => None,
    }
}

fn pause(why: Pause) -> &'static str {
    match why {
        Pause::User => "user",
        Pause::Offline => "offline",
        Pause::Page => "page",
        Pause::Hidden => "hidden",
    }
}
