//! What the log still has to announce: changes that were made, and whose updates it refused.
//!
//! A handler that answered 201, a window that ended, code that called `notify` and a poller cannot
//! take their change back when the disk is full or Redis is away. So the hub owes an update of that
//! type to that audience, and publishes it as soon as the log takes it. Data, key, origin and
//! exception are dropped: what is owed is that clients refetch the type, all of them, the tab that
//! made the change included.
//!
//! *Invariant:* an update that was accepted in this process is in the log, or owed. A `Promise`
//! covers the time in between: dropped before it is kept, also because the caller was cancelled, it
//! becomes a debt.
//!
//! *Bound:* [`BYTES`] of types and audiences. Past it everything is owed: an update of the type
//! [`EVERYTHING`], which makes every client refetch all that it shows. It has no audience and names
//! no type, so it discloses nothing.
//!
//! Where the log is a file, debts are written to a `Reserve` beside it, whose blocks exist since
//! the first start: a disk that is full takes them, and they survive a kill.

mod reserve;

use std::{
    collections::BTreeMap,
    io,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tinysse::proto::audience::Audience;
use tokio::{
    sync::{Mutex as Turn, Notify},
    task::spawn_blocking,
    time::timeout,
};

use crate::hub::Update;
use reserve::{Found, Reserve};

/// The type of an update in the log that makes every client refetch everything.
pub const EVERYTHING: &str = "tinysse.resync";

/// What debts may take, as JSON.
pub const BYTES: usize = 60 * 1_024;

/// How long a caller waits until debts are written down.
const PATIENCE: Duration = Duration::from_secs(2);

/// The debts.
#[derive(Debug, Default)]
pub struct Owed {
    debts: Mutex<Debts>,
    /// Whether anything is owed: while it is not, publishing looks at nothing else.
    any: AtomicBool,
    changed: Notify,
    reserve: Option<Reserve>,
    /// One write at a time, so that a disk that hangs blocks one thread.
    turn: Arc<Turn<()>>,
}

/// A type and an audience.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Topic {
    kind: String,
    /// Sorted; empty means everybody.
    to: Vec<Audience>,
}

#[derive(Debug, Default)]
struct Debts {
    /// With the number of the last change that each is owed for, and its bytes.
    topics: BTreeMap<Topic, (u64, usize)>,
    bytes: usize,
    /// Everything is owed, since the change of this number.
    everything: Option<u64>,
    changes: u64,
    /// Counts what would be written.
    version: u64,
}

/// The stored form.
#[derive(Serialize, Deserialize)]
struct Stored {
    everything: bool,
    topics: Vec<StoredTopic>,
}

#[derive(Serialize, Deserialize)]
struct StoredTopic {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    to: Vec<String>,
}

/// A debt as it was at some time. It is settled by an update that was sent to the log later, unless
/// it was made anew since.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    /// `None` for everything.
    topic: Option<Topic>,
    change: u64,
}

/// Makes a debt of an update when it is dropped, unless the promise was kept.
#[derive(Debug)]
pub(crate) struct Promise<'a> {
    owed: &'a Owed,
    topic: Option<Topic>,
}

