//! A text that is shown as a token. No accepted one without a good signature, and none whose claims
//! are not ours, for this, and in time.

use std::sync::LazyLock;

use ed25519_dalek::{Signature, Verifier, VerifyingKey};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tinysse_hub::auth::{
    jwt::{APP, Claims, Keys, SKEW, STREAM},
    key::Key,
};

const ISSUER: &str = "tinysse";
const SECRET: &str = "a-secret-for-fuzzing-with-32-bytes";
/// In milliseconds since 1970.
const NOW: u64 = 1_700_000_000_000;
/// The seed of an Ed25519 key: the same in every run, so that a finding can be repeated.
const PEM: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n-----END PRIVATE KEY-----\n";

struct Issuer {
    keys: Keys,
    /// Each of them alone.
    each: [Keys; 2],
    /// Another issuer, who signs with the same names of keys.
    eve: Keys,
    public: VerifyingKey,
    ids: [String; 2],
}

static ISSUED: LazyLock<Issuer> = LazyLock::new(|| {
    let shared = Key::shared(&SECRET.to_owned().into());
    let ed = Key::ed25519(PEM).expect("a key");
    let keys = |keys: Vec<Key>| Keys::of(keys, ISSUER.to_owned(), SKEW);
    let x = serde_json::to_value(ed.public()).expect("json")["x"].as_str().map(decode).expect("x").expect("base64");
    Issuer {
        ids: [shared.id().to_owned(), ed.id().to_owned()],
        public: VerifyingKey::from_bytes(&x.try_into().expect("32 bytes")).expect("a point"),
        each: [keys(vec![shared.clone()]), keys(vec![ed.clone()])],
        keys: keys(vec![shared, ed]),
        eve: keys(vec![Key::shared(&"another-secret-with-32-bytes-in-it".to_owned().into())]),
    }
});

/// Claims as another program reads them.
#[derive(Deserialize)]
struct Said {
    iss: String,
    aud: Value,
}

/// The first byte selects what the rest is: a text as it comes, claims that are signed, or changes
/// of a good token.
pub fn check(bytes: &[u8]) {
    let Some((kind, rest)) = bytes.split_first() else { return judge("") };
    match kind % 4 {
        0 => judge(&String::from_utf8_lossy(rest)),
        1 => signed(rest),
        2 => changed(rest),
        _ => forged(rest),
    }
}

/// What is accepted is signed by one of the server's keys, and claims what it must.
fn judge(token: &str) {
    let ours = &*ISSUED;
    for audience in [STREAM, APP] {
        let Ok(claims) = ours.keys.check(token, audience, NOW) else { continue };
        let (signed, signature) = token.rsplit_once('.').expect("three parts");
        let (header, payload) = signed.split_once('.').expect("three parts");
        let header: Value = serde_json::from_slice(&decode(header).expect("base64")).expect("json");
        let signature = decode(signature).expect("base64");
        let good = match header["alg"].as_str().expect("an algorithm") {
            "HS256" => signature == hmac(SECRET.as_bytes(), signed.as_bytes()),
            "EdDSA" => Signature::from_slice(&signature)
                .is_ok_and(|signature| ours.public.verify(signed.as_bytes(), &signature).is_ok()),
            other => panic!("{other} was accepted"),
        };
        assert!(good, "accepted without a good signature: {token}");
        assert!(header["kid"].is_null() || ours.ids.iter().any(|id| header["kid"] == **id));
        // Only what is looked at: other claims may be anything, and may not even be text.
        let payload = String::from_utf8_lossy(&decode(payload).expect("base64")).into_owned();
        let said: Said = serde_json::from_str(&payload).expect("json");
        let audiences = said.aud.as_array().cloned().unwrap_or_else(|| vec![said.aud.clone()]);
        assert!(audiences.contains(&audience.into()), "{payload}");
        assert_eq!(said.iss, ISSUER);
        assert!(claims.exp.saturating_mul(1_000) > NOW && (1..=255).contains(&claims.sub.len()));
        // Of what has a place in the count, the time of issue is compared with nothing.
        let issued =
            if claims.generation.is_some() { 0 } else { claims.established().max(claims.iat.saturating_mul(1_000)) };
        let from = issued.max(claims.nbf.saturating_mul(1_000));
        assert!(from <= NOW + SKEW.ms(), "from the future: {payload}");
    }
}

