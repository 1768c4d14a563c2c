//! The way into the log for everything in this process: handlers, pollers, your own code.
//!
//! *Invariant:* what code in this process notifies is in the log, held by a window, or [owed].
//! Services that publish over HTTP are answered with an error instead, and publish again.

pub mod backpressure;
pub mod delivery;
pub mod owed;
mod settings;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tinysse::proto::{
    backoff::{Backoff, Policy},
    time::Time,
    wire::id::EventId,
};
use tokio::{
    sync::{Notify, broadcast},
    time::{sleep, timeout},
};

use crate::{
    clock::{Clock, jitter},
    engine::{self, Appended, Engine, EngineError, Receipt, Record},
    hub::{PublishError, Update, Windows},
    metrics::Metrics,
};
use backpressure::PublishPermits;
use delivery::{Delivery, Notice};
use owed::{EVERYTHING, Owed, Promise};

pub use settings::Settings;

/// How long code in this process waits for the log before its update is owed.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the last attempt may take when the server ends.
const LAST: Duration = Duration::from_secs(2);
/// Pauses between attempts to publish what is owed, in milliseconds.
const RETRY: Policy = Policy { floor: 100, base: 200, cap: 2_000 };
/// Debts in one attempt.
const AT_A_TIME: usize = 100;

/// Publishes, coalesces where that is configured, and lets code inside the process listen.
#[derive(Debug)]
pub struct UpdateService {
    engine: Arc<dyn Engine>,
    delivery: Arc<Delivery>,
    owed: Arc<Owed>,
    windows: Mutex<Windows>,
    /// A window opened that may end before all others.
    opened: Notify,
    /// No window opens any more.
    closed: AtomicBool,
    clock: Clock,
    metrics: Arc<Metrics>,
    max_bytes: usize,
    gate: PublishPermits,
}

/// Why an update was not published.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotifyError {
    /// It is wrong itself.
    #[error(transparent)]
    Refused(#[from] PublishError),
    /// The log did not take it.
    #[error(transparent)]
    NotLogged(#[from] EngineError),
}

impl NotifyError {
    /// As metrics have it.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Refused(PublishError::BadType(_)) => "bad_type",
            Self::Refused(PublishError::TooLarge) => "too_large",
            Self::NotLogged(EngineError::Busy) => "busy",
            Self::NotLogged(EngineError::Full(_)) => "full",
            Self::NotLogged(EngineError::Unavailable(_)) => "unavailable",
            Self::NotLogged(EngineError::Reused) => "reused_key",
        }
    }
}

impl UpdateService {
    /// As configured.
    #[must_use]
    pub fn new(
        settings: &Settings,
        max_bytes: usize,
        clock: Clock,
        engine: Arc<dyn Engine>,
        delivery: Arc<Delivery>,
        owed: Arc<Owed>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let windows = settings.batch.iter().map(|(pattern, span)| (pattern.clone(), span.ms()));
        Self {
            engine,
            delivery,
            owed,
            windows: Mutex::new(Windows::new(windows)),
            opened: Notify::new(),
            closed: AtomicBool::new(false),
            clock,
            metrics,
            max_bytes,
            gate: PublishPermits::new(settings.waiting),
        }
    }

    /// Publishes that something of this type changed, for everybody.
    ///
    /// # Errors
    /// [`NotifyError`]: the type is malformed or reserved, or the log did not take it, and it is
    /// owed.
    pub async fn notify(&self, kind: &str) -> Result<Option<EventId>, NotifyError> {
        self.notify_with(Update::new(kind)).await
    }

    /// Publishes an update with data, audience, origin and so on. Returns its id, or `None` if it
    /// waits for its window to end.
    ///
    /// # Errors
    /// [`NotifyError`]. An update that waits is checked now, except for its size.
    pub async fn notify_with(&self, update: Update) -> Result<Option<EventId>, NotifyError> {
        update.check()?;
        match self.hold(update) {
            Some(update) => self.publish(update).await.map(Some),
            None => Ok(None),
        }
    }

    /// Publishes several updates one after the other, as [`notify_with`](Self::notify_with) does.
    /// All of them are owed from the call on, so that none is lost if the caller goes away. After
    /// the first that the log does not take, the rest is owed without a further attempt.
    pub async fn notify_each(&self, updates: Vec<Update>) -> Vec<Result<Option<EventId>, NotifyError>> {
        let promised = self.promise(updates);
        let (mut results, mut refused) = (Vec::with_capacity(promised.len()), None);
        for (update, promise) in promised {
            let result = match (update.check(), &refused) {
                (Err(error), _) => {
                    promise.kept();
                    self.counted(Err(error.into()))
                }
                (Ok(()), Some(error)) => self.counted(Err(NotifyError::clone(error))),
                (Ok(()), None) => match self.hold(update) {
                    Some(update) => self.publish_promised(update, promise).await.map(Some),
                    None => {
                        promise.kept();
                        Ok(None)
                    }
                },
            };
            if let Err(error @ NotifyError::NotLogged(_)) = &result {
                refused = Some(error.clone());
            }
            results.push(result);
        }
        self.saved(&results).await;
        results
    }

