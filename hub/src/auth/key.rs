//! One key: its algorithm is a property of the key and never taken from a token. So a public key
//! can't be used as a shared secret, and `none` is no algorithm (RFC 8725, 3.1).

use std::fmt;

use ed25519_dalek::{
    SigningKey, VerifyingKey,
    pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, KeypairBytes, spki::der::pem::LineEnding},
};
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, EncodingKey, Header,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse, ThumbprintHash},
};

use crate::{clock, values::Secret};

/// Characters of a key's id: 96 bits name it well, and every token carries them.
const KID: usize = 16;

/// A key that checks tokens and, if it is not only the public half, signs them.
///
/// ```
/// use tinysse_hub::auth::key::Key;
/// let pem = Key::generate();
/// let key = Key::ed25519(pem.expose()).unwrap();
/// assert!(key.signs() && key.public().is_some());
/// assert_eq!(format!("{pem:?}"), "[hidden]");
/// ```
#[derive(Clone)]
pub struct Key {
    pub(super) kid: String,
    /// What it is, whatever it is called.
    pub(super) print: String,
    pub(super) algorithm: Algorithm,
    pub(super) sign: Option<EncodingKey>,
    pub(super) check: DecodingKey,
    public: Option<Jwk>,
    /// What the tokens that it signs begin with: their header, up to the point.
    pub(super) begins: Option<String>,
}

/// A text that is no key, or none of a kind that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no Ed25519 key in PEM (PKCS #8 private or SPKI public)")]
pub struct BadKey;

impl Key {
    /// HS256 with a shared secret.
    #[must_use]
    pub fn shared(secret: &Secret) -> Self {
        let bytes = secret.expose().as_bytes();
        let (sign, check) = (EncodingKey::from_secret(bytes), DecodingKey::from_secret(bytes));
        let (_, print) = thumbprint(&check, Algorithm::HS256);
        let kid = short(&print);
        let begins = begins(&kid, Algorithm::HS256, &sign);
        Self { kid, print, algorithm: Algorithm::HS256, sign: Some(sign), check, public: None, begins }
    }

    /// EdDSA with Ed25519 (RFC 8037), from the private key or, for checking only, from the public
    /// one.
    ///
    /// # Errors
    /// [`BadKey`], without a word of what the text holds.
    pub fn ed25519(pem: &str) -> Result<Self, BadKey> {
        let (sign, public) = match SigningKey::from_pkcs8_pem(pem) {
            Ok(key) => {
                let der = key.to_pkcs8_der().map_err(|_| BadKey)?;
                (Some(EncodingKey::from_ed_der(der.as_bytes())), key.verifying_key())
            }
            Err(_) => (None, VerifyingKey::from_public_key_pem(pem).map_err(|_| BadKey)?),
        };
        let check = DecodingKey::from_ed_der(public.as_bytes());
        let (mut jwk, print) = thumbprint(&check, Algorithm::EdDSA);
        let kid = short(&print);
        jwk.common.key_id = Some(kid.clone());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        let begins = sign.as_ref().and_then(|sign| begins(&kid, Algorithm::EdDSA, sign));
        Ok(Self { kid, print, algorithm: Algorithm::EdDSA, sign, check, public: Some(jwk), begins })
    }

    /// The key of a JWK set's entry; `None` for those that are not for signatures, are no public
    /// keys, or have an algorithm that is not taken here (EdDSA, ES256, ES384, RS256 and PS256
    /// are).
    #[must_use]
    pub fn of_jwk(jwk: &Jwk) -> Option<Self> {
        match &jwk.common.public_key_use {
            None | Some(PublicKeyUse::Signature) => {}
            Some(PublicKeyUse::Encryption | PublicKeyUse::Other(_)) => return None,
        }
        let said = jwk.common.key_algorithm;
        let (ours, also) = match &jwk.algorithm {
            AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => (Algorithm::EdDSA, None),
            AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => (Algorithm::ES256, None),
            AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P384 => (Algorithm::ES384, None),
            AlgorithmParameters::RSA(_) => (Algorithm::RS256, Some(Algorithm::PS256)),
            // A shared secret has no place in what is published, and a set may be.
            AlgorithmParameters::OctetKey(_)
            | AlgorithmParameters::OctetKeyPair(_)
            | AlgorithmParameters::EllipticCurve(_)
            | AlgorithmParameters::Other(_)
            | _ => return None,
        };
        let algorithm = match said {
            None => ours,
            Some(said) if said == KeyAlgorithm::from(ours) => ours,
            Some(said) => also.filter(|also| said == KeyAlgorithm::from(*also))?,
        };
        let check = DecodingKey::from_jwk(jwk).ok()?;
        // The verifier takes the length for granted.
        let edwards =
            check.family() != AlgorithmFamily::Ed || check.try_get_as_bytes().is_ok_and(|bytes| bytes.len() == 32);
        let sound = edwards && !matches!(&jwk.algorithm, AlgorithmParameters::RSA(rsa) if is_short(&rsa.n));
        let kid = jwk.common.key_id.clone().unwrap_or_default();
        let print = jwk.thumbprint(ThumbprintHash::SHA256).ok()?;
        sound.then_some(Self { kid, print, algorithm, sign: None, check, public: None, begins: None })
    }

