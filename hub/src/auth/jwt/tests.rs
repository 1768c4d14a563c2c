//! Tests of signing and checking tokens.

use jsonwebtoken::{Algorithm, EncodingKey, Header};

use super::*;

fn secret(text: &str) -> Secret {
    Secret::from(text.to_owned())
}

fn keys(text: &str) -> Keys {
    Keys::new(&secret(text), "tinysse".into())
}

fn many(keys: &[&Key]) -> Keys {
    Keys::of(keys.iter().map(|key| (*key).clone()).collect(), "tinysse".into(), SKEW)
}

fn ed() -> Key {
    Key::ed25519(Key::generate().expose()).expect("a key")
}

fn claims() -> Claims {
    Claims {
        iss: "tinysse".into(),
        aud: STREAM.into(),
        sub: "ada".into(),
        role: "admin".into(),
        channels: vec!["ops".into()],
        types: None,
        generation: Some(7),
        auth_ms: None,
        iat: 100,
        nbf: 0,
        exp: 160,
        jti: "j".into(),
        sid: String::new(),
    }
}

/// Any header over any claims, signed with the secret "a".
fn raw(header: &Header, claims: &impl Serialize) -> String {
    jsonwebtoken::encode(header, claims, &EncodingKey::from_secret(b"a")).expect("signs")
}

#[test]
fn good_until_the_very_second() {
    for keys in [keys("a"), many(&[&ed()])] {
        let token = keys.sign(&claims());
        assert_eq!(keys.check(&token, STREAM, 159_999), Ok(claims()));
        assert_eq!(keys.check(&token, STREAM, 160_000), Err(Invalid::Expired));
    }
}

#[test]
fn the_future_is_nearer_than_the_skew() {
    let keys = keys("a");
    for claims in [
        Claims { generation: None, iat: 120, ..claims() },
        Claims { generation: None, iat: 100, auth_ms: Some(120_000), ..claims() },
        Claims { nbf: 120, ..claims() },
    ] {
        let token = keys.sign(&claims);
        assert_eq!(keys.check(&token, STREAM, 114_999), Err(Invalid::Early));
        assert_eq!(keys.check(&token, STREAM, 115_000), Ok(claims));
    }
}

#[test]
fn a_place_in_the_count_is_not_compared_with_the_clock() {
    let keys = keys("a");
    // Ahead of the clock: many logins in one millisecond, or another node's clock; and issued
    // before a clock was set back.
    for claims in [Claims { generation: Some(3_600_000), ..claims() }, Claims { iat: 130, ..claims() }] {
        assert_eq!(keys.check(&keys.sign(&claims), STREAM, 100_000), Ok(claims));
    }
}

#[test]
fn the_generation_of_another_issuer_is_a_time() {
    let ours = many(&[&Key::shared(&secret("a"))]);
    let theirs = many(&[&Key::shared(&secret("a"))]).of_another();
    for (claims, established) in [
        (Claims { generation: Some(100_200), ..claims() }, 100_200),
        // Never later than its second of issue: it would survive revocations.
        (Claims { generation: Some(3_600_000), ..claims() }, 100_000),
        (Claims { generation: None, ..claims() }, 100_000),
        // Only this server's own tokens define how they are dated.
        (Claims { generation: None, auth_ms: Some(1), ..claims() }, 100_000),
    ] {
        let read = theirs.check(&ours.sign(&claims), STREAM, 100_000).expect("good");
        assert_eq!((read.generation, read.established()), (None, established));
    }
    let undated = Claims { iat: 0, generation: Some(130_000), ..claims() };
    assert_eq!(theirs.check(&ours.sign(&undated), STREAM, 100_000), Err(Invalid::Early));
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
    let payload = token.split('.').nth(1).unwrap_or_default();
    for (why, token) in [
        ("another key that claims no id", {
            let key = EncodingKey::from_secret(b"b");
            jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims(), &key).expect("signs")
        }),
        ("another audience", with(|claims| claims.aud = APP.into())),
        ("another issuer", with(|claims| claims.iss = "eve".into())),
        ("an endless token", with(|claims| claims.role = "x".repeat(9_000))),
        ("cut off", token[..token.len() - 2].to_owned()),
        ("the claims of another token", {
            let others = with(|claims| claims.sub = "eve".into());
            let (signed, signature) =
                (others.rsplit_once('.').expect("parts").0, token.rsplit_once('.').expect("parts").1);
            format!("{signed}.{signature}")
        }),
        ("a part too many", format!("e30.{token}")),
        ("no token", "x.y.z".to_owned()),
        ("nothing", String::new()),
        // {"alg":"none","typ":"JWT"}, {"alg":"None"}
        ("alg none", format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{payload}.")),
        ("alg None", format!("eyJhbGciOiJOb25lIn0.{payload}.")),
        ("another algorithm", raw(&Header::new(Algorithm::HS384), &claims())),
        (
            "something critical",
            raw(&Header { crit: Some(vec!["exp".into()]), ..Header::new(Algorithm::HS256) }, &claims()),
        ),
    ] {
        assert_eq!(ours.check(&token, STREAM, 100_000), Err(Invalid::Forged), "{why}");
    }
    assert_eq!(ours.check(&keys("b").sign(&claims()), STREAM, 100_000), Err(Invalid::UnknownKey));
    let unnamed = raw(&Header::new(Algorithm::HS256), &claims());
    assert_eq!(ours.check(&unnamed, STREAM, 100_000), Ok(claims()));
}

