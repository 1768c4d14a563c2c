//! The places of the log by audience, so that a client that was away finds what is for it without reading what is not.

use std::{
    collections::{HashMap, VecDeque},
    iter::Peekable,
};

use tinysse::core::audience::{Audience, Identity, covers};

use super::{patterns::is_pattern, trimmed::Topic};

type Places = VecDeque<u64>;

/// Only ever asked for one name, so the order of the maps shows nowhere.
#[derive(Debug, Default)]
pub(super) struct Postings {
    all: Places,
    users: HashMap<String, Places>,
    roles: HashMap<String, Places>,
    channels: HashMap<String, Places>,
}

impl Postings {
    /// Takes note of an update. Places must rise.
    pub(super) fn push(&mut self, seq: u64, topic: &Topic) {
        if topic.to.is_empty() {
            self.all.push_back(seq);
        }
        for audience in &topic.to {
            match self.group(audience) {
                Some((group, name)) => group.entry(name.clone()).or_default().push_back(seq),
                None => self.all.push_back(seq),
            }
        }
    }

    /// Forgets the oldest update, whose place and topic these are.
    pub(super) fn pop(&mut self, seq: u64, topic: &Topic) {
        if topic.to.is_empty() {
            drop_front(&mut self.all, seq);
        }
        for audience in &topic.to {
            let Some((group, name)) = self.group(audience) else {
                drop_front(&mut self.all, seq);
                continue;
            };
            if let Some(places) = group.get_mut(name) {
                drop_front(places, seq);
                if places.is_empty() {
                    group.remove(name);
                }
            }
        }
    }

    /// The places behind `seq` of what `identity` may see, each once and rising.
    pub(super) fn since(&self, seq: u64, identity: &Identity) -> impl Iterator<Item = u64> {
        let mine = [self.users.get(&identity.user), self.roles.get(&identity.role)];
        let (starred, plain): (Vec<_>, _) = identity.channels.iter().partition::<Vec<_>, _>(|name| is_pattern(name));
        let named = plain.into_iter().map(|channel| self.channels.get(channel));
        // There are as many names as the log holds at most, and few have patterns.
        let covered = self.channels.iter().filter(move |(name, _)| starred.iter().any(|pattern| covers(pattern, name)));
        let channels = named.chain(covered.map(|(_, places)| Some(places)));
        let lists = mine.into_iter().chain(channels).flatten().chain([&self.all]);
        let behind = |places: &'_ Places| places.partition_point(|place| *place <= seq);
        let mut heads: Vec<Peekable<_>> =
            lists.map(|places| places.range(behind(places)..).copied().peekable()).collect();
        std::iter::from_fn(move || {
            let next = heads.iter_mut().filter_map(|head| head.peek().copied()).min()?;
            for head in &mut heads {
                head.next_if_eq(&next);
            }
            Some(next)
        })
    }

    fn group<'a>(&mut self, audience: &'a Audience) -> Option<(&mut HashMap<String, Places>, &'a String)> {
        match audience {
            Audience::All => None,
            Audience::User(name) => Some((&mut self.users, name)),
            Audience::Role(name) => Some((&mut self.roles, name)),
            Audience::Channel(name) => Some((&mut self.channels, name)),
        }
    }
}

fn drop_front(places: &mut Places, seq: u64) {
    if places.front() == Some(&seq) {
        places.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_rising_each_once_and_nothing_stays_behind() {
        let mut postings = Postings::default();
        let to = |texts: &[&str]| {
            Topic::new("a".into(), texts.iter().map(|text| text.parse().expect("an audience")).collect())
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
        assert!(postings.all.is_empty() && postings.users.is_empty());
        assert!(postings.roles.is_empty() && postings.channels.is_empty());
    }
}
