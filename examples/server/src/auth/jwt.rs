//! Tokens as text: signing and checking. HS256 is pinned, `aud`, `iss` and `exp` are required.
//!
//! Absent here: a clock (the time comes in), and who is revoked (see [`directory`](super::directory)).

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use tinysse::core::audience::Identity;

use crate::config::Secret;

/// `aud` of stream tokens.
pub const STREAM: &str = "tinysse";
/// `aud` of app sessions.
pub const APP: &str = "tinysse-app";

/// What a token says. Role, channels and the rest are optional, so that any backend can issue app sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued it.
    pub iss: String,
    /// What it is for.
    pub aud: String,
    /// The user.
    pub sub: String,
    /// The user's role; empty for none.
    #[serde(default)]
    pub role: String,
    /// The user's channels.
    #[serde(default)]
    pub channels: Vec<String>,
    /// The generation of the user's rights: when they were last established, in milliseconds since 1970. A revocation outdates all earlier ones.
    #[serde(rename = "gen", default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    /// Issued at, in seconds since 1970.
    #[serde(default)]
    pub iat: u64,
    /// From this second on it is worth nothing.
    pub exp: u64,
    /// Names the token.
    #[serde(default)]
    pub jti: String,
    /// In a stream token: the `jti` of the app session that asked for it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sid: String,
}

impl Claims {
    /// Whom it speaks for.
    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity { user: self.sub.clone(), role: self.role.clone(), channels: self.channels.clone() }
    }

    /// The generation, if need be from the second in which it was issued: then a revocation within that second outdates it.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation.unwrap_or(self.iat.saturating_mul(1_000))
    }
}

/// Why a token is worth nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// It was good once.
    Expired,
    /// It is not ours, not for this, or no token at all.
    Forged,
}

/// Signs and checks.
pub struct Keys {
    sign: EncodingKey,
    check: DecodingKey,
    issuer: String,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl Keys {
    /// Keys from the shared secret.
    #[must_use]
    pub fn new(secret: &Secret, issuer: String) -> Self {
        let secret = secret.expose().as_bytes();
        Self { sign: EncodingKey::from_secret(secret), check: DecodingKey::from_secret(secret), issuer }
    }

    /// `iss` of our tokens.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The claims as a token.
    #[must_use]
    pub fn sign(&self, claims: &Claims) -> String {
        // Strings, numbers and an HMAC key: there is nothing here that could fail.
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &self.sign).expect("claims are plain JSON")
    }

    /// The claims of a token for `audience`, at `now_ms` since 1970.
    ///
    /// # Errors
    /// [`Invalid`]; a forged token is forged even if it is expired too.
    pub fn check(&self, token: &str, audience: &str, now_ms: u64) -> Result<Claims, Invalid> {
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        rules.set_audience(&[audience]);
        rules.set_issuer(&[&self.issuer]);
        // Ours is exact; the library would ask its own clock, and lets a token live for the whole second of its `exp`.
        rules.validate_exp = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &self.check, &rules).map_err(|_| Invalid::Forged)?.claims;
        // RFC 7519, 4.1.4: "on or after which the JWT MUST NOT be accepted".
        if now_ms >= claims.exp.saturating_mul(1_000) { Err(Invalid::Expired) } else { Ok(claims) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(secret: &str) -> Keys {
        Keys::new(&Secret::from(secret.to_owned()), "tinysse".into())
    }

    fn claims() -> Claims {
        Claims {
            iss: "tinysse".into(),
            aud: STREAM.into(),
            sub: "ada".into(),
            role: "admin".into(),
            channels: vec!["ops".into()],
            generation: Some(7),
            iat: 100,
            exp: 160,
            jti: "j".into(),
            sid: String::new(),
        }
    }

    #[test]
    fn good_until_the_very_second() {
        let keys = keys("a");
        let token = keys.sign(&claims());
        assert_eq!(keys.check(&token, STREAM, 159_999), Ok(claims()));
        assert_eq!(keys.check(&token, STREAM, 160_000), Err(Invalid::Expired));
    }

    #[test]
    fn every_forgery_is_refused() {
        let ours = keys("a");
        let token = ours.sign(&claims());
        let with = |change: fn(&mut Claims)| {
            let mut claims = claims();
            change(&mut claims);
            ours.sign(&claims)
        };
        for (why, token) in [
            ("another key", keys("b").sign(&claims())),
            ("another audience", with(|claims| claims.aud = APP.into())),
            ("another issuer", with(|claims| claims.iss = "eve".into())),
            ("cut off", token[..token.len() - 2].to_owned()),
            ("no token", "x.y.z".to_owned()),
            ("nothing", String::new()),
            // {"alg":"none","typ":"JWT"}
            (
                "alg none",
                format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{}.", token.split('.').nth(1).unwrap_or_default()),
            ),
        ] {
            assert_eq!(ours.check(&token, STREAM, 0), Err(Invalid::Forged), "{why}");
        }
        let other_algorithm =
            jsonwebtoken::encode(&Header::new(Algorithm::HS384), &claims(), &ours.sign).expect("signs");
        assert_eq!(ours.check(&other_algorithm, STREAM, 0), Err(Invalid::Forged));
    }

    #[test]
    fn what_is_required_is_required() {
        let keys = keys("a");
        let all = serde_json::to_value(claims()).expect("json");
        for name in ["iss", "aud", "sub", "exp"] {
            let mut some = all.clone();
            some.as_object_mut().expect("an object").remove(name);
            let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &some, &keys.sign).expect("signs");
            assert_eq!(keys.check(&token, STREAM, 0), Err(Invalid::Forged), "{name}");
        }
    }
}
