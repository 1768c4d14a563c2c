//! Words for tests of the wire: harmless, hostile, and numbers at the edges.

use tinysse::proto::{
    rng::Rng,
    wire::id::{Epoch, EventId},
};

pub(crate) fn pick<T: Copy>(rng: &mut Rng, of: &[T]) -> T {
    of[rng.below(of.len() as u64) as usize]
}

pub(crate) fn word(rng: &mut Rng, alphabet: &str, longest: u64) -> String {
    let alphabet: Vec<char> = alphabet.chars().collect();
    (0..rng.below(longest + 1)).map(|_| pick(rng, &alphabet)).collect()
}

pub(crate) fn plain(rng: &mut Rng, longest: u64) -> String {
    word(rng, "abcXYZ019._:-", longest)
}

pub(crate) fn hostile(rng: &mut Rng) -> String {
    word(rng, "ab0=&,%+?# \n\r\0:\u{e9}\u{1f600}", 8)
        + pick(rng, &["", "&gap=none", "\n\ndata: x\n\n", "\nid: 1", "&after=1.1"])
}

pub(crate) fn number(rng: &mut Rng) -> u64 {
    let random = rng.next_u64();
    pick(rng, &[0, 1, 9, 10, u64::from(u32::MAX), u64::MAX, random, random >> 40])
}

pub(crate) fn place(rng: &mut Rng) -> EventId {
    EventId { epoch: Epoch(number(rng)), seq: number(rng) }
}
