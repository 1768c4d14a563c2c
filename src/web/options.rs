//! The constructor's options: an unknown or ill-typed one is an error that names it, in both builds.

use alloc::string::String;

use wasm_bindgen::JsValue;

use super::page::failure;
use crate::proto::{error::Code, session::Config};

/// What the application asked for. What only `page.js` needs to know stays in `given`.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) given: JsValue,
    /// Whose streams these are, if the application says it.
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
    failure(Code::Options.as_str(), message, false)
}

#[cfg(feature = "std")]
mod read {
    use alloc::{format, string::ToString, vec::Vec};

    use js_sys::{Function, Object, Reflect};
    use wasm_bindgen::JsCast;

    use super::{Config, JsValue, Options, String, bad_option};

    /// The options as they stand in JavaScript; times in milliseconds.
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Raw {
        url: String,
        #[serde(default, deserialize_with = "function")]
        token: Option<Function>,
        transport: Option<Transport>,
        share: Option<bool>,
        user: Option<String>,
        event_limit: Option<u32>,
        #[serde(rename = "pauseWhenHidden")]
        _pause_when_hidden: Option<bool>,
        #[serde(rename = "types")]
        _types: Option<Vec<String>>,
        #[serde(rename = "withCredentials")]
        _with_credentials: Option<bool>,
        last_event_id: Option<String>,
        cursor_user: Option<String>,
        coalesce_ms: Option<u32>,
        heartbeat_timeout: Option<u32>,
        connect_timeout: Option<u32>,
        token_timeout: Option<u32>,
        max_refusals: Option<u32>,
        seed: Option<u32>,
    }

    #[derive(serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    #[derive(PartialEq)]
    enum Transport {
        EventSource,
        Fetch,
    }

    fn function<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Function>, D::Error> {
        let value: JsValue = serde_wasm_bindgen::preserve::deserialize(deserializer)?;
        if value.is_undefined() || value.is_null() {
            return Ok(None);
        }
        value.dyn_into().map(Some).map_err(|_| serde::de::Error::custom("expected a function"))
    }

    /// The names and values that are given; `undefined` and `null` are not.
    fn given(options: &JsValue) -> Result<Vec<(String, JsValue)>, JsValue> {
        let object: &Object = options.dyn_ref().ok_or_else(|| bad_option("the options are no object"))?;
        let names = Object::keys(object);
        let pairs = names.iter().filter_map(|name| {
            let value = Reflect::get(options, &name).ok().filter(|value| !value.is_undefined() && !value.is_null())?;
            Some((name.as_string()?, value))
        });
        Ok(pairs.collect())
    }

    impl Options {
        /// Reads the options of `new SseClient(options)`.
        pub(in crate::web) fn read(value: &JsValue) -> Result<Self, JsValue> {
            // As a map: asked for a struct, serde-wasm-bindgen looks only for the fields it knows, and no unknown one would be found.
            let given = given(value)?.into_iter();
            let given = given.map(|(name, value)| (name, serde_wasm_bindgen::Deserializer::from(value)));
            let read = serde_path_to_error::deserialize(serde::de::value::MapDeserializer::new(given));
            let raw: Raw = read.map_err(|error| {
                let (path, inner) = (error.path().to_string(), error.inner());
                bad_option(&format!("option `{path}`: {inner}"))
            })?;
            if raw.url.is_empty() {
                return Err(bad_option("option `url`: expected the address of the stream"));
            }
            let usual = Config::default();
            let config = Config {
                provider: raw.token.is_some(),
                silence: raw.heartbeat_timeout.unwrap_or(usual.silence),
                watch_plain: raw.heartbeat_timeout.is_some(),
                native: raw.transport != Some(Transport::Fetch),
                connect_timeout: raw.connect_timeout.unwrap_or(usual.connect_timeout),
                token_timeout: raw.token_timeout.unwrap_or(usual.token_timeout),
                refusals: raw.max_refusals.unwrap_or(usual.refusals),
                event_limit: raw.event_limit.map_or(usual.event_limit, |bytes| bytes as usize),
                share: raw.share.unwrap_or(false),
                ..usual
            };
            Ok(Self {
                given: value.clone(),
                user: raw.user.unwrap_or_default(),
                last_event_id: raw.last_event_id.unwrap_or_default(),
                cursor_user: raw.cursor_user.unwrap_or_default(),
                coalesce: raw.coalesce_ms.unwrap_or(0),
                seed: raw.seed.unwrap_or_else(|| (js_sys::Math::random() * f64::from(u32::MAX)) as u32),
                config,
            })
        }
    }
}

/// What serde does for the other build.
#[cfg(not(feature = "std"))]
mod read {
    use wasm_bindgen::prelude::wasm_bindgen;

    use super::{Config, JsValue, Options, String, bad_option};

    #[wasm_bindgen(module = "/src/web/options.js")]
    extern "C" {
        fn read(given: &JsValue, fetch: bool) -> JsValue;
        fn count(options: &JsValue, name: &str, usual: u32) -> u32;
        fn text(options: &JsValue, name: &str) -> String;
        #[wasm_bindgen(js_name = given)]
        fn has(options: &JsValue, name: &str) -> bool;
    }

    impl Options {
        /// Reads the options of `new SseClient(options)`.
        pub(in crate::web) fn read(value: &JsValue) -> Result<Self, JsValue> {
            let given = read(value, cfg!(feature = "fetch"));
            if let Some(wrong) = given.as_string() {
                return Err(bad_option(&wrong));
            }
            let number = |name, usual| count(&given, name, usual);
            let usual = Config::default();
            let config = Config {
                provider: number("token", 0) != 0,
                silence: number("heartbeatTimeout", usual.silence),
                watch_plain: has(&given, "heartbeatTimeout"),
                native: text(&given, "transport") != "fetch",
                connect_timeout: number("connectTimeout", usual.connect_timeout),
                token_timeout: number("tokenTimeout", usual.token_timeout),
                refusals: number("maxRefusals", usual.refusals),
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
}