#[test]
fn a_public_key_is_no_shared_secret() {
    let key = ed();
    let ours = many(&[&key]);
    let public = key.public().expect("public");
    let x = serde_json::to_value(public).expect("json")["x"].as_str().expect("x").to_owned();
    // As text and as the bytes that everybody can fetch.
    for bytes in [x.as_bytes(), key.check.try_get_as_bytes().expect("bytes")] {
        for kid in [Some(key.kid.clone()), None] {
            let header = Header { kid, ..Header::new(Algorithm::HS256) };
            let token = jsonwebtoken::encode(&header, &claims(), &EncodingKey::from_secret(bytes)).expect("signs");
            assert_eq!(ours.check(&token, STREAM, 100_000), Err(Invalid::Forged));
        }
    }
    // And the id of one key over the signature of another.
    let (eve, header) = (ed(), Header { kid: Some(key.kid.clone()), ..Header::new(Algorithm::EdDSA) });
    let token = jsonwebtoken::encode(&header, &claims(), eve.sign.as_ref().expect("private")).expect("signs");
    assert_eq!(ours.check(&token, STREAM, 100_000), Err(Invalid::Forged));
    // A key that comes along in the token counts for nothing.
    let header = Header { kid: None, jwk: eve.public().cloned(), ..header };
    let token = jsonwebtoken::encode(&header, &claims(), eve.sign.as_ref().expect("private")).expect("signs");
    assert_eq!(ours.check(&token, STREAM, 100_000), Err(Invalid::Forged));
}

#[test]
fn what_is_required_is_required_and_times_are_numbers() {
    let keys = keys("a");
    let all = serde_json::to_value(claims()).expect("json");
    for name in ["iss", "aud", "sub", "exp"] {
        let mut some = all.clone();
        some.as_object_mut().expect("an object").remove(name);
        let token = raw(&Header::new(Algorithm::HS256), &some);
        assert_eq!(keys.check(&token, STREAM, 100_000), Err(Invalid::Forged), "{name}");
    }
    let with = |name: &str, value: serde_json::Value| {
        let mut all = all.clone();
        all[name] = value;
        keys.check(&raw(&Header::new(Algorithm::HS256), &all), STREAM, 100_000)
    };
    assert_eq!(with("exp", 160.9.into()), Ok(claims()));
    assert_eq!(with("aud", serde_json::json!([STREAM, "other"])), Ok(claims()));
    assert_eq!(with("aud", serde_json::json!(["other", STREAM])).map(|claims| claims.aud).as_deref(), Ok("other"));
    for (name, value) in [
        ("exp", "160".into()),
        ("exp", serde_json::Value::Null),
        ("sub", serde_json::Value::Null),
        ("iat", true.into()),
        ("gen", "7".into()),
        ("gen", u64::MAX.into()),
        ("gen", 1e300.into()),
        ("aud", "other".into()),
        ("aud", serde_json::json!(["other", "others"])),
        ("aud", serde_json::json!([])),
        ("aud", serde_json::json!([[STREAM]])),
        ("iss", serde_json::json!(["tinysse"])),
    ] {
        assert_eq!(with(name, value.clone()), Err(Invalid::Forged), "{name}: {value}");
    }
}

#[test]
fn names_that_are_not_taken_are_not_taken_for_forgeries() {
    let ours = keys("a");
    for change in [
        (|claims| claims.sub.clear()) as fn(&mut Claims),
        |claims| claims.sub = "x".repeat(256),
        |claims| claims.sub = "ada\nadmin".into(),
        |claims| claims.role = "admin\0".into(),
        |claims| claims.channels.push("ops\u{85}".into()),
    ] {
        let mut claims = claims();
        change(&mut claims);
        assert_eq!(ours.check(&ours.sign(&claims), STREAM, 100_000), Err(Invalid::BadName), "{claims:?}");
        // Only a client that may know of it is notified.
        assert_eq!(keys("b").check(&ours.sign(&claims), STREAM, 100_000), Err(Invalid::UnknownKey));
    }
}

