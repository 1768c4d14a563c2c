//! Conversations with a session as plain text: inputs are parsed, outputs are printed.
#![allow(dead_code, reason = "each test speaks the part that it needs")]

use std::fmt::Write as _;

use tinysse::proto::{
    client::Client,
    session::{
        Session, State,
        bytes::UpdateSink,
        io::{Input, Output, Pause, Probed, Status, StreamError, Ticket, TokenFailure, UpdateRef},
        token::{Grant, Token},
    },
    time::Time,
    wire::{Frame, decode::Interest},
};

/// Who can be spoken to: a session, or a whole client.
pub(crate) trait Listener {
    fn handle(&mut self, now: Time, input: Input);
    fn bytes(&mut self, now: Time, ticket: Ticket, bytes: &[u8]);
}

/// UpdateSink every update, and lets it be polled.
struct All;

impl UpdateSink for All {
    fn interest(&mut self, _: &str) -> Interest {
        Interest::Each
    }

    fn consume(&mut self, _: UpdateRef<'_>, _: u32) -> bool {
        false
    }
}

impl Listener for Session {
    fn handle(&mut self, now: Time, input: Input) {
        self.handle(now, input);
    }

    fn bytes(&mut self, now: Time, ticket: Ticket, bytes: &[u8]) {
        self.handle_bytes(now, ticket, bytes, &mut All);
    }
}

impl Listener for Client {
    fn handle(&mut self, now: Time, input: Input) {
        self.handle(now, input);
    }

    fn bytes(&mut self, now: Time, ticket: Ticket, bytes: &[u8]) {
        self.handle_bytes(now, ticket, bytes);
    }
}

/// Reads one input and hands it over.
pub(crate) fn say(text: &str, now: Time, listener: &mut dyn Listener) {
    let mut to = |input| listener.handle(now, input);
    let ticket = |number: &str| Ticket(number.parse().unwrap_or_else(|_| panic!("no ticket: {text}")));
    let number = |digits: &str| digits.parse::<u32>().unwrap_or_else(|_| panic!("no number: {text}"));
    let words: Vec<&str> = text.split(' ').collect();
    match words.as_slice() {
        ["start"] => to(Input::Start),
        ["stop"] => to(Input::Stop),
        ["reconnect"] => to(Input::Reconnect),
        ["wake"] => to(Input::Wake),
        ["tick"] => to(Input::Tick),
        ["follow"] => to(Input::Follow),
        ["lead"] => to(Input::Lead),
        ["user", name] => to(Input::User(Some((*name).into()))),
        ["user"] => to(Input::User(None)),
        ["forget"] => to(Input::Forget),
        ["pause", why] => to(Input::Pause(pause(why))),
        ["resume", why] => to(Input::Resume(pause(why))),
        ["token", asked, "refused", status] => {
            to(Input::Token(ticket(asked), Err(TokenFailure::Refused(number(status) as u16))));
        }
        ["token", asked, "failed"] => to(Input::Token(ticket(asked), Err(TokenFailure::Failed))),
        ["token", asked, "nonsense"] => to(Input::Token(ticket(asked), Err(TokenFailure::Malformed))),
        ["token", asked, "empty"] => {
            to(Input::Token(ticket(asked), Ok(grant("", None, ""))));
        }
        ["token", asked, "is", secret @ ..] => {
            let grant = match secret {
                [secret, "lives", ms] => grant(secret, Some(u64::from(number(ms))), ""),
                [secret, "for", user] => grant(secret, None, user),
                [secret, "lives", ms, "for", user] => grant(secret, Some(u64::from(number(ms))), user),
                [secret] => grant(secret, None, ""),
                _ => panic!("a token is SECRET [lives MS] [for USER]: {text}"),
            };
            to(Input::Token(ticket(asked), Ok(grant)));
        }
        ["opened", stream] => to(Input::Opened(ticket(stream))),
        ["frame", stream, id, event, data @ ..] => {
            let id = if *id == "-" { "" } else { id };
            to(Input::Frame(ticket(stream), Frame { event: (*event).into(), id: id.into(), data: data.join(" ") }));
        }
        ["bytes", stream, bytes @ ..] => {
            let bytes = bytes.join(" ").replace("\\n", "\n").replace("\\r", "\r");
            listener.bytes(now, ticket(stream), bytes.as_bytes());
        }
        ["lost", stream, how @ ..] => to(Input::Lost(ticket(stream), loss(how, text))),
        ["probed", stream, "hub"] => to(Input::Probed(ticket(stream), Probed::Stream { hub: true })),
        ["probed", stream, "stream"] => to(Input::Probed(ticket(stream), Probed::Stream { hub: false })),
        ["probed", stream, "unseen"] => to(Input::Probed(ticket(stream), Probed::Unseen)),
        ["probed", stream, how @ ..] => to(Input::Probed(ticket(stream), Probed::Refused(loss(how, text)))),
        _ => panic!("no such input: {text}"),
    }
}

