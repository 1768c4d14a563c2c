//! The constructor's options: an unknown or ill-typed one is an error that names it.

use alloc::string::String;

use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use super::bindings::failure;
use crate::proto::{error::ErrorKind, session::Config};

#[wasm_bindgen(module = "/src/web/options.js")]
extern "C" {
    fn read(given: &JsValue, fetch: bool) -> JsValue;
    fn count(options: &JsValue, name: &str, usual: u32) -> u32;
    fn text(options: &JsValue, name: &str) -> String;
    #[wasm_bindgen(js_name = given)]
    fn has(options: &JsValue, name: &str) -> bool;
}

/// What the application asked for. What only `bindings.js` needs to know stays in `given`.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) given: JsValue,
    /// Whose streams these are, if the application sets it.
    pub(super) user: String,
    pub(super) last_event_id: String,
    /// Whose cursor that is; empty if it is anybody's.
    pub(super) cursor_user: String,
    pub(super) coalesce: u32,
    pub(super) seed: u32,
    pub(super) config: Config,
}

/// A mistake in the arguments; `message` names the one that is wrong.
pub(super) fn bad_option(message: &str) -> JsValue {
    failure(ErrorKind::Options.as_str(), message, false)
}

impl Options {
    /// Reads the options of `new SseClient(options)`.
    pub(super) fn read(value: &JsValue) -> Result<Self, JsValue> {
        let given = read(value, cfg!(feature = "fetch"));
        if let Some(wrong) = given.as_string() {
            return Err(bad_option(&wrong));
        }
        let number = |name, usual| count(&given, name, usual);
        let usual = Config::default();
        let config = Config {
            provider: number("token", 0) != 0,
            heartbeat_timeout: number("heartbeatTimeout", usual.heartbeat_timeout),
            watch_plain: has(&given, "heartbeatTimeout"),
            native: text(&given, "transport") != "fetch",
            connect_timeout: number("connectTimeout", usual.connect_timeout),
            token_timeout: number("tokenTimeout", usual.token_timeout),
            max_refusals: number("maxRefusals", usual.max_refusals),
            event_limit: number("eventLimit", usual.event_limit as u32) as usize,
            share: number("share", 0) != 0,
            ..usual
        };
        Ok(Self {
            user: text(&given, "user"),
            last_event_id: text(&given, "lastEventId"),
            cursor_user: text(&given, "cursorUser"),
            coalesce: number("coalesceMs", 0),
            seed: number("seed", 0),
            config,
            given,
        })
    }
}
