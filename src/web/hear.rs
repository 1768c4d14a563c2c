//! What the page tells, as inputs of core.

use alloc::string::String;

use crate::proto::{
    session::{
        io::{Input, Loss, Pause, Probed, Ticket, TokenLoss},
        token::{Grant, Token},
    },
    wire::{Frame, cut},
};

/// One call of `say` in `page.js`, which has the same words and numbers. There is no other word than these.
pub(super) fn input(word: u32, ticket: u32, number: f64, wait: f64, text: &str) -> Input {
    let ticket = Ticket(ticket);
    let short = number as u16; // saturates; what is no number is 0
    match word {
        1 => Input::Frame(ticket, frame(text)),
        2 => Input::Opened(ticket),
        3 => Input::Lost(ticket, loss(short)),
        4 => {
            let (token, user) = cut(text, b'\n').unwrap_or_default();
            let lives = (number >= 0.0).then_some(number as u64);
            Input::Token(ticket, Ok(Grant { token: Token::new(token.into()), lives, user: user.into() }))
        }
        5 => Input::Token(ticket, Err(no_token(short))),
        6 => Input::Pause(pause(short)),
        7 => Input::Resume(pause(short)),
        8 => Input::Wake,
        9 => match head(short, wait) {
            Probed::Refused(loss) => Input::Lost(ticket, loss),
            Probed::Stream { .. } | Probed::Unseen => Input::Opened(ticket),
        },
        10 if short == 0 => Input::Probed(ticket, Probed::Unseen),
        10 => Input::Probed(ticket, head(short, wait)),
        11 => Input::Start,
        12 => Input::Stop,
        13 => Input::Reconnect,
        14 => Input::Forget,
        15 => Input::Follow,
        16 => Input::Lead,
        17 => Input::User(Some(text.into()).filter(|user: &String| !user.is_empty())),
        0 | 18..=u32::MAX => Input::Tick,
    }
}

/// The head of an answer. What it says besides the status is added to that, in thousands.
fn head(number: u16, wait: f64) -> Probed {
    let (status, more) = (number % 1_000, number / 1_000);
    match Loss::of_answer(status, more & 4 != 0, more & 1 != 0, wait as u32) {
        Some(loss) => Probed::Refused(loss),
        None => Probed::Stream { hub: more & 2 != 0 },
    }
}

/// Type, id and data, of which only the last one may have line ends.
pub(super) fn frame(text: &str) -> Frame {
    let (event, rest) = cut(text, b'\n').unwrap_or_default();
    let (id, data) = cut(rest, b'\n').unwrap_or_default();
    Frame { event: event.into(), id: id.into(), data: data.into() }
}

fn loss(number: u16) -> Loss {
    match number {
        0 => Loss::Retrying,
        2 => Loss::Closed,
        3 => Loss::Forbidden,
        4 => Loss::Unusable,
        1 | 5..=u16::MAX => Loss::Dropped,
    }
}

fn no_token(number: u16) -> TokenLoss {
    match number {
        401 | 403 => TokenLoss::Refused(number),
        1 => TokenLoss::Nonsense,
        0 | 2..=u16::MAX => TokenLoss::Failed,
    }
}

/// What the application asks for, as words of `page.js`.
pub(super) mod wish {
    pub(in crate::web) const PAUSE: u32 = 6;
    pub(in crate::web) const RESUME: u32 = 7;
    pub(in crate::web) const START: u32 = 11;
    pub(in crate::web) const STOP: u32 = 12;
    pub(in crate::web) const RECONNECT: u32 = 13;
    pub(in crate::web) const FORGET: u32 = 14;
    pub(in crate::web) const FOLLOW: u32 = 15;
    pub(in crate::web) const LEAD: u32 = 16;
    pub(in crate::web) const USER: u32 = 17;
}

fn pause(bit: u16) -> Pause {
    match bit {
        2 => Pause::Offline,
        4 => Pause::Page,
        8 => Pause::Hidden,
        0..=u16::MAX => Pause::User,
    }
}
