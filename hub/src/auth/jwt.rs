//! Tokens as text: their claims, and who signed them. `aud`, `iss`, `sub` and `exp` are required.
//!
//! Absent here: a clock (the time comes in), and who is revoked (see [`revoked`](super::revoked)).

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use jsonwebtoken::{
    crypto::verify,
    dangerous::insecure_decode_claims,
    jwk::{Jwk, JwkSet},
};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{SeqAccess, Visitor},
};
use serde_json::Number;
use tinysse::proto::{audience::Identity, registry::Pattern};

use super::{
    key::{Key, header},
    names::{self, BadName},
};
use crate::values::{Secret, Span};

/// `aud` of stream tokens.
pub const STREAM: &str = "tinysse";
/// `aud` of app sessions, unless configured otherwise.
pub const APP: &str = "tinysse-app";
/// How far clocks may differ, unless configured otherwise.
pub const SKEW: Span = Span::of_ms(5_000);
/// A longer text is not even looked at.
const MAX_TOKEN: usize = 8 * 1024;
/// The largest number that every program reads exactly from JSON (RFC 8259, 6).
const MAX_EXACT: u64 = (1 << 53) - 1;

/// The claims of a token. Role, channels and the rest are optional, so that any backend can issue
/// app sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued it.
    pub iss: String,
    /// What it is for. Of several audiences (RFC 7519, 4.1.3) this is the first; all of them count.
    #[serde(deserialize_with = "first")]
    pub aud: String,
    /// The user.
    pub sub: String,
    /// The user's role; empty for none.
    #[serde(default, deserialize_with = "or_default")]
    pub role: String,
    /// The user's channels, by name or pattern.
    #[serde(default, deserialize_with = "or_default")]
    pub channels: Vec<String>,
    /// The types that the user may see, by name or pattern; `None` for all that the directory
    /// allows. `tinysse/server` writes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub types: Option<Vec<String>>,
    /// The place of the user's login in this server's count of logins and revocations: a revocation
    /// ends what has the same place or an earlier one. It begins at the time of day in milliseconds
    /// and never repeats, so it may be ahead of every clock: it is never compared with one. `None`
    /// if another issuer logged the user in; then [`established`](Self::established) is compared
    /// with the time of the revocation.
    #[serde(rename = "gen", default, deserialize_with = "milliseconds", skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    /// When the user's rights were established, in milliseconds since 1970, if neither `gen` nor
    /// `iat` has it.
    #[serde(default, deserialize_with = "milliseconds", skip_serializing_if = "Option::is_none")]
    pub auth_ms: Option<u64>,
    /// Issued at, in seconds since 1970.
    #[serde(default, deserialize_with = "seconds_or_none")]
    pub iat: u64,
    /// Worth nothing before this second.
    #[serde(default, deserialize_with = "seconds_or_none", skip_serializing_if = "is_zero")]
    pub nbf: u64,
    /// From this second on it is worth nothing.
    #[serde(deserialize_with = "seconds")]
    pub exp: u64,
    /// Names the token.
    #[serde(default, deserialize_with = "or_default")]
    pub jti: String,
    /// In a stream token: the `jti` of the app session that asked for it.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub sid: String,
}

impl Claims {
    /// The identity that it claims.
    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity { user: self.sub.clone(), role: self.role.clone(), channels: self.channels.clone() }
    }

    /// Returns the types that it allows; `None` for all. What is no pattern allows nothing.
    #[must_use]
    pub fn patterns(&self) -> Option<Vec<Pattern>> {
        self.types.as_ref().map(|types| types.iter().filter_map(|text| Pattern::parse(text)).collect())
    }

    /// Whether all names in it are taken.
    fn names(&self) -> Result<(), BadName> {
        names::name("user", &self.sub)?;
        names::role(&self.role)?;
        names::channels(&self.channels)
    }

    /// Returns when the user's rights were established, in milliseconds since 1970. If only the
    /// second of issue is known, it is the beginning of that second, so that a revocation within
    /// the second ends the token.
    #[must_use]
    pub fn established(&self) -> u64 {
        let issued = self.iat.saturating_mul(1_000);
        match (self.auth_ms, self.generation) {
            (Some(ms), _) => ms,
            // A place in the count may be ahead of the clock; the second of issue is not.
            (None, Some(place)) if self.iat > 0 && place / 1_000 > self.iat => issued,
            (None, Some(place)) => place,
            (None, None) => issued,
        }
    }

    /// Returns the claims of another issuer: its `gen` is a time in milliseconds and no place in
    /// this server's count.
    pub(super) fn dated(self) -> Self {
        let dated = Self { auth_ms: None, ..self };
        Self { auth_ms: dated.generation.map(|_| dated.established()), generation: None, ..dated }
    }
}

