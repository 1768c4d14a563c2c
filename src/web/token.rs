//! The `TokenProvider`: a function of the application, asked once for each of core's questions.

use alloc::{rc::Rc, string::String};

use js_sys::Function;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use web_sys::AbortController;

use super::{
    driver::Driver,
    js::{self, Callback},
};
use crate::core::session::{
    io::{AskReason, Input, Ticket, TokenLoss},
    token::{Grant, Token},
};

#[wasm_bindgen]
extern "C" {
    /// The promise of a failure.
    #[wasm_bindgen(js_namespace = Promise)]
    fn reject(thrown: &JsValue) -> JsValue;
}

/// What the provider's answer comes to, and what it threw.
type Answer = (Result<Grant, TokenLoss>, Option<JsValue>);

/// A question that is open; dropping it aborts the provider's `signal`.
#[derive(Debug)]
pub(super) struct Question {
    ticket: Ticket,
    controller: Option<AbortController>,
    _calls: [Callback; 2],
}

impl Question {
    pub(super) fn ticket(&self) -> Ticket {
        self.ticket
    }

    /// Ends the question without an abort.
    pub(super) fn settle(mut self) {
        self.controller = None;
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        if let Some(controller) = &self.controller {
            controller.abort();
        }
    }
}

/// Calls `provider({ reason, signal })`. Whatever it does (return, promise, throw, reject, nonsense), the answer comes later and
/// with its ticket; if it does nothing at all, core's patience ends the question.
pub(super) fn ask(driver: &Rc<Driver>, provider: &Function, ticket: Ticket, reason: AskReason) -> Question {
    let controller = AbortController::new().ok();
    let question = js::object();
    js::set_text(&question, "reason", reason.as_str());
    if let Some(controller) = &controller {
        js::set(&question, "signal", controller.signal().into());
    }
    let promise = match provider.call1(&JsValue::UNDEFINED, &question) {
        Ok(value) => value,
        Err(thrown) => reject(&thrown),
    };
    let hear = |read: fn(&JsValue) -> Answer| {
        let driver = Rc::downgrade(driver);
        js::callback(move |settled| {
            if let Some(driver) = driver.upgrade() {
                let (answer, cause) = read(&settled);
                driver.answered(ticket, cause);
                driver.feed(Input::Token(ticket, answer));
            }
        })
    };
    let good = hear(|value| (read(value).ok_or(TokenLoss::Nonsense), None));
    let bad = hear(|thrown| (Err(refusal(thrown)), Some(thrown.clone())));
    js::when(&promise, &good, &bad);
    Question { ticket, controller, _calls: [good, bad] }
}

/// `'token'`, or `{ token: 'token', expires_in?: seconds, user?: 'name' }`, as the token endpoint answers.
fn read(value: &JsValue) -> Option<Grant> {
    if let Some(token) = value.as_string() {
        return Some(Grant { token: Token::new(token), lives: None, user: String::new() });
    }
    let token = js::get_text(value, "token")?;
    let expires = js::get(value, "expires_in");
    let lives = match expires.as_f64() {
        Some(seconds) if seconds > 0.0 => Some((seconds * 1_000.0) as u64),
        None if expires.is_undefined() || expires.is_null() => None,
        Some(_) | None => return None,
    };
    let user = js::get_text(value, "user").unwrap_or_default();
    Some(Grant { token: Token::new(token), lives, user })
}

/// An error with `status` 401 or 403 is a refusal; everything else may pass.
fn refusal(thrown: &JsValue) -> TokenLoss {
    match js::get(thrown, "status").as_f64() {
        Some(401.0) => TokenLoss::Refused(401),
        Some(403.0) => TokenLoss::Refused(403),
        Some(_) | None => TokenLoss::Failed,
    }
}
