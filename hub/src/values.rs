//! The values that options take, each read in one place.

use std::{fmt, num::NonZeroU32, path::PathBuf, str::FromStr, time::Duration};

use axum::http::Uri;
use serde::{Deserialize, Deserializer, de};

/// A text that must not be shown: it has no `Display`, and its `Debug` hides it.
///
/// ```
/// use tinysse_hub::values::Secret;
/// let secret = Secret::from("open sesame".to_owned());
/// assert_eq!(format!("{secret:?}"), "[hidden]");
/// ```
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct Secret(String);

impl Secret {
    /// The text itself, for the one place that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

/// A length of time: `250ms`, `60s`, `5m`, `1h`.
///
/// ```
/// use tinysse_hub::values::Span;
/// assert_eq!("5m".parse::<Span>().unwrap().ms(), 300_000);
/// assert!("5".parse::<Span>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(u64);

impl Span {
    /// A span in milliseconds.
    #[must_use]
    pub const fn of_ms(ms: u64) -> Self {
        Self(ms)
    }

    /// In milliseconds.
    #[must_use]
    pub const fn ms(self) -> u64 {
        self.0
    }

    /// As the standard library's type.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_millis(self.0)
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let scale = match unit {
            "ms" => Some(1),
            "s" => Some(1_000),
            "m" => Some(60_000),
            "h" => Some(3_600_000),
            _ => None,
        };
        scale
            .zip(number.parse::<u64>().ok())
            .and_then(|(scale, number)| number.checked_mul(scale))
            // Clocks are added up, so a bound keeps every sum finite: ten years.
            .filter(|ms| *ms <= 10 * 365 * 86_400_000)
            .map(Self)
            .ok_or_else(|| format!("`{text}` is no length of time like 250ms, 60s, 5m or 1h"))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.0)
    }
}

/// How often something may happen: `60/m`, `20/s`; `off` for no limit. The number is also the
/// burst.
///
/// ```
/// use tinysse_hub::values::Rate;
/// assert_eq!("60/m".parse::<Rate>().unwrap().0.map(|(count, per)| (count.get(), per.ms())), Some((60, 60_000)));
/// assert_eq!("off".parse::<Rate>().unwrap().0, None);
/// assert!("0/s".parse::<Rate>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(pub Option<(NonZeroU32, Span)>);

impl Rate {
    /// No limit.
    pub const OFF: Self = Self(None);

    /// Returns a rate of this many a minute; 0 is [`OFF`](Self::OFF).
    #[must_use]
    pub const fn per_minute(count: u32) -> Self {
        match NonZeroU32::new(count) {
            Some(count) => Self(Some((count, Span::of_ms(60_000)))),
            None => Self::OFF,
        }
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self(None));
        }
        let wrong = || format!("`{text}` is no rate like 60/m or 20/s, nor `off`");
        let (count, unit) = text.split_once('/').ok_or_else(wrong)?;
        let span = match unit {
            "s" => Some(1_000),
            "m" => Some(60_000),
            "h" => Some(3_600_000),
            _ => None,
        };
        let count = count.parse::<NonZeroU32>().ok().filter(|count| count.get() <= 1_000_000);
        count.zip(span).map(|(count, ms)| Self(Some((count, Span(ms))))).ok_or_else(wrong)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

/// Something in a file, or at an address that begins with `http`.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// A path.
    File(PathBuf),
    /// An address; it may hold a password, so it is not shown.
    Url(Uri),
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once("://") {
            None => Ok(Self::File(text.into())),
            Some(("https", _)) if !cfg!(feature = "https") => {
                Err("build the server with `--features https` for https".to_owned())
            }
            Some(("http" | "https", _)) => match text.parse::<Uri>().ok().filter(|uri| uri.authority().is_some()) {
                Some(uri) => Ok(Self::Url(uri)),
                None => Err("not an address like http://host:port/path".to_owned()),
            },
            Some(_) => Err("neither a file nor an http address".to_owned()),
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "File({})", path.display()),
            Self::Url(url) => write!(f, "Url({})", url.host().unwrap_or_default()),
        }
    }
}

/// `TYPE=VALUE`: an address to poll, a window to batch in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair<T> {
    /// The type of update (or a pattern of types).
    pub kind: String,
    /// The value of the setting.
    pub value: T,
}

impl<T: FromStr<Err: fmt::Display>> FromStr for Pair<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, value) = text.split_once('=').ok_or_else(|| format!("`{text}` is not of the form TYPE=VALUE"))?;
        let value = value.parse().map_err(|error| format!("{kind}: {error}"))?;
        Ok(Self { kind: kind.to_owned(), value })
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Pair<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        for (text, ms) in [("0ms", 0), ("250ms", 250), ("60s", 60_000), ("5m", 300_000), ("1h", 3_600_000)] {
            assert_eq!(text.parse::<Span>(), Ok(Span(ms)));
        }
        for text in ["", "s", "5", "-1s", "1.5s", "1 s", "1d", "18446744073709551615h", "99999999h"] {
            assert!(text.parse::<Span>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn pairs() {
        let pair: Pair<Span> = "projects=50ms".parse().expect("a pair");
        assert_eq!((pair.kind.as_str(), pair.value), ("projects", Span(50)));
        assert!("projects".parse::<Pair<Span>>().is_err());
        assert!("projects=soon".parse::<Pair<Span>>().expect_err("no span").starts_with("projects: "));
    }
}
