//! Where a line ends.

const ONES: u64 = u64::MAX / 0xff;

/// Where the first CR or LF is, or the length. Looks at sixteen bytes at a time.
pub(super) fn line_end(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some((block, tail)) = rest.split_first_chunk::<16>() {
        let block = u128::from_le_bytes(*block);
        let (low, high) = (block as u64, (block >> 64) as u64);
        if below(low, 0x0e) | below(high, 0x0e) != 0 {
            let bit = match (ends(low), ends(high)) {
                (0, 0) => 128, // a tab, or something that is no text
                (0, high) => 64 + high.trailing_zeros(),
                (low, _) => low.trailing_zeros(),
            };
            if bit < 128 {
                return bytes.len() - rest.len() + (bit / 8) as usize;
            }
        }
        rest = tail;
    }
    let found = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len());
    bytes.len() - rest.len() + found
}

/// The high bit of each byte that is CR or LF.
const fn ends(word: u64) -> u64 {
    below(word ^ (ONES * 0x0a), 1) | below(word ^ (ONES * 0x0d), 1)
}

/// The high bit of each byte below a limit of at most 128. A borrow can mark bytes above such a one too, so only the lowest bit is to be
/// believed.
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
