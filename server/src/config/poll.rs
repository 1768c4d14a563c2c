//! What to poll: `TYPE=URL` in flags and environment, or a table in the file, which has more
//! options.
//!
//! ```
//! use tinysse_server::config::{Config, ConfigError, RawConfig};
//! let layer = |text: &str| toml::from_str::<RawConfig>(text).unwrap();
//! let config = Config::resolve(layer(r#"
//!     dev = true
//!     [[poll]]
//!     type = "weather"
//!     url = "http://api.example/weather"
//!     every = "30s"
//!     audience = "role:crew"
//!     compare = "/current/temperature"
//!     headers = { authorization = "Bearer open-sesame" }
//! "#)).unwrap();
//! assert_eq!((config.hub.poll.targets[0].kind.as_str(), config.hub.poll.targets[0].max_stale.ms()), ("weather", 90_000));
//! assert!(!format!("{config:?}").contains("sesame"));
//!
//! let wrong = layer("dev = true\n[[poll]]\ntype = 'weather'\nurl = 'http://api.example/'\nevery = 5");
//! let Err(ConfigError::Poll(error)) = Config::resolve(wrong) else { panic!("must be refused") };
//! assert_eq!((error.kind.as_str(), error.key.as_str()), ("weather", "every"));
//! ```

use std::{collections::BTreeMap, fmt, str::FromStr};

use axum::http::{HeaderName, HeaderValue, Uri, header};
use serde::{Deserialize, Deserializer, de};
use tinysse::proto::{audience::Audience, wire::kind::check_type};
use toml::Value;

use super::{Origin, RawConfig};
use tinysse_hub::{
    poll::{Target, compare::Compare},
    values::{Pair, Span},
};

/// Everything that a table may contain.
const KEYS: [&str; 10] =
    ["type", "url", "every", "audience", "compare", "send", "headers", "max-stale", "timeout", "max-bytes"];
/// Headers that the poller or HTTP itself sets.
const OURS: [HeaderName; 6] = [
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::HOST,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::CONNECTION,
];

/// A poller as it is written, unchecked. Its `Debug` shows no values: there are addresses and keys
/// among them.
#[derive(Clone, PartialEq)]
pub struct PollEntry(BTreeMap<String, Value>);

/// A poller is described wrongly. The values are not repeated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("--poll `{kind}`: `{key}`: {what} (from: {origin})")]
pub struct PollError {
    /// Its type, as far as that is known.
    pub kind: String,
    /// The key that is wrong or missing.
    pub key: String,
    /// What is wrong about it.
    pub what: String,
    /// Where the pollers were given.
    pub origin: Origin,
}

impl fmt::Debug for PollEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl FromStr for PollEntry {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Pair { kind, value } = text.parse::<Pair<String>>().map_err(|_| "not of the form TYPE=URL".to_owned())?;
        Ok(Self([("type", kind), ("url", value)].map(|(key, text)| (key.to_owned(), Value::String(text))).into()))
    }
}

impl<'de> Deserialize<'de> for PollEntry {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match Value::deserialize(from)? {
            Value::String(text) => text.parse().map_err(de::Error::custom),
            Value::Table(table) => Ok(Self(table.into_iter().collect())),
            Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) | Value::Array(_) => {
                Err(de::Error::custom("poll: neither a table nor `TYPE=URL`"))
            }
        }
    }
}

/// Checks all pollers of a layer.
///
/// # Errors
/// [`PollError`] names the key.
pub(super) fn resolve(layer: &RawConfig) -> Result<Vec<Target>, PollError> {
    let mut polls: Vec<Target> = Vec::new();
    for entry in &layer.poll {
        let poll = entry.resolve(layer)?;
        if polls.iter().any(|other| other.kind == poll.kind) {
            let (key, what, origin) = ("type".into(), "there is another poller of this type".into(), Origin::Default);
            return Err(PollError { kind: poll.kind, key, what, origin });
        }
        polls.push(poll);
    }
    Ok(polls)
}