fn loss(how: &[&str], text: &str) -> StreamError {
    let number = |digits: &str| digits.parse::<u32>().unwrap_or_else(|_| panic!("no number: {text}"));
    match how {
        ["retrying"] => StreamError::Retrying,
        ["dropped"] => StreamError::Dropped,
        ["closed"] => StreamError::Refused,
        ["unauthorized"] => StreamError::Unauthorized,
        ["redirected"] => StreamError::Redirected,
        ["busy", status, "wait", wait] => {
            StreamError::Unavailable { status: number(status) as u16, retry_after: number(wait) }
        }
        ["gone", status] => StreamError::Rejected { status: number(status) as u16 },
        ["forbidden"] => StreamError::BlockedByCsp,
        ["unusable"] => StreamError::InvalidUrl,
        _ => panic!("no such loss: {text}"),
    }
}

fn grant(secret: &str, expires_in: Option<u64>, user: &str) -> Grant {
    Grant { token: Token::new(secret.into()), expires_in, user: user.into() }
}

fn pause(word: &str) -> Pause {
    match word {
        "user" => Pause::User,
        "offline" => Pause::Offline,
        "page" => Pause::Page,
        "hidden" => Pause::Hidden,
        _ => panic!("no such pause: {word}"),
    }
}

/// Polls until the session sleeps: its outputs, and when it wants to be woken.
pub(crate) fn drain(session: &mut Session) -> (Vec<Output>, Option<u64>) {
    let mut outputs = Vec::new();
    loop {
        let output = session.poll();
        if let Output::Sleep(due) = output {
            return (outputs, due.map(|Time(ms)| ms));
        }
        outputs.push(output);
    }
}

/// The outputs of the session, and its state afterwards.
pub(crate) fn write(outputs: &[Output], state: State, due: Option<u64>, out: &mut String) {
    for output in outputs {
        let _ = writeln!(out, "     -> {}", print(output));
    }
    let due = due.map_or_else(String::new, |ms| format!(", due {ms}"));
    let _ = writeln!(out, "     == {}{due}", stand(state));
}

/// The name of a state, without its ticket.
pub(crate) fn name(state: State) -> &'static str {
    match state {
        State::Idle => "Idle",
        State::SignedOut => "SignedOut",
        State::Authorizing => "Authorizing",
        State::Connecting(_) => "Connecting",
        State::Live(_) => "Live",
        State::Waiting => "Waiting",
        State::Paused => "Paused",
        State::Failed => "Failed",
    }
}

fn stand(state: State) -> String {
    match state {
        State::Connecting(Ticket(ticket)) | State::Live(Ticket(ticket)) => format!("{} {ticket}", name(state)),
        State::Idle | State::SignedOut | State::Authorizing | State::Waiting | State::Paused | State::Failed => {
            name(state).into()
        }
    }
}

fn print(output: &Output) -> String {
    match output {
        Output::FetchToken { ticket, reason } => format!("ask {} {}", ticket.0, reason.as_str()),
        Output::CancelToken(ticket) => format!("forget {}", ticket.0),
        Output::Open { ticket, token, cursor } => {
            let token = token.as_ref().map_or_else(String::new, |token| format!(" with {}", token.reveal()));
            let cursor = if cursor.is_empty() { String::new() } else { format!(" from {cursor}") };
            format!("open {}{token}{cursor}", ticket.0)
        }
        Output::Follow { ticket, cursor } if cursor.is_empty() => format!("follow {}", ticket.0),
        Output::Follow { ticket, cursor } => format!("follow {} from {cursor}", ticket.0),
        Output::Relay(frame) => format!("heard {}", frame.event),
        Output::UserChanged => String::from("user changed"),
        Output::Probe(ticket) => format!("probe {}", ticket.0),
        Output::Close(ticket) => format!("close {}", ticket.0),
        Output::Update(update) => {
            let frame = &update.frame;
            let id = if frame.id.is_empty() { "-" } else { &frame.id };
            let word = if update.replayed { "replayed" } else { "update" };
            format!("{word} {id} {} {}", frame.event, frame.data.replace('\n', "\\n")).trim_end().to_owned()
        }
        Output::Resync(resync) if resync.types.is_empty() => format!("resync {}", resync.gap.as_str()),
        Output::Resync(resync) => format!("resync {} of {}", resync.gap.as_str(), resync.types.join(", ")),
        Output::Status(Status { phase, error: None }) => format!("status {}", phase.as_str()),
        Output::Status(Status { phase, error: Some(error) }) => {
            let status = error.status.map_or_else(String::new, |status| format!(" {status}"));
            let last = if error.retryable { "" } else { ", for good" };
            format!("status {}: {}{status}{last}: {}", phase.as_str(), error.kind().as_str(), error.message())
        }
        Output::Sleep(_) => String::from("sleep"),
    }
}