    /// Gives the update back, unless it waits for its window to end.
    fn hold(&self, mut update: Update) -> Option<Update> {
        if update.at == 0 {
            update.at = self.clock.unix_ms();
        }
        let mut windows = self.windows();
        if self.closed.load(Ordering::Acquire) {
            return Some(update);
        }
        let passed = windows.hold(self.clock.now(), update);
        if passed.is_none() {
            self.opened.notify_one();
        }
        passed
    }

    /// Publishes at once, whatever the windows. If the log is behind, the caller waits its turn,
    /// for five seconds at most.
    ///
    /// What the log does not take, also because it is too large, is [owed]: the type is announced
    /// to this audience, without data, as soon as it does. The caller need not repeat it.
    ///
    /// # Errors
    /// [`NotifyError`].
    pub async fn publish(&self, update: Update) -> Result<EventId, NotifyError> {
        if let Err(error) = update.check() {
            return self.counted(Err(error.into()));
        }
        let promise = self.owed.promise(&update);
        let result = self.publish_promised(update, promise).await;
        self.saved(std::slice::from_ref(&result)).await;
        result
    }

    async fn publish_promised(&self, update: Update, promise: Promise<'_>) -> Result<EventId, NotifyError> {
        let published = async {
            let _room = self.gate.enter(update.size()).await;
            self.append(vec![update], None).await
        };
        let result = match timeout(PATIENCE, published).await {
            Ok(result) => result,
            Err(_) => {
                let late = EngineError::Unavailable("it did not answer in time".to_owned());
                self.counted(Err(NotifyError::NotLogged(late)))
            }
        };
        let Appended { epoch, first, .. } = result?;
        promise.kept();
        Ok(EventId { epoch, seq: first })
    }

    fn promise(&self, updates: Vec<Update>) -> Vec<(Update, Promise<'_>)> {
        let promised = |update: Update| {
            let promise = self.owed.promise(&update);
            (update, promise)
        };
        updates.into_iter().map(promised).collect()
    }

    /// Writes down what became owed, before the caller is answered: from then on it survives a
    /// crash.
    async fn saved<T>(&self, results: &[Result<T, NotifyError>]) {
        if results.iter().any(Result::is_err) {
            self.owed.save().await;
        }
    }

    /// Publishes several at once, in neighbouring places: all of them or none. With a receipt it
    /// happens once, however often it is asked for.
    ///
    /// # Errors
    /// [`NotifyError`]; [`EngineError::Busy`] at once if too much waits for the log (see
    /// [`Backpressure`](crate::publish::backpressure::Backpressure)).
    pub async fn publish_all(&self, updates: Vec<Update>, receipt: Option<Receipt>) -> Result<Appended, NotifyError> {
        let Some(_room) = self.gate.try_enter(updates.iter().map(Update::size).sum()) else {
            return self.counted(Err(NotifyError::NotLogged(EngineError::Busy)));
        };
        self.append(updates, receipt).await
    }

    /// Announces that updates of these types may have been lost before they reached this server, or
    /// updates of any type for `None`: every client refetches them.
    ///
    /// # Errors
    /// As [`publish_all`](Self::publish_all).
    pub async fn announce(
        &self,
        types: Option<Vec<String>>,
        receipt: Option<Receipt>,
    ) -> Result<Appended, NotifyError> {
        if let Some(types) = types {
            return self.publish_all(types.into_iter().map(Update::new).collect(), receipt).await;
        }
        let update = Update { at: self.clock.unix_ms(), ..Update::new(EVERYTHING) };
        let Some(_room) = self.gate.try_enter(update.size()) else {
            return self.counted(Err(NotifyError::NotLogged(EngineError::Busy)));
        };
        let result = self.log(vec![update], receipt).await.map_err(NotifyError::NotLogged);
        self.counted(result)
    }

    async fn append(&self, mut updates: Vec<Update>, receipt: Option<Receipt>) -> Result<Appended, NotifyError> {
        let at = self.clock.unix_ms();
        updates.iter_mut().filter(|update| update.at == 0).for_each(|update| update.at = at);
        let checked = updates.iter().try_for_each(|update| update.fits(self.max_bytes));
        let result = match checked {
            Err(error) => Err(NotifyError::Refused(error)),
            Ok(()) => self.log(updates, receipt).await.map_err(NotifyError::NotLogged),
        };
        self.counted(result)
    }