impl Owed {
    /// Debts of a process, which end with it.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// Debts that are kept in `folder`, and those that were.
    ///
    /// # Errors
    /// The file is not one of this program, or can't be read. That it can't be made is logged only.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let (reserve, found) = match Reserve::open(folder) {
            Ok(opened) => opened,
            Err(error) if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => {
                tracing::warn!(target: "tinysse::update", %error, "what the log refuses is owed in memory only, until the next start");
                return Ok(Self::in_memory());
            }
            Err(error) => return Err(error),
        };
        let owed = Self { reserve: Some(reserve), ..Self::default() };
        let stored = match found {
            Found::Nothing => return Ok(owed),
            Found::Debts(json) => serde_json::from_slice::<Stored>(&json).ok().filter(|stored| !stored.everything),
            Found::Damaged => None,
        };
        let topic = |stored: StoredTopic| {
            let to = stored.to.iter().map(|text| text.parse()).collect::<Result<Vec<Audience>, _>>().ok()?;
            Some(Topic::new(stored.kind, to))
        };
        match stored.and_then(|stored| stored.topics.into_iter().map(topic).collect::<Option<Vec<_>>>()) {
            Some(topics) => topics.into_iter().for_each(|topic| owed.owe(topic)),
            None => owed.owe_everything(),
        }
        Ok(owed)
    }

    /// Owes this update until the promise is kept.
    pub(crate) fn promise(&self, update: &Update) -> Promise<'_> {
        Promise { owed: self, topic: Some(Topic::new(update.kind.clone(), update.to.clone())) }
    }

    /// How many types and audiences are owed; everything counts as one.
    #[must_use]
    pub fn count(&self) -> usize {
        let debts = self.debts();
        debts.topics.len() + usize::from(debts.everything.is_some())
    }

    /// Whether a notification of this type to this audience is owed.
    #[must_use]
    pub fn owes(&self, kind: &str, to: &[Audience]) -> bool {
        let debts = self.debts();
        debts.everything.is_some() || debts.topics.contains_key(&Topic::new(kind.to_owned(), to.to_vec()))
    }

    /// Whether debts survive the process.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.reserve.is_some()
    }

    /// The oldest debts, at most `most`.
    pub(crate) fn due(&self, most: usize) -> Vec<Due> {
        let debts = self.debts();
        if let Some(change) = debts.everything {
            return vec![Due { topic: None, change }];
        }
        let mut due: Vec<_> = debts.topics.iter().map(|(topic, (change, _))| (*change, topic)).collect();
        due.sort_unstable();
        due.into_iter().take(most).map(|(change, topic)| Due { topic: Some(topic.clone()), change }).collect()
    }

    /// The debts that these updates settle if the log takes them now.
    pub(crate) fn settled_by(&self, updates: &[Update]) -> Vec<Due> {
        if !self.any.load(Ordering::Acquire) {
            return Vec::new();
        }
        let debts = self.debts();
        let due = |update: &Update| {
            if update.kind == EVERYTHING {
                return debts.everything.map(|change| Due { topic: None, change });
            }
            // Any other field narrows it: an echo, an exception, one of many things, or data in
            // place of a refetch.
            let Update { kind, data: None, key: None, to, origin: None, except: None, at: _ } = update else {
                return None;
            };
            let topic = Topic::new(kind.clone(), to.clone());
            let (change, _) = *debts.topics.get(&topic)?;
            Some(Due { topic: Some(topic), change })
        };
        updates.iter().filter_map(due).collect()
    }

    /// The log has updates that settle these.
    pub(crate) fn settle(&self, due: &[Due]) {
        if due.is_empty() {
            return;
        }
        let mut debts = self.debts();
        for Due { topic, change } in due {
            match topic {
                None if debts.everything == Some(*change) => debts.everything = None,
                Some(topic) if debts.topics.get(topic).is_some_and(|(latest, _)| latest == change) => {
                    if let Some((_, bytes)) = debts.topics.remove(topic) {
                        debts.bytes -= bytes;
                    }
                }
                // It was made anew meanwhile, or another update settled it.
                None | Some(_) => continue,
            }
            debts.version += 1;
        }
        self.noted(&debts);
    }

    /// From now on everything is owed.
    pub(crate) fn owe_everything(&self) {
        let mut debts = self.debts();
        debts.all();
        self.noted(&debts);
    }

    /// Resolves when debts were made or settled since the last call.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Writes the debts down, where there is a file for them, or gives up waiting after two
    /// seconds. A failure is logged.
    pub(crate) async fn save(self: &Arc<Self>) {
        if self.reserve.is_none() {
            return;
        }
        let saved = async {
            let (this, turn) = (Arc::clone(self), Arc::clone(&self.turn).lock_owned().await);
            let write = move || {
                this.write();
                drop(turn);
            };
            // Fails only if the runtime ends, and its tasks with it.
            let _ = spawn_blocking(write).await;
        };
        if timeout(PATIENCE, saved).await.is_err() {
            tracing::error!(target: "tinysse::update", "what is owed is not on the disk yet: it does not answer");
        }
    }

    fn write(&self) {
        let Some(reserve) = &self.reserve else { return };
        let written = reserve.write(|known| {
            let debts = self.debts();
            (known != debts.version).then(|| (debts.version, debts.stored()))
        });
        if let Err(error) = written {
            tracing::error!(target: "tinysse::update", %error, "what is owed is not on the disk: a restart would forget it");
        }
    }

    fn owe(&self, topic: Topic) {
        let mut debts = self.debts();
        debts.add(topic);
        self.noted(&debts);
    }

    fn noted(&self, debts: &Debts) {
        self.any.store(debts.everything.is_some() || !debts.topics.is_empty(), Ordering::Release);
        self.changed.notify_one();
    }

    fn debts(&self) -> MutexGuard<'_, Debts> {
        self.debts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Debts {
    fn add(&mut self, topic: Topic) {
        self.changes += 1;
        let change = self.changes;
        if let Some(everything) = &mut self.everything {
            *everything = change;
            return;
        }
        if let Some((latest, _)) = self.topics.get_mut(&topic) {
            *latest = change;
            return;
        }
        let bytes = topic.bytes();
        if self.bytes + bytes > BYTES {
            return self.all();
        }
        self.bytes += bytes;
        self.topics.insert(topic, (change, bytes));
        self.version += 1;
    }

    fn all(&mut self) {
        self.changes += 1;
        self.version += 1;
        self.topics.clear();
        self.bytes = 0;
        self.everything = Some(self.changes);
    }

    /// As it is written; nothing if nothing is owed.
    fn stored(&self) -> Vec<u8> {
        if self.everything.is_none() && self.topics.is_empty() {
            return Vec::new();
        }
        let topics = self.topics.keys().map(Topic::stored).collect();
        json(&Stored { everything: self.everything.is_some(), topics })
    }
}

