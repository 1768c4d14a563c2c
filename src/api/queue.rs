//! What a stream of updates holds between two polls: a number of updates, and a policy for more.

use std::{collections::VecDeque, mem};

use wasm_bindgen::JsValue;

use super::{
    channel::Buffer,
    update::{DataError, Update},
};

/// How many updates wait for a reader, and what becomes of more.
///
/// ```no_run
/// # async fn example(client: tinysse::SseClient) -> Result<(), tinysse::Error> {
/// use tinysse::Queue;
///
/// // Progress bars: only the newest of each key is worth drawing.
/// let mut progress = client.subscribe::<f64>("compute.*")?.with_queue(Queue::latest(64));
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    limit: usize,
    policy: Policy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Policy {
    DropOldest,
    Latest,
    Fail,
}

impl Queue {
    /// Holds this many; then each new one drops the oldest.
    #[must_use]
    pub fn drop_oldest(limit: usize) -> Self {
        Self::new(limit, Policy::DropOldest)
    }

    /// Holds the newest of each type and key, after all others. At most this many of these; then
    /// the oldest is dropped.
    #[must_use]
    pub fn latest(limit: usize) -> Self {
        Self::new(limit, Policy::Latest)
    }

    /// Holds this many; one more is an error, with which the stream ends after those it held.
    #[must_use]
    pub fn fail(limit: usize) -> Self {
        Self::new(limit, Policy::Fail)
    }

    /// A queue that holds nothing could hand nothing over.
    fn new(limit: usize, policy: Policy) -> Self {
        Self { limit: limit.max(1), policy }
    }
}

/// The newest 1,024.
impl Default for Queue {
    fn default() -> Self {
        Self::drop_oldest(1_024)
    }
}

#[derive(Debug, Default)]
pub(super) struct Held {
    queue: Queue,
    updates: VecDeque<Update<JsValue>>,
    dropped: u64,
    failed: Failed,
}

/// Whether an update found the queue full.
#[derive(Debug, Default)]
enum Failed {
    #[default]
    No,
    /// The reader will learn of it behind what is held.
    Soon(DataError),
    Told,
}

impl Held {
    pub(super) fn set(&mut self, queue: Queue) {
        self.queue = queue;
        for update in mem::take(&mut self.updates) {
            self.add(update);
        }
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Drops what is waiting.
    pub(super) fn clear(&mut self) {
        self.updates.clear();
    }

    pub(super) fn add(&mut self, update: Update<JsValue>) {
        if !matches!(self.failed, Failed::No) {
            self.dropped += 1;
            return;
        }
        let full = self.updates.len() >= self.queue.limit;
        let in_place = match self.queue.policy {
            Policy::DropOldest => full.then_some(0),
            Policy::Latest => {
                let same = |held: &Update<JsValue>| held.kind == update.kind && held.key == update.key;
                self.updates.iter().position(same).or(full.then_some(0))
            }
            Policy::Fail if full => {
                self.dropped += 1;
                self.failed = Failed::Soon(DataError::overflow(update));
                return;
            }
            Policy::Fail => None,
        };
        if in_place.and_then(|at| self.updates.remove(at)).is_some() {
            self.dropped += 1;
        }
        self.updates.push_back(update);
    }
}

impl Buffer for Held {
    type Item = Result<Update<JsValue>, DataError>;

    fn pop(&mut self) -> Option<Self::Item> {
        if let Some(update) = self.updates.pop_front() {
            return Some(Ok(update));
        }
        match mem::take(&mut self.failed) {
            Failed::No => None,
            Failed::Soon(error) => {
                self.failed = Failed::Told;
                Some(Err(error))
            }
            Failed::Told => {
                self.failed = Failed::Told;
                None
            }
        }
    }

    fn over(&self) -> bool {
        matches!(self.failed, Failed::Told)
    }
}
