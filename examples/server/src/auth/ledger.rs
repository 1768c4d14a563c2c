//! Revocations on disk, so that a restart does not give rights back. One JSON line each, synced before it is acknowledged.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::Path,
};

use serde::{Deserialize, Serialize};

use super::revoked::{Moment, Revoke};

/// The open file.
#[derive(Debug)]
pub(super) struct Ledger(File);

#[derive(Debug, Serialize, Deserialize)]
struct Line {
    #[serde(flatten)]
    moment: Moment,
    whom: Revoke,
}

impl Ledger {
    /// Reads what is newer than `oldest` (in milliseconds since 1970), and goes on behind it in a fresh file.
    ///
    /// A last line without an end was never acknowledged, so it is left out.
    ///
    /// # Errors
    /// As the system says; `InvalidData` names the line that is none. Then nothing was changed: a foreign file stays as it is.
    pub(super) fn open(path: &Path, oldest: u64) -> io::Result<(Self, Vec<(Moment, Revoke)>)> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => read?,
        };
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let read = |(number, line): (usize, &str)| {
            let wrong = |error| io::Error::new(io::ErrorKind::InvalidData, format!("line {number}: {error}"));
            serde_json::from_str::<Line>(line).map_err(wrong)
        };
        let lines = (1..).zip(whole.lines()).map(read).collect::<io::Result<Vec<_>>>()?;
        let next = path.with_extension("next");
        let mut ledger = Self(File::create(&next)?);
        let kept = lines.into_iter().map(|line| (line.moment, line.whom));
        let kept: Vec<_> = kept.filter(|(moment, _)| moment.ms >= oldest).collect();
        for (moment, whom) in &kept {
            ledger.write(*moment, whom)?;
        }
        ledger.0.sync_all()?;
        fs::rename(&next, path)?;
        Ok((Self(OpenOptions::new().append(true).open(path)?), kept))
    }

    /// Adds one; when this is back, it stands.
    ///
    /// # Errors
    /// As the system says.
    pub(super) fn add(&mut self, moment: Moment, whom: &Revoke) -> io::Result<()> {
        self.write(moment, whom)?;
        self.0.sync_data()
    }

    fn write(&mut self, moment: Moment, whom: &Revoke) -> io::Result<()> {
        let mut line = serde_json::to_vec(&Line { moment, whom: whom.clone() })?;
        line.push(b'\n');
        self.0.write_all(&line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_remembers_what_counts_and_refuses_what_is_foreign() {
        let path = std::env::temp_dir().join(format!("tinysse-ledger-{}", std::process::id()));
        let ada = Revoke::User("ada\n\"x\"".into());
        let (mut ledger, known) = Ledger::open(&path, 0).expect("new");
        assert_eq!(known, []);
        let at = |ms| Moment { at: ms + 100, ms };
        for (ms, whom) in [(1, Revoke::Jti("j".into())), (5, ada.clone()), (9, Revoke::Before(7))] {
            ledger.add(at(ms), &whom).expect("written");
        }
        // Cut in the middle of a line: nobody was told that it stands.
        ledger.0.write_all(b"{\"at\":11,\"wh").expect("written");
        let known = Ledger::open(&path, 5).expect("sound").1;
        assert_eq!(known, [(at(5), ada), (at(9), Revoke::Before(7))]);
        assert_eq!(Ledger::open(&path, 0).expect("sound").1, known, "what is over is gone");
        fs::write(&path, "something else\n").expect("written");
        assert!(Ledger::open(&path, 0).expect_err("foreign").to_string().starts_with("line 1"));
        assert_eq!(fs::read_to_string(&path).expect("still there"), "something else\n");
        fs::remove_file(&path).expect("removed");
    }
}