impl PollEntry {
    fn resolve(&self, layer: &RawConfig) -> Result<Target, PollError> {
        let kind = self.0.get("type").and_then(Value::as_str).unwrap_or("?").to_owned();
        let wrong = |key: &str| {
            let (kind, key) = (kind.clone(), key.to_owned());
            move |what: String| PollError { kind, key, what, origin: Origin::Default }
        };
        if let Some(key) = self.0.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(wrong(key)(format!("unknown; there are {}", KEYS.join(", "))));
        }
        let needed =
            |key: &str| self.text(key).and_then(|text| text.ok_or_else(|| "missing".into())).map_err(wrong(key));
        let span = |key: &str, flag: Option<Span>, default: u64, low: u64| {
            let read = |text: Option<&str>| {
                let span = text.map(str::parse).transpose()?.or(flag).unwrap_or(Span::of_ms(default));
                let good = (low..=86_400_000).contains(&span.ms());
                if good { Ok(span) } else { Err(format!("{span} is not {low}ms to 24h")) }
            };
            self.text(key).and_then(read).map_err(wrong(key))
        };
        if check_type(needed("type")?).is_err() {
            return Err(wrong("type")("not a type".into()));
        }
        let every = span("every", layer.poll_every, 2_000, 10)?;
        Ok(Target {
            url: address(needed("url")?).map_err(wrong("url"))?,
            every,
            timeout: span("timeout", layer.poll_timeout, 5_000, 10)?,
            // A value is stale when the second answer in a row is overdue.
            max_stale: span("max-stale", None, (3 * every.ms()).clamp(1_000, 86_400_000), 0)?,
            max_bytes: self.bytes().map_err(wrong("max-bytes"))?,
            compare: self.compare().map_err(wrong("compare"))?,
            send_value: self.send_value().map_err(wrong("send"))?,
            audience: self.audience().map_err(wrong("audience"))?,
            headers: self.headers().map_err(wrong("headers"))?,
            kind: kind.clone(),
        })
    }

    fn text(&self, key: &str) -> Result<Option<&str>, String> {
        let value = self.0.get(key);
        value.map(|value| value.as_str().ok_or_else(|| "not a text".to_owned())).transpose()
    }

    /// One text, or several.
    fn texts(&self, key: &str) -> Result<Vec<&str>, String> {
        let wrong = || "neither a text nor a list of texts".to_owned();
        match self.0.get(key) {
            None => Ok(Vec::new()),
            Some(Value::String(text)) => Ok(vec![text]),
            Some(Value::Array(list)) if list.is_empty() => Err("an empty list".into()),
            Some(Value::Array(list)) => list.iter().map(|one| one.as_str().ok_or_else(wrong)).collect(),
            Some(Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) | Value::Table(_)) => {
                Err(wrong())
            }
        }
    }

    fn bytes(&self) -> Result<usize, String> {
        let Some(value) = self.0.get("max-bytes") else { return Ok(1 << 20) };
        let number = value.as_integer().and_then(|number| usize::try_from(number).ok());
        number.filter(|number| (1..=64 << 20).contains(number)).ok_or_else(|| "not a number from 1 to 67108864".into())
    }

    fn compare(&self) -> Result<Compare, String> {
        match self.texts("compare")?.as_slice() {
            [] | ["json"] => Ok(Compare::Json),
            ["hash"] => Ok(Compare::Hash),
            pointers => Compare::at(pointers.iter().copied()),
        }
    }

    fn send_value(&self) -> Result<bool, String> {
        match self.text("send")? {
            None | Some("type") => Ok(false),
            Some("value") => Ok(true),
            Some(_) => Err("neither \"type\" (the default) nor \"value\"".into()),
        }
    }

    fn audience(&self) -> Result<Vec<Audience>, String> {
        let read = |text: &&str| text.parse().map_err(|error| format!("`{text}`: {error}"));
        self.texts("audience")?.iter().map(read).collect()
    }

    fn headers(&self) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
        let Some(value) = self.0.get("headers") else { return Ok(Vec::new()) };
        let table = value.as_table().ok_or("not a table like { authorization = \"Bearer ...\" }")?;
        let read = |(name, value): (&String, &Value)| {
            let key = HeaderName::try_from(name).map_err(|_| format!("`{name}` is no name of a header"))?;
            if OURS.contains(&key) {
                return Err(format!("`{name}` is set by the poller itself"));
            }
            let value = value.as_str().and_then(|text| HeaderValue::from_str(text).ok());
            let mut value = value.ok_or_else(|| format!("`{name}` has no value that a header may have"))?;
            value.set_sensitive(true);
            Ok((key, value))
        };
        table.iter().map(read).collect()
    }
}

