//! The ordered updates of one epoch, bounded by count, age and bytes.
//!
//! Places are dense, so the ring is its own index: finding a cursor is a subtraction.

use std::collections::VecDeque;

use tinysse::proto::{
    audience::Identity,
    time::Time,
    wire::{
        control::Gap,
        id::{Epoch, EventId},
    },
};

use super::{
    HubConfig,
    entry::Entry,
    latest::Newest,
    postings::{self, Postings},
    route::Route,
    trimmed::Trimmed,
};

/// A client that is at most so far behind reads every update: that is cheaper than to look up which
/// are for it.
const NEAR: u64 = 16;

/// How many topics of trimmed updates are remembered, so that filtered clients need no false
/// resync.
const REMEMBERED_TOPICS: usize = 4_096;
/// They take at most this part of the bytes of the log, in addition, but never less than
/// [`REMEMBERED_BYTES`].
const REMEMBERED_SHARE: usize = 8;
/// Enough for some hundred topics with names of usual length.
const REMEMBERED_BYTES: usize = 64 * 1_024;

#[derive(Debug)]
pub(super) struct Log {
    epoch: Epoch,
    ring: VecDeque<Entry>,
    /// Place of the front of the ring, or of the next update if the ring is empty. The first update
    /// of an epoch has place 1.
    first: u64,
    bytes: usize,
    postings: Postings,
    newest: Newest,
    trimmed: Trimmed,
    max_count: usize,
    max_age_ms: u64,
    max_bytes: usize,
}

impl Log {
    /// Makes an empty log that continues after `after`; what came before is not known here.
    pub(super) fn new(epoch: Epoch, after: u64, config: &HubConfig) -> Self {
        Self {
            epoch,
            ring: VecDeque::new(),
            first: after + 1,
            bytes: 0,
            postings: Postings::default(),
            newest: Newest::default(),
            trimmed: Trimmed::new(
                REMEMBERED_TOPICS,
                (config.max_bytes / REMEMBERED_SHARE).max(REMEMBERED_BYTES),
                after,
            ),
            // Clients are served from the log, so the newest update must be in it.
            max_count: config.max_count.max(1),
            max_age_ms: config.max_age_ms,
            max_bytes: config.max_bytes,
        }
    }

    pub(super) fn epoch(&self) -> Epoch {
        self.epoch
    }

    pub(super) fn id(&self, seq: u64) -> EventId {
        EventId { epoch: self.epoch, seq }
    }

    pub(super) fn head(&self) -> u64 {
        self.first - 1 + self.ring.len() as u64
    }

    pub(super) fn size(&self) -> (usize, usize) {
        (self.ring.len(), self.bytes + self.postings.bytes())
    }

    /// Adds an update behind the head and trims what no longer fits.
    ///
    /// # Errors
    /// If the update alone is larger than the log may be.
    pub(super) fn append(&mut self, entry: Entry) -> Result<(), ()> {
        let size = entry.weight();
        if size + entry.route().to().iter().map(postings::most).sum::<usize>() > self.max_bytes {
            return Err(());
        }
        let now = entry.at();
        self.bytes += size;
        let seq = self.head() + 1;
        self.postings.push(seq, entry.route());
        if let Some(same) = entry.coalesce_key() {
            self.newest.note(seq, same);
        }
        self.ring.push_back(entry);
        while self.ring.len() > self.max_count || self.size().1 > self.max_bytes {
            self.trim();
        }
        self.expire(now);
        Ok(())
    }

    /// Forgets what is too old.
    pub(super) fn expire(&mut self, now: Time) {
        while self.ring.front().is_some_and(|entry| now.since(entry.at()) > self.max_age_ms) {
            self.trim();
        }
    }

    /// Where a client goes on that shows `cursor`; an error if it can't, and why.
    pub(super) fn resume_from(&self, cursor: Option<&str>, sees: impl Fn(&Route) -> bool) -> Result<u64, Gap> {
        let cursor = cursor.filter(|text| !text.is_empty()).ok_or(Gap::First)?;
        let id = EventId::parse(cursor).ok_or(Gap::Unknown)?;
        if id.epoch != self.epoch {
            return Err(Gap::Epoch);
        }
        if id.seq > self.head() {
            return Err(Gap::Unknown);
        }
        if self.lost(id.seq, sees) { Err(Gap::Trimmed) } else { Ok(id.seq) }
    }

