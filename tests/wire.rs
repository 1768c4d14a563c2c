//! Decoder and encoder: against a naive reading of the standard, at every cut, and against each
//! other.
#![allow(clippy::unwrap_used)]

mod naive;

use naive::{Said, event};
use tinysse::proto::{
    rng::Rng,
    wire::{
        FrameRef,
        decode::{Decoder, Item, TooLarge},
        encode::{Fields, Refused, encode},
        wrap::{UPDATE, unwrap, wrap},
    },
};

const LIMIT: usize = 1 << 20;

fn said(item: Item) -> Said {
    match item {
        Item::Frame(frame) => Said::Event { kind: frame.event, id: frame.id, data: frame.data },
        Item::Id(id) => Said::Id(id),
        Item::Retry(ms) => Said::Retry(ms),
    }
}

fn decode<'a>(chunks: impl IntoIterator<Item = &'a [u8]>, last_id: &str) -> Vec<Said> {
    let mut decoder = Decoder::new(last_id, LIMIT);
    let mut items = Vec::new();
    for chunk in chunks {
        decoder.feed(chunk, &mut |item| items.push(said(item))).unwrap();
    }
    items
}

/// Whole, byte by byte, at every cut, with empty chunks between, and every prefix: always the
/// result of the oracle.
fn check(stream: &[u8], last_id: &str, every_cut: bool) -> Vec<Said> {
    let expected = naive::read(stream, last_id);
    let show = || String::from_utf8_lossy(stream).escape_debug().to_string();
    assert_eq!(decode([stream], last_id), expected, "whole: {} {stream:02x?}", show());
    assert_eq!(decode(stream.chunks(1), last_id), expected, "byte by byte: {} {stream:02x?}", show());
    if every_cut {
        for at in 0..=stream.len() {
            let (head, tail) = stream.split_at(at);
            assert_eq!(decode([head, &[], tail], last_id), expected, "cut at {at}: {} {stream:02x?}", show());
            assert_eq!(decode([head], last_id), naive::read(head, last_id), "the first {at}: {}", show());
        }
    }
    expected
}

/// Rule by rule. The last event id at the beginning is `0`.
#[test]
fn every_rule_of_the_standard() {
    for (stream, expected) in naive::vectors::vectors() {
        assert_eq!(check(stream, "0", true), expected, "{}", String::from_utf8_lossy(stream).escape_debug());
    }
}

#[test]
fn a_character_is_read_whole_wherever_it_is_cut() {
    let text = "event: h\u{e9}llo\nid: \u{20ac}\ndata: \u{1f600}\u{301}\r\n\r\n";
    assert_eq!(check(text.as_bytes(), "", true), [event("h\u{e9}llo", "\u{20ac}", "\u{1f600}\u{301}")]);
    // A character that the line's end cuts off is replaced; the line's end stays one.
    for len in 1..4 {
        let mut stream = b"data: ".to_vec();
        stream.extend_from_slice(&"\u{1f600}".as_bytes()[..len]);
        stream.extend_from_slice(b"\r\ndata: b\n\n");
        assert_eq!(check(&stream, "", true), [event("message", "", "\u{fffd}\nb")]);
    }
}

#[test]
fn random_streams_read_as_the_oracle_reads_them() {
    const PIECES: &[&[u8]] = &[
        b"\n",
        b"\r",
        b"\r\n",
        b"\n\n",
        b"\r\r",
        b":",
        b" ",
        b"  ",
        b"\0",
        b"data",
        b"data:",
        b"data: x",
        b"event",
        b"event: ",
        b"id",
        b"id:",
        b"id: 4f.1",
        b"retry:",
        b"retry: 12",
        b"9",
        b"99999999999",
        b"__proto__",
        b"message",
        b"tinysse.beat",
        b": c",
        b"\xef\xbb\xbf",
        b"\xef\xbb",
        b"\xbf",
        b"\xc3",
        b"\xa9",
        b"\xe2\x82\xac",
        b"\xe2\x82",
        b"\xf0\x9f\x98\x80",
        b"\xf0\x9f",
        b"\xff",
        b"\xed\xa0\x80",
        b"data: y\n",
        b"id: 7\n",
        b"event: z\n",
        b"\ndata: {}\n\n",
        b"\ndata\r\r",
        b"data: w\r\n\r\n",
    ];
    let mut events = 0;
    for seed in 0..20_000 {
        let mut rng = Rng::new(seed);
        let mut stream = Vec::new();
        for _ in 0..rng.below(28) {
            stream.extend_from_slice(PIECES[rng.below(PIECES.len() as u64) as usize]);
        }
        let last_id = ["", "0", "4f.9"][rng.below(3) as usize];
        events += check(&stream, last_id, stream.len() <= 48).len();
        // and in random chunks
        let (mut chunks, mut rest) = (Vec::new(), stream.as_slice());
        while !rest.is_empty() {
            let (head, tail) = rest.split_at(1 + rng.below(rest.len() as u64) as usize);
            chunks.push(head);
            rest = tail;
        }
        assert_eq!(decode(chunks, last_id), naive::read(&stream, last_id), "seed {seed}");
    }
    assert!(events > 15_000, "the alphabet says something: {events}");
}

