//! Holds `docs/PROTOCOL.md` to the code: its grammar matches what the encoders and the hub write,
//! and its examples are read by the decoder and written back byte for byte.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod abnf;
mod reader;
mod world;

use std::{collections::BTreeSet, fs};

use abnf::Grammar;
use reader::Event;
use tinysse::proto::{
    audience::{Audience, Identity, MAX_CHANNELS, MAX_NAME, MAX_SEGMENTS},
    registry::Pattern,
    rng::Rng,
    time::Time,
    wire::{
        Frame,
        control::{Bye, Control, Gap, Hello, Reason},
        decode::{Decoder, Item},
        encode::{Fields, encode},
        id::{Epoch, EventId},
        kind::{check_type, is_reserved},
        names,
        wrap::{UPDATE, unwrap, wrap},
    },
};
use tinysse_hub::hub::{ClientId, Hub, HubConfig, Slow, SlowRules, Update};
use world::World;

fn document() -> String {
    fs::read_to_string("docs/PROTOCOL.md").expect("docs/PROTOCOL.md").replace("\r\n", "\n")
}

/// Returns the fenced blocks of a language, each with the line end of its last line.
fn blocks(document: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let block = |text: &str| text.split_once("```").expect("the block ends").0.to_owned();
    document.split(&fence).skip(1).map(block).collect()
}

fn grammar() -> Grammar {
    Grammar::read(&blocks(&document(), "abnf").concat())
}

fn items(bytes: &[u8]) -> Vec<Item> {
    let (mut decoder, mut items) = (Decoder::new("", 1 << 20), Vec::new());
    decoder.feed(bytes, &mut |item| items.push(item)).expect("below the limit");
    assert!(decoder.between(), "the last event is complete: {}", bytes.escape_ascii());
    items
}

/// Returns what the encoders write for a frame that was read.
fn written(frame: &Frame, retry: Option<u32>) -> Vec<u8> {
    let mut out = Vec::new();
    match Control::read(frame) {
        Some(Control::Hello(hello)) => Hello { retry: retry.expect("a hello has one"), ..hello }.encode(&mut out),
        Some(Control::Resync(resync)) => resync.encode(&mut out),
        Some(Control::Beat(beat)) => beat.encode(&mut out),
        Some(Control::Bye(bye)) => Bye { retry, ..bye }.encode(&mut out),
        None => {
            let own = unwrap(frame.borrowed());
            assert!(!is_reserved(own.event) && check_type(own.event).is_ok(), "{own:?}");
            assert!(EventId::parse(own.id).is_some() && own.data.starts_with('{'), "{own:?}");
            let mut plain = Vec::new();
            encode(&Fields { retry, id: Some(own.id), event: own.event, data: own.data }, &mut plain).expect("plain");
            if frame.event == UPDATE { wrap(&plain, &mut out) } else { out = plain }
        }
    }
    out
}

#[test]
fn each_example_is_in_the_grammar_is_read_and_is_written_back() {
    let grammar = grammar();
    let examples = blocks(&document(), "sse");
    let mut kinds = Vec::new();
    for example in &examples {
        let bytes = example.as_bytes();
        assert!(grammar.matches("stream", bytes) || grammar.matches("frame", bytes), "not in the grammar:\n{example}");
        let (mut retry, mut back) = (None, Vec::new());
        for item in items(bytes) {
            match item {
                Item::Retry(ms) => retry = Some(ms),
                Item::Frame(frame) => {
                    back.extend(written(&frame, retry.take()));
                    kinds.push(frame.event);
                }
                Item::Id(id) => panic!("an id without data: {id}"),
            }
        }
        assert_eq!(String::from_utf8(back).unwrap(), *example);
    }
    for kind in ["tinysse.hello", "tinysse.resync", "tinysse.beat", "tinysse.bye", UPDATE, "projects"] {
        assert!(kinds.iter().any(|known| known == kind), "there is an example of {kind}");
    }
}