fn address(text: &str) -> Result<Uri, String> {
    let uri = text.parse::<Uri>().ok().filter(|uri| uri.authority().is_some());
    let uri = uri.ok_or("not an address like http://host:port/path")?;
    match uri.scheme_str() {
        Some("http") => Ok(uri),
        Some("https") if cfg!(feature = "https") => Ok(uri),
        Some("https") => Err("build the server with `--features https` for https".into()),
        Some(_) | None => Err("not an http address".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polls(text: &str) -> Result<Vec<Target>, PollError> {
        resolve(&toml::from_str(text).expect("TOML"))
    }

    fn complaint(line: &str) -> PollError {
        let text = format!("[[poll]]\ntype = 'a'\nurl = 'http://x/hush'\n{line}\n");
        polls(&text).expect_err("must be refused")
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        let text = "poll-every = '1m'\n[[poll]]\ntype = 'a'\nurl = 'http://x'\n[[poll]]\ntype = 'b'\nurl = 'http://y'\nevery = '1s'\nmax-stale = '0s'";
        let polls = polls(text).expect("sound");
        assert_eq!(polls.iter().map(|poll| poll.every.ms()).collect::<Vec<_>>(), [60_000, 1_000]);
        assert_eq!(polls.iter().map(|poll| poll.max_stale.ms()).collect::<Vec<_>>(), [180_000, 0]);
        assert_eq!((polls[0].max_bytes, polls[0].timeout.ms(), &polls[0].compare), (1 << 20, 5_000, &Compare::Json));
        assert!(polls[0].audience.is_empty() && polls[0].headers.is_empty() && !polls[0].send_value);
    }

    #[test]
    fn every_complaint_names_the_key_and_repeats_no_value() {
        for (line, key) in [
            ("every = 5", "every"),
            ("every = '1ms'", "every"),
            ("timeout = 'hush'", "timeout"),
            ("max-stale = '9999h'", "max-stale"),
            ("max-bytes = 0", "max-bytes"),
            ("max-bytes = '1'", "max-bytes"),
            ("compare = 'hash-of-hush'", "compare"),
            ("compare = []", "compare"),
            ("compare = ['/a', 'b']", "compare"),
            ("send = 'hush'", "send"),
            ("send = true", "send"),
            ("audience = 'planet:mars'", "audience"),
            ("audience = 7", "audience"),
            ("headers = 'authorization'", "headers"),
            ("headers = { 'a b' = 'hush' }", "headers"),
            ("headers = { a = \"hush\\n\" }", "headers"),
            ("headers = { Host = 'hush' }", "headers"),
            ("evry = '1s'", "evry"),
        ] {
            let error = complaint(line);
            assert_eq!((error.kind.as_str(), error.key.as_str()), ("a", key), "{line}");
            assert!(!error.to_string().contains("/hush"), "{error}");
        }
        assert!(complaint("headers = { a = \"hush\\n\" }").to_string().contains("`a`"));
        assert_eq!(polls("[[poll]]\ntype = 'a'").expect_err("no address").key, "url");
        assert_eq!(polls("[[poll]]\nurl = 'http://x'").expect_err("no type").key, "type");
        assert!(toml::from_str::<RawConfig>("poll = [7]").is_err());
    }
}
