//! Rights that change while streams are open: who asks the directory again, when, and for whom.
//!
//! *Invariant:* code that reports changed rights drops what is remembered, then marks it, then
//! looks at the open streams. Code that opens a stream reads the mark before it asks for the rights
//! and again once the stream is open. So one of the two sees the other.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use tinysse::proto::wire::control::Reason;
use tokio::{
    sync::{Notify, oneshot},
    task::JoinSet,
};

use crate::{
    auth::{
        Auth,
        affected_users::AffectedUsers,
        cluster_bus::ClusterBus,
        directory::{Denied, Rights},
        jwt::Claims,
    },
    hub::ClientId,
    stream::Streams,
};

/// Questions that the directory gets at a time about open streams.
const AT_ONCE: usize = 16;

/// AffectedUsers open streams are to be judged anew. What comes while others are judged is joined,
/// so there is no queue.
#[derive(Debug, Default)]
pub(crate) struct PendingRefresh {
    waiting: Mutex<Waiting>,
    woken: Notify,
    marks: AtomicU64,
}

#[derive(Debug, Default)]
struct Waiting {
    whose: Option<AffectedUsers>,
    /// They wait for the result.
    asked: Vec<oneshot::Sender<Judged>>,
}

/// What came of asking for the rights of open streams anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// Streams that have other rights now, or ended.
    pub changed: usize,
    /// Streams that keep their rights, since the directory gave no answer.
    pub unanswered: usize,
}

/// Why a change of rights is not in force everywhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RightsError {
    /// It is in force here.
    #[error("done here, but other nodes could not be notified: {0}")]
    NotTold(String),
    /// The directory can't be read. What was known before stays in force.
    #[error("the directory can't be read, and what was known before stays in force: {0}")]
    Unreadable(String),
    /// The directory gave no answer for this many open streams. They keep the rights they have.
    #[error("the directory gave no answer for {0} open streams, which keep the rights they have")]
    Unanswered(usize),
}

/// Changes when rights do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RightsVersion(u64, u64);

impl PendingRefresh {
    /// Judges them soon.
    pub(crate) fn add(&self, whose: AffectedUsers) {
        self.join(&mut self.waiting(), whose);
    }

    /// The same; answers when it is done.
    pub(crate) fn done(&self, whose: AffectedUsers) -> oneshot::Receiver<Judged> {
        let (say, said) = oneshot::channel();
        let mut waiting = self.waiting();
        waiting.asked.retain(|asked| !asked.is_closed());
        waiting.asked.push(say);
        self.join(&mut waiting, whose);
        said
    }

    fn join(&self, waiting: &mut Waiting, whose: AffectedUsers) {
        match &mut waiting.whose {
            Some(known) => known.add(whose),
            None => waiting.whose = Some(whose),
        }
        self.woken.notify_one();
    }

