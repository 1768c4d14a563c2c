//! The keys of those who log users in, as a JWK set (RFC 7517) in a file or at an address.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jsonwebtoken::jwk::Jwk;
use serde::Deserialize;
use serde_json::Value;
use tinysse::proto::time::Time;

use super::key::Key;
use crate::values::Place;

/// An address is asked at most this often, whatever tokens come with unknown keys, in milliseconds.
const PAUSE: u64 = 10_000;
/// How old keys from an address may get, in milliseconds.
const REFRESH: u64 = 300_000;
/// How long the address may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Keys that are taken from a set.
const MAX_KEYS: usize = 64;
/// Bytes that an answer may have.
const MAX_BYTES: usize = 256 * 1024;

/// Where the keys are, and when they were last looked at.
#[derive(Debug)]
pub(super) struct Jwks {
    place: Place,
    http: reqwest::Client,
    asked: Mutex<Option<Time>>,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

impl Jwks {
    pub(super) fn new(place: Place) -> Self {
        Self { place, http: reqwest::Client::new(), asked: Mutex::new(None) }
    }

    /// Whether it is time to look again; `unknown` if a token came with a key that is not known.
    /// Marks that it is being done.
    pub(super) fn due(&self, now: Time, unknown: bool) -> bool {
        let pause = match (&self.place, unknown) {
            (Place::File(_), false) => 0,
            (Place::File(_) | Place::Url(_), true) => PAUSE,
            (Place::Url(_), false) => REFRESH,
        };
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let due = asked.is_none_or(|at| now.since(at) >= pause);
        if due {
            *asked = Some(now);
        }
        due
    }

    /// The keys as they are now.
    ///
    /// # Errors
    /// In words for the log.
    pub(super) async fn load(&self) -> Result<Vec<Key>, String> {
        let text = match &self.place {
            Place::File(path) => std::fs::read(path).map_err(|error| error.to_string())?,
            Place::Url(url) => self.fetch(&url.to_string()).await.map_err(|error| error.without_url().to_string())?,
        };
        read(&text)
    }

    async fn fetch(&self, url: &str) -> reqwest::Result<Vec<u8>> {
        let mut response = self.http.get(url).timeout(PATIENCE).send().await?.error_for_status()?;
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > MAX_BYTES {
                // Cut short, it is no JSON, and is refused as such.
                break;
            }
        }
        Ok(bytes)
    }
}

/// The usable keys of a set; what is of no use is left out (RFC 7517, 5: unknown members and keys
/// are ignored).
///
/// # Errors
/// If it is no set, or none of its keys is of use.
pub fn read(text: &[u8]) -> Result<Vec<Key>, String> {
    let set: Set =
        serde_json::from_slice(crate::bom::without_bom(text)).map_err(|error| format!("no JWK set: {error}"))?;
    let key = |value: Value| Key::of_jwk(&serde_json::from_value::<Jwk>(value).ok()?);
    let keys: Vec<_> = set.keys.into_iter().filter_map(key).take(MAX_KEYS).collect();
    if keys.is_empty() { Err("no key for EdDSA, ES256, ES384, RS256 or PS256 in it".to_owned()) } else { Ok(keys) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_no_use_is_left_out() {
        let key = Key::ed25519(Key::generate().expose()).expect("a key");
        let ours = serde_json::to_string(key.public().expect("public")).expect("json");
        let set = format!(r#"{{"keys":[{{"kty":"oct","k":"AAAA"}},{{"kty":"new"}},7,{ours}],"more":1}}"#);
        assert_eq!(read(set.as_bytes()).expect("a set").len(), 1);
        for bad in ["", "[]", "{}", r#"{"keys":[]}"#, r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#] {
            assert!(read(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_is_not_asked_for_every_stranger() {
        let url = Jwks::new(Place::Url("http://127.0.0.1:1/".parse().expect("a uri")));
        let asked = [(0, true), (9_999, true), (10_000, true), (309_999, false), (310_000, false)];
        assert_eq!(asked.map(|(now, unknown)| url.due(Time(now), unknown)), [true, false, true, false, true]);
    }
}
