//! What a poller knows and decides. Pure: answers and the time come in.
//!
//! Absent here: HTTP, timers, the hub.

use serde_json::Value;
use tinysse::core::{
    backoff::{Backoff, Policy},
    rng::Rng,
    time::Time,
};

/// Failures in a row make the pauses longer, up to this many milliseconds.
const CAP_MS: u32 = 30_000;

/// Watches one address for changes.
///
/// ```
/// use serde_json::json;
/// use tinysse::core::time::Time;
/// use tinysse_server::worker::poller::{Failed, Notify, Poller};
///
/// let mut poller = Poller::new("progress", 2_000, 7);
/// assert!(poller.on_result(Time(0), Ok(json!({ "percent": 1 }))).is_some());
/// assert!(poller.on_result(Time(2_000), Ok(json!({ "percent": 1 }))).is_none()); // not changed
/// assert!(poller.on_result(Time(4_000), Err(Failed)).is_some()); // from now on the value is stale: that shows
/// assert!(poller.on_result(Time(6_000), Err(Failed)).is_none());
/// let view = poller.view(Time(7_000));
/// assert_eq!(view.data, json!({ "percent": 1 })); // the last known value goes on
/// assert_eq!((view.stale, view.age_ms), (true, Some(5_000)));
/// ```
#[derive(Debug)]
pub struct Poller {
    kind: String,
    every_ms: u64,
    last: Option<(Time, Value)>,
    backoff: Backoff,
    pause_ms: u64,
    rng: Rng,
}

/// What there is to show changed: say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notify {
    /// The type to publish.
    pub kind: String,
}

/// The polled server gave no usable answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed;

/// What a poller has to show.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// The last known value; null before the first.
    pub data: Value,
    /// Whether the last question failed, so that the value may be out of date.
    pub stale: bool,
    /// Time since the last good answer, in milliseconds.
    pub age_ms: Option<u64>,
    /// Failures since the last good answer.
    pub failures: u32,
}

impl Poller {
    /// A poller that asks every `every_ms` and publishes `kind`.
    #[must_use]
    pub fn new(kind: impl Into<String>, every_ms: u64, seed: u64) -> Self {
        let base = u32::try_from(every_ms).unwrap_or(CAP_MS);
        // Never sooner than planned, and a slow rhythm is not made faster by the cap.
        let policy = Policy { floor: base, base: base.saturating_mul(2), cap: CAP_MS.max(base) };
        Self {
            kind: kind.into(),
            every_ms,
            last: None,
            backoff: Backoff::new(policy),
            pause_ms: every_ms,
            rng: Rng::new(seed),
        }
    }

    /// The type that it publishes.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Takes an answer. A notification is worth what changes the [`view`](Self::view): another value, the first failure after a good answer
    /// (the value is stale from then on), and the first good answer after that. Values are compared as JSON: neither spaces nor the
    /// order of fields make a change.
    pub fn on_result(&mut self, now: Time, result: Result<Value, Failed>) -> Option<Notify> {
        match result {
            Ok(value) => {
                let was_stale = self.backoff.failures() > 0;
                self.backoff.forget();
                self.pause_ms = self.every_ms;
                let changed = self.last.as_ref().is_none_or(|(_, last)| *last != value);
                self.last = Some((now, value));
                (changed || was_stale).then(|| Notify { kind: self.kind.clone() })
            }
            Err(Failed) => {
                let first = self.backoff.failures() == 0 && self.last.is_some();
                self.pause_ms = self.backoff.next(&mut self.rng);
                first.then(|| Notify { kind: self.kind.clone() })
            }
        }
    }

    /// How long to pause before the next question, in milliseconds.
    #[must_use]
    pub fn pause_ms(&self) -> u64 {
        self.pause_ms
    }

    /// What there is to show.
    #[must_use]
    pub fn view(&self, now: Time) -> View {
        let failures = self.backoff.failures();
        View {
            data: self.last.as_ref().map_or(Value::Null, |(_, value)| value.clone()),
            stale: self.last.is_none() || failures > 0,
            age_ms: self.last.as_ref().map(|(at, _)| now.since(*at)),
            failures,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_a_change_is_told() {
        let mut poller = Poller::new("a", 100, 1);
        assert!(poller.on_result(Time(0), Err(Failed)).is_none());
        assert_eq!(poller.on_result(Time(1), Ok(json!({ "x": 1, "y": 2 }))), Some(Notify { kind: "a".into() }));
        assert_eq!(poller.on_result(Time(2), Ok(json!({ "y": 2, "x": 1 }))), None);
        assert!(poller.on_result(Time(3), Ok(json!({ "x": 1, "y": 3 }))).is_some());
    }

    #[test]
    fn an_outage_is_told_when_it_begins_and_when_it_ends() {
        let mut poller = Poller::new("a", 100, 1);
        assert!(poller.on_result(Time(0), Ok(json!(1))).is_some());
        assert!(poller.on_result(Time(1), Err(Failed)).is_some());
        assert!(poller.view(Time(1)).stale);
        assert!(poller.on_result(Time(2), Err(Failed)).is_none());
        assert!(poller.on_result(Time(3), Ok(json!(1))).is_some());
        assert!(!poller.view(Time(3)).stale);
        assert!(poller.on_result(Time(4), Ok(json!(1))).is_none());
    }

    #[test]
    fn failures_make_pauses_longer_and_a_success_forgets_them() {
        for seed in 0..50 {
            let mut poller = Poller::new("a", 2_000, seed);
            let mut longest = 0;
            for _ in 0..20 {
                poller.on_result(Time(0), Err(Failed));
                assert!((2_000..=30_000).contains(&poller.pause_ms()), "{}", poller.pause_ms());
                longest = longest.max(poller.pause_ms());
            }
            assert!(longest > 8_000);
            assert_eq!(poller.view(Time(0)).failures, 20);
            poller.on_result(Time(0), Ok(json!(1)));
            assert_eq!((poller.pause_ms(), poller.view(Time(0)).failures), (2_000, 0));
        }
        let mut slow = Poller::new("a", 60_000, 1);
        slow.on_result(Time(0), Err(Failed));
        assert_eq!(slow.pause_ms(), 60_000);
    }

    #[test]
    fn before_the_first_answer_there_is_nothing_to_show() {
        let view = Poller::new("a", 100, 1).view(Time(9));
        assert_eq!(view, View { data: Value::Null, stale: true, age_ms: None, failures: 0 });
    }
}