/// Publishes, filters, trims, changes rights and ends streams at random, and returns all that one
/// client got.
fn stream(seed: u64, folded: bool) -> Vec<u8> {
    let mut rng = Rng::new(seed);
    let config = HubConfig { max_count: 8, beat_ms: 500, linger_ms: 300, ..HubConfig::default() };
    let rules = SlowRules { lag: 1, rules: vec![(Pattern::parse("a.*").unwrap(), Slow::Resync)] };
    let mut hub = Hub::new(Epoch(seed * 0x1234_5678_9abc), config).spread(1).slow(rules);
    let mut out = Vec::new();
    let identity = |role: &str| Identity { user: "ada".into(), role: role.into(), channels: vec!["ops.>".into()] };
    for _ in 0..rng.below(12) {
        hub.publish(Time(0), Update::new("before")).unwrap();
    }
    let cursors =
        ["", "no id", "9.9", &hub.cursor().text(), &EventId { seq: 0, ..hub.cursor() }.text()].map(str::to_owned);
    let cursor = cursors.get(rng.below(5) as usize).filter(|text| !text.is_empty());
    let id: ClientId = hub.connect_as(Time(0), "c7".into(), identity(""), cursor.map(String::as_str), None);
    if folded {
        hub.fold(id);
    }
    let mut now = 0;
    for turn in 0..60 {
        now += rng.below(400);
        match rng.below(8) {
            0 => {
                hub.rights(id, identity(["admin", "guest"][rng.below(2) as usize]), None);
            }
            1 => {
                for _ in 0..rng.below(12) {
                    hub.publish(Time(now), Update::new("a.b")).unwrap();
                    hub.stalled(id);
                }
            }
            2 => drop(hub.begin(Epoch(seed + turn), rng.below(100))),
            3 if turn > 40 => hub.bye(id, Reason::Rotate, 0, None),
            4 if turn > 50 => hub.bye(id, Reason::Revoked, 7, Some(9)),
            _ => {
                let data =
                    ["{\"a\":\n[1,\r\n\"\\n\"]}", "null", "\"grün\"", "\"event: x\\n\\n\""][rng.below(4) as usize];
                let to: Vec<Audience> = ["role:admin", "channel:ops.eu", "user:bob", "all"][rng.below(4) as usize]
                    .parse()
                    .into_iter()
                    .collect();
                let update = Update {
                    data: Some(data.into()),
                    key: Some("k\n\"".into()),
                    origin: Some("\u{1}ü".into()),
                    to,
                    at: now,
                    ..Update::new("c:d_e-f.G")
                };
                hub.publish(Time(now), update).unwrap();
            }
        }
        if rng.below(3) > 0 {
            while hub.poll(Time(now), id, 64, &mut out) {}
        }
    }
    out
}

#[test]
fn what_a_hub_sends_is_in_the_grammar() {
    let grammar = grammar();
    let mut seen = String::new();
    for seed in 1..200 {
        let bytes = stream(seed, seed % 2 == 0);
        let text = String::from_utf8(bytes).expect("UTF-8");
        assert!(text.is_empty() || grammar.matches("stream", text.as_bytes()), "seed {seed}:\n{text}");
        let away = tinysse_hub::stream::goodbye(u32::try_from(seed).unwrap());
        assert!(grammar.matches("away", &away) && grammar.matches("stream", &away));
        seen.push_str(&text);
    }
    let gaps = ["gap=first", "gap=unknown", "gap=epoch", "gap=trimmed", "gap=none", "gap=overflow", "gap=rights"];
    for word in
        gaps.into_iter().chain(["&types=a.b", "reason=rotate", "reason=revoked", "tinysse.beat", UPDATE, "\"spread\""])
    {
        assert!(seen.contains(word), "the streams have {word}");
    }
}

#[test]
fn the_grammar_refuses_what_is_not_sent() {
    let grammar = grammar();
    let good = "id: 1.7\nevent: a\ndata: {}\n\n";
    assert!(grammar.matches("update", good.as_bytes()));
    for (from, to) in [
        ("\n", "\r\n"),
        ("id: 1.7\n", ""),
        ("1.7", "01.7"),
        ("1.7", "1.07"),
        ("1.7", "A.7"),
        ("1.7", "1"),
        ("a\n", "a b\n"),
        ("event: ", "event:"),
        ("{}", "7"),
        ("{}", "{}\ndata: {}"),
        ("data: {}\n", ""),
        ("\n\n", "\n"),
    ] {
        let bad = good.replace(from, to);
        assert!(
            bad != good && !grammar.matches("stream", bad.as_bytes()) && !grammar.matches("frame", bad.as_bytes()),
            "{bad}"
        );
    }
    let hello = "retry: 1\nid: 1.7\nevent: tinysse.hello\ndata: client=c&after=1.7&head=1.7&beat=1&gap=none\n\n";
    assert!(grammar.matches("hello", hello.as_bytes()));
    for (from, to) in
        [("none", "lost"), ("&beat=1", ""), ("retry: 1\n", ""), ("client=c", "client=c d"), ("beat=1", "beat=-1")]
    {
        assert!(!grammar.matches("hello", hello.replace(from, to).as_bytes()), "{from} -> {to}");
    }
}

