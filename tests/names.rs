//! Ids, types, patterns, audiences and tokens: total on any text, one spelling each, never more
//! than they mean.
#![allow(clippy::unwrap_used)]

mod words;

use tinysse::proto::{
    audience::Audience,
    registry::Pattern,
    rng::Rng,
    session::{
        Config, Session,
        io::{Input, Output, Ticket},
        token::{Grant, Token},
    },
    time::Time,
    wire::{
        decode::Decoder,
        encode::{Fields, encode},
        id::EventId,
        kind::{BadType, check_type, is_reserved},
    },
};
use words::{hostile, pick, place, plain, word};

#[test]
fn an_id_has_one_spelling_and_order_only_inside_its_epoch() {
    for seed in 0..50_000 {
        let mut rng = Rng::new(seed);
        let text = word(&mut rng, "00123456789abcf..gA+ -\u{661}", 24);
        if let Some(id) = EventId::parse(&text) {
            assert_eq!(id.text(), text, "two spellings of one id");
        }
        let (a, b) = (place(&mut rng), place(&mut rng));
        assert_eq!(EventId::parse(&a.text()), Some(a));
        assert_eq!(a.follows(b), a.epoch == b.epoch && a.seq > b.seq);
        assert!(!a.follows(a) && !b.follows(b));
    }
}

#[test]
fn a_type_that_passes_the_check_survives_the_wire_and_is_never_reserved() {
    let mut passed = 0;
    for seed in 0..20_000 {
        let mut rng = Rng::new(seed);
        let start = pick(&mut rng, &["", "", "tinysse", "tinysse."]);
        let event = start.to_owned() + &if rng.below(2) == 0 { plain(&mut rng, 140) } else { hostile(&mut rng) };
        match check_type(&event) {
            Ok(()) => {
                passed += 1;
                let mut out = Vec::new();
                let fields = Fields { event: &event, data: "{}", ..Default::default() };
                encode(&fields, &mut out).unwrap();
                let mut items = 0;
                Decoder::new("", 1 << 20).feed(&out, &mut |_| items += 1).unwrap();
                assert_eq!(items, 1);
                assert!(!is_reserved(&event) && event.len() <= 128);
                assert!(Pattern::parse(&event).unwrap().matches(&event));
            }
            Err(BadType::Length) => assert!(event.is_empty() || event.len() > 128),
            Err(BadType::Reserved) => assert!(event.starts_with("tinysse.")),
            Err(BadType::Character) => {
                assert!(event.contains(|c: char| !c.is_ascii_alphanumeric() && !"._:-".contains(c)))
            }
        }
    }
    assert!(passed > 5_000, "{passed}");
}

#[test]
fn patterns_and_audiences_are_read_totally() {
    for seed in 0..20_000 {
        let mut rng = Rng::new(seed);
        let text = word(&mut rng, "ab..**", 5);
        let kind = word(&mut rng, "ab..", 6);
        let stars = text.matches('*').count();
        match Pattern::parse(&text) {
            Some(pattern) if stars == 0 => assert_eq!(pattern.matches(&kind), text == kind, "{text} {kind}"),
            Some(pattern) if text == "*" => assert!(pattern.matches(&kind)),
            Some(pattern) => {
                let prefix = text.trim_end_matches('*');
                assert!(stars == 1 && prefix.ends_with('.'), "{text}");
                assert_eq!(pattern.matches(&kind), kind.starts_with(prefix) && kind != prefix, "{text} {kind}");
            }
            None => assert!(text.is_empty() || stars > 0, "{text}"),
        }
        let text = pick(&mut rng, &["all", "user:", "role:", "channel:", "u"]).to_owned() + &hostile(&mut rng);
        if let Ok(audience) = text.parse::<Audience>() {
            assert_eq!(audience.to_string(), text);
        }
    }
}

#[test]
fn a_secret_is_in_no_debug_text() {
    let secret = "s3cr3t";
    let grant = Grant { token: Token::new(secret.into()), expires_in: Some(60_000), user: String::new() };
    let mut session = Session::new(Config::default(), 1);
    let mut seen = format!("{grant:?} {:?}", Input::Token(Ticket(1), Ok(grant.clone())));
    session.handle(Time(0), Input::Start);
    session.handle(Time(1), Input::Token(Ticket(1), Ok(grant)));
    seen += &format!("{session:?}");
    let opened = std::iter::from_fn(|| Some(session.poll()).filter(|output| !matches!(output, Output::Sleep(_))));
    let opened = opened.inspect(|output| seen += &format!("{output:?}")).any(|output| match output {
        Output::Open { token, .. } => token.is_some_and(|token| token.reveal() == secret),
        Output::FetchToken { .. } | Output::CancelToken(_) | Output::Close(_) | Output::Update(_) => false,
        Output::Follow { .. } | Output::Relay(_) | Output::UserChanged | Output::Probe(_) => false,
        Output::Resync(_) | Output::Status(_) | Output::Sleep(_) => false,
    });
    assert!(opened && seen.contains("Token(") && !seen.contains(secret), "{seen}");
}