    async fn take(&self) -> (AffectedUsers, Vec<oneshot::Sender<Judged>>) {
        loop {
            self.woken.notified().await;
            let Waiting { whose, asked } = std::mem::take(&mut *self.waiting());
            if let Some(whose) = whose {
                return (whose, asked);
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The rights of open streams: asks the directory, again when it may have changed.
#[derive(Debug)]
pub struct LiveRights {
    auth: Arc<Auth>,
    shared: Option<Arc<ClusterBus>>,
    streams: Arc<Streams>,
    due: PendingRefresh,
}

impl LiveRights {
    /// Returns the rights of these streams. `shared` is what other nodes publish, if there are
    /// others.
    #[must_use]
    pub fn new(auth: Arc<Auth>, shared: Option<Arc<ClusterBus>>, streams: Arc<Streams>) -> Self {
        Self { auth, shared, streams, due: PendingRefresh::default() }
    }

    /// What the holder of a good token may see now.
    ///
    /// # Errors
    /// [`Denied`].
    pub async fn of(&self, claims: &Claims) -> Result<Rights, Denied> {
        // What other nodes would report does not arrive: nothing that is remembered can be trusted.
        if self.shared.as_ref().is_some_and(|shared| !shared.is_connected()) {
            // What can't be read is not remembered either, so the answer below is as good as there
            // is.
            let _ = self.auth.directory().refresh(true);
        }
        let rights = self.auth.rights(claims).await?;
        let types = rights.narrow(claims.patterns().as_deref());
        Ok(Rights { types, ..rights })
    }

    /// To be read before rights are asked for, and again when the stream is open.
    #[must_use]
    pub fn version(&self) -> RightsVersion {
        RightsVersion(self.auth.directory().version(), self.due.marks.load(Ordering::Acquire))
    }

    /// Rights are reported to have changed: nothing that is remembered of them counts.
    ///
    /// # Errors
    /// As [`Directory::refresh`](crate::auth::directory::Directory::refresh).
    pub(crate) fn forget(&self) -> Result<(), String> {
        let read = self.auth.directory().refresh(true);
        self.due.marks.fetch_add(1, Ordering::AcqRel);
        read
    }

    /// Judges these streams soon.
    pub(crate) fn refresh_soon(&self, whose: AffectedUsers) {
        self.due.add(whose);
    }

    /// Judges these streams soon. The receiver resolves when it is done.
    pub(crate) fn refresh(&self, whose: AffectedUsers) -> oneshot::Receiver<Judged> {
        self.due.done(whose)
    }

    /// Judges the users that are due, for ever.
    pub(crate) async fn judge(self: &Arc<Self>) {
        loop {
            let (whose, asked) = self.due.take().await;
            let judged = self.refilter(|claims| whose.has(&claims.sub)).await;
            let Judged { changed, unanswered } = judged;
            tracing::debug!(target: "tinysse::auth", changed, unanswered, "rights were asked for anew");
            // Who no longer waits for it need not know.
            for one in asked {
                let _ = one.send(judged);
            }
        }
    }

    /// Asks the directory anew what the holders of open streams may see, and notifies those for
    /// whom it is news.
    pub async fn refilter(self: &Arc<Self>, which: impl Fn(&Claims) -> bool) -> Judged {
        let holders = self.streams.holders(which);
        let workers = AT_ONCE.min(holders.len());
        let (holders, mut asking) = (Arc::new(Mutex::new(holders)), JoinSet::new());
        for _ in 0..workers {
            let (rights, holders) = (Arc::clone(self), Arc::clone(&holders));
            asking.spawn(async move {
                let next = || holders.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let mut judged = Judged::default();
                while let Some((id, claims)) = next() {
                    match rights.ask_again(id, &claims).await {
                        Some(changed) => judged.changed += changed,
                        None => judged.unanswered += 1,
                    }
                }
                judged
            });
        }
        asking.join_all().await.into_iter().fold(Judged::default(), |sum, judged| Judged {
            changed: sum.changed + judged.changed,
            unanswered: sum.unanswered + judged.unanswered,
        })
    }

    /// Returns how many streams have other rights now, or `None` if the directory gives no answer.
    async fn ask_again(&self, id: ClientId, claims: &Claims) -> Option<usize> {
        match self.of(claims).await {
            Ok(rights) => Some(usize::from(self.streams.refilter(id, &rights))),
            Err(Denied::Gone) => Some(self.streams.close(Reason::Revoked, |open| open == claims)),
            // A live stream keeps what it has.
            Err(Denied::Unavailable) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_comes_while_others_are_judged_is_joined() {
        let due = PendingRefresh::default();
        due.add(AffectedUsers::from(Some("ada")));
        let asked = [due.done(AffectedUsers::from(Some("bob"))), due.done(AffectedUsers::from(Some("ada")))];
        let judged = Judged { changed: 3, unanswered: 1 };
        let (whose, waiting) = due.take().await;
        assert!(whose.has("ada") && whose.has("bob") && !whose.has("eve"));
        waiting.into_iter().for_each(|one| one.send(judged).expect("it is waited for"));
        for asked in asked {
            assert_eq!(asked.await, Ok(judged));
        }
        // Who went away is no burden.
        for _ in 0..100 {
            drop(due.done(AffectedUsers::Everybody));
        }
        assert!(due.waiting().asked.len() <= 1);
        assert_eq!(due.take().await.0, AffectedUsers::Everybody);
    }
}