/// Why a token is worth nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// It was good once.
    Expired,
    /// It is not valid yet, or its issuer's clock is wrong: its time is further in the future than
    /// the skew permits.
    Early,
    /// It is signed by a key that is not known.
    UnknownKey,
    /// It is not for this server or not for this purpose, or is no token at all.
    Forged,
    /// It names a user, role or channel by a text that is not taken (see [`names`]).
    BadName,
}

/// Keys with the rules of one issuer. The first that can signs; all of them check.
#[derive(Debug)]
pub struct Keys {
    held: RwLock<Vec<Held>>,
    issuer: String,
    skew: Span,
    /// Whether the issuer is another one, whose `gen` is a time.
    foreign: bool,
}

#[derive(Clone, Debug)]
struct Held {
    key: Arc<Key>,
    /// A retired key checks what it signed, until then (in milliseconds since 1970).
    until: Option<u64>,
}

impl Keys {
    /// One shared secret.
    #[must_use]
    pub fn new(secret: &Secret, issuer: String) -> Self {
        Self::of(vec![Key::shared(secret)], issuer, SKEW)
    }

    /// Several keys, in the order of preference.
    #[must_use]
    pub fn of(keys: Vec<Key>, issuer: String, skew: Span) -> Self {
        let held = keys.into_iter().map(|key| Held { key: Arc::new(key), until: None }).collect();
        Self { held: RwLock::new(held), issuer, skew, foreign: false }
    }

    /// The same keys as those of another issuer: `gen` of its tokens is a time in milliseconds
    /// since 1970.
    #[must_use]
    pub fn of_another(self) -> Self {
        Self { foreign: true, ..self }
    }

    /// `iss` of our tokens.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// From now on these; the others check for the time of `overlap` what they have signed. Answers
    /// whether anything is new.
    pub fn rotate(&self, now_ms: u64, keys: Vec<Key>, overlap: Span) -> bool {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        let same = held
            .iter()
            .filter(|held| held.until.is_none())
            .map(|held| &held.key.print)
            .eq(keys.iter().map(|key| &key.print));
        held.retain(|held| held.counts(now_ms));
        if same {
            return false;
        }
        let retired = held.drain(..).filter(|old| keys.iter().all(|key| key.print != old.key.print));
        let retired = retired.map(|old| Held { until: Some(old.until.unwrap_or(now_ms + overlap.ms())), ..old });
        let retired: Vec<_> = retired.collect();
        held.extend(keys.into_iter().map(|key| Held { key: Arc::new(key), until: None }));
        held.extend(retired);
        true
    }

    /// What others need to check our tokens (RFC 7517): the public keys, retired ones too as long
    /// as they count.
    #[must_use]
    pub fn public(&self, now_ms: u64) -> JwkSet {
        let keys = self.at(now_ms).iter().filter_map(|key| key.public().cloned()).collect::<Vec<Jwk>>();
        JwkSet { keys }
    }

    /// The claims as a token.
    ///
    /// # Panics
    /// If no key can sign; the configuration makes sure that one can.
    #[must_use]
    pub fn sign(&self, claims: &Claims) -> String {
        let held = self.held();
        let signing = held.iter().find_map(|held| Some((&held.key, held.key.sign.as_ref()?)));
        let (key, sign) = signing.expect("a key that signs");
        let header = header(&key.kid, key.algorithm);
        // Strings, numbers and a sound key: there is nothing here that could fail.
        jsonwebtoken::encode(&header, claims, sign).expect("claims are plain JSON")
    }

    /// The claims of a token for `audience`, at `now_ms` since 1970.
    ///
    /// # Errors
    /// [`Invalid`]; a forged token is forged even if it is expired too.
    pub fn check(&self, token: &str, audience: &str, now_ms: u64) -> Result<Claims, Invalid> {
        let claims = self.signed(token, audience, now_ms)?;
        // RFC 7519, 4.1.4: "on or after which the JWT MUST NOT be accepted". Exact, since being
        // early costs one question for a new token.
        if now_ms >= claims.exp.saturating_mul(1_000) {
            return Err(Invalid::Expired);
        }
        // Without a place in the count, the time of issue is compared with the times of
        // revocations: one in the future would survive them. With a place, it is not compared with
        // anything, and a clock that was set back must not end what it issued before.
        let counted = claims.generation.is_some();
        let issued = if counted { 0 } else { claims.established().max(claims.iat.saturating_mul(1_000)) };
        let from = issued.max(claims.nbf.saturating_mul(1_000));
        if from > now_ms.saturating_add(self.skew.ms()) { Err(Invalid::Early) } else { Ok(claims) }
    }

