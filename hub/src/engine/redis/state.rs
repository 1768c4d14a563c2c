//! What the tail and the monitor let others know.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tinysse::proto::wire::id::Epoch;
use tokio::sync::{Notify, watch};

use super::dates::Dates;
use crate::engine::Durability;

/// How the engine fares.
#[derive(Debug)]
pub(super) struct State {
    /// Up to where this node's streams have the log.
    pub(super) head: watch::Sender<(Epoch, u64)>,
    /// Set when the epoch of the log is another one than the tail reads.
    pub(super) another_life: Notify,
    /// The time of Redis.
    pub(super) dates: Dates,
    health: Mutex<Errors>,
    stop: watch::Sender<bool>,
    ended: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Errors {
    /// Why the log can't be read, or Redis not be reached.
    away: Option<String>,
    /// Why Redis takes no writes.
    refusing: Option<String>,
    durability: Durability,
}

impl State {
    pub(super) fn new(fresh: Epoch) -> Self {
        Self {
            head: watch::Sender::new((fresh, 0)),
            another_life: Notify::new(),
            dates: Dates::default(),
            health: Mutex::new(Errors { durability: Durability::Memory, ..Errors::default() }),
            stop: watch::Sender::new(false),
            ended: watch::Sender::new(false),
        }
    }

    pub(super) fn away(&self) -> Option<String> {
        self.errors().away.clone()
    }

    pub(super) fn is_away(&self) -> bool {
        self.errors().away.is_some()
    }

    pub(super) fn set_away(&self, why: Option<String>) {
        self.errors().away = why;
    }

    pub(super) fn refusing(&self) -> Option<String> {
        self.errors().refusing.clone()
    }

    pub(super) fn set_refusing(&self, why: Option<String>) {
        self.errors().refusing = why;
    }

    /// Returns what an acknowledged update survives.
    pub(super) fn durability(&self) -> Durability {
        self.errors().durability
    }

    pub(super) fn set_durability(&self, reached: Durability) {
        self.errors().durability = reached;
    }

    /// Asks tail and monitor to end.
    pub(super) fn stop(&self) {
        self.stop.send_replace(true);
    }

    pub(super) fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    /// Waits until they are asked to end.
    pub(super) async fn stopped(&self) {
        drop(self.stop.subscribe().wait_for(|stop| *stop).await);
    }

    /// Reports that they have ended.
    pub(super) fn end(&self) {
        self.ended.send_replace(true);
    }

    /// Waits until they have ended.
    pub(super) async fn ended(&self) {
        drop(self.ended.subscribe().wait_for(|ended| *ended).await);
    }

    fn errors(&self) -> MutexGuard<'_, Errors> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
