//! The events of the page, translated to inputs of the core.

use alloc::string::String;

use crate::proto::{
    session::{
        io::{Input, Pause, Probed, StreamError, Ticket, TokenFailure},
        token::{Grant, Token},
    },
    wire::{Frame, split_once_at},
};

/// The words of `say`. `bindings.js`, `fetch.js` and `equip.js` have the same numbers, which
/// `tests/vocabulary.rs` compares.
pub(super) mod word {
    pub(in crate::web) const TICK: u32 = 0;
    pub(in crate::web) const FRAME: u32 = 1;
    pub(in crate::web) const OPENED: u32 = 2;
    pub(in crate::web) const LOST: u32 = 3;
    pub(in crate::web) const TOKEN: u32 = 4;
    pub(in crate::web) const NO_TOKEN: u32 = 5;
    pub(in crate::web) const PAUSE: u32 = 6;
    pub(in crate::web) const RESUME: u32 = 7;
    pub(in crate::web) const WAKE: u32 = 8;
    pub(in crate::web) const ANSWER: u32 = 9;
    pub(in crate::web) const PROBED: u32 = 10;
    pub(in crate::web) const START: u32 = 11;
    pub(in crate::web) const STOP: u32 = 12;
    pub(in crate::web) const RECONNECT: u32 = 13;
    pub(in crate::web) const FORGET: u32 = 14;
    pub(in crate::web) const FOLLOW: u32 = 15;
    pub(in crate::web) const LEAD: u32 = 16;
    pub(in crate::web) const SET_USER: u32 = 17;
}

/// The numbers of `LOST`: how a stream was lost.
mod lost {
    pub(super) const RETRYING: u16 = 0;
    pub(super) const DROPPED: u16 = 1;
    pub(super) const CLOSED: u16 = 2;
    pub(super) const FORBIDDEN: u16 = 3;
    pub(super) const UNUSABLE: u16 = 4;
}

/// What is added to the status in `ANSWER` and `PROBED`.
mod answer {
    pub(super) const REDIRECTED: u16 = 1_000;
    pub(super) const HUB: u16 = 2_000;
    pub(super) const STREAM: u16 = 4_000;
}

/// The numbers of `NO_TOKEN` besides the statuses 401 and 403, and 0.
mod no_token {
    pub(super) const NONSENSE: u16 = 1;
}

/// The numbers of `PAUSE` and `RESUME`.
pub(super) mod pause {
    pub(in crate::web) const APPLICATION: u16 = 1;
    pub(in crate::web) const OFFLINE: u16 = 2;
    pub(in crate::web) const AWAY: u16 = 4;
    pub(in crate::web) const HIDDEN: u16 = 8;
}

/// One call of `say`.
pub(super) fn input(word: u32, ticket: u32, number: f64, wait: f64, text: &str) -> Input {
    let ticket = Ticket(ticket);
    let short = number as u16; // saturates; what is no number is 0
    match word {
        word::FRAME => Input::Frame(ticket, frame(text)),
        word::OPENED => Input::Opened(ticket),
        word::LOST => Input::Lost(ticket, loss(short)),
        word::TOKEN => {
            let (token, user) = split_once_at(text, b'\n').unwrap_or_default();
            let expires_in = (number >= 0.0).then_some(number as u64);
            Input::Token(ticket, Ok(Grant { token: Token::new(token.into()), expires_in, user: user.into() }))
        }
        word::NO_TOKEN => Input::Token(ticket, Err(token_loss(short))),
        word::PAUSE => Input::Pause(pause(short)),
        word::RESUME => Input::Resume(pause(short)),
        word::WAKE => Input::Wake,
        word::ANSWER => match head(short, wait) {
            Probed::Refused(loss) => Input::Lost(ticket, loss),
            Probed::Stream { .. } | Probed::Unseen => Input::Opened(ticket),
        },
        word::PROBED if short == 0 => Input::Probed(ticket, Probed::Unseen),
        word::PROBED => Input::Probed(ticket, head(short, wait)),
        word::START => Input::Start,
        word::STOP => Input::Stop,
        word::RECONNECT => Input::Reconnect,
        word::FORGET => Input::Forget,
        word::FOLLOW => Input::Follow,
        word::LEAD => Input::Lead,
        word::SET_USER => Input::User(Some(text.into()).filter(|user: &String| !user.is_empty())),
        word::TICK => Input::Tick,
        18..=u32::MAX => unknown(Input::Tick),
    }
}

/// Returns what is done about a number that JavaScript cannot send: a mistake of the shell, which
/// stops debug builds.
fn unknown<T>(otherwise: T) -> T {
    debug_assert!(false, "a number that no table of this file has");
    otherwise
}

/// The head of an answer. What it carries besides the status is added to that, in thousands.
fn head(number: u16, wait: f64) -> Probed {
    let (status, more) = (number % 1_000, number / 1_000);
    let has = |flag| more & (flag / 1_000) != 0;
    match StreamError::from_response(status, has(answer::STREAM), has(answer::REDIRECTED), wait as u32) {
        Some(loss) => Probed::Refused(loss),
        None => Probed::Stream { hub: has(answer::HUB) },
    }
}

/// Type, id and data, of which only the last one may have line ends.
pub(super) fn frame(text: &str) -> Frame {
    let (event, rest) = split_once_at(text, b'\n').unwrap_or_default();
    let (id, data) = split_once_at(rest, b'\n').unwrap_or_default();
    Frame { event: event.into(), id: id.into(), data: data.into() }
}

fn loss(number: u16) -> StreamError {
    match number {
        lost::RETRYING => StreamError::Retrying,
        lost::DROPPED => StreamError::Dropped,
        lost::CLOSED => StreamError::Refused,
        lost::FORBIDDEN => StreamError::BlockedByCsp,
        lost::UNUSABLE => StreamError::InvalidUrl,
        5..=u16::MAX => unknown(StreamError::Dropped),
    }
}

fn token_loss(number: u16) -> TokenFailure {
    match number {
        401 | 403 => TokenFailure::Refused(number),
        no_token::NONSENSE => TokenFailure::Malformed,
        0 => TokenFailure::Failed,
        2..=u16::MAX => unknown(TokenFailure::Failed),
    }
}

fn pause(number: u16) -> Pause {
    match number {
        pause::APPLICATION => Pause::User,
        pause::OFFLINE => Pause::Offline,
        pause::AWAY => Pause::Page,
        pause::HIDDEN => Pause::Hidden,
        0..=u16::MAX => unknown(Pause::User),
    }
}
