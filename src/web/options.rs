//! The constructor's options: an unknown or ill-typed one is an error that names it, in both builds.

use alloc::{string::String, vec::Vec};

use js_sys::{Function, Object, Reflect};
use wasm_bindgen::{JsCast as _, JsValue};

use super::error::bad_option;
use crate::core::session::Config;

/// What the application asked for.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) url: String,
    pub(super) token: Option<Function>,
    pub(super) types: Vec<String>,
    pub(super) with_credentials: bool,
    pub(super) last_event_id: String,
    pub(super) coalesce: u32,
    pub(super) seed: Option<u32>,
    pub(super) config: Config,
}

impl Options {
    /// Reads the options of `new SseClient(options)`.
    pub(super) fn read(value: &JsValue) -> Result<Self, JsValue> {
        let raw = Raw::read(value)?;
        if raw.url.is_empty() {
            return Err(bad_option("option `url`: expected the address of the stream"));
        }
        if raw.transport.is_some_and(|transport| transport != "eventsource") {
            return Err(bad_option("option `transport`: expected 'eventsource'"));
        }
        let usual = Config::default();
        let config = Config {
            provider: raw.token.is_some(),
            silence: raw.silence.unwrap_or(usual.silence),
            connect_timeout: raw.connect_timeout.unwrap_or(usual.connect_timeout),
            token_timeout: raw.token_timeout.unwrap_or(usual.token_timeout),
            refusals: raw.refusals.unwrap_or(usual.refusals),
            ..usual
        };
        Ok(Self {
            url: raw.url,
            token: raw.token,
            types: raw.types.unwrap_or_default(),
            with_credentials: raw.with_credentials.unwrap_or(false),
            last_event_id: raw.last_event_id.unwrap_or_default(),
            coalesce: raw.coalesce.unwrap_or(0),
            seed: raw.seed,
            config,
        })
    }
}

/// The options as they stand in JavaScript; times in milliseconds.
#[cfg_attr(feature = "std", derive(serde::Deserialize), serde(rename_all = "camelCase", deny_unknown_fields))]
#[derive(Default)]
struct Raw {
    url: String,
    #[cfg_attr(feature = "std", serde(default, deserialize_with = "function"))]
    token: Option<Function>,
    transport: Option<String>,
    types: Option<Vec<String>>,
    with_credentials: Option<bool>,
    last_event_id: Option<String>,
    coalesce: Option<u32>,
    silence: Option<u32>,
    connect_timeout: Option<u32>,
    token_timeout: Option<u32>,
    refusals: Option<u32>,
    seed: Option<u32>,
}

/// The names and values that are given; `undefined` and `null` are not.
fn given(options: &JsValue) -> Result<Vec<(String, JsValue)>, JsValue> {
    if !options.is_object() {
        return Err(bad_option("the options are no object"));
    }
    let mut given = Vec::new();
    for key in Object::keys(options.unchecked_ref::<Object>()).iter() {
        let value = Reflect::get(options, &key)?;
        if !value.is_undefined() && !value.is_null() {
            given.push((key.as_string().unwrap_or_default(), value));
        }
    }
    Ok(given)
}

#[cfg(feature = "std")]
fn function<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Function>, D::Error> {
    let value: JsValue = serde_wasm_bindgen::preserve::deserialize(deserializer)?;
    if value.is_undefined() || value.is_null() {
        return Ok(None);
    }
    value.dyn_into().map(Some).map_err(|_| serde::de::Error::custom("expected a function"))
}

#[cfg(feature = "std")]
impl Raw {
    fn read(value: &JsValue) -> Result<Self, JsValue> {
        // As a map: asked for a struct, serde-wasm-bindgen looks only for the fields it knows, and no unknown one would be found.
        let given = given(value)?.into_iter().map(|(key, value)| (key, serde_wasm_bindgen::Deserializer::from(value)));
        serde_path_to_error::deserialize(serde::de::value::MapDeserializer::new(given)).map_err(|error| {
            let (path, inner) = (alloc::string::ToString::to_string(error.path()), error.inner());
            bad_option(&alloc::format!("option `{path}`: {inner}"))
        })
    }
}

#[cfg(not(feature = "std"))]
impl Raw {
    fn read(value: &JsValue) -> Result<Self, JsValue> {
        use js_sys::Array;

        let mut raw = Self::default();
        for (key, value) in given(value)? {
            let expected = |what| mistake(&key, what);
            let text = || value.as_string().ok_or_else(|| expected("expected a string"));
            let number = || whole(&value).ok_or_else(|| expected("expected a whole number, not negative"));
            match key.as_str() {
                "url" => raw.url = text()?,
                "transport" => raw.transport = Some(text()?),
                "lastEventId" => raw.last_event_id = Some(text()?),
                "withCredentials" => {
                    raw.with_credentials = Some(value.as_bool().ok_or_else(|| expected("expected a boolean"))?);
                }
                "token" => raw.token = Some(value.clone().dyn_into().map_err(|_| expected("expected a function"))?),
                "types" => {
                    let list = value.dyn_ref::<Array>().ok_or_else(|| expected("expected a list of strings"))?;
                    let types: Option<Vec<_>> = list.iter().map(|kind| kind.as_string()).collect();
                    raw.types = Some(types.ok_or_else(|| expected("expected a list of strings"))?);
                }
                "coalesce" => raw.coalesce = Some(number()?),
                "silence" => raw.silence = Some(number()?),
                "connectTimeout" => raw.connect_timeout = Some(number()?),
                "tokenTimeout" => raw.token_timeout = Some(number()?),
                "refusals" => raw.refusals = Some(number()?),
                "seed" => raw.seed = Some(number()?),
                _ => return Err(expected("there is no such option")),
            }
        }
        Ok(raw)
    }
}

#[cfg(not(feature = "std"))]
fn whole(value: &JsValue) -> Option<u32> {
    let number = value.as_f64()?;
    let whole = number as u32; // saturates
    (f64::from(whole) == number).then_some(whole)
}

#[cfg(not(feature = "std"))]
fn mistake(key: &str, what: &str) -> JsValue {
    let mut message = String::from("option `");
    message.push_str(key);
    message.push_str("`: ");
    message.push_str(what);
    bad_option(&message)
}