    /// True if an update behind `seq` that `sees` was trimmed, or may have been.
    pub(super) fn lost(&self, seq: u64, sees: impl Fn(&Route) -> bool) -> bool {
        seq + 1 < self.first && self.trimmed.missed(seq, sees)
    }

    /// The kept updates behind `seq` that `identity` may see, oldest first, and perhaps a few
    /// others.
    pub(super) fn since(&self, seq: u64, identity: &Identity) -> impl Iterator<Item = (u64, &Entry)> {
        let first = seq.saturating_add(1).max(self.first);
        let near = self.head().saturating_sub(first) < NEAR;
        let each = near.then(|| first..=self.head());
        let mine = (!near).then(|| self.postings.since(seq, identity));
        let places = each.into_iter().flatten().chain(mine.into_iter().flatten());
        places.filter_map(|place| Some((place, self.ring.get(usize::try_from(place - self.first).ok()?)?)))
    }

    /// Whether a newer update replaces this one.
    pub(super) fn replaced(&self, seq: u64, entry: &Entry) -> bool {
        entry.coalesce_key().is_some_and(|same| self.newest.replaced(seq, same))
    }

    /// The kept updates, newest first.
    pub(super) fn newest(&self) -> impl Iterator<Item = (u64, &Entry)> {
        (self.first..=self.head()).rev().zip(self.ring.iter().rev())
    }

    /// Entries have grown by this many bytes, in forms that are made when they are needed. The next
    /// update trims.
    pub(super) fn grew(&mut self, bytes: usize) {
        self.bytes += bytes;
    }

