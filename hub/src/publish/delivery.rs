//! From the engine to the hub, and to code inside the process that listens. One log line an update.

use std::sync::{Arc, Mutex, PoisonError};

use tinysse::proto::{
    time::Time,
    wire::id::{Epoch, EventId},
};
use tokio::sync::broadcast;

use crate::{
    engine::{Record, Sink},
    hub::Update,
    metrics::Metrics,
    stream::Streams,
};

/// How many updates a subscriber inside the process may be behind before it misses some (and
/// receives their number).
const BEHIND: usize = 1_024;

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

/// Passes what an engine logged to all that want it.
#[derive(Debug)]
pub struct Delivery {
    streams: Arc<Streams>,
    metrics: Arc<Metrics>,
    feed: broadcast::Sender<Arc<Notice>>,
    epoch: Mutex<Epoch>,
}

impl Delivery {
    /// To these streams.
    #[must_use]
    pub fn new(streams: Arc<Streams>, metrics: Arc<Metrics>) -> Self {
        Self { streams, metrics, feed: broadcast::channel(BEHIND).0, epoch: Mutex::new(Epoch(0)) }
    }

    /// Every update from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Notice>> {
        self.feed.subscribe()
    }

    fn id(&self, seq: u64) -> EventId {
        EventId { epoch: *self.epoch.lock().unwrap_or_else(PoisonError::into_inner), seq }
    }
}

impl Sink for Delivery {
    fn begin(&self, epoch: Epoch, after: u64) {
        *self.epoch.lock().unwrap_or_else(PoisonError::into_inner) = epoch;
        self.streams.begin(epoch, after);
    }

    fn restore(&self, seq: u64, record: Record) {
        self.streams.deliver(self.id(seq), Time(record.logged), record.update);
    }

    fn deliver(&self, seq: u64, record: Record) {
        let Record { logged, update } = record;
        let id = self.id(seq);
        let receivers = self.streams.deliver(id, Time(logged), update.clone());
        let audience = audience(&update).join(",");
        tracing::info!(
            target: "tinysse::update",
            r#type = update.kind,
            %id,
            audience,
            receivers,
            origin = update.origin.as_deref().unwrap_or("-"),
            "update"
        );
        self.metrics.published(&update.kind, receivers);
        // Nobody in the process listens: that is fine.
        let _ = self.feed.send(Arc::new(Notice { id, update, receivers }));
    }
}

/// As it is logged: `all`, or the audiences.
fn audience(update: &Update) -> Vec<String> {
    if update.to.is_empty() { vec!["all".to_owned()] } else { update.to.iter().map(ToString::to_string).collect() }
}
