//! What a poller knows and decides. Pure: answers and the time come in.
//!
//! *Invariant:* a notification that is due stays due until the log has it ([`Poller::owes`]),
//! whatever fails in between.
//!
//! Absent here: HTTP, timers, the hub, other nodes.

use std::sync::Arc;

use tinysse::proto::{
    backoff::{Backoff, Policy},
    rng::Rng,
    time::Time,
};

use super::compare::{Compare, Read};

/// Failures in a row make the pauses longer, up to this many milliseconds.
const CAP_MS: u32 = 30_000;
/// Between attempts to publish, at least and again at most as jitter, in milliseconds.
const TELL_MS: u64 = 500;
/// A server may send us away for so long at most, in milliseconds.
const AWAY_MS: u64 = 3_600_000;

/// Watches one address for changes.
///
/// ```
/// use tinysse::proto::time::Time;
/// use tinysse_hub::poll::{compare::Compare, poller::{Answer, Outcome, Poller, Rules, Want}};
///
/// let rules = Rules { every_ms: 2_000, max_stale_ms: 5_000, compare: Compare::Json };
/// let mut poller = Poller::new(rules, 7);
/// let body = |text: &str| Answer::Body { body: text.as_bytes().to_vec(), etag: None, modified: None };
/// assert_eq!(poller.on_answer(Time(0), body("{\"percent\": 1}")), Outcome::Changed);
/// assert_eq!(poller.wants(Time(0)), Want::Tell);
/// poller.told(); // the log has it
/// assert_eq!(poller.on_answer(Time(2_000), body("{ \"percent\":1 }")), Outcome::Unchanged);
/// assert_eq!(poller.wants(Time(2_000)), Want::Wait(Time(4_000)));
/// assert_eq!(poller.on_answer(Time(4_000), Answer::failed("status 500")), Outcome::Failed);
/// let view = poller.view(Time(6_000));
/// assert_eq!((&*view.text, view.stale, view.age_ms), ("{ \"percent\":1 }", false, Some(4_000))); // the last known value goes on
/// assert!(poller.view(Time(7_001)).stale);
/// ```
#[derive(Debug)]
pub struct Poller {
    rules: Rules,
    known: Option<Known>,
    /// The log does not have it yet that something changed.
    owed: bool,
    /// Other nodes do not have the value.
    unsaved: bool,
    /// It was published that the value is stale.
    told_stale: bool,
    tell_at: Time,
    backoff: Backoff,
    why: String,
    due: Time,
    rng: Rng,
}

/// How a poller works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How often to ask, in milliseconds.
    pub every_ms: u64,
    /// An older value is stale, in milliseconds.
    pub max_stale_ms: u64,
    /// What counts as a change.
    pub compare: Compare,
}

/// A value and the validators that the server sent with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// JSON text.
    pub text: Arc<str>,
    /// See [`Read::print`].
    pub print: String,
    /// For `If-None-Match` (RFC 9110 §13.1.2).
    pub etag: Option<String>,
    /// For `If-Modified-Since` (RFC 9110 §13.1.3).
    pub modified: Option<String>,
    /// Which of the values that nodes share it is; later ones are higher. 0 if it is not shared.
    pub version: u64,
    /// When it was last confirmed.
    pub at: Time,
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 2xx with a body.
    Body {
        /// The bytes.
        body: Vec<u8>,
        /// `ETag`.
        etag: Option<String>,
        /// `Last-Modified`.
        modified: Option<String>,
    },
    /// 304.
    NotModified,
    /// No usable answer.
    Failed {
        /// In words, without address or key.
        why: String,
        /// `Retry-After`, in milliseconds from now.
        retry_after_ms: Option<u64>,
    },
}

/// What a poller wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// Ask the other server.
    Ask,
    /// Notify those who may see it, by way of the log.
    Tell,
    /// Nothing until then.
    Wait(Time),
}

/// How a question ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Another value.
    Changed,
    /// The same value, sent again.
    Unchanged,
    /// The server answers that it is the same.
    NotModified,
    /// No usable answer; the last value goes on.
    Failed,
}

/// What a poller has to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The last known value as JSON text; `null` before the first.
    pub text: Arc<str>,
    /// Whether it is missing or older than it may be.
    pub stale: bool,
    /// Time since the last good answer, in milliseconds.
    pub age_ms: Option<u64>,
    /// Failures since the last good answer.
    pub failures: u32,
}

impl Answer {
    /// A failure that does not name a time to come again.
    #[must_use]
    pub fn failed(why: impl Into<String>) -> Self {
        Self::Failed { why: why.into(), retry_after_ms: None }
    }
}

impl Outcome {
    /// As a label of a metric.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::NotModified => "not_modified",
            Self::Failed => "failed",
        }
    }
}

impl Poller {
    /// A poller that knows nothing and is due at once.
    #[must_use]
    pub fn new(rules: Rules, seed: u64) -> Self {
        let base = u32::try_from(rules.every_ms).unwrap_or(u32::MAX);
        // Never sooner than planned, and a slow rhythm is not made faster by the cap.
        let policy = Policy { floor: base, base: base.saturating_mul(2), cap: CAP_MS.max(base) };
        Self {
            rules,
            known: None,
            owed: false,
            unsaved: false,
            told_stale: false,
            tell_at: Time(0),
            backoff: Backoff::new(policy),
            why: String::new(),
            due: Time(0),
            rng: Rng::new(seed),
        }
    }

