//! Revocations on disk, so that a restart does not give rights back. Each is on the disk before it
//! is acknowledged.

use std::{io, path::Path};

use serde::{Deserialize, Serialize};

use super::revoked::{Moment, Revoke};
use crate::append::AppendFile;

/// The open file.
#[derive(Debug)]
pub(super) struct RevocationLog {
    file: AppendFile,
    tidy_at: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Line {
    #[serde(flatten)]
    moment: Moment,
    whom: Revoke,
}

impl RevocationLog {
    /// Reads what is not over at `now_ms` (in milliseconds since 1970), where a revocation counts
    /// for `life_ms`.
    ///
    /// # Errors
    /// Names the file, and its first line that is not valid. The file is as it was.
    pub(super) fn open(path: &Path, now_ms: u64, life_ms: u64) -> io::Result<(Self, Vec<(Moment, Revoke)>)> {
        let counts = |line: &Line| !line.whom.is_over(line.moment, now_ms, life_ms);
        let (file, lines) = AppendFile::open(path, counts)?;
        let tidy_at = TIDY.max(2 * file.length());
        Ok((Self { file, tidy_at }, lines.into_iter().map(|line| (line.moment, line.whom)).collect()))
    }

    /// Adds one. When this returns, it is on the disk.
    ///
    /// # Errors
    /// Errors of the system; then the file is as it was.
    pub(super) fn add(&mut self, moment: Moment, whom: &Revoke) -> io::Result<()> {
        self.file.append(&Line { moment, whom: whom.clone() })
    }

    /// Writes the file anew if it has grown, with what counts only. If that fails, the file stays
    /// as it is.
    pub(super) fn tidy(&mut self, all: impl FnOnce() -> Vec<(Moment, Revoke)>) {
        if self.file.length() < self.tidy_at {
            return;
        }
        let lines: Vec<_> = all().into_iter().map(|(moment, whom)| Line { moment, whom }).collect();
        if let Err(error) = self.file.rewrite(&lines) {
            tracing::warn!(target: "tinysse::auth", %error, "what is over can't be removed from the file of revocations");
        }
        self.tidy_at = TIDY.max(2 * self.file.length());
    }
}

/// A file is written anew when it has this many bytes, and twice as many as when it was last
/// written anew.
const TIDY: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_remembers_what_counts() {
        let path = std::env::temp_dir().join(format!("tinysse-ledger-{}", std::process::id()));
        let ada = Revoke::User("ada\n\"x\"".into());
        let (mut ledger, known) = RevocationLog::open(&path, 0, 10).expect("new");
        assert_eq!(known, []);
        let at = |ms| Moment { at: ms + 100, ms };
        for (ms, whom) in [(1, Revoke::Jti("j".into())), (5, ada.clone()), (2, Revoke::Before(7))] {
            ledger.add(at(ms), &whom).expect("written");
        }
        drop(ledger);
        let known = RevocationLog::open(&path, 15, 10).expect("sound").1;
        assert_eq!(known, [(at(5), ada), (at(2), Revoke::Before(7))]);
        assert_eq!(RevocationLog::open(&path, 0, 10).expect("sound").1, known, "what is over is gone");
        std::fs::remove_file(&path).expect("removed");
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let path = std::env::temp_dir().join(format!("tinysse-ledger-grows-{}", std::process::id()));
        let (mut ledger, _) = RevocationLog::open(&path, 0, 10).expect("new");
        let whom = |ms: u64| Revoke::User(format!("{ms}{}", "x".repeat(200_000)));
        let (mut longest, moment) = (0, |ms| Moment { at: ms, ms });
        for ms in 0..30 {
            ledger.add(moment(ms), &whom(ms)).expect("written");
            ledger.tidy(|| vec![(moment(ms), whom(ms))]);
            longest = longest.max(ledger.file.length());
        }
        assert!((TIDY / 2..2 * TIDY).contains(&longest), "{longest}");
        drop(ledger);
        let known = RevocationLog::open(&path, 30, 10).expect("sound").1;
        assert_eq!(known.last(), Some(&(moment(29), whom(29))));
        std::fs::remove_file(&path).expect("removed");
    }
}
