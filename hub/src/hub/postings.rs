//! An inverted index of the log: the places of its updates by audience. A client that was away
//! reads what is addressed to it without reading what is not.
//!
//! A pattern of channels reads the list of its literal prefix, which holds the updates to all
//! channels below. So a replay costs what lies below the prefix, however many channels that is.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, VecDeque, binary_heap::PeekMut, vec_deque},
};

use tinysse::proto::audience::{Audience, Identity};

use super::{patterns::is_pattern, route::Route};

/// Places in rising order.
type Places = VecDeque<u64>;

/// How many leading segments of a channel's name are indexed. A pattern with a longer literal
/// prefix reads the list of its first segments.
const INDEXED_SEGMENTS: usize = 4;

/// The index.
#[derive(Debug, Default)]
pub(super) struct Postings {
    all: Places,
    users: Lists,
    roles: Lists,
    channels: Lists,
    /// Updates to channels by the leading segments of the name; the list of the empty prefix has
    /// all of them.
    below: Lists,
}

/// Lists by name.
#[derive(Debug, Default)]
struct Lists {
    /// Only read by name, so its order shows nowhere.
    by_name: HashMap<String, Places>,
    bytes: usize,
}

/// The bytes of a place in a list.
const PLACE: usize = size_of::<u64>();
/// The bytes of a list beside its name and its places: the entry of a map, with the spare capacity
/// of map and list.
const LIST: usize = 160;

impl Postings {
    /// Adds an update. Places must rise.
    pub(super) fn push(&mut self, seq: u64, route: &Route) {
        if route.to().is_empty() {
            self.all.push_back(seq);
        }
        for audience in route.to() {
            match audience {
                Audience::All => self.all.push_back(seq),
                Audience::User(name) => self.users.add(name, seq),
                Audience::Role(name) => self.roles.add(name, seq),
                Audience::Channel(name) => {
                    self.channels.add(name, seq);
                    prefixes(name).for_each(|prefix| self.below.add(prefix, seq));
                }
            }
        }
    }

    /// Removes the oldest update, whose place and route these are.
    pub(super) fn pop(&mut self, seq: u64, route: &Route) {
        if route.to().is_empty() {
            let _ = drop_front(&mut self.all, seq);
        }
        for audience in route.to() {
            match audience {
                Audience::All => drop(drop_front(&mut self.all, seq)),
                Audience::User(name) => self.users.remove(name, seq),
                Audience::Role(name) => self.roles.remove(name, seq),
                Audience::Channel(name) => {
                    self.channels.remove(name, seq);
                    prefixes(name).for_each(|prefix| self.below.remove(prefix, seq));
                }
            }
        }
    }

    /// The bytes that it takes in memory.
    pub(super) fn bytes(&self) -> usize {
        self.all.len() * PLACE + self.users.bytes + self.roles.bytes + self.channels.bytes + self.below.bytes
    }

    /// Returns the places behind `seq` of what `identity` may see, each once and rising, and for
    /// patterns also of other updates below their prefix.
    pub(super) fn since(&self, seq: u64, identity: &Identity) -> Merged<'_> {
        let (patterns, names): (Vec<_>, Vec<_>) = identity.channels.iter().partition(|name| is_pattern(name));
        let mut prefixes: Vec<_> = patterns.into_iter().map(|pattern| prefix_of(pattern)).collect();
        prefixes.sort_unstable();
        prefixes.dedup();
        let own = [self.users.by_name.get(&identity.user), self.roles.by_name.get(&identity.role), Some(&self.all)];
        let named = names.into_iter().map(|channel| self.channels.by_name.get(channel));
        let below = prefixes.into_iter().map(|prefix| self.below.by_name.get(prefix));
        Merged::new(own.into_iter().chain(named).chain(below).flatten().map(|places| {
            let behind = places.partition_point(|place| *place <= seq);
            places.range(behind..)
        }))
    }
}

/// The bytes that the index needs at most for an update to this audience.
pub(super) fn most(audience: &Audience) -> usize {
    let list = |name: &str| LIST + name.len() + PLACE;
    match audience {
        Audience::All => PLACE,
        Audience::User(name) | Audience::Role(name) => list(name),
        Audience::Channel(name) => list(name) + prefixes(name).map(list).sum::<usize>(),
    }
}

/// The prefixes under which a channel is indexed: none of its segments, the first, the first two,
/// but never all.
fn prefixes(channel: &str) -> impl Iterator<Item = &str> {
    let ends = channel.match_indices('.').map(|(end, _)| end).take(INDEXED_SEGMENTS);
    std::iter::once(0).chain(ends).map(|end| &channel[..end])
}

/// The longest indexed prefix of all channels that a pattern covers.
fn prefix_of(pattern: &str) -> &str {
    let mut end = 0;
    for (count, segment) in pattern.split('.').take(INDEXED_SEGMENTS).enumerate() {
        if segment == "*" || segment == ">" {
            break;
        }
        end += segment.len() + usize::from(count > 0);
    }
    &pattern[..end]
}

impl Lists {
    fn add(&mut self, name: &str, seq: u64) {
        match self.by_name.get_mut(name) {
            // Two channels of one update may share a prefix.
            Some(places) if places.back() == Some(&seq) => {}
            Some(places) => {
                places.push_back(seq);
                self.bytes += PLACE;
            }
            None => {
                self.by_name.insert(name.to_owned(), Places::from([seq]));
                self.bytes += LIST + name.len() + PLACE;
            }
        }
    }

    fn remove(&mut self, name: &str, seq: u64) {
        let Some(places) = self.by_name.get_mut(name) else { return };
        if drop_front(places, seq) {
            self.bytes -= PLACE;
        }
        if places.is_empty() {
            self.by_name.remove(name);
            self.bytes -= LIST + name.len();
        }
    }
}

