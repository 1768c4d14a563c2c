//! Which subscribers want an update of a type.
//!
//! Absent here: the subscribers' functions. The registry knows numbers; the shell maps them to
//! functions.

use alloc::{string::String, vec::Vec};

/// What a subscriber asks for: one type, all types below a prefix, or everything.
///
/// ```
/// use tinysse::proto::registry::Pattern;
/// let compute = Pattern::parse("compute.*").unwrap();
/// assert!(compute.matches("compute.progress"));
/// assert!(compute.matches("compute.a.b"));
/// assert!(!compute.matches("compute") && !compute.matches("computer.a"));
/// assert!(Pattern::parse("*").unwrap().matches("anything"));
/// assert_eq!(Pattern::parse("a*b"), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pattern {
    /// `*`
    Everything,
    /// `compute.*`; holds `compute.`, with its dot.
    Below(String),
    /// `projects`
    Exactly(String),
}

impl Pattern {
    /// Reads a pattern; `None` if a star is anywhere but alone or after a last dot, or if the text
    /// is empty.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let starred = |text: &str| text.bytes().any(|byte| byte == b'*');
        match text.strip_suffix("*") {
            Some("") => Some(Self::Everything),
            Some(prefix) if prefix.len() > 1 && prefix.ends_with(".") && !starred(prefix) => {
                Some(Self::Below(prefix.into()))
            }
            Some(_) => None,
            None if text.is_empty() || starred(text) => None,
            None => Some(Self::Exactly(text.into())),
        }
    }

    /// The pattern for what both cover, if there is such a thing: of two patterns one holds the
    /// other, or they share nothing.
    ///
    /// ```
    /// use tinysse::proto::registry::Pattern;
    /// let pattern = |text| Pattern::parse(text).unwrap();
    /// assert_eq!(pattern("compute.*").meet(&pattern("compute.progress")), Some(pattern("compute.progress")));
    /// assert_eq!(pattern("compute.*").meet(&pattern("*")), Some(pattern("compute.*")));
    /// assert_eq!(pattern("compute.*").meet(&pattern("compute")), None);
    /// ```
    #[must_use]
    pub fn meet(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Everything, other) => Some(other.clone()),
            (this, Self::Everything) => Some(this.clone()),
            (Self::Below(ours), Self::Below(theirs)) if theirs.starts_with(ours.as_str()) => Some(other.clone()),
            (Self::Below(ours), Self::Below(theirs)) => ours.starts_with(theirs.as_str()).then(|| self.clone()),
            (Self::Exactly(name), pattern) => pattern.matches(name).then(|| self.clone()),
            (pattern, Self::Exactly(name)) => pattern.matches(name).then(|| other.clone()),
        }
    }

    /// True if an update of this type is asked for.
    #[must_use]
    pub fn matches(&self, kind: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Below(prefix) => kind.len() > prefix.len() && kind.starts_with(prefix.as_str()),
            Self::Exactly(name) => name == kind,
        }
    }
}

/// Names a subscription for as long as the registry lives; numbers are not used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subscriber(pub u32);

/// Subscribers in the order in which they came. Names like `__proto__` are names like any other
/// here.
///
/// A plain list: a page has tens of subscribers, a walk costs less than a delivery, and a map would
/// cost the wasm 10 kB.
///
/// ```
/// use tinysse::proto::registry::{Pattern, Registry};
/// let mut registry = Registry::default();
/// let all = registry.add([Pattern::Everything]);
/// let both = registry.add([Pattern::parse("projects").unwrap(), Pattern::parse("compute.*").unwrap()]);
/// assert_eq!(registry.matching("projects"), [all, both]);
/// assert!(registry.remove(all));
/// assert_eq!(registry.matching("images"), []);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Registry {
    next: u32,
    entries: Vec<(Subscriber, Vec<Pattern>)>,
}

impl Registry {
    /// Adds a subscriber; it is called once an update, however many of its patterns match.
    pub fn add(&mut self, patterns: impl IntoIterator<Item = Pattern>) -> Subscriber {
        let subscriber = Subscriber(self.next);
        self.next = self.next.wrapping_add(1);
        self.entries.push((subscriber, patterns.into_iter().collect()));
        subscriber
    }

    /// Removes a subscriber; false if it was not there.
    pub fn remove(&mut self, subscriber: Subscriber) -> bool {
        let before = self.entries.len();
        self.entries.retain(|(known, _)| *known != subscriber);
        self.entries.len() < before
    }

    /// True if anybody wants an update of this type.
    #[must_use]
    pub fn wants(&self, kind: &str) -> bool {
        self.entries.iter().any(|(_, patterns)| patterns.iter().any(|pattern| pattern.matches(kind)))
    }

    /// Who wants an update of this type, in the order of subscription.
    #[must_use]
    pub fn matching(&self, kind: &str) -> Vec<Subscriber> {
        let mut found = Vec::new();
        for (subscriber, patterns) in &self.entries {
            if patterns.iter().any(|pattern| pattern.matches(kind)) {
                found.push(*subscriber);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use std::vec;

    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text).expect(text)
    }

    #[test]
    fn what_meets_is_what_both_match() {
        let all = ["*", "a", "b", "a.*", "a.b", "a.b.*", "a.b.c", "b.*"].map(pattern);
        for (ours, theirs) in all.iter().flat_map(|ours| all.iter().map(move |theirs| (ours, theirs))) {
            let meet = ours.meet(theirs);
            assert_eq!(meet, theirs.meet(ours));
            for kind in ["a", "b", "a.b", "a.c", "a.b.c", "b.c", "c"] {
                let both = ours.matches(kind) && theirs.matches(kind);
                assert_eq!(meet.as_ref().is_some_and(|meet| meet.matches(kind)), both, "{ours:?} {theirs:?} {kind}");
            }
        }
    }

    #[test]
    fn names_of_objects_are_plain_names() {
        let mut registry = Registry::default();
        assert_eq!(registry.matching("__proto__"), vec![]);
        let odd = registry.add([pattern("__proto__"), pattern("constructor")]);
        assert_eq!(registry.matching("__proto__"), vec![odd]);
        assert_eq!(registry.matching("constructor"), vec![odd]);
        assert_eq!(registry.matching("toString"), vec![]);
    }

    #[test]
    fn overlapping_patterns_call_once_and_in_order_of_subscription() {
        let mut registry = Registry::default();
        let late = registry.add([pattern("*")]);
        let twice = registry.add([pattern("a.b"), pattern("a.*"), pattern("*")]);
        let exact = registry.add([pattern("a.b"), pattern("a.b")]);
        assert_eq!(registry.matching("a.b"), vec![late, twice, exact]);
        assert!(registry.remove(twice) && !registry.remove(twice));
        assert_eq!(registry.matching("a.b"), vec![late, exact]);
        assert!(registry.remove(exact) && registry.remove(late));
        assert!(registry.entries.is_empty());
    }
}