    async fn log(&self, updates: Vec<Update>, receipt: Option<Receipt>) -> Result<Appended, EngineError> {
        let logged = self.clock.now().0;
        let settled = self.owed.settled_by(&updates);
        let records = updates.into_iter().map(|update| Record { logged, update }).collect();
        let appended = self.engine.append(engine::Batch { records, receipt }).await?;
        self.owed.settle(&settled);
        Ok(appended)
    }

    fn counted<T>(&self, result: Result<T, NotifyError>) -> Result<T, NotifyError> {
        result.inspect_err(|error| {
            self.metrics.unpublished(error.as_str());
            tracing::warn!(target: "tinysse::update", %error, "refused");
        })
    }

    /// How many places of the [`Backpressure`](crate::publish::backpressure::Backpressure) are
    /// taken by what waits for the log.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.gate.taken()
    }

    /// Every update from now on, for code inside the process.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Notice>> {
        self.delivery.subscribe()
    }

    /// Updates that a later one of their window replaced.
    #[must_use]
    pub fn coalesced(&self) -> u64 {
        self.windows().coalesced()
    }

    /// Publishes what windows that ended have held; for ever.
    pub async fn run(&self) {
        loop {
            let due = self.windows().due();
            match due {
                None => self.opened.notified().await,
                Some(due) => {
                    let ended = tokio::select! {
                        () = self.clock.sleep_until(due) => true,
                        () = self.opened.notified() => false,
                    };
                    if ended {
                        self.flush_until(self.clock.now()).await;
                    }
                }
            }
        }
    }

    /// Publishes what is owed as soon as the log takes it; for ever.
    pub async fn settle(&self) {
        let (mut backoff, mut rng) = (Backoff::new(RETRY), jitter());
        loop {
            while self.owed.count() == 0 {
                backoff.forget();
                self.owed.save().await;
                self.owed.changed().await;
            }
            let pause = sleep(Duration::from_millis(backoff.next(&mut rng)));
            tokio::pin!(pause);
            loop {
                // What was owed by a caller that went away is not written down yet.
                self.owed.save().await;
                tokio::select! {
                    () = &mut pause => break,
                    () = self.owed.changed() => {}
                }
            }
            if self.pay().await {
                tracing::info!(target: "tinysse::update", "what was owed is in the log");
            }
        }
    }

    /// Publishes all that is owed. False if the log does not take it.
    async fn pay(&self) -> bool {
        loop {
            let due = self.owed.due(AT_A_TIME);
            if due.is_empty() {
                return true;
            }
            let at = self.clock.unix_ms();
            let updates: Vec<_> = due.iter().map(|due| Update { at, ..due.update() }).collect();
            let fits = |update: &Update| update.kind == EVERYTHING || update.fits(self.max_bytes).is_ok();
            if !updates.iter().all(fits) {
                // Its audience alone is larger than the log.
                self.owed.owe_everything();
                continue;
            }
            if let Err(error) = self.log(updates, None).await {
                tracing::debug!(target: "tinysse::update", %error, "what is owed is not in the log yet");
                return false;
            }
        }
    }

    /// Publishes everything that is held, because the server shuts down.
    pub async fn flush(&self) {
        self.flush_until(Time(u64::MAX)).await;
    }

    /// Publishes what is held and what is owed, in four seconds at most, and writes down what is
    /// still owed then, in two. From now on no window opens.
    pub async fn close(&self) {
        {
            let _windows = self.windows();
            self.closed.store(true, Ordering::Release);
        }
        // Cut short, what was held is owed.
        let _ = timeout(LAST, self.flush()).await;
        let _ = timeout(LAST, self.pay()).await;
        self.owed.save().await;
        let owed = self.owed.count();
        if owed > 0 {
            let kept = self.owed.is_kept();
            tracing::error!(target: "tinysse::update", owed, kept, "types are still owed: the log did not take them");
        }
    }

    async fn flush_until(&self, now: Time) {
        let held = self.windows().flush(now);
        let mut results = Vec::with_capacity(held.len());
        for (update, promise) in self.promise(held) {
            results.push(self.publish_promised(update, promise).await);
        }
        self.saved(&results).await;
    }

    /// What the log did not take yet.
    #[must_use]
    pub fn owed(&self) -> &Owed {
        &self.owed
    }

    fn windows(&self) -> MutexGuard<'_, Windows> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
