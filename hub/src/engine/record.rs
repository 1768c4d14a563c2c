//! An update as it is stored: JSON, since several versions of this program and other languages read
//! it.

use serde::{Deserialize, Serialize};

use crate::hub::Update;

/// An update in the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// When it was logged, in milliseconds since 1970: its age counts from there.
    pub logged: u64,
    /// What was published.
    pub update: Update,
}

/// The stored form. The audiences are text, as in `POST /publish`.
#[derive(Serialize, Deserialize)]
struct Stored {
    logged: u64,
    #[serde(rename = "type")]
    kind: String,
    /// JSON inside a string: it is passed on digit by digit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    to: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    except: Option<String>,
    #[serde(default)]
    at: u64,
}

impl Record {
    /// The stored form.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Update { kind, data, key, to, origin, except, at } = self.update.clone();
        let to = to.iter().map(ToString::to_string).collect();
        let stored = Stored { logged: self.logged, kind, data, key, to, origin, except, at };
        serde_json::to_vec(&stored).unwrap_or_else(|never| unreachable!("strings and numbers are JSON: {never}"))
    }

    /// Reads the stored form back.
    ///
    /// # Errors
    /// In words, what is wrong. An audience that can't be read is an error: to guess could show it
    /// to everybody.
    pub fn decode(bytes: &[u8]) -> Result<Self, String> {
        let stored: Stored = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let Stored { logged, kind, data, key, to, origin, except, at } = stored;
        let audience = |text: &String| text.parse().map_err(|error| format!("audience {text:?}: {error}"));
        let to = to.iter().map(audience).collect::<Result<_, _>>()?;
        Ok(Self { logged, update: Update { kind, data, key, to, origin, except, at } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_back_as_it_was() {
        let full = Update {
            kind: "a.b".into(),
            data: Some("{\"n\": 12345678901234567890123, \"s\":\"\\u0000\"}".into()),
            key: Some("k\n".into()),
            to: vec!["user:ada".parse().expect("one"), "channel:ops".parse().expect("one")],
            origin: Some("tab".into()),
            except: Some("c1".into()),
            at: 12,
        };
        for update in [full, Update::new("bare")] {
            let record = Record { logged: 7, update };
            assert_eq!(Record::decode(&record.encode()), Ok(record));
        }
    }

    #[test]
    fn an_audience_that_is_not_understood_is_no_audience_of_all() {
        assert!(Record::decode(b"{\"logged\":1,\"type\":\"a\",\"to\":[\"planet:mars\"]}").is_err());
        assert!(Record::decode(b"{\"logged\":1}").is_err() && Record::decode(b"").is_err());
    }
}
