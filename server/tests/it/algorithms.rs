//! App sessions signed by every kind of key that a JWK set may hold. `tests/keys` has them, and
//! tokens that another library signed.

use std::sync::LazyLock;

use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk};
use serde_json::{Value, json};
use tinysse_hub::auth::{
    jwt::{Claims, Invalid, Keys, SKEW},
    key::Key,
};

use crate::{
    auth::{claims, now},
    support::{File, Server, body_of, refused},
};

const KINDS: [(&str, Algorithm); 5] = [
    ("RS256", Algorithm::RS256),
    ("PS256", Algorithm::PS256),
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("EdDSA", Algorithm::EdDSA),
];

static KEYS: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(include_str!("../keys/keys.json")).unwrap());

fn jwk(kind: &str) -> Jwk {
    serde_json::from_value(KEYS[kind]["jwk"].clone()).unwrap()
}

fn bytes(base64url: &str) -> Vec<u8> {
    let value =
        |byte: u8| b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".iter().position(|c| *c == byte);
    let bits: Vec<_> =
        base64url.bytes().flat_map(|byte| (0..6).rev().map(move |n| value(byte).unwrap() >> n & 1)).collect();
    bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |sum, bit| sum << 1 | *bit as u8)).collect()
}

fn private(kind: &str) -> EncodingKey {
    let der = bytes(KEYS[kind]["der"].as_str().unwrap());
    match &kind[..2] {
        "RS" | "PS" => EncodingKey::from_rsa_der(&der),
        "ES" => EncodingKey::from_ec_der(&der),
        _ => EncodingKey::from_ed_der(&der),
    }
}

fn keys(kinds: &[&str]) -> Keys {
    let keys = kinds.iter().map(|kind| Key::of_jwk(&jwk(kind)).unwrap()).collect();
    Keys::of(keys, "https://app.example".into(), SKEW)
}

#[test]
fn what_another_library_signed_is_good_and_nobody_elses() {
    for (kind, _) in KINDS {
        let token = KEYS[kind]["token"].as_str().unwrap();
        let check =
            |keys: &Keys, token: &str, seconds: u64| keys.check(token, "web", seconds * 1_000).map(|claims| claims.sub);
        let ours = keys(&[kind]);
        assert_eq!(check(&ours, token, 1_700_000_030).as_deref(), Ok("ada"), "{kind}");
        assert_eq!(check(&ours, token, 1_700_000_060), Err(Invalid::Expired), "{kind}");
        let others: Vec<_> = KINDS.iter().map(|(other, _)| *other).filter(|other| *other != kind).collect();
        assert_eq!(check(&keys(&others), token, 1_700_000_030), Err(Invalid::UnknownKey), "{kind}");
        // One bit of what is signed, and of the signature.
        let (signed, signature) = token.rsplit_once('.').unwrap();
        for (at, part) in [(signed.len() - 2, "claims"), (signed.len() + 1, "first"), (token.len() - 3, "last")] {
            let mut changed = token.to_owned().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(check(&ours, &changed, 1_700_000_030), Err(Invalid::Forged), "{kind}: {part}");
        }
        // RFC 7518, 3.4: as long as the curve requires. A zero signature is the classic
        // (CVE-2022-21449).
        let zero = "A".repeat(signature.len());
        for signature in ["", &zero, &signature[..signature.len() / 2]] {
            assert_eq!(check(&ours, &format!("{signed}.{signature}"), 1_700_000_030), Err(Invalid::Forged), "{kind}");
        }
    }
}

#[tokio::test]
async fn sessions_of_every_kind_open_a_stream_and_no_kind_passes_for_another() {
    let set = json!({ "keys": KINDS.map(|(kind, _)| KEYS[kind]["jwk"].clone()) });
    let file = File::new("jwks-kinds.json", &set.to_string());
    let jwks = format!("--session-jwks={}", file.path());
    let server = Server::start(&["--session-issuer=https://app.example", "--session-audience=web", &jwks]).await;
    let session = Claims { iss: "https://app.example".into(), aud: "web".into(), iat: now(), ..claims("web") };
    let ask = |token: String| server.post("/auth/sse-token", &json!({})).bearer_auth(token);
    for (kind, algorithm) in KINDS {
        let kid = jwk(kind).common.key_id;
        let header = Header { kid: kid.clone(), ..Header::new(algorithm) };
        let good = jsonwebtoken::encode(&header, &session, &private(kind)).unwrap();
        let answer = ask(good.clone()).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{kind}");
        assert!(body_of(answer).await["token"].is_string());
        // The algorithm is the key's: not the token's, and not what the same key could do as well.
        let public = KEYS[kind]["jwk"]["n"].as_str().or(KEYS[kind]["jwk"]["x"].as_str()).unwrap();
        for secret in [public.as_bytes(), &bytes(public), KEYS[kind]["jwk"].to_string().as_bytes()] {
            let header = Header { kid: kid.clone(), ..Header::new(Algorithm::HS256) };
            let forged = jsonwebtoken::encode(&header, &session, &EncodingKey::from_secret(secret)).unwrap();
            refused(ask(forged), 401, "unauthenticated").await;
        }
        let (other, same) = match kind {
            "RS256" => (Algorithm::PS256, Some(Algorithm::RS384)),
            "PS256" => (Algorithm::RS256, Some(Algorithm::PS512)),
            _ => continue,
        };
        for algorithm in same.into_iter().chain([other]) {
            let header = Header { kid: kid.clone(), ..Header::new(algorithm) };
            let forged = jsonwebtoken::encode(&header, &session, &private(kind)).unwrap();
            refused(ask(forged), 401, "unauthenticated").await;
        }
    }
    // The name of one key over the signature of another.
    let header = Header { kid: jwk("ES256").common.key_id, ..Header::new(Algorithm::RS256) };
    let forged = jsonwebtoken::encode(&header, &session, &private("RS256")).unwrap();
    refused(ask(forged), 401, "unauthenticated").await;
    server.stop().await;
}

#[test]
fn a_short_key_of_rsa_is_no_key() {
    let small: Jwk = serde_json::from_value(KEYS["small"].clone()).unwrap();
    assert!(Key::of_jwk(&small).is_none(), "RFC 7518, 3.3: 2048 bits or larger");
    // Without a word on the algorithm it is RS256.
    let mut plain = jwk("PS256");
    plain.common.key_algorithm = None;
    let keys = Keys::of(vec![Key::of_jwk(&plain).unwrap()], "https://app.example".into(), SKEW);
    let token = KEYS["PS256"]["token"].as_str().unwrap();
    assert_eq!(keys.check(token, "web", 1_700_000_030_000), Err(Invalid::Forged));
}
