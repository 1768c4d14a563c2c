//! The `TokenProvider`: a function of the application, asked once for each of core's questions.

use alloc::rc::Rc;

use js_sys::{Array, Function};
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
    type Promise;
    #[wasm_bindgen(static_method_of = Promise)]
    fn resolve(value: &JsValue) -> Promise;
    #[wasm_bindgen(static_method_of = Promise)]
    fn reject(thrown: &JsValue) -> Promise;
    #[wasm_bindgen(method)]
    fn then(this: &Promise, good: &JsValue, bad: &JsValue) -> JsValue;
    #[wasm_bindgen(static_method_of = Promise, js_name = allSettled)]
    fn all_settled(promises: &JsValue);
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
        Ok(value) => Promise::resolve(&value),
        Err(thrown) => Promise::reject(&thrown),
    };
    let hear = |read: fn(&JsValue) -> Answer| {
        let driver = Rc::downgrade(driver);
        Callback::new(move |settled| {
            if let Some(driver) = driver.upgrade() {
                let (answer, cause) = read(&settled);
                driver.answered(ticket, cause);
                driver.feed(Input::Token(ticket, answer));
            }
        })
    };
    let good = hear(|value| (read(value).ok_or(TokenLoss::Nonsense), None));
    let bad = hear(|thrown| (Err(refusal(thrown)), Some(thrown.clone())));
    // Its late answer finds the functions of a question that was dropped gone, and throws: that is no news to anybody.
    let heard = promise.then(good.as_ref(), bad.as_ref());
    Promise::all_settled(&Array::of1(&heard));
    Question { ticket, controller, _calls: [good, bad] }
}

/// `'token'`, or `{ token: 'token', expires_in?: seconds }`, as the token endpoint answers.
fn read(value: &JsValue) -> Option<Grant> {
    if let Some(token) = value.as_string() {
        return Some(Grant { token: Token::new(token), lives: None });
    }
    let token = js::get_text(value, "token")?;
    let expires = js::get(value, "expires_in");
    let lives = match expires.as_f64() {
        Some(seconds) if seconds > 0.0 => Some((seconds * 1_000.0) as u64),
        None if expires.is_undefined() || expires.is_null() => None,
        Some(_) | None => return None,
    };
    Some(Grant { token: Token::new(token), lives })
}

/// An error with `status` 401 or 403 is a refusal; everything else may pass.
fn refusal(thrown: &JsValue) -> TokenLoss {
    match js::get(thrown, "status").as_f64() {
        Some(401.0) => TokenLoss::Refused(401),
        Some(403.0) => TokenLoss::Refused(403),
        Some(_) | None => TokenLoss::Failed,
    }
}
