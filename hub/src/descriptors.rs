//! How many file descriptors the process may have, and what they are for: connections, files of
//! `--pages`, and a reserve for the log, Redis and pollers. So neither connections nor files can
//! take what the others need.

/// Descriptors that are neither connections nor files of pages: the log, Redis, pollers, standard
/// streams.
const RESERVE: u64 = 64;
/// Files of pages that are open at a time are a quarter of all descriptors, and at most this many.
const MOST_PAGES: u64 = 1_024;

/// A limit on the descriptors of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptors(u64);

impl Descriptors {
    /// The limit of this process.
    #[must_use]
    pub fn current() -> Self {
        Self(system::limits().0)
    }

    /// Raises the limit of this process to the most that the system allows (the hard limit);
    /// returns the limit from then on.
    ///
    /// The usual soft limit of 1024 is there for programs that use `select`; the default of
    /// `--max-streams` needs ten times as many.
    #[must_use]
    pub fn raise() -> Self {
        system::raise();
        Self::current()
    }

    /// How many there are.
    #[must_use]
    pub fn count(self) -> u64 {
        self.0
    }

    /// Connections that fit beside the rest.
    #[must_use]
    pub fn connections(self) -> usize {
        usize::try_from(self.0.saturating_sub(RESERVE + self.pages_u64()).max(1)).unwrap_or(usize::MAX)
    }

    /// Returns warnings about limits that do not fit.
    #[must_use]
    pub fn shortage(self, connections: usize) -> Option<String> {
        let (wanted, there) = (connections, self.connections());
        (wanted > there).then(|| {
            format!(
                "--max-connections is {wanted}, but the limit of {} file descriptors (`ulimit -Hn`, LimitNOFILE= of systemd) leaves {there}; \
                 more connections wait in the system",
                self.0
            )
        })
    }

    /// Files of pages that may be open at a time.
    #[must_use]
    pub fn pages(self) -> usize {
        usize::try_from(self.pages_u64()).unwrap_or(usize::MAX)
    }

    fn pages_u64(self) -> u64 {
        (self.0 / 4).clamp(1, MOST_PAGES)
    }
}

#[cfg(unix)]
mod system {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    /// The soft and the hard limit.
    pub(super) fn limits() -> (u64, Option<u64>) {
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        (current.unwrap_or(u64::MAX), maximum)
    }

    pub(super) fn raise() {
        let (soft, hard) = limits();
        // macOS refuses an infinite soft limit.
        let Some(hard) = hard.filter(|hard| *hard > soft) else { return };
        let wanted = Rlimit { current: Some(hard), maximum: Some(hard) };
        if let Err(error) = setrlimit(Resource::Nofile, wanted) {
            tracing::debug!(target: "tinysse::server", %error, "the limit of file descriptors stays");
        }
    }
}

#[cfg(not(unix))]
mod system {
    pub(super) fn limits() -> (u64, Option<u64>) {
        (u64::MAX, None)
    }

    pub(super) fn raise() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_descriptor_has_one_purpose() {
        for (count, connections, pages) in [(256, 128, 64), (1_024, 704, 256), (20_000, 18_912, 1_024), (8, 1, 2)] {
            let all = Descriptors(count);
            assert_eq!((all.connections(), all.pages()), (connections, pages), "{count}");
        }
        assert_eq!(Descriptors(u64::MAX).pages(), 1_024);
    }
}
