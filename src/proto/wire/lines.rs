//! Where a line ends.

#[cfg(target_feature = "simd128")]
use core::arch::wasm32::{u8x16_bitmask, u8x16_eq, u8x16_splat, u64x2, v128, v128_any_true, v128_or};

/// Where the first CR or LF is, or the length. Looks at sixteen bytes at a time.
pub(super) fn line_end(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some((block, tail)) = rest.split_first_chunk::<16>() {
        if let Some(at) = first_end(*block) {
            return bytes.len() - rest.len() + at;
        }
        rest = tail;
        // A long line.
        while let Some((blocks, tail)) = rest.split_first_chunk::<64>()
            && endless(blocks)
        {
            rest = tail;
        }
    }
    let found = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len());
    bytes.len() - rest.len() + found
}

#[cfg(target_feature = "simd128")]
fn first_end(block: [u8; 16]) -> Option<usize> {
    let ends = ends(block);
    v128_any_true(ends).then(|| u8x16_bitmask(ends).trailing_zeros() as usize)
}

#[cfg(target_feature = "simd128")]
fn endless(blocks: &[u8; 64]) -> bool {
    let (blocks, _) = blocks.as_chunks::<16>();
    let all = blocks.iter().fold(u8x16_splat(0), |all, block| v128_or(all, ends(*block)));
    !v128_any_true(all)
}

#[cfg(target_feature = "simd128")]
fn ends(block: [u8; 16]) -> v128 {
    let block = u128::from_le_bytes(block);
    let block = u64x2(block as u64, (block >> 64) as u64);
    v128_or(u8x16_eq(block, u8x16_splat(b'\n')), u8x16_eq(block, u8x16_splat(b'\r')))
}

#[cfg(not(target_feature = "simd128"))]
fn endless(_: &[u8; 64]) -> bool {
    false
}

#[cfg(not(target_feature = "simd128"))]
fn first_end(block: [u8; 16]) -> Option<usize> {
    let block = u128::from_le_bytes(block);
    let (low, high) = (block as u64, (block >> 64) as u64);
    if below(low, 0x0e) | below(high, 0x0e) == 0 {
        return None;
    }
    let bit = match (ends(low), ends(high)) {
        (0, 0) => return None, // a tab, or something that is no text
        (0, high) => 64 + high.trailing_zeros(),
        (low, _) => low.trailing_zeros(),
    };
    Some((bit / 8) as usize)
}

#[cfg(not(target_feature = "simd128"))]
const ONES: u64 = u64::MAX / 0xff;

/// The high bit of each byte that is CR or LF.
#[cfg(not(target_feature = "simd128"))]
const fn ends(word: u64) -> u64 {
    below(word ^ (ONES * 0x0a), 1) | below(word ^ (ONES * 0x0d), 1)
}

/// The high bit of each byte below a limit of at most 128. A borrow can mark bytes above such a one
/// too, so only the lowest bit is to be believed.
#[cfg(not(target_feature = "simd128"))]
const fn below(word: u64, limit: u64) -> u64 {
    word.wrapping_sub(ONES * limit) & !word & (ONES << 7)
}

#[cfg(test)]
mod tests {
    use std::vec;

    use super::*;

    #[test]
    fn the_first_end_is_found_wherever_it_is_and_whatever_is_beside_it() {
        for length in 0..100 {
            for at in 0..length {
                for end in [b'\n', b'\r'] {
                    for other in [b'a', 0, b'\t', 0x0b, 0x0c, 0x0e, 0x8a, 0x8d, 0xff] {
                        let mut bytes = vec![other; length];
                        bytes[at] = end;
                        assert_eq!(line_end(&bytes), at, "{other} {length}");
                        bytes[at..].fill(b'\n');
                        assert_eq!(line_end(&bytes), at, "{other} {length}");
                    }
                }
            }
            assert_eq!(line_end(&vec![b'a'; length]), length);
        }
    }
}
