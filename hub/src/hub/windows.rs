//! Windows in which notifications are coalesced: the first update of a kind passes at once, the
//! last one inside the window follows when the window ends.
//!
//! Updates that are alike in type, key and audience replace each other. Pure: the time comes in.

use std::collections::BTreeSet;

use tinysse::proto::{audience::Audience, coalescer::Coalescer, registry::Pattern, time::Time};

use super::Update;

/// The windows, by pattern; the first pattern that matches a type counts.
///
/// ```
/// use tinysse::proto::{registry::Pattern, time::Time};
/// use tinysse_hub::hub::{Update, Windows};
///
/// let mut windows = Windows::new([(Pattern::parse("progress").unwrap(), 100)]);
/// let percent = |data: &str| Update { data: Some(data.into()), ..Update::new("progress") };
/// assert!(windows.hold(Time(0), percent("1")).is_some(), "the first passes");
/// assert!(windows.hold(Time(1), percent("2")).is_none());
/// assert!(windows.hold(Time(2), percent("3")).is_none());
/// assert_eq!(windows.due(), Some(Time(100)));
/// assert_eq!(windows.flush(Time(100)), [percent("3")]);
/// assert_eq!(windows.coalesced(), 1);
/// ```
#[derive(Debug)]
pub struct Windows(Vec<Window>);

#[derive(Debug)]
struct Window {
    pattern: Pattern,
    batch: Coalescer<CoalesceKey, Update>,
}

/// Updates that are alike in all this replace each other inside a window: type, key, audience.
type CoalesceKey = (String, Option<String>, BTreeSet<Audience>);

impl Windows {
    /// Returns windows by pattern, each with its length in milliseconds.
    pub fn new(windows: impl IntoIterator<Item = (Pattern, u64)>) -> Self {
        let window = |(pattern, ms)| Window { pattern, batch: Coalescer::new(ms) };
        Self(windows.into_iter().map(window).collect())
    }

    /// Gives the update back if it passes now. Otherwise it is held until its window ends.
    pub fn hold(&mut self, now: Time, mut update: Update) -> Option<Update> {
        let Some(window) = self.0.iter_mut().find(|window| window.pattern.matches(&update.kind)) else {
            return Some(update);
        };
        let key = key(&update);
        if let Some(held) = window.batch.held(&key) {
            concerns_both(&mut update, held);
        }
        window.batch.add(now, key, update)
    }

    /// Returns when the next window ends; `None` while none is open.
    #[must_use]
    pub fn due(&self) -> Option<Time> {
        self.0.iter().filter_map(|window| window.batch.due()).min()
    }

    /// Returns what windows that ended by `now` held.
    pub fn flush(&mut self, now: Time) -> Vec<Update> {
        self.0.iter_mut().flat_map(|window| window.batch.flush(now)).collect()
    }

    /// Returns how many updates a later one of their window replaced.
    #[must_use]
    pub fn coalesced(&self) -> u64 {
        self.0.iter().map(|window| u64::from(window.batch.replaced())).sum()
    }
}

/// Returns what updates that replace each other have in common. To everybody is the same however it
/// is written.
fn key(update: &Update) -> CoalesceKey {
    let to: BTreeSet<_> = update.to.iter().cloned().collect();
    let to = if to.contains(&Audience::All) { BTreeSet::new() } else { to };
    (update.kind.clone(), update.key.clone(), to)
}

/// Two changes by different tabs in one update are foreign to both: neither may take it for its own
/// echo, or be left out.
fn concerns_both(update: &mut Update, held: &Update) {
    if update.origin != held.origin {
        update.origin = None;
    }
    if update.except != held.except {
        update.except = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_and_order_make_no_other_audience() {
        let mut windows = Windows::new([(Pattern::Everything, 100)]);
        let to = |to: &[&str]| {
            let to = to.iter().map(|text| text.parse().expect("an audience")).collect();
            Update { to, ..Update::new("a") }
        };
        assert!(windows.hold(Time(0), to(&[])).is_some() && windows.hold(Time(0), to(&["user:b", "user:a"])).is_some());
        for same in [&["all"][..], &["user:a", "all"], &["user:a", "user:b"]] {
            assert!(windows.hold(Time(1), to(same)).is_none(), "{same:?}");
        }
        assert!(windows.hold(Time(1), to(&["user:a"])).is_some());
    }

    #[test]
    fn changes_of_two_tabs_are_foreign_to_both() {
        let mut windows = Windows::new([(Pattern::Everything, 100)]);
        let by = |tab: &str| Update { origin: Some(tab.into()), except: Some("c1".into()), ..Update::new("a") };
        assert!(windows.hold(Time(0), by("x")).is_some());
        assert!(windows.hold(Time(1), by("x")).is_none() && windows.hold(Time(2), by("y")).is_none());
        assert_eq!(windows.flush(Time(100)), [Update { except: Some("c1".into()), ..Update::new("a") }]);
    }
}