    /// Returns the claims of a token for `audience` with a good signature, also if it is over or
    /// not yet valid.
    ///
    /// # Errors
    /// [`Invalid::Forged`] or [`Invalid::UnknownKey`]. `now_ms` decides which retired keys still
    /// count.
    pub fn signed(&self, token: &str, audience: &str, now_ms: u64) -> Result<Claims, Invalid> {
        if token.len() > MAX_TOKEN {
            return Err(Invalid::Forged);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Invalid::Forged)?;
        let good = |key: &Key| verify(signature, signed.as_bytes(), &key.check, key.algorithm).unwrap_or(false);
        let genuine = match self.own(token, now_ms) {
            Some(key) => good(&key),
            None => self.candidates(token, now_ms)?.iter().any(|key| good(key)),
        };
        if !genuine {
            return Err(Invalid::Forged);
        }
        // Signed by a key of this server: from here on it may be believed.
        let claims: Claims = believed(token)?;
        let ours = claims.aud == audience || believed::<Audiences>(token)?.aud.iter().any(|aud| aud == audience);
        if claims.iss != self.issuer || !ours {
            return Err(Invalid::Forged);
        }
        claims.names().map_err(|_| Invalid::BadName)?;
        Ok(if self.foreign { claims.dated() } else { claims })
    }

    /// The key of this server that signs tokens which begin as this one does: then its header
    /// contains nothing else.
    fn own(&self, token: &str, now_ms: u64) -> Option<Arc<Key>> {
        let begins = |key: &Arc<Key>| key.begins.as_ref().is_some_and(|begins| token.starts_with(begins));
        self.held().iter().filter(|held| held.counts(now_ms)).map(|held| &held.key).find(|key| begins(key)).cloned()
    }

    /// The keys that may have signed a token, by its header.
    fn candidates(&self, token: &str, now_ms: u64) -> Result<Vec<Arc<Key>>, Invalid> {
        let mut known = self.at(now_ms);
        let header = jsonwebtoken::decode_header(token).map_err(|_| Invalid::Forged)?;
        // RFC 7515, 4.1.11: what must be understood and is not makes the whole invalid. Nothing is
        // understood here.
        if header.crit.is_some() {
            return Err(Invalid::Forged);
        }
        if let Some(kid) = &header.kid {
            known.retain(|key| key.kid == *kid);
            if known.is_empty() {
                return Err(Invalid::UnknownKey);
            }
        }
        known.retain(|key| key.algorithm == header.alg);
        Ok(known)
    }

    fn at(&self, now_ms: u64) -> Vec<Arc<Key>> {
        self.held().iter().filter(|held| held.counts(now_ms)).map(|held| Arc::clone(&held.key)).collect()
    }

    fn held(&self) -> RwLockReadGuard<'_, Vec<Held>> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn counts(&self, now_ms: u64) -> bool {
        self.until.is_none_or(|until| now_ms < until)
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The claims of a token whose signature is good.
fn believed<T: for<'de> Deserialize<'de>>(token: &str) -> Result<T, Invalid> {
    insecure_decode_claims(token).map_err(|_| Invalid::Forged)
}

/// All of a token's audiences.
#[derive(Deserialize)]
struct Audiences {
    #[serde(deserialize_with = "all")]
    aud: Vec<String>,
}

/// One text or several; the first of them, and all if they are wanted.
struct Texts<'a>(Option<&'a mut Vec<String>>);

impl<'de> Visitor<'de> for Texts<'_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one text or several")
    }

    fn visit_str<E>(self, one: &str) -> Result<String, E> {
        self.0.into_iter().for_each(|all| all.push(one.to_owned()));
        Ok(one.to_owned())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<String, A::Error> {
        let mut first = None;
        while let Some(one) = seq.next_element::<String>()? {
            if let Some(all) = &mut self.0 {
                all.push(one.clone());
            }
            first.get_or_insert(one);
        }
        Ok(first.unwrap_or_default())
    }
}

fn all<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let mut all = Vec::new();
    from.deserialize_any(Texts(Some(&mut all)))?;
    Ok(all)
}

fn first<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    from.deserialize_any(Texts(None))
}

/// An optional claim that is `null` is as good as none: some issuers write all claims that they
/// know.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// A `NumericDate` (RFC 7519, 2): seconds since 1970, perhaps with a fraction, which is cut off.
/// What was before 1970 is 1970, and what has does not fit into 64 bits is the end of time.
fn seconds<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    Number::deserialize(from).map(|number| whole(&number))
}

fn seconds_or_none<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    Ok(Option::<Number>::deserialize(from)?.map_or(0, |number| whole(&number)))
}

/// Milliseconds since 1970, or a place in the count of logins. What is not exact in JSON is
/// neither: the count would go on from there.
fn milliseconds<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    match Option::<Number>::deserialize(from)?.map(|number| whole(&number)) {
        Some(number) if number > MAX_EXACT => Err(serde::de::Error::custom("not in milliseconds since 1970")),
        number => Ok(number),
    }
}

/// The number without sign and fraction, as near as 64 bits are: a conversion of `as` saturates.
fn whole(number: &Number) -> u64 {
    number.as_u64().unwrap_or_else(|| number.as_f64().map_or(0, |number| number as u64))
}

#[cfg(test)]
mod tests;