/// Returns whether the place was there.
fn drop_front(places: &mut Places, seq: u64) -> bool {
    let found = places.front() == Some(&seq);
    if found {
        places.pop_front();
    }
    found
}

/// Several rising lists as one, each place once.
pub(super) struct Merged<'a> {
    /// The next place of each list that has one, and which list that is.
    heads: BinaryHeap<Reverse<(u64, usize)>>,
    lists: Vec<vec_deque::Iter<'a, u64>>,
    last: Option<u64>,
}

impl<'a> Merged<'a> {
    fn new(lists: impl Iterator<Item = vec_deque::Iter<'a, u64>>) -> Self {
        let mut lists: Vec<_> = lists.collect();
        let heads = lists.iter_mut().enumerate().filter_map(|(list, places)| Some(Reverse((*places.next()?, list))));
        Self { heads: heads.collect(), lists, last: None }
    }
}

impl Iterator for Merged<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        loop {
            let mut head = self.heads.peek_mut()?;
            let Reverse((place, list)) = *head;
            match self.lists[list].next() {
                Some(next) => *head = Reverse((*next, list)),
                None => drop(PeekMut::pop(head)),
            }
            if self.last.replace(place) != Some(place) {
                return Some(place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tinysse::proto::audience::covers;

    use super::*;

    fn assert_empty(postings: &Postings) {
        let Postings { all, users, roles, channels, below } = postings;
        assert!(all.is_empty() && [users, roles, channels, below].iter().all(|lists| lists.by_name.is_empty()));
        assert_eq!(postings.bytes(), 0);
    }

    #[test]
    fn merged_rising_each_once_and_nothing_stays_behind() {
        let mut postings = Postings::default();
        let to = |texts: &[&str]| {
            Route::new("a".into(), texts.iter().map(|text| text.parse().expect("an audience")).collect())
        };
        let topics = [
            to(&[]),
            to(&["user:ada"]),
            to(&["user:bob"]),
            to(&["user:ada", "channel:ops", "role:admin"]),
            to(&["all"]),
        ];
        for (seq, topic) in (1..).zip(&topics) {
            postings.push(seq, topic);
        }
        let ada = Identity { user: "ada".into(), role: "admin".into(), channels: vec!["ops".into(), "ops".into()] };
        let bob = Identity { user: "bob".into(), ..Identity::default() };
        let seen = |seq, identity| postings.since(seq, identity).collect::<Vec<_>>();
        assert_eq!((seen(0, &ada), seen(1, &ada), seen(4, &ada)), (vec![1, 2, 4, 5], vec![2, 4, 5], vec![5]));
        assert_eq!((seen(0, &bob), seen(5, &bob)), (vec![1, 3, 5], vec![]));
        let all = Identity { channels: vec![">".into(), "ops".into()], ..bob.clone() };
        assert_eq!((seen(0, &all), seen(3, &all)), (vec![1, 3, 4, 5], vec![4, 5]));
        for (seq, topic) in (1..).zip(&topics) {
            postings.pop(seq, topic);
        }
        assert_empty(&postings);
    }

    #[test]
    fn a_pattern_reads_the_list_of_its_prefix_and_misses_nothing() {
        let channels =
            ["a", "a.b", "a.b.c", "a.x.c", "b.c", "", ".", ".b", "a.b.c.d.e.f", "a.b.c.d.e.g", "a.b.c.z.e.f"];
        let patterns = ["a.>", "a.*", "*.c", ">", "*", "a.*.c", ".*", "a.b.c.d.e.*", "a.b.c.d.e.>", "*.>", "none.>"];
        let topics: Vec<_> = channels.map(|name| Route::new("t".into(), vec![Audience::Channel(name.into())])).into();
        let mut postings = Postings::default();
        (1..).zip(&topics).for_each(|(seq, topic)| postings.push(seq, topic));
        for pattern in patterns {
            let identity = Identity { channels: vec![pattern.into()], ..Identity::default() };
            let read: Vec<_> = postings.since(0, &identity).collect();
            let seen: Vec<u64> =
                (1..).zip(channels).filter(|(_, name)| covers(pattern, name)).map(|(seq, _)| seq).collect();
            assert!(seen.iter().all(|seq| read.contains(seq)), "{pattern}: {read:?} lacks some of {seen:?}");
            assert!(read.is_sorted_by(|a, b| a < b), "{pattern}: {read:?}");
        }
        let read = |pattern: &str| {
            postings.since(0, &Identity { channels: vec![pattern.into()], ..Identity::default() }).count()
        };
        assert_eq!((read("none.>"), read("a.x.*"), read("a.b.c.d.*.g"), read(">")), (0, 1, 2, channels.len()));
        (1..).zip(&topics).for_each(|(seq, topic)| postings.pop(seq, topic));
        assert_empty(&postings);
    }

    #[test]
    fn the_cost_of_a_pattern_does_not_grow_with_the_number_of_channels() {
        let mut postings = Postings::default();
        for seq in 1..=10_000 {
            let names = [format!("orders.{seq}"), format!("orders.{seq}.lines")];
            postings.push(seq, &Route::new("t".into(), names.map(Audience::Channel).into()));
        }
        let identity = Identity { channels: vec!["orders.>".into(), "orders.*".into()], ..Identity::default() };
        let merged = postings.since(9_000, &identity);
        assert_eq!(merged.lists.len(), 2, "everybody's list and one for each prefix, not one for each channel");
        assert_eq!(merged.count(), 1_000);
    }
}
