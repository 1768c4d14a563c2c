//! Rights that change while streams are open: who asks the directory again, when, and for whom.
//!
//! *Invariant:* whoever says that rights changed lets go of what is remembered, then marks it, then looks at the open streams. Whoever opens
//! a stream reads the mark before it asks for the rights and again once the stream is open. So one of the two sees the other.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use tinysse::core::wire::control::Reason;
use tokio::{
    sync::{Notify, oneshot},
    task::JoinSet,
};

use crate::{
    app::App,
    auth::{
        directory::{Denied, Rights},
        jwt::Claims,
        whose::Whose,
    },
    hub::ClientId,
};

/// Questions that the directory gets at a time about open streams.
const AT_ONCE: usize = 16;

/// Whose open streams are to be judged anew. What comes while others are judged is joined, so there is no queue.
#[derive(Debug, Default)]
pub struct Due {
    waiting: Mutex<Waiting>,
    woken: Notify,
    marks: AtomicU64,
}

#[derive(Debug, Default)]
struct Waiting {
    whose: Option<Whose>,
    /// They want to know how many streams had news.
    asked: Vec<oneshot::Sender<usize>>,
}

/// Changes when rights do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark(u64, u64);

impl Due {
    /// Judges them soon.
    pub(crate) fn add(&self, whose: Whose) {
        self.join(&mut self.waiting(), whose);
    }

    /// The same; answers when it is done.
    pub(crate) fn done(&self, whose: Whose) -> oneshot::Receiver<usize> {
        let (say, said) = oneshot::channel();
        let mut waiting = self.waiting();
        waiting.asked.retain(|asked| !asked.is_closed());
        waiting.asked.push(say);
        self.join(&mut waiting, whose);
        said
    }

    fn join(&self, waiting: &mut Waiting, whose: Whose) {
        match &mut waiting.whose {
            Some(known) => known.add(whose),
            None => waiting.whose = Some(whose),
        }
        self.woken.notify_one();
    }

    async fn take(&self) -> (Whose, Vec<oneshot::Sender<usize>>) {
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

impl App {
    /// What the holder of a good token may see now.
    ///
    /// # Errors
    /// [`Denied`].
    pub async fn rights(&self, claims: &Claims) -> Result<Rights, Denied> {
        // What others would say is not heard: nothing that is remembered can be trusted.
        if self.shared.as_ref().is_some_and(|shared| !shared.hears()) {
            self.auth.directory().refresh(true);
        }
        self.auth.rights(claims).await
    }

    /// To be read before rights are asked for, and again when the stream is open.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark(self.auth.directory().version(), self.due.marks.load(Ordering::Acquire))
    }

    /// Somebody said that rights changed.
    pub(crate) fn forget_rights(&self) {
        self.auth.directory().refresh(true);
        self.due.marks.fetch_add(1, Ordering::AcqRel);
    }

    /// Judges whoever is due, for ever.
    pub(crate) async fn judge(self: &Arc<Self>) {
        loop {
            let (whose, asked) = self.due.take().await;
            let changed = self.refilter(|claims| whose.has(&claims.sub)).await;
            tracing::debug!(target: "tinysse::auth", changed, "rights were asked for anew");
            // Who no longer waits for it need not know.
            for one in asked {
                let _ = one.send(changed);
            }
        }
    }

    /// Asks the directory anew what the holders of open streams may see, and tells those for whom it is news; answers how many.
    pub async fn refilter(self: &Arc<Self>, which: impl Fn(&Claims) -> bool) -> usize {
        let holders = self.streams.holders(which);
        let workers = AT_ONCE.min(holders.len());
        let (holders, mut asking) = (Arc::new(Mutex::new(holders)), JoinSet::new());
        for _ in 0..workers {
            let (app, holders) = (Arc::clone(self), Arc::clone(&holders));
            asking.spawn(async move {
                let next = || holders.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let mut changed = 0;
                while let Some((id, claims)) = next() {
                    changed += app.ask_again(id, &claims).await;
                }
                changed
            });
        }
        asking.join_all().await.into_iter().sum()
    }

    async fn ask_again(&self, id: ClientId, claims: &Claims) -> usize {
        match self.rights(claims).await {
            Ok(rights) => usize::from(self.streams.refilter(id, &rights)),
            Err(Denied::Gone) => self.streams.close(Reason::Revoked, |open| open == claims),
            // A live stream keeps what it has.
            Err(Denied::Unavailable) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_comes_while_others_are_judged_is_joined() {
        let due = Due::default();
        due.add(Whose::from(Some("ada")));
        let asked = [due.done(Whose::from(Some("bob"))), due.done(Whose::from(Some("ada")))];
        let (whose, waiting) = due.take().await;
        assert!(whose.has("ada") && whose.has("bob") && !whose.has("eve"));
        waiting.into_iter().for_each(|one| one.send(3).expect("somebody waits"));
        for asked in asked {
            assert_eq!(asked.await, Ok(3));
        }
        // Who went away is no burden.
        for _ in 0..100 {
            drop(due.done(Whose::Everybody));
        }
        assert!(due.waiting().asked.len() <= 1);
        assert_eq!(due.take().await.0, Whose::Everybody);
    }
}