impl Topic {
    fn new(kind: String, mut to: Vec<Audience>) -> Self {
        if to.contains(&Audience::All) {
            to.clear();
        }
        to.sort_unstable();
        to.dedup();
        Self { kind, to }
    }

    fn stored(&self) -> StoredTopic {
        StoredTopic { kind: self.kind.clone(), to: self.to.iter().map(ToString::to_string).collect() }
    }

    fn bytes(&self) -> usize {
        json(&self.stored()).len() + 1
    }
}

impl Due {
    /// What is to be published.
    pub(crate) fn update(&self) -> Update {
        match &self.topic {
            None => Update::new(EVERYTHING),
            Some(Topic { kind, to }) => Update { to: to.clone(), ..Update::new(kind) },
        }
    }
}

impl Promise<'_> {
    /// The update is in the log, in a window, or malformed.
    pub(crate) fn kept(mut self) {
        self.topic = None;
    }
}

impl Drop for Promise<'_> {
    fn drop(&mut self) {
        if let Some(topic) = self.topic.take() {
            self.owed.owe(topic);
        }
    }
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_else(|never| unreachable!("strings are JSON: {never}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(kind: &str, to: &[&str]) -> Update {
        Update { to: to.iter().map(|text| text.parse().expect("an audience")).collect(), ..Update::new(kind) }
    }

    fn kinds(owed: &Owed) -> Vec<String> {
        owed.due(usize::MAX).iter().map(|due| due.update().kind).collect()
    }

    #[test]
    fn a_promise_that_is_not_kept_is_a_debt_of_type_and_audience() {
        let owed = Owed::in_memory();
        owed.promise(&update("a", &[])).kept();
        assert_eq!(owed.count(), 0);
        let full = Update {
            data: Some("1".into()),
            key: Some("k".into()),
            origin: Some("tab".into()),
            ..update("a", &["user:b", "user:a"])
        };
        drop(owed.promise(&full));
        drop(owed.promise(&update("a", &["user:a", "user:b", "user:a"])));
        drop(owed.promise(&update("a", &["all", "user:a"])));
        let due: Vec<_> = owed.due(9).iter().map(Due::update).collect();
        assert_eq!(due, [update("a", &["user:a", "user:b"]), update("a", &[])]);
        assert!(owed.owes("a", &[]) && !owed.owes("b", &[]));
    }

    #[test]
    fn it_is_settled_by_a_later_update_for_all_of_its_audience() {
        let owed = Owed::in_memory();
        drop(owed.promise(&update("a", &[])));
        for less in [
            Update { origin: Some("tab".into()), ..update("a", &[]) },
            Update { except: Some("c".into()), ..update("a", &[]) },
            Update { key: Some("k".into()), ..update("a", &[]) },
            Update { data: Some("1".into()), ..update("a", &[]) },
            update("a", &["user:a"]),
            update("b", &[]),
        ] {
            assert!(owed.settled_by(&[less]).is_empty());
        }
        let before = owed.settled_by(&[update("a", &["all"])]);
        // Another change, of which the update on its way may not know.
        drop(owed.promise(&update("a", &[])));
        owed.settle(&before);
        assert_eq!(kinds(&owed), ["a"]);
        owed.settle(&owed.settled_by(&[update("a", &[])]));
        assert_eq!(owed.count(), 0);
        assert!(owed.settled_by(&[update("a", &[])]).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_disk_that_hangs_is_waited_for_in_bounded_time() {
        let folder = std::env::temp_dir().join(format!("tinysse-{}-owed-hangs", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let owed = Arc::new(Owed::open(&folder).expect("opened"));
        drop(owed.promise(&update("a", &[])));
        let hangs = Arc::clone(&owed.turn).lock_owned().await;
        owed.save().await;
        assert_eq!(Owed::open(&folder).expect("opened").count(), 0);
        drop(hangs);
        owed.save().await;
        assert_eq!(kinds(&Owed::open(&folder).expect("opened")), ["a"]);
        std::fs::remove_dir_all(&folder).expect("removed");
    }

    #[test]
    fn past_the_bound_everything_is_owed_and_nothing_else() {
        let owed = Owed::in_memory();
        let fits = BYTES / Topic::new("t0000".into(), Vec::new()).bytes();
        for n in 0..fits {
            drop(owed.promise(&update(&format!("t{n:04}"), &[])));
        }
        assert_eq!((owed.count(), kinds(&owed)[0].as_str()), (fits, "t0000"));
        drop(owed.promise(&update("t0000", &[])));
        assert_eq!(owed.count(), fits, "it is owed already");
        drop(owed.promise(&update("one too many", &[])));
        assert_eq!(kinds(&owed), [EVERYTHING]);
        let before = owed.settled_by(&[Update::new(EVERYTHING)]);
        drop(owed.promise(&update("later", &[])));
        owed.settle(&before);
        assert_eq!(kinds(&owed), [EVERYTHING], "a change was made meanwhile");
        owed.settle(&owed.due(1));
        assert_eq!(owed.count(), 0);
    }
}