fn text(rng: &mut Rng) -> String {
    const ODD: &[char] = &[
        '\n',
        '\r',
        '\0',
        ':',
        ' ',
        '\t',
        '\u{b}',
        '\u{85}',
        '\u{2028}',
        '\u{feff}',
        '\u{fffd}',
        '\u{1f600}',
        '\u{301}',
        'a',
        '1',
    ];
    let plain = rng.below(3) > 0;
    (0..rng.below(9))
        .map(|_| match rng.below(6) {
            0 => char::from_u32(rng.below(0x11_0000) as u32).unwrap_or('\u{d7ff}'),
            1 => char::from(rng.below(128) as u8),
            _ => ODD[rng.below(ODD.len() as u64) as usize],
        })
        .filter(|c| !plain || !matches!(c, '\n' | '\r' | '\0'))
        .collect::<String>()
        + ["", "data: x", "\nid: evil", "\n\nevent: tinysse.hello\ndata: x\n\n", "\r\rdata: x"]
            [if plain { rng.below(2) } else { rng.below(5) } as usize]
}

#[test]
fn what_is_written_is_read_back_or_refused_by_name() {
    let (mut refused, mut written) = ([0; 3], 0);
    for seed in 0..3_000 {
        let mut rng = Rng::new(seed);
        let (mut out, mut expected, mut last_id) = (Vec::new(), Vec::new(), String::new());
        for _ in 0..1 + rng.below(6) {
            let (id, event, data) = (text(&mut rng), text(&mut rng), text(&mut rng));
            let id = (rng.below(3) > 0).then_some(id.as_str());
            let retry = (rng.below(4) == 0).then(|| rng.next_u64() as u32);
            let wrong = |value: &str| value.contains(['\r', '\n', '\0']);
            let verdict = if id.is_some_and(wrong) {
                Err(Refused::Id)
            } else if wrong(&event) {
                Err(Refused::Event)
            } else if data.contains('\r') {
                Err(Refused::Data)
            } else {
                Ok(())
            };
            let before = out.clone();
            assert_eq!(encode(&Fields { retry, id, event: &event, data: &data }, &mut out), verdict, "seed {seed}");
            match verdict {
                Err(field) => {
                    assert_eq!(out, before, "seed {seed}: refused, and yet written");
                    refused[field as usize] += 1;
                }
                Ok(()) => {
                    written += 1;
                    expected.extend(retry.map(Said::Retry));
                    last_id = id.map_or(last_id, String::from);
                    let kind = if event.is_empty() { "message" } else { &event };
                    expected.push(Said::Event { kind: kind.into(), id: last_id.clone(), data });
                }
            }
        }
        // As many events as were written, no field opens another, and every cut reads the same.
        assert_eq!(check(&out, "", out.len() <= 120), expected, "seed {seed}");
    }
    assert!(written > 3_000 && refused.iter().all(|count| *count > 300), "{written} written, {refused:?} refused");
}

#[test]
fn a_line_above_the_bound_is_refused_before_it_is_held() {
    for chunk in [1, 7, 1_000] {
        let mut decoder = Decoder::new("", 100);
        let mut fed = 0;
        let refused = std::iter::repeat_n(b'x', 10_000).collect::<Vec<_>>().chunks(chunk).any(|bytes| {
            fed += bytes.len();
            decoder.feed(bytes, &mut |item| panic!("{item:?}")) == Err(TooLarge)
        });
        assert!(refused && fed <= 100 + chunk, "in chunks of {chunk}: {fed} bytes held");
    }
    for field in ["id: ", "event: ", "retry: ", "data: ", ": ", "unknown: "] {
        let line = format!("{field}{}\n", "9".repeat(200));
        assert_eq!(Decoder::new("", 100).feed(line.as_bytes(), &mut |_| {}), Err(TooLarge), "{field}");
        assert_eq!(Decoder::new("", 300).feed(line.as_bytes(), &mut |_| {}), Ok(()), "{field}");
    }
}