#[test]
fn an_optional_claim_that_is_null_is_none() {
    let keys = keys("a");
    let mut all = serde_json::to_value(claims()).expect("json");
    for name in ["role", "channels", "gen", "auth_ms", "iat", "nbf", "jti", "sid"] {
        all[name] = serde_json::Value::Null;
    }
    let none =
        Claims { role: String::new(), channels: vec![], generation: None, iat: 0, jti: String::new(), ..claims() };
    assert_eq!(keys.check(&raw(&Header::new(Algorithm::HS256), &all), STREAM, 100_000), Ok(none));
    all["channels"] = serde_json::json!([null]);
    assert_eq!(keys.check(&raw(&Header::new(Algorithm::HS256), &all), STREAM, 100_000), Err(Invalid::Forged));
}

#[test]
fn numbers_of_any_size_and_sign_are_times() {
    let keys = keys("a");
    let with = |name: &str, number: &str| {
        let all = serde_json::to_string(&claims()).expect("json").replacen('{', &format!("{{\"{name}\":{number},"), 1);
        let (head, rest) = all.split_at(all.find(',').expect("several") + 1);
        // Each claim once.
        let known = ["exp", "iat", "nbf", "gen"].map(|name| (name, format!("\"{name}\":")));
        let rest: Vec<_> = rest[..rest.len() - 1]
            .split(',')
            .filter(|claim| !known.iter().any(|(known, text)| *known == name && claim.starts_with(text)))
            .collect();
        let text = format!("{head}{}}}", rest.join(","));
        let claims: Box<serde_json::value::RawValue> = serde_json::from_str(&text).expect("json");
        keys.check(&raw(&Header::new(Algorithm::HS256), &claims), STREAM, 100_000)
    };
    for (name, number, read) in [
        ("exp", "100.5", Err(Invalid::Expired)),
        ("exp", "101.5", Ok(101)),
        ("exp", "-1", Err(Invalid::Expired)),
        ("exp", "-1e300", Err(Invalid::Expired)),
        ("exp", "18446744073709551615", Ok(u64::MAX)),
        ("exp", "18446744073709551616", Ok(u64::MAX)),
        ("exp", "1e300", Ok(u64::MAX)),
        ("exp", "1e400", Err(Invalid::Forged)),
        ("nbf", "-1", Ok(160)),
        ("nbf", "100.9", Ok(160)),
        ("nbf", "1e300", Err(Invalid::Early)),
        ("iat", "-9223372036854775809", Ok(160)),
        ("iat", "1e300", Ok(160)),
        ("gen", "1732492800000.25", Ok(160)),
        ("gen", "-1", Ok(160)),
    ] {
        assert_eq!(with(name, number).map(|claims| claims.exp), read, "{name}: {number}");
    }
}

#[test]
fn a_new_key_signs_and_the_old_one_checks_for_the_overlap() {
    let (old, new) = (ed(), ed());
    let keys = many(&[&old, &Key::shared(&secret("a"))]);
    let token = keys.sign(&claims());
    assert!(keys.rotate(100_000, vec![new.clone()], Span::of_ms(10_000)));
    assert!(!keys.rotate(101_000, vec![new.clone()], Span::of_ms(10_000)), "nothing new");
    let newer = keys.sign(&claims());
    assert_eq!(jsonwebtoken::decode_header(&newer).expect("a header").kid.as_deref(), Some(new.id()));
    let ids = |at| keys.public(at).keys.into_iter().filter_map(|jwk| jwk.common.key_id).collect::<Vec<_>>();
    assert_eq!(ids(109_999), [new.id(), old.id()]);
    assert_eq!(keys.check(&token, STREAM, 109_999), Ok(claims()));
    assert_eq!(ids(110_000), [new.id()]);
    assert_eq!(keys.check(&token, STREAM, 110_000), Err(Invalid::UnknownKey));
    assert_eq!(keys.check(&newer, STREAM, 110_000), Ok(claims()));
    // Back again: the retired one is preferred anew, without a second entry.
    assert!(keys.rotate(111_000, vec![old.clone()], Span::of_ms(10_000)));
    assert_eq!(ids(111_000), [old.id(), new.id()]);
}
