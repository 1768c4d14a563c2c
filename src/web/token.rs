//! The `TokenProvider`: a function of the application, asked once for each of core's questions.

use alloc::rc::Rc;

use js_sys::{Array, Function, Object, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{AbortController, AbortSignal};

use super::driver::Driver;
use crate::core::session::{
    io::{AskReason, Input, Ticket, TokenLoss},
    token::{Grant, Token},
};

/// A question that is open; dropping it aborts the provider's `signal`.
#[derive(Debug)]
pub(super) struct Question {
    ticket: Ticket,
    controller: Option<AbortController>,
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
    let question = Object::new();
    set(&question, "reason", &JsValue::from_str(reason.as_str()));
    if let Some(controller) = &controller {
        set(&question, "signal", &controller.signal());
    }
    let called = provider.call1(&JsValue::UNDEFINED, &question);
    let answers = Array::new();
    if let Some(controller) = &controller {
        answers.push(&aborted(&controller.signal()));
    }
    let weak = Rc::downgrade(driver);
    spawn_local(async move {
        let answer = match called {
            // Not the answer alone: a provider that never gives one would keep this task for ever.
            Ok(value) => {
                answers.push(&value);
                JsFuture::from(Promise::race(&answers)).await
            }
            Err(thrown) => Err(thrown),
        };
        let Some(driver) = weak.upgrade() else { return };
        let (answer, cause) = match answer {
            Ok(value) => (read(&value).ok_or(TokenLoss::Nonsense), JsValue::UNDEFINED),
            Err(thrown) => (Err(refusal(&thrown)), thrown),
        };
        driver.answered(ticket, cause);
        driver.feed(Input::Token(ticket, answer));
    });
    Question { ticket, controller }
}

/// A promise that ends when the question is dropped.
fn aborted(signal: &AbortSignal) -> Promise {
    Promise::new(&mut |end, _| {
        let _ = signal.add_event_listener_with_callback("abort", &end);
    })
}

/// `'token'`, or `{ token: 'token', expires_in?: seconds }`, as the token endpoint answers.
fn read(value: &JsValue) -> Option<Grant> {
    if let Some(token) = value.as_string() {
        return Some(Grant { token: Token::new(token), lives: None });
    }
    let field = |name| Reflect::get(value, &JsValue::from_str(name)).ok();
    let token = field("token")?.as_string()?;
    let expires = field("expires_in")?;
    let lives = match expires.as_f64() {
        Some(seconds) if seconds > 0.0 => Some((seconds * 1_000.0) as u64),
        None if expires.is_undefined() || expires.is_null() => None,
        Some(_) | None => return None,
    };
    Some(Grant { token: Token::new(token), lives })
}

/// An error with `status` 401 or 403 is a refusal; everything else may pass.
fn refusal(thrown: &JsValue) -> TokenLoss {
    let status = thrown.is_object().then(|| Reflect::get(thrown, &JsValue::from_str("status")).ok()).flatten();
    match status.and_then(|status| status.as_f64()) {
        Some(401.0) => TokenLoss::Refused(401),
        Some(403.0) => TokenLoss::Refused(403),
        Some(_) | None => TokenLoss::Failed,
    }
}

fn set(object: &Object, name: &str, value: &JsValue) {
    let _ = Reflect::set(object, &JsValue::from_str(name), value.unchecked_ref());
}