    /// A fresh Ed25519 private key, as PEM.
    #[must_use]
    pub fn generate() -> Secret {
        // Without the public half (RFC 8410, 7): OpenSSL reads no other.
        let key = KeypairBytes { secret_key: clock::random(), public_key: None };
        // A seed of 32 bytes always encodes.
        let pem = key.to_pkcs8_pem(LineEnding::LF).expect("a seed encodes");
        Secret::from(pem.to_string())
    }

    /// What tokens name it by (`kid`).
    #[must_use]
    pub fn id(&self) -> &str {
        &self.kid
    }

    /// Whether it is more than a public key.
    #[must_use]
    pub fn signs(&self) -> bool {
        self.sign.is_some()
    }

    /// What everybody may know of it; `None` for shared secrets and the keys of others.
    #[must_use]
    pub fn public(&self) -> Option<&Jwk> {
        self.public.as_ref()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("kid", &self.kid).field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// The header of the tokens that a key signs.
pub(super) fn header(kid: &str, algorithm: Algorithm) -> Header {
    Header { kid: Some(kid.to_owned()), ..Header::new(algorithm) }
}

/// What they begin with.
fn begins(kid: &str, algorithm: Algorithm, sign: &EncodingKey) -> Option<String> {
    let mut token = jsonwebtoken::encode(&header(kid, algorithm), &(), sign).ok()?;
    token.truncate(token.find('.')? + 1);
    Some(token)
}

/// RFC 7518, 3.3: "A key of size 2048 bits or larger MUST be used". Base64 has 6 of them in a
/// character.
fn is_short(modulus: &str) -> bool {
    modulus.trim_start_matches('A').len() * 6 < 2_048
}

fn short(print: &str) -> String {
    print.chars().take(KID).collect()
}

/// The key as a JWK, and its thumbprint (RFC 7638).
fn thumbprint(check: &DecodingKey, algorithm: Algorithm) -> (Jwk, String) {
    // Fails for malformed keys only; these were read or made by us.
    let jwk = Jwk::from_decoding_key(check, Some(algorithm)).expect("a sound key");
    let print = jwk.thumbprint(ThumbprintHash::SHA256).expect("a sound key");
    (jwk, print)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jwk_is_taken_for_what_it_is_and_nothing_else() {
        let key = Key::ed25519(Key::generate().expose()).expect("a key");
        let good = serde_json::to_value(key.public()).expect("json");
        let with = |change: &[(&str, &str)]| {
            let mut jwk = good.clone();
            for (name, value) in change {
                jwk[*name] = (*value).into();
            }
            serde_json::from_value::<Jwk>(jwk).ok().and_then(|jwk| Key::of_jwk(&jwk))
        };
        assert_eq!(with(&[]).expect("taken").kid, key.kid);
        assert!(with(&[("use", "enc")]).is_none());
        assert!(with(&[("alg", "HS256")]).is_none());
        assert!(with(&[("x", "AAAA")]).is_none());
        assert!(with(&[("kty", "oct"), ("k", "c2VjcmV0"), ("alg", "HS256")]).is_none());
        assert!(good.get("d").is_none(), "the private half stays here");
    }

    #[test]
    fn only_keys_are_keys_and_no_debug_shows_them() {
        for text in
            ["", "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
        {
            assert!(Key::ed25519(text).is_err());
        }
        let secret = Secret::from("0123456789abcdef0123456789abcdef".to_owned());
        assert!(!format!("{:?}", Key::shared(&secret)).contains("012345"));
        assert!(Key::shared(&secret).public().is_none());
    }
}