/// Claims of any shape, signed by the server: the signature is good, so everything depends on the
/// claims.
fn signed(rest: &[u8]) {
    let ours = &*ISSUED;
    let header = format!("{{\"alg\":\"HS256\",\"kid\":\"{}\"}}", ours.ids[0]);
    let signed = format!("{}.{}", encode(header.as_bytes()), encode(rest));
    let token = format!("{signed}.{}", encode(&hmac(SECRET.as_bytes(), signed.as_bytes())));
    judge(&token);
    // What was read is written as it was read, by either key.
    for keys in &ours.each {
        if let Ok(claims) = ours.keys.check(&token, STREAM, NOW) {
            let claims = Claims { aud: STREAM.into(), ..claims };
            let again = keys.sign(&claims);
            // Escapes may be longer than what they encode, and an endless token is refused.
            if again.len() <= 8 * 1024 {
                assert_eq!(ours.keys.check(&again, STREAM, NOW), Ok(claims));
            }
        }
    }
}

/// A good token with some bytes replaced: it is what it was, or worth nothing.
fn changed(rest: &[u8]) {
    for keys in &ISSUED.each {
        let token = keys.sign(&good());
        let mut bytes = token.clone().into_bytes();
        for change in rest.chunks_exact(3) {
            let at = usize::from(u16::from_be_bytes([change[0], change[1]])) % bytes.len();
            bytes[at] = change[2];
        }
        let text = String::from_utf8_lossy(&bytes);
        let accepted = ISSUED.keys.check(&text, STREAM, NOW).is_ok();
        assert_eq!(accepted, text == token, "{text}");
        judge(&text);
    }
}

/// Good claims with a header of any shape, signed by another key, and by every public value.
fn forged(rest: &[u8]) {
    let ours = &*ISSUED;
    let payload = encode(&serde_json::to_vec(&good()).expect("json"));
    let signed = format!("{}.{payload}", encode(rest));
    let public = ours.public.as_bytes();
    for key in
        [b"another-secret-with-32-bytes-in-it".as_slice(), public, encode(public).as_bytes(), b"", PEM.as_bytes()]
    {
        let token = format!("{signed}.{}", encode(&hmac(key, signed.as_bytes())));
        assert!(ours.keys.check(&token, STREAM, NOW).is_err(), "{token}");
    }
    assert!(ours.keys.check(&format!("{signed}."), STREAM, NOW).is_err());
    assert!(ours.keys.check(&ours.eve.sign(&good()), STREAM, NOW).is_err());
}

fn good() -> Claims {
    Claims {
        iss: ISSUER.into(),
        aud: STREAM.into(),
        sub: "ada".into(),
        role: "admin".into(),
        channels: vec!["ops".into()],
        types: None,
        generation: Some(NOW - 1_000),
        auth_ms: None,
        iat: NOW / 1_000 - 1,
        nbf: 0,
        exp: NOW / 1_000 + 60,
        jti: "j".into(),
        sid: String::new(),
    }
}

/// RFC 2104, by hand: what is tested must not vouch for itself.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    if key.len() > block.len() {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().to_vec()
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// RFC 4648, 5, without padding.
fn encode(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().enumerate().fold(0_u32, |bits, (n, byte)| bits | u32::from(*byte) << (16 - 8 * n));
        for n in 0..=chunk.len() {
            out.push(char::from(ALPHABET[(bits >> (18 - 6 * n) & 63) as usize]));
        }
    }
    out
}

/// The one text that encodes these bytes; every other is `None`.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for chunk in text.as_bytes().chunks(4) {
        let mut bits = 0_u32;
        for (n, byte) in chunk.iter().enumerate() {
            let value = ALPHABET.iter().position(|known| known == byte)?;
            bits |= (value as u32) << (18 - 6 * n);
        }
        out.extend((0..chunk.len() - 1).map(|n| (bits >> (16 - 8 * n)) as u8));
    }
    (encode(&out) == text).then_some(out)
}
