//! What the session was told last, in the words of `tests/transcripts`: a bug report that replays natively.
//!
//! Nothing secret is written down: tokens have no text here, and of updates only type and id are kept.

use alloc::{string::String, vec::Vec};

use super::io::{Input, Loss, Pause, Ticket, TokenLoss};
use crate::core::{
    time::Time,
    wire::{Frame, control::is_reserved, id::push_number},
};

/// The last inputs, a line each; the oldest go first.
#[derive(Clone, Debug, Default)]
pub(super) struct Trace {
    lines: Vec<String>,
    /// What the last line is; one of many that are alike replaces the one before.
    last: Last,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Last {
    #[default]
    Other,
    Update,
    Alive,
}

/// More lines than this are not kept.
const MOST: usize = 64;

impl Trace {
    pub(super) fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Writes down an input; frames are written when they are taken, whoever decoded them.
    pub(super) fn input(&mut self, now: Time, input: &Input) {
        let mut line = Line::new(now);
        match input {
            Input::Start => line.word("start"),
            Input::Stop => line.word("stop"),
            Input::Reconnect => line.word("reconnect"),
            Input::Pause(why) => line.word("pause").word(pause(*why)),
            Input::Resume(why) => line.word("resume").word(pause(*why)),
            Input::Wake => line.word("wake"),
            Input::Follow => line.word("follow"),
            Input::Lead => line.word("lead"),
            Input::Token(ticket, answer) => {
                line.word("token").number(ticket.0);
                match answer {
                    Ok(grant) => {
                        line.word("is t");
                        if let Some(ms) = grant.lives {
                            line.word("lives").number(ms.min(u64::from(u32::MAX)) as u32);
                        }
                        &mut line
                    }
                    Err(TokenLoss::Refused(status)) => line.word("refused").number(u32::from(*status)),
                    Err(TokenLoss::Failed) => line.word("failed"),
                    Err(TokenLoss::Nonsense) => line.word("nonsense"),
                }
            }
            Input::Opened(ticket) => line.word("opened").number(ticket.0),
            Input::Frame(..) => return,
            Input::Lost(ticket, loss) => {
                line.word("lost").number(ticket.0);
                match loss {
                    Loss::Retrying => line.word("retrying"),
                    Loss::Dropped => line.word("dropped"),
                    Loss::Closed => line.word("closed"),
                    Loss::Unauthorized => line.word("unauthorized"),
                    Loss::Busy { status, wait } => {
                        line.word("busy").number(u32::from(*status)).word("wait").number(*wait)
                    }
                    Loss::Gone(status) => line.word("gone").number(u32::from(*status)),
                    Loss::Forbidden => line.word("forbidden"),
                    Loss::Unusable => line.word("unusable"),
                }
            }
            Input::Tick => line.word("tick"),
        };
        self.push(line, Last::Other);
    }

    pub(super) fn frame(&mut self, now: Time, ticket: Ticket, frame: &Frame) {
        let control = is_reserved(&frame.event);
        let mut line = Line::new(now);
        line.word("frame").number(ticket.0);
        line.word(if frame.id.is_empty() { "-" } else { &frame.id }).word(&frame.event);
        if control {
            line.word(&frame.data);
        }
        self.push(line, if control { Last::Other } else { Last::Update });
    }

    /// Bytes came that finished nothing.
    pub(super) fn alive(&mut self, now: Time, ticket: Ticket) {
        let mut line = Line::new(now);
        line.word("bytes").number(ticket.0).word(":\\n");
        self.push(line, Last::Alive);
    }

    pub(super) fn retry(&mut self, now: Time, ticket: Ticket, ms: u32) {
        let mut line = Line::new(now);
        line.word("bytes").number(ticket.0).word("retry:").number(ms);
        line.0.push_str("\\n");
        self.push(line, Last::Other);
    }

    fn push(&mut self, line: Line, what: Last) {
        if what != Last::Other && what == self.last {
            self.lines.pop();
        } else if self.lines.len() == MOST {
            self.lines.remove(0);
        }
        self.last = what;
        self.lines.push(line.0);
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

struct Line(String);

impl Line {
    fn new(now: Time) -> Self {
        let mut line = String::from("@");
        push_number(now.0, 10, &mut line);
        line.push_str(" <-");
        Self(line)
    }

    fn word(&mut self, word: &str) -> &mut Self {
        self.0.push(' ');
        self.0.push_str(word);
        self
    }

    fn number(&mut self, number: u32) -> &mut Self {
        self.0.push(' ');
        push_number(u64::from(number), 10, &mut self.0);
        self
    }
}