#[test]
fn an_event_above_the_bound_is_refused_even_in_short_lines() {
    for line in ["data\n", "data: x\n", "data: \u{e9}\u{e9}\n"] {
        let mut decoder = Decoder::new("", 1_000);
        let fed = (1..5_000).find(|_| decoder.feed(line.as_bytes(), &mut |item| panic!("{item:?}")).is_err());
        assert!(fed.is_some_and(|lines| lines <= 1_000), "{line:?}: {fed:?}");
    }
    // Bad bytes grow threefold when they are replaced; that counts too.
    let mut decoder = Decoder::new("", 1_000);
    let fed = (1..5_000).find(|_| decoder.feed(b"data: \xff\xff\xff\xff\n", &mut |_| {}).is_err()).unwrap();
    assert!(fed <= 1_000 / 12 + 2, "{fed} lines");
}

#[test]
fn the_bound_is_for_one_event_not_for_the_stream() {
    let mut decoder = Decoder::new("", 100);
    let mut events = 0;
    for _ in 0..1_000 {
        decoder.feed(b"id: 4f.1\nevent: projects\ndata: {}\n\n: beat\n", &mut |_| events += 1).unwrap();
    }
    assert_eq!(events, 1_000);
}

/// A decoder that looks again at what it holds, at every chunk, would not finish: 3 * 10^13 steps.
#[test]
fn a_long_line_in_single_bytes_is_linear_work() {
    let mut decoder = Decoder::new("", 16 << 20);
    let mut items = Vec::new();
    let line = std::iter::repeat_n(b'x', 8 << 20);
    for byte in b"data: ".iter().copied().chain(line).chain(*b"\n\n") {
        decoder.feed(&[byte], &mut |item| items.push(item)).unwrap();
    }
    let [Item::Frame(frame)] = items.as_slice() else { panic!("{} items", items.len()) };
    assert_eq!(frame.data.len(), 8 << 20);
}

#[test]
fn a_refused_stream_stays_total() {
    let mut rng = Rng::new(5);
    let mut decoder = Decoder::new("", 50);
    for _ in 0..20_000 {
        let bytes: Vec<u8> = (0..rng.below(40)).map(|_| b"da:t\n\r \xffid"[rng.below(10) as usize]).collect();
        let _ = decoder.feed(&bytes, &mut |_| {});
    }
}

/// The folded form means the same to a reader that unfolds it, and only one event whatever the data
/// holds.
#[test]
fn a_folded_update_unfolds_to_itself() {
    for seed in 0..5_000 {
        let mut rng = Rng::new(seed);
        let (id, event, data) = (text(&mut rng), text(&mut rng), text(&mut rng));
        let retry = (rng.below(4) == 0).then_some(7);
        let (mut plain, mut folded) = (Vec::new(), Vec::new());
        if encode(&Fields { retry, id: Some(&id), event: &event, data: &data }, &mut plain).is_err() {
            continue;
        }
        wrap(&plain, &mut folded);
        let read = |bytes: &[u8]| {
            let mut items = Vec::new();
            Decoder::new("", LIMIT).feed(bytes, &mut |item| items.push(item)).unwrap();
            match items.pop() {
                Some(Item::Frame(frame)) => (items, frame),
                other => panic!("seed {seed}: {other:?}"),
            }
        };
        let ((before, sent), (after, wire)) = (read(&plain), read(&folded));
        assert_eq!(before, after, "seed {seed}");
        assert_eq!(wire.event, if event.is_empty() { "message" } else { UPDATE }, "seed {seed}");
        assert_eq!(unwrap(wire.borrowed()), sent.borrowed(), "seed {seed}");
        // What was never folded stays as it is, and nothing makes it panic.
        if sent.event != UPDATE {
            assert_eq!(unwrap(sent.borrowed()), sent.borrowed(), "seed {seed}");
        }
        let _ = unwrap(FrameRef { event: UPDATE, ..sent.borrowed() });
    }
}
