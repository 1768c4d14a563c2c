//! The constructor's options: an unknown or ill-typed one is an error that names it, in both builds.

use alloc::{string::String, vec::Vec};

use js_sys::{Function, Object};
use wasm_bindgen::{JsCast, JsValue};

use super::{error::bad_option, js};
use crate::core::session::Config;

/// What the application asked for.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) url: String,
    pub(super) token: Option<Function>,
    pub(super) types: Vec<String>,
    #[cfg(feature = "fetch")]
    pub(super) fetch: bool,
    pub(super) with_credentials: bool,
    pub(super) pause_when_hidden: bool,
    /// Whose streams these are, if the application says it.
    pub(super) user: String,
    pub(super) last_event_id: String,
    pub(super) coalesce: u32,
    pub(super) seed: u32,
    pub(super) config: Config,
}

impl Options {
    /// Reads the options of `new SseClient(options)`.
    pub(super) fn read(value: &JsValue) -> Result<Self, JsValue> {
        let options = Self::from_given(given(value)?)?;
        if options.url.is_empty() {
            return Err(bad_option("option `url`: expected the address of the stream"));
        }
        Ok(options)
    }
}

/// The names and values that are given; `undefined` and `null` are not.
fn given(options: &JsValue) -> Result<Vec<(String, JsValue)>, JsValue> {
    if !options.is_object() {
        return Err(bad_option("the options are no object"));
    }
    let names = Object::keys(options.unchecked_ref::<Object>());
    let mut given = Vec::new();
    for name in js::texts(&names).unwrap_or_default() {
        let value = js::get(options, &name);
        if !value.is_undefined() && !value.is_null() {
            given.push((name, value));
        }
    }
    Ok(given)
}

/// Where jitter begins, if the application does not say.
fn chance() -> u32 {
    (js_sys::Math::random() * f64::from(u32::MAX)) as u32
}

/// The options as they stand in JavaScript; times in milliseconds.
#[cfg(feature = "std")]
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
    pause_when_hidden: Option<bool>,
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

#[cfg(feature = "std")]
#[derive(PartialEq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum Transport {
    EventSource,
    Fetch,
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
impl Options {
    fn from_given(given: Vec<(String, JsValue)>) -> Result<Self, JsValue> {
        // As a map: asked for a struct, serde-wasm-bindgen looks only for the fields it knows, and no unknown one would be found.
        let given = given.into_iter().map(|(key, value)| (key, serde_wasm_bindgen::Deserializer::from(value)));
        let raw: Raw =
            serde_path_to_error::deserialize(serde::de::value::MapDeserializer::new(given)).map_err(|error| {
                let (path, inner) = (alloc::string::ToString::to_string(error.path()), error.inner());
                bad_option(&alloc::format!("option `{path}`: {inner}"))
            })?;
        let usual = Config::default();
        let config = Config {
            provider: raw.token.is_some(),
            silence: raw.silence.unwrap_or(usual.silence),
            connect_timeout: raw.connect_timeout.unwrap_or(usual.connect_timeout),
            token_timeout: raw.token_timeout.unwrap_or(usual.token_timeout),
            refusals: raw.refusals.unwrap_or(usual.refusals),
            event_limit: raw.event_limit.map_or(usual.event_limit, |bytes| bytes as usize),
            share: raw.share.unwrap_or(false),
            ..usual
        };
        Ok(Self {
            url: raw.url,
            token: raw.token,
            types: raw.types.unwrap_or_default(),
            #[cfg(feature = "fetch")]
            fetch: raw.transport == Some(Transport::Fetch),
            with_credentials: raw.with_credentials.unwrap_or(false),
            pause_when_hidden: raw.pause_when_hidden.unwrap_or(false),
            user: raw.user.unwrap_or_default(),
            last_event_id: raw.last_event_id.unwrap_or_default(),
            coalesce: raw.coalesce.unwrap_or(0),
            seed: raw.seed.unwrap_or_else(chance),
            config,
        })
    }
}

/// What serde does for the other build.
#[cfg(not(feature = "std"))]
impl Options {
    fn from_given(given: Vec<(String, JsValue)>) -> Result<Self, JsValue> {
        let mut read = Reader { given, wrong: None };
        let usual = Config::default();
        let token = read.field("token", "expected a function", |value| value.clone().dyn_into().ok());
        let transport = |value: &JsValue| match value.as_string().as_deref() {
            Some("eventsource") => Some(false),
            Some("fetch") if cfg!(feature = "fetch") => Some(true),
            Some(_) | None => None,
        };
        let _fetch = read.field("transport", "expected 'eventsource' or 'fetch'", transport).unwrap_or(false);
        let options = Self {
            url: read.text("url"),
            types: read.field("types", "expected a list of strings", js::texts).unwrap_or_default(),
            #[cfg(feature = "fetch")]
            fetch: _fetch,
            with_credentials: read.flag("withCredentials"),
            pause_when_hidden: read.flag("pauseWhenHidden"),
            user: read.text("user"),
            last_event_id: read.text("lastEventId"),
            coalesce: read.number("coalesce", 0),
            seed: read.number("seed", chance()),
            config: Config {
                provider: token.is_some(),
                silence: read.number("silence", usual.silence),
                connect_timeout: read.number("connectTimeout", usual.connect_timeout),
                token_timeout: read.number("tokenTimeout", usual.token_timeout),
                refusals: read.number("refusals", usual.refusals),
                event_limit: read.number("eventLimit", usual.event_limit as u32) as usize,
                share: read.flag("share"),
                ..usual
            },
            token,
        };
        if let Some((name, _)) = read.given.pop() {
            read.complain(&name, "there is no such option");
        }
        read.wrong.map_or(Ok(options), Err)
    }
}

/// Takes options by name, and remembers one that is wrong.
#[cfg(not(feature = "std"))]
struct Reader {
    given: Vec<(String, JsValue)>,
    wrong: Option<JsValue>,
}

#[cfg(not(feature = "std"))]
impl Reader {
    fn field<T>(&mut self, name: &str, expected: &str, read: fn(&JsValue) -> Option<T>) -> Option<T> {
        let at = self.given.iter().position(|(given, _)| given == name)?;
        let (_, value) = self.given.swap_remove(at);
        let field = read(&value);
        if field.is_none() {
            self.complain(name, expected);
        }
        field
    }

    fn flag(&mut self, name: &str) -> bool {
        self.field(name, "expected a boolean", JsValue::as_bool).unwrap_or(false)
    }

    fn text(&mut self, name: &str) -> String {
        self.field(name, "expected a string", JsValue::as_string).unwrap_or_default()
    }

    fn number(&mut self, name: &str, usual: u32) -> u32 {
        let whole = |value: &JsValue| {
            let number = value.as_f64()?;
            let whole = number as u32; // saturates
            (f64::from(whole) == number).then_some(whole)
        };
        self.field(name, "expected a whole number, not negative", whole).unwrap_or(usual)
    }

    fn complain(&mut self, name: &str, what: &str) {
        let mut message = String::from("option `");
        message.push_str(name);
        message.push_str("`: ");
        message.push_str(what);
        self.wrong = Some(bad_option(&message));
    }
}
