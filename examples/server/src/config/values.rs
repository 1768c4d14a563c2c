//! The values that options take, each read in one place.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, de};

/// A text that must not be shown: it has neither `Display` nor a telling `Debug`.
///
/// ```
/// use tinysse_server::config::Secret;
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
/// use tinysse_server::config::Span;
/// assert_eq!("5m".parse::<Span>().unwrap().ms(), 300_000);
/// assert!("5".parse::<Span>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(u64);

impl Span {
    /// A span of so many milliseconds.
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

/// `TYPE=VALUE`: an address to poll, a window to batch in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair<T> {
    /// The type of update (or a pattern of types).
    pub kind: String,
    /// What is said about it.
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
