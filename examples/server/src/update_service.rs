//! The way into the log for everything in this process: handlers, pollers, your own code.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tinysse::core::{batch::Batch, registry::Pattern, time::Time, wire::id::EventId};
use tokio::sync::{Notify, broadcast};

use crate::{
    clock::Clock,
    config::Config,
    delivery::{Delivery, Notice, audience},
    engine::{self, Appended, Engine, EngineError, Receipt, Record},
    hub::{PublishError, Update},
    metrics::Metrics,
    room::Gate,
};

/// Publishes, coalesces where that is configured, and lets code inside the process listen.
#[derive(Debug)]
pub struct UpdateService {
    engine: Arc<dyn Engine>,
    delivery: Arc<Delivery>,
    windows: Mutex<Vec<Window>>,
    /// A window opened that may end before all others.
    opened: Notify,
    clock: Clock,
    metrics: Arc<Metrics>,
    max_bytes: usize,
    gate: Gate,
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

#[derive(Debug)]
struct Window {
    pattern: Pattern,
    batch: Batch<Same, Update>,
}

/// Updates that are alike in all this replace each other inside a window: type, key, audience.
type Same = (String, Option<String>, Vec<String>);

impl UpdateService {
    /// As configured.
    #[must_use]
    pub fn new(
        config: &Config,
        clock: Clock,
        engine: Arc<dyn Engine>,
        delivery: Arc<Delivery>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let window = |(pattern, span): &(Pattern, crate::config::Span)| Window {
            pattern: pattern.clone(),
            batch: Batch::new(span.ms()),
        };
        Self {
            engine,
            delivery,
            windows: Mutex::new(config.batch.iter().map(window).collect()),
            opened: Notify::new(),
            clock,
            metrics,
            max_bytes: config.hub.max_bytes,
            gate: Gate::new(config.room),
        }
    }

    /// Says to everybody that something of this type changed.
    ///
    /// # Errors
    /// [`NotifyError`]: the type is malformed or reserved, or the log can't be written.
    pub async fn notify(&self, kind: &str) -> Result<Option<EventId>, NotifyError> {
        self.notify_with(Update::new(kind)).await
    }

    /// The same with data, audience, origin and so on. Answers the update's id, or `None` if it waits for its window to end.
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

    /// Gives the update back, unless it waits for its window to end.
    fn hold(&self, mut update: Update) -> Option<Update> {
        if update.at == 0 {
            update.at = self.clock.unix_ms();
        }
        let mut windows = self.windows();
        let Some(window) = windows.iter_mut().find(|window| window.pattern.matches(&update.kind)) else {
            return Some(update);
        };
        let same = same(&update);
        if let Some(held) = window.batch.held(&same) {
            concerns_both(&mut update, held);
        }
        let passed = window.batch.add(self.clock.now(), same, update);
        if passed.is_none() {
            self.opened.notify_one();
        }
        passed
    }

    /// Publishes at once, whatever the windows. If the log is behind, it waits for its turn: so does whoever calls this.
    ///
    /// # Errors
    /// [`NotifyError`].
    pub async fn publish(&self, update: Update) -> Result<EventId, NotifyError> {
        let _room = self.gate.enter(update.size()).await;
        let Appended { epoch, first, .. } = self.append(vec![update], None).await?;
        Ok(EventId { epoch, seq: first })
    }

    /// Publishes several at once, in neighbouring places: all of them or none. With a receipt it happens once, however often it is asked for.
    ///
    /// # Errors
    /// [`NotifyError`]; [`EngineError::Busy`] at once if too much waits for the log (see [`Room`](crate::room::Room)).
    pub async fn publish_all(&self, updates: Vec<Update>, receipt: Option<Receipt>) -> Result<Appended, NotifyError> {
        let Some(_room) = self.gate.try_enter(updates.iter().map(Update::size).sum()) else {
            return self.counted(Err(NotifyError::NotLogged(EngineError::Busy)));
        };
        self.append(updates, receipt).await
    }

    async fn append(&self, mut updates: Vec<Update>, receipt: Option<Receipt>) -> Result<Appended, NotifyError> {
        let at = self.clock.unix_ms();
        updates.iter_mut().filter(|update| update.at == 0).for_each(|update| update.at = at);
        let checked = updates.iter().try_for_each(|update| update.fits(self.max_bytes));
        let logged = self.clock.now().0;
        let result = match checked {
            Err(error) => Err(NotifyError::Refused(error)),
            Ok(()) => {
                let records = updates.into_iter().map(|update| Record { logged, update }).collect();
                self.engine.append(engine::Batch { records, receipt }).await.map_err(NotifyError::NotLogged)
            }
        };
        self.counted(result)
    }

    fn counted(&self, result: Result<Appended, NotifyError>) -> Result<Appended, NotifyError> {
        result.inspect_err(|error| {
            self.metrics.unpublished(error);
            tracing::warn!(target: "tinysse::update", %error, "refused");
        })
    }

    /// How many places of the [`Room`](crate::room::Room) are taken by what waits for the log.
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
        self.windows().iter().map(|window| u64::from(window.batch.replaced())).sum()
    }

    /// Publishes what windows that ended have held; for ever.
    pub async fn run(&self) {
        loop {
            let due = self.windows().iter().filter_map(|window| window.batch.due()).min();
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

    /// Publishes everything that is held, because the server shuts down.
    pub async fn flush(&self) {
        self.flush_until(Time(u64::MAX)).await;
    }

    async fn flush_until(&self, now: Time) {
        let held: Vec<_> = self.windows().iter_mut().flat_map(|window| window.batch.flush(now)).collect();
        for update in held {
            // A refusal is logged and counted in `publish`; there is nobody left to tell.
            let _ = self.publish(update).await;
        }
    }

    fn windows(&self) -> MutexGuard<'_, Vec<Window>> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn same(update: &Update) -> Same {
    (update.kind.clone(), update.key.clone(), audience(update))
}

/// Two changes by different tabs in one update are foreign to both: neither may take it for its own echo, or be left out.
fn concerns_both(update: &mut Update, held: &Update) {
    if update.origin != held.origin {
        update.origin = None;
    }
    if update.except != held.except {
        update.except = None;
    }
}