    fn trim(&mut self) {
        if let Some(entry) = self.ring.pop_front() {
            self.bytes -= entry.weight();
            self.postings.pop(self.first, entry.route());
            if let Some(same) = entry.coalesce_key() {
                self.newest.forget(self.first, same);
            }
            self.trimmed.note(self.first, entry.into_route());
            self.first += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use tinysse::proto::audience::Audience;

    use super::*;
    use crate::hub::Update;

    fn log(config: HubConfig) -> Log {
        Log::new(Epoch(7), 0, &config)
    }

    fn entry(at: u64, bytes: usize) -> Entry {
        Entry::new(Time(at), &vec![b'x'; bytes], Update::new("a"), false)
    }

    fn addressed(to: Vec<Audience>, bytes: usize) -> Entry {
        Entry::new(Time(0), &vec![b'x'; bytes], Update { to, ..Update::new("a") }, false)
    }

    fn kept(log: &Log) -> Vec<u64> {
        log.since(0, &Identity::default()).map(|(seq, _)| seq).collect()
    }

    #[test]
    fn bounded_by_count() {
        let mut log = log(HubConfig { max_count: 3, ..HubConfig::default() });
        for _ in 0..5 {
            log.append(entry(0, 1)).expect("small");
        }
        assert_eq!((kept(&log), log.head()), (vec![3, 4, 5], 5));
        assert_eq!(log.since(4, &Identity::default()).map(|(seq, _)| seq).collect::<Vec<_>>(), [5]);
        assert_eq!(log.since(5, &Identity::default()).count(), 0);
        assert_eq!(log.since(u64::MAX, &Identity::default()).count(), 0);
    }

    #[test]
    fn bounded_by_age() {
        let mut log = log(HubConfig { max_age_ms: 10, ..HubConfig::default() });
        log.append(entry(0, 1)).expect("small");
        log.append(entry(5, 1)).expect("small");
        log.expire(Time(10));
        assert_eq!(kept(&log), [1, 2]);
        log.expire(Time(11));
        assert_eq!(kept(&log), [2]);
        log.expire(Time(1_000));
        assert_eq!((kept(&log), log.head(), log.size()), (vec![], 2, (0, 0)));
        log.append(entry(1_000, 1)).expect("small");
        assert_eq!(kept(&log), [3]);
    }

    #[test]
    fn bounded_by_bytes_and_one_too_large_is_refused() {
        let room = 3 * (entry(0, 100).weight() + size_of::<u64>());
        let mut log = log(HubConfig { max_bytes: room, ..HubConfig::default() });
        for _ in 0..9 {
            log.append(entry(0, 100)).expect("fits");
            assert!(log.size().1 <= room);
        }
        assert_eq!(log.append(entry(0, room)), Err(()));
        assert_eq!((kept(&log), log.head()), (vec![7, 8, 9], 9));
    }

    #[test]
    fn audiences_count_as_much_as_frames() {
        let config = HubConfig { max_bytes: 1 << 20, max_count: 1_000_000, ..HubConfig::default() };
        let mut log = log(config);
        for n in 0..100 {
            let to = (0..100).map(|one| Audience::Channel(format!("{:0>200}.{n}.{one}", n))).collect();
            let update = Update { to, ..Update::new("a") };
            let entry = addressed(update.to.clone(), 100);
            let size = {
                let mut alone = Postings::default();
                alone.push(1, entry.route());
                entry.weight() + alone.bytes()
            };
            assert!(size <= update.size(), "{size} bytes, but {} were reckoned with", update.size());
            log.append(entry).expect("fits");
        }
        let (count, bytes) = log.size();
        assert!(bytes <= 1 << 20, "{bytes}");
        assert!((1..40).contains(&count), "{count} updates of 100 names of 200 bytes in a mebibyte");
        log.expire(Time(u64::MAX));
        assert_eq!(log.size(), (0, 0));
    }

    #[test]
    fn a_trimmed_update_leaves_no_coalesce_key_behind() {
        let mut log = log(HubConfig { max_count: 3, ..HubConfig::default() });
        for n in 0..100 {
            let update = Update { key: Some(n.to_string()), ..Update::new("a") };
            log.append(Entry::new(Time(0), b"x", update, true)).expect("small");
        }
        assert_eq!(log.newest.len(), 3);
    }

    #[test]
    fn far_behind_only_what_may_be_seen_is_read() {
        let mut log = log(HubConfig { max_count: 500, ..HubConfig::default() });
        for n in 0..1_000 {
            let to = vec![format!("user:u{}", n % 100).parse().expect("an audience")];
            log.append(addressed(to, 1)).expect("small");
        }
        let seven = Identity { user: "u7".into(), ..Identity::default() };
        let seen: Vec<_> = log.since(0, &seven).map(|(seq, _)| seq).collect();
        assert_eq!(seen, [508, 608, 708, 808, 908]);
        assert_eq!(log.since(908, &seven).count(), 0);
        assert_eq!(log.since(990, &seven).count(), 10, "near the end, reading is cheaper than looking up");
    }

    #[test]
    fn a_cursor_is_honoured_or_the_reason_named() {
        let mut log = log(HubConfig { max_count: 2, ..HubConfig::default() });
        for _ in 0..4 {
            log.append(entry(0, 1)).expect("small");
        }
        let resume_from = |cursor| log.resume_from(cursor, |_| true);
        assert_eq!(resume_from(None), Err(Gap::First));
        assert_eq!(resume_from(Some("")), Err(Gap::First));
        assert_eq!(resume_from(Some("7.4")), Ok(4));
        assert_eq!(resume_from(Some("7.2")), Ok(2));
        assert_eq!(resume_from(Some("7.1")), Err(Gap::Trimmed));
        assert_eq!(log.resume_from(Some("7.1"), |_| false), Ok(1));
        assert_eq!(resume_from(Some("7.5")), Err(Gap::Unknown));
        assert_eq!(resume_from(Some("8.4")), Err(Gap::Epoch));
        for nonsense in ["x", "7", "7.", ".4", "7.-1", "7.99999999999999999999", "7.4\n"] {
            assert_eq!(resume_from(Some(nonsense)), Err(Gap::Unknown), "{nonsense:?}");
        }
    }
}
