//! The fuzz targets for a moment: the committed corpus, and seeded changes of it.
//! `npm test -- --only fuzz` runs them for minutes.

use std::{fs, path::Path};

use tinysse::proto::rng::Rng;

#[path = "../../fuzz/src/lib.rs"]
mod targets;

/// Changes of the corpus that are tried of each target.
const CHANGES: u64 = 3_000;

/// What tears formats apart, beside random bytes.
const WORDS: [&[u8]; 16] = [
    b"\0",
    b"\r\n",
    b"\n\n",
    b"\"",
    b"\\u0000",
    b".",
    b"=",
    b"&",
    b"%00",
    b"%",
    b"{",
    b"]",
    b"9999999999999999999999",
    b"TOKEN",
    b"\xff",
    b",",
];

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|file| fs::read(file).unwrap()).collect()
}

/// One to four changes of one input, or of two joined.
fn change(rng: &mut Rng, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut below = |bound: usize| rng.below(bound.max(1) as u64) as usize;
    let mut bytes = corpus[below(corpus.len())].clone();
    for _ in 0..=below(4) {
        let at = below(bytes.len() + 1);
        match below(5) {
            0 if at < bytes.len() => bytes[at] = below(256) as u8,
            1 if at < bytes.len() => drop(bytes.drain(at..(at + 1 + below(8)).min(bytes.len()))),
            2 => drop(bytes.splice(at..at, WORDS[below(WORDS.len())].iter().copied())),
            3 => {
                let other = &corpus[below(corpus.len())];
                bytes.truncate(at);
                bytes.extend_from_slice(&other[below(other.len() + 1)..]);
            }
            _ => bytes.insert(at, below(256) as u8),
        }
    }
    bytes
}

#[test]
fn whatever_strangers_send_the_rules_hold() {
    for (target, check) in targets::TARGETS {
        let corpus = corpus(target);
        assert!(corpus.len() >= 6, "{target} has a corpus");
        corpus.iter().for_each(|bytes| check(bytes));
        for seed in 0..CHANGES {
            let bytes = change(&mut Rng::new(seed), &corpus);
            let held = std::panic::catch_unwind(|| check(&bytes));
            assert!(held.is_ok(), "{target}, seed {seed}: {:?}", String::from_utf8_lossy(&bytes));
        }
    }
}
