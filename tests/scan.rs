//! What lies beneath the decoder: ranges of bytes, against the same naive reading of the standard.
#![allow(clippy::unwrap_used)]

mod naive;

use naive::Said;
use tinysse::proto::{
    rng::Rng,
    wire::scan::{ABSENT, Found, Scanner, TooLarge},
};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn say(scanner: &Scanner, id: &mut String, said: &mut Vec<Said>) {
    for found in scanner.found() {
        said.push(match found {
            Found::Retry(ms) => Said::Retry(ms),
            Found::Id(fresh) => {
                *id = text(fresh);
                Said::Id(id.clone())
            }
            Found::Event { kind, id: fresh, data } => {
                if let Some(fresh) = fresh {
                    *id = text(fresh);
                }
                let kind = if kind.is_empty() { "message".into() } else { text(kind) };
                Said::Event { kind, id: id.clone(), data: text(data) }
            }
        });
    }
}

fn read<'a>(scanner: &mut Scanner, chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<Said> {
    let (mut id, mut said) = ("0".to_owned(), Vec::new());
    for chunk in chunks {
        scanner.feed(chunk).unwrap();
        say(scanner, &mut id, &mut said);
    }
    said
}

#[test]
fn every_rule_of_the_standard_at_every_cut() {
    for (stream, expected) in naive::vectors::vectors() {
        for at in 0..=stream.len() {
            let (head, tail) = stream.split_at(at);
            let mut scanner = Scanner::new(1 << 20);
            assert_eq!(read(&mut scanner, [head, tail]), expected, "cut at {at}: {}", text(stream).escape_debug());
        }
        let mut scanner = Scanner::new(1 << 20);
        assert_eq!(read(&mut scanner, stream.chunks(1)), expected, "byte by byte: {}", text(stream).escape_debug());
    }
}

/// Eight bytes are looked at together: each place in them, beside each neighbour that differs by a
/// bit or a borrow.
#[test]
fn a_line_end_is_found_at_every_place_and_nowhere_else() {
    for other in [0x00, 0x09, 0x0b, 0x0c, 0x0e, 0x20, 0x7f, 0x80, 0x8a, 0x8d, 0xff] {
        for end in [b'\n', b'\r'] {
            for at in 0..40 {
                let mut value = vec![other; 40];
                value[at] = end;
                let stream = [b"data:q", value.as_slice(), b"\n\n"].concat();
                let mut scanner = Scanner::new(1 << 10);
                assert_eq!(
                    read(&mut scanner, [stream.as_slice()]),
                    naive::read(&stream, "0"),
                    "{other:02x} {end:02x} {at}"
                );
            }
        }
    }
}

#[test]
fn marks_and_findings_say_the_same() {
    let mut rng = Rng::new(3);
    let mut scanner = Scanner::new(1 << 16);
    for _ in 0..3_000 {
        let bytes: Vec<u8> = (0..rng.below(60)).map(|_| b"data:id\n\nevent \rx"[rng.below(17) as usize]).collect();
        scanner.feed(&bytes).unwrap();
        let (held, marks) = (scanner.held(), scanner.marks());
        assert_eq!(scanner.found().count(), marks.len());
        for (found, mark) in scanner.found().zip(marks) {
            let Found::Event { kind, id, data } = found else { continue };
            let at = |start: usize, length: usize| &held[start..start + length];
            assert_eq!((data, kind), (at(mark.start, mark.data), at(mark.start + mark.data, mark.kind)));
            assert_eq!(id.is_some(), mark.id != ABSENT);
            if let Some(id) = id {
                assert_eq!(id, at(mark.start + mark.data + mark.kind, mark.id));
            }
        }
    }
}

/// Work is counted in bytes held: what was found is forgotten, what is unfinished is moved at most
/// once.
#[test]
fn memory_is_that_of_the_unfinished_event() {
    let mut scanner = Scanner::new(1 << 20);
    for _ in 0..1_000 {
        scanner.feed(b"id: 1\ndata: 0123456789\n\n: comment of some length\ndata: 01234").unwrap();
        assert!(scanner.held().len() < 60, "{}", scanner.held().len());
        assert_eq!(scanner.unfinished(), b"01234");
        scanner.feed(b"5\n\n").unwrap();
    }
}

#[test]
fn comments_and_unknown_fields_are_bounded_and_not_held() {
    for start in [&b": "[..], b"unknown: ", b"data-and-more: "] {
        let mut scanner = Scanner::new(1_000);
        scanner.feed(start).unwrap();
        let fed = (0..2_000).find(|_| scanner.feed(b"x") == Err(TooLarge));
        assert!(fed.is_some_and(|fed| fed >= 980 && scanner.held().is_empty()), "{fed:?}");
    }
}
