//! The options of a client, one method each.

use std::{string::String, time::Duration};

use js_sys::Array;
use wasm_bindgen::JsValue;

use super::{
    client::SseClient,
    error::Error,
    js,
    token::{self, Asked, TokenAnswer, TokenAsk, TokenError},
};
use crate::web;

/// Options of a client that is to be. Times below a millisecond are cut off.
#[derive(Debug)]
#[must_use = "a builder does nothing before `build`"]
pub struct Builder {
    /// As the class in [`web`] takes them.
    options: JsValue,
    asked: Option<Asked>,
}

impl Builder {
    pub(super) fn new(url: &str) -> Self {
        let options = js_sys::Object::new().into();
        js::set(&options, "url", &url.into());
        Self { options, asked: None }
    }

    /// Asks this for a token before a stream is opened, and again when the token was refused or is
    /// past its time. One question at a time; its future is dropped when the client no longer waits
    /// for it.
    ///
    /// ```no_run
    /// use tinysse::{SseClient, TokenAnswer, TokenAsk, TokenError};
    ///
    /// # async fn post(path: &str) -> Result<(u16, String), std::fmt::Error> { Ok((200, path.to_owned())) }
    /// let client = SseClient::builder("/events").token(|_ask: TokenAsk| async move {
    ///     let (status, token) = post("/auth/sse-token").await.map_err(TokenError::new)?;
    ///     if status != 200 {
    ///         return Err(TokenError::status(status)); // 401 and 403: the client gives up
    ///     }
    ///     Ok(TokenAnswer::new(token))
    /// });
    /// ```
    pub fn token<P>(mut self, provider: P) -> Self
    where
        P: AsyncFn(TokenAsk) -> Result<TokenAnswer, TokenError> + 'static,
    {
        let asked = token::asked(provider);
        js::set(&self.options, "token", asked.as_ref());
        self.asked = Some(asked);
        self
    }

    /// Asks the server for these types only. Without it, for all that the user may see.
    pub fn types<S: AsRef<str>>(self, types: impl IntoIterator<Item = S>) -> Self {
        let list: Array = types.into_iter().map(|kind| JsValue::from_str(kind.as_ref())).collect();
        self.option("types", list)
    }

    /// Sends cookies to another origin too. Off without it.
    pub fn with_credentials(self, with: bool) -> Self {
        self.option("withCredentials", with)
    }

    /// Whose updates these are: tokens for other users are refused. Without it, the token names the
    /// user. See [`set_user`](crate::SseClient::set_user).
    pub fn user(self, id: impl Into<String>) -> Self {
        self.option("user", id.into())
    }

    /// The cursor to resume from, as an earlier client's
    /// [`last_event_id`](crate::Snapshot::last_event_id) was.
    pub fn last_event_id(self, id: impl Into<String>) -> Self {
        self.option("lastEventId", id.into())
    }

    /// Of several updates of one type and key within this time, only the last is handed over. None
    /// without it.
    pub fn coalesce(self, window: Duration) -> Self {
        self.option("coalesceMs", ms(window))
    }

    /// Takes a stream for dead that is silent for this long, where the server announces no beat.
    /// Without it, 45 seconds until the first frame, and then, for servers that do not speak
    /// tinysse/1, twice the longest time between two comments, if their bytes are seen at all
    /// (transport `fetch`).
    pub fn heartbeat_timeout(self, patience: Duration) -> Self {
        self.option("heartbeatTimeout", ms(patience))
    }

    /// How long a server may take to accept a stream.
    pub fn connect_timeout(self, patience: Duration) -> Self {
        self.option("connectTimeout", ms(patience))
    }

    /// How long the token provider may take.
    pub fn token_timeout(self, patience: Duration) -> Self {
        self.option("tokenTimeout", ms(patience))
    }

    /// After this many refusals in a row the client gives up.
    pub fn max_refusals(self, count: u32) -> Self {
        self.option("maxRefusals", count)
    }

    /// Where jitter begins, for tests that must repeat.
    pub fn seed(self, seed: u32) -> Self {
        self.option("seed", seed)
    }

    /// Any option of the JavaScript class, by its name there.
    pub fn option(self, name: &str, value: impl Into<JsValue>) -> Self {
        js::set(&self.options, name, &value.into());
        self
    }

    /// The client, not connected yet: [`start`](SseClient::start) connects it.
    ///
    /// # Errors
    /// [`ErrorKind::Options`](crate::ErrorKind::Options) for an empty URL, or an option that is
    /// unknown or of the wrong type.
    pub fn build(self) -> Result<SseClient, Error> {
        let class = web::JsClient::new(&self.options).map_err(|error| Error::read(&error))?;
        Ok(SseClient::new(class, self.asked))
    }
}

/// What does not fit is as good as for ever: 49 days.
fn ms(time: Duration) -> u32 {
    time.as_millis().try_into().unwrap_or(u32::MAX)
}
