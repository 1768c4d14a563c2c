//! What each update carries, so that its delivery can be judged: when it was published, and as
//! which.

use std::time::Instant;

const BEGIN: &[u8; 2] = b"~S";
/// Begin, 16 digits of time, 8 of number.
pub const LONG: usize = 26;

/// A text of 60 bytes that needs no escape anywhere.
pub fn write(since: Instant, number: u32) -> String {
    format!("~S{:016x}{number:08x}{:x<34}", since.elapsed().as_nanos() as u64, "")
}

/// Time and number of every mark in `bytes`; answers where the first unfinished one begins.
pub fn read(bytes: &[u8], mut found: impl FnMut(u64, u32)) -> usize {
    let mut at = 0;
    while let Some(next) = memchr::memchr(BEGIN[0], &bytes[at..]) {
        at += next;
        let Some(mark) = bytes.get(at..at + LONG) else { return at };
        let hex = |range: std::ops::Range<usize>| {
            mark[range].iter().try_fold(0u64, |sum, digit| Some(sum * 16 + u64::from((*digit as char).to_digit(16)?)))
        };
        match (mark[1] == BEGIN[1]).then(|| Some((hex(2..18)?, hex(18..26)?))).flatten() {
            Some((time, number)) => {
                found(time, number as u32);
                at += LONG;
            }
            None => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_cut() {
        let now = Instant::now();
        let text = format!("data: {}\n\n~ ~S12 {}\n", write(now, 7), write(now, 8));
        for cut in 0..text.len() {
            let mut numbers = vec![];
            let mut carried = text.as_bytes()[..cut].to_vec();
            let rest = read(&carried, |_, number| numbers.push(number));
            carried.drain(..rest);
            carried.extend_from_slice(&text.as_bytes()[cut..]);
            read(&carried, |_, number| numbers.push(number));
            assert_eq!(numbers, [7, 8], "cut at {cut}");
        }
    }
}