#[test]
fn the_vocabulary_is_that_of_the_code() {
    let grammar = grammar();
    assert_eq!(grammar.words("gap"), Gap::ALL.map(Gap::as_str));
    let reasons = grammar.words("reason");
    for reason in &reasons {
        let frame = Frame { event: "tinysse.bye".into(), id: String::new(), data: format!("reason={reason}&wait=1") };
        assert!(matches!(Control::read(&frame), Some(Control::Bye(bye)) if bye.reason.as_str() == reason), "{reason}");
    }
    assert_eq!(reasons.len(), 5);
    let document = document();
    let endpoints = [names::EVENTS, names::SSE_TOKEN, names::PUBLISH, names::WIRE_NATIVE];
    for name in endpoints.into_iter().chain(names::Parameter::ALL.map(names::Parameter::as_str)) {
        assert!(document.contains(&format!("`{name}`")), "{name}");
    }
    let lower = document.to_lowercase();
    for header in [names::H_LAST_EVENT_ID, names::H_CURSOR, names::H_WIRE, names::H_ORIGIN] {
        assert!(lower.contains(&format!("`{header}`")), "{header}");
    }
    assert!(document.contains(&format!("`Tinysse-Wire: {}`", names::WIRE_VERSION)));
    let channels = format!("{},{:03}", MAX_CHANNELS / 1_000, MAX_CHANNELS % 1_000);
    for row in [
        format!("| user, role, channel | {MAX_NAME} bytes"),
        format!("| segments of a channel | {MAX_SEGMENTS} |"),
        format!("| channels of an identity | {channels} |"),
    ] {
        assert!(document.contains(&row), "{row}");
    }
}

#[test]
fn types_ids_patterns_and_audiences_are_those_of_the_code() {
    let grammar = grammar();
    let long = "x".repeat(128);
    let texts = [
        "",
        "a",
        "a.b",
        "A_b:c-9.",
        "a b",
        "ä",
        &long,
        &format!("{long}x"),
        "*",
        "a.*",
        "*.a",
        "a*",
        ".*",
        "a.b.*",
        "0.0",
        "1.7",
        "ff.10",
        "FF.1",
        "01.1",
        "1.",
        "1.01",
        "1",
        "all",
        "user:ada",
        "role:",
        "channel:a.*.>",
        "planet:mars",
        "user:a b",
        "user:\u{7f}",
        "0.18446744073709551615",
    ];
    for text in texts {
        assert_eq!(grammar.matches("type", text.as_bytes()), check_type(text).is_ok(), "type {text:?}");
        assert_eq!(grammar.matches("event-id", text.as_bytes()), EventId::parse(text).is_some(), "id {text:?}");
        assert_eq!(grammar.matches("audience", text.as_bytes()), text.parse::<Audience>().is_ok(), "audience {text:?}");
        // Patterns may name what no type is; then they match nothing.
        if grammar.matches("pattern", text.as_bytes()) {
            assert!(Pattern::parse(text).is_some(), "pattern {text:?}");
        }
    }
}

#[test]
fn a_client_that_was_written_from_the_document_misses_nothing_unannounced() {
    let (mut updates, mut resyncs) = (0, BTreeSet::new());
    for seed in 1..500 {
        let mut world = World::new(seed);
        (0..200).for_each(|_| world.turn());
        world.settle();
        updates += world.reader.events.iter().filter(|event| matches!(event, Event::Update { .. })).count();
        resyncs.extend(world.reader.events.into_iter().filter_map(|event| match event {
            Event::Resync { gap, types } => Some((gap, types)),
            Event::Update { .. } => None,
        }));
    }
    assert!(updates > 10_000, "{updates} updates");
    for gap in ["first", "epoch", "trimmed", "overflow"] {
        assert!(resyncs.iter().any(|(known, _)| known == gap), "no resync of {gap}: {resyncs:?}");
    }
    assert!(resyncs.contains(&("overflow".to_owned(), vec!["slow.b".to_owned()])), "{resyncs:?}");
}