    /// The value that the next question may refer to, and what there is to share with others.
    #[must_use]
    pub fn known(&self) -> Option<&Known> {
        self.known.as_ref()
    }

    /// Takes an answer. A notification becomes due if the value is another one, or if the one that
    /// is confirmed had grown stale.
    pub fn on_answer(&mut self, now: Time, answer: Answer) -> Outcome {
        let was_stale = self.known.is_some() && self.view(now).stale;
        let outcome = match (answer, &mut self.known) {
            (Answer::Body { body, etag, modified }, known) => match self.rules.compare.read(&body) {
                Ok(Read { text, print }) => {
                    let same = known.as_ref().is_some_and(|known| known.print == print);
                    let version = known.as_ref().map_or(0, |known| known.version);
                    let next = Known { text: text.into(), print, etag, modified, version, at: now };
                    self.unsaved |= known.as_ref().is_none_or(|known| *known != Known { at: known.at, ..next.clone() });
                    *known = Some(next);
                    if same { Outcome::Unchanged } else { Outcome::Changed }
                }
                Err(why) => {
                    self.fail(now, why, None);
                    return Outcome::Failed;
                }
            },
            (Answer::NotModified, Some(known)) => {
                known.at = now;
                Outcome::NotModified
            }
            // There was nothing that it could refer to.
            (Answer::NotModified, None) => {
                self.fail(now, "304 to a question without a condition".to_owned(), None);
                return Outcome::Failed;
            }
            (Answer::Failed { why, retry_after_ms }, _) => {
                self.fail(now, why, retry_after_ms);
                return Outcome::Failed;
            }
        };
        self.backoff.forget();
        self.due = now.plus(self.rules.every_ms);
        self.owed |= outcome == Outcome::Changed || was_stale;
        self.told_stale = false;
        outcome
    }

    /// Takes what another node knows, unless that is older, and whether the log has no news of it
    /// yet.
    pub fn learn(&mut self, now: Time, known: Known, owed: bool) {
        if self.known.as_ref().is_none_or(|ours| ours.version <= known.version) {
            self.due = known.at.plus(self.rules.every_ms).max(now);
            self.known = Some(known);
            self.told_stale &= self.view(now).stale;
            (self.unsaved, self.owed) = (false, owed);
        }
    }

    /// Whether others do not have the value as it is here.
    #[must_use]
    pub fn unsaved(&self) -> bool {
        self.unsaved
    }

    /// Others have the value, as this version.
    pub fn saved(&mut self, version: u64) {
        if let Some(known) = &mut self.known {
            known.version = version;
        }
        self.unsaved = false;
    }

    /// Why the last question failed, in words without address or key.
    #[must_use]
    pub fn why(&self) -> &str {
        &self.why
    }

    /// Whether there is something to publish that the log does not have.
    #[must_use]
    pub fn owes(&self) -> bool {
        self.owed
    }

    /// The log has it.
    pub fn told(&mut self) {
        self.owed = false;
    }

    /// The log could not take it; it is to be published again soon.
    pub fn not_told(&mut self, now: Time) {
        self.tell_at = now.plus(TELL_MS + self.rng.below(TELL_MS));
    }

    /// What to do, if anybody looks.
    pub fn wants(&mut self, now: Time) -> Want {
        let stale_at = self.known.as_ref().filter(|_| !self.told_stale);
        let stale_at = stale_at.map(|known| known.at.plus(self.rules.max_stale_ms).plus(1));
        if self.due <= now {
            return Want::Ask;
        }
        if stale_at.is_some_and(|at| at <= now) {
            (self.owed, self.told_stale) = (true, true);
        }
        if self.owed && self.tell_at <= now {
            return Want::Tell;
        }
        let tell_at = self.owed.then_some(self.tell_at);
        Want::Wait([stale_at, tell_at].into_iter().flatten().filter(|at| *at > now).fold(self.due, Time::min))
    }

    /// What there is to show.
    #[must_use]
    pub fn view(&self, now: Time) -> View {
        let age_ms = self.known.as_ref().map(|known| now.since(known.at));
        View {
            text: self.known.as_ref().map_or_else(|| "null".into(), |known| Arc::clone(&known.text)),
            stale: age_ms.is_none_or(|age| age > self.rules.max_stale_ms),
            age_ms,
            failures: self.backoff.failures(),
        }
    }

    fn fail(&mut self, now: Time, why: String, retry_after_ms: Option<u64>) {
        self.why = why;
        let pause = self.backoff.next(&mut self.rng);
        // What was sent away together should not come back together.
        let told = retry_after_ms.map_or(0, |ms| {
            let ms = ms.min(AWAY_MS);
            ms + self.rng.below(ms / 10 + 1)
        });
        self.due = now.plus(pause.max(told));
    }
}

#[cfg(test)]
#[path = "poller_tests.rs"]
mod tests;
