//! The way into the hub for everything in this process: handlers, pollers, your own code. One log line an update.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tinysse::core::{batch::Batch, registry::Pattern, time::Time, wire::id::EventId};
use tokio::{
    sync::{Notify, broadcast},
    time::{Instant, sleep_until},
};

use crate::{
    clock::Clock,
    config::Config,
    hub::{PublishError, Update},
    metrics::Metrics,
    runtime::Streams,
};

/// How many updates a subscriber inside the process may be behind before it misses some (and is told how many).
const BEHIND: usize = 1_024;

/// Publishes, coalesces where that is configured, and lets code inside the process listen.
#[derive(Debug)]
pub struct UpdateService {
    streams: Arc<Streams>,
    windows: Mutex<Vec<Window>>,
    /// A window opened that may end before all others.
    opened: Notify,
    feed: broadcast::Sender<Arc<Notice>>,
    clock: Clock,
    metrics: Arc<Metrics>,
}

/// An update as code inside the process sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its place in the log.
    pub id: EventId,
    /// What was published.
    pub update: Update,
    /// The streams that got it live.
    pub receivers: usize,
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
    pub fn new(config: &Config, clock: Clock, streams: Arc<Streams>, metrics: Arc<Metrics>) -> Self {
        let window = |(pattern, span): &(Pattern, crate::config::Span)| Window {
            pattern: pattern.clone(),
            batch: Batch::new(span.ms()),
        };
        Self {
            streams,
            windows: Mutex::new(config.batch.iter().map(window).collect()),
            opened: Notify::new(),
            feed: broadcast::channel(BEHIND).0,
            clock,
            metrics,
        }
    }

    /// Says to everybody that something of this type changed.
    ///
    /// # Errors
    /// [`PublishError`] for a type that is malformed or reserved.
    pub fn notify(&self, kind: &str) -> Result<Option<EventId>, PublishError> {
        self.notify_with(Update::new(kind))
    }

    /// The same with data, audience, origin and so on. Answers the update's id, or `None` if it waits for its window to end.
    ///
    /// # Errors
    /// [`PublishError`]. An update that waits is checked now, except for its size.
    pub fn notify_with(&self, mut update: Update) -> Result<Option<EventId>, PublishError> {
        update.check()?;
        if update.at == 0 {
            update.at = self.clock.unix_ms();
        }
        let now = self.clock.now();
        let mut windows = self.windows();
        let update = match windows.iter_mut().find(|window| window.pattern.matches(&update.kind)) {
            None => update,
            Some(window) => {
                let same = same(&update);
                if let Some(held) = window.batch.held(&same) {
                    concerns_both(&mut update, held);
                }
                match window.batch.add(now, same, update) {
                    Some(update) => update,
                    None => {
                        self.opened.notify_one();
                        return Ok(None);
                    }
                }
            }
        };
        drop(windows);
        self.publish(update).map(Some)
    }

    /// Publishes at once, whatever the windows.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn publish(&self, mut update: Update) -> Result<EventId, PublishError> {
        if update.at == 0 {
            update.at = self.clock.unix_ms();
        }
        let published = self.streams.publish(update.clone()).inspect_err(|error| {
            self.metrics.unpublished(*error);
            tracing::warn!(target: "tinysse::update", r#type = ?update.kind, %error, "refused");
        })?;
        let audience = audience(&update).join(",");
        tracing::info!(
            target: "tinysse::update",
            r#type = update.kind,
            id = %published.id,
            audience,
            receivers = published.receivers,
            origin = update.origin.as_deref().unwrap_or("-"),
            "update"
        );
        self.metrics.published(&update.kind, published.receivers);
        // Nobody in the process listens: that is fine.
        let _ = self.feed.send(Arc::new(Notice { id: published.id, update, receivers: published.receivers }));
        Ok(published.id)
    }

    /// Every update from now on, for code inside the process.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Notice>> {
        self.feed.subscribe()
    }

    /// Publishes what windows that ended have held; for ever.
    pub async fn run(&self) {
        loop {
            let due = self.windows().iter().filter_map(|window| window.batch.due()).min();
            match due {
                None => self.opened.notified().await,
                Some(due) => tokio::select! {
                    () = sleep_until(Instant::from_std(self.clock.instant(due))) => self.flush_until(self.clock.now()),
                    () = self.opened.notified() => {}
                },
            }
        }
    }

    /// Publishes everything that is held, because the server shuts down.
    pub fn flush(&self) {
        self.flush_until(Time(u64::MAX));
    }

    fn flush_until(&self, now: Time) {
        let held: Vec<_> = self.windows().iter_mut().flat_map(|window| window.batch.flush(now)).collect();
        for update in held {
            // A refusal is logged and counted in `publish`; there is nobody left to tell.
            let _ = self.publish(update);
        }
    }

    fn windows(&self) -> MutexGuard<'_, Vec<Window>> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn audience(update: &Update) -> Vec<String> {
    if update.to.is_empty() { vec!["all".to_owned()] } else { update.to.iter().map(ToString::to_string).collect() }
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
