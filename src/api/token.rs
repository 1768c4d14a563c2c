//! The token provider as an async closure: asked once for each question, dropped when nobody waits
//! for its answer any more.

use std::{
    boxed::Box,
    cell::RefCell,
    error, fmt,
    future::{Future, poll_fn},
    pin::pin,
    rc::Rc,
    string::String,
    task::{Poll, Waker},
    time::Duration,
};

use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::AbortSignal;

use super::{error::Cause, js};
use crate::proto::session::io::TokenReason;

/// A question for a token.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TokenAsk {
    /// Why a token is needed.
    pub reason: TokenReason,
    /// Aborted when the answer is no longer awaited. The future of the answer is dropped then; hand
    /// this on to a request that would go on by itself. `None` where the browser has no
    /// `AbortController`.
    pub signal: Option<AbortSignal>,
}

/// A token, as the endpoint answers it: `{ "token": "…", "expires_in": 60 }` deserializes into
/// this.
///
/// ```no_run
/// use std::time::Duration;
/// use tinysse::TokenAnswer;
///
/// let answer = TokenAnswer::new("secret").expires_in(Duration::from_secs(60));
/// assert!(!format!("{answer:?}").contains("secret"));
/// ```
#[derive(Clone, PartialEq, serde::Deserialize)]
pub struct TokenAnswer {
    token: String,
    /// In seconds.
    #[serde(default)]
    expires_in: Option<f64>,
}

impl TokenAnswer {
    /// A token that is good until it is refused.
    #[must_use]
    pub fn new(token: impl Into<String>) -> Self {
        Self { token: token.into(), expires_in: None }
    }

    /// A token that is good for so long: no stream is opened with it after that. Zero is no
    /// lifetime, and the answer then nonsense.
    #[must_use]
    pub fn expires_in(mut self, lives: Duration) -> Self {
        self.expires_in = Some(lives.as_secs_f64());
        self
    }

    fn into_js(self) -> JsValue {
        let object = js_sys::Object::new().into();
        js::set(&object, "token", &self.token.into());
        if let Some(seconds) = self.expires_in {
            js::set(&object, "expires_in", &seconds.into());
        }
        object
    }
}

impl fmt::Debug for TokenAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenAnswer").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

/// Why there is no token.
///
/// ```no_run
/// use tinysse::TokenError;
///
/// // 401 and 403 are refusals: the client gives up. After everything else it asks again, later and later.
/// assert_eq!(TokenError::status(403).kind(), tinysse::TokenErrorKind::Refused(403));
/// assert_eq!(TokenError::status(503).kind(), tinysse::TokenErrorKind::Failed);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenError {
    status: Option<u16>,
    cause: Option<Cause>,
}

/// What a [`TokenError`] means to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenErrorKind {
    /// 401 or 403: asking again is no use.
    Refused(u16),
    /// It may pass.
    Failed,
}

impl TokenError {
    /// The token endpoint answered with this status, which is not 2xx.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self { status: Some(status), cause: None }
    }

    /// Something else went wrong, such as the network. Its chain of sources is kept as text.
    #[must_use]
    pub fn new(cause: impl error::Error + 'static) -> Self {
        Self { status: None, cause: Some(Cause::new(&cause)) }
    }

    /// The same in your own words.
    #[must_use]
    pub fn message(message: impl Into<String>) -> Self {
        Self { status: None, cause: Some(Cause::text(message.into())) }
    }

    /// What it means to the client.
    #[must_use]
    pub fn kind(&self) -> TokenErrorKind {
        match self.status {
            Some(status @ (401 | 403)) => TokenErrorKind::Refused(status),
            Some(_) | None => TokenErrorKind::Failed,
        }
    }

    fn into_js(self) -> JsValue {
        let error = js_sys::Error::new(&std::format!("{self}")).into();
        if let Some(status) = self.status {
            js::set(&error, "status", &status.into());
        }
        if let Some(cause) = self.cause {
            js::set(&error, "cause", &cause.into_js());
        }
        error
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(f, "no token: the endpoint answered {status}"),
            None => f.write_str("no token"),
        }
    }
}

impl error::Error for TokenError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(self.cause.as_ref()?)
    }
}

/// A function that the client calls with `{ reason, signal }`.
pub(super) type Asked = Closure<dyn Fn(JsValue) -> JsValue>;

pub(super) fn asked<P>(provider: P) -> Asked
where
    P: AsyncFn(TokenAsk) -> Result<TokenAnswer, TokenError> + 'static,
{
    let provider = Rc::new(provider);
    let ask = move |ask: JsValue| -> JsValue {
        let provider = provider.clone();
        let answer = wasm_bindgen_futures::future_to_promise(async move {
            let signal: Option<AbortSignal> = js::field(&ask, "signal").dyn_into().ok();
            let ask = TokenAsk {
                reason: js::word(&ask, "reason", TokenReason::parse, TokenReason::Initial),
                signal: signal.clone(),
            };
            let answer = unless_aborted(signal, provider(ask)).await;
            // The answer to a question that was given up is dropped, whatever it is.
            answer
                .unwrap_or_else(|| Err(TokenError::message("nobody waits for it")))
                .map(TokenAnswer::into_js)
                .map_err(TokenError::into_js)
        });
        answer.into()
    };
    Closure::wrap(Box::new(ask) as Box<dyn Fn(JsValue) -> JsValue>)
}

/// Drives a future to its end, or drops it when the signal is aborted: then there is no answer.
async fn unless_aborted<T>(signal: Option<AbortSignal>, future: impl Future<Output = T>) -> Option<T> {
    let abort = signal.map(Abort::of);
    let mut future = pin!(future);
    poll_fn(|context| {
        if let Some(abort) = &abort {
            if abort.signal.aborted() {
                return Poll::Ready(None);
            }
            abort.waker.replace(Some(context.waker().clone()));
        }
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// Wakes who waits when a signal is aborted, for as long as it is held.
struct Abort {
    signal: AbortSignal,
    waker: Rc<RefCell<Option<Waker>>>,
    _heard: Closure<dyn Fn()>,
}

impl Abort {
    fn of(signal: AbortSignal) -> Self {
        let waker: Rc<RefCell<Option<Waker>>> = Rc::default();
        let waiting = waker.clone();
        let heard = Closure::<dyn Fn()>::new(move || {
            let waker = waiting.take();
            if let Some(waker) = waker {
                waker.wake();
            }
        });
        signal.set_onabort(Some(heard.as_ref().unchecked_ref()));
        Self { signal, waker, _heard: heard }
    }
}

impl Drop for Abort {
    fn drop(&mut self) {
        self.signal.set_onabort(None);
    }
}
