//! Turns for something that is scarce: a number in all, and a smaller number for each key, for
//! which one waits.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The slots that there are, and who has them.
#[derive(Clone, Debug)]
pub(super) struct Slots<K> {
    all: Arc<Semaphore>,
    /// Only of those who have a slot or wait for one.
    each: Arc<Mutex<HashMap<K, Arc<Semaphore>>>>,
    share: usize,
}

/// A slot; free again when it is dropped.
#[derive(Debug)]
pub(super) struct Slot<K: Hash + Eq> {
    _all: OwnedSemaphorePermit,
    _own: Option<Own<K>>,
}

impl<K: Hash + Eq + Clone> Slots<K> {
    /// `count` slots, a quarter of which one key may have.
    pub(super) fn new(count: usize) -> Self {
        Self {
            all: Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS))),
            each: Arc::default(),
            share: (count / 4).max(1),
        }
    }

    /// Waits for a slot, of which `key` has its share; without a key, only for one of all.
    pub(super) async fn take(&self, key: Option<K>) -> Option<Slot<K>> {
        let own = match key {
            Some(key) => Some(self.own(key).await?),
            None => None,
        };
        let all = Arc::clone(&self.all).acquire_owned().await.ok()?;
        Some(Slot { _all: all, _own: own })
    }

    async fn own(&self, key: K) -> Option<Own<K>> {
        let share = Arc::clone(
            self.each
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(key.clone())
                .or_insert_with(|| Arc::new(Semaphore::new(self.share))),
        );
        // Made before the wait, so that one who gives up leaves nothing behind.
        let mut own = Own { key, each: Arc::clone(&self.each), share: Arc::clone(&share), permit: None };
        own.permit = Some(share.acquire_owned().await.ok()?);
        Some(own)
    }
}

/// A part of a key's share, or a place in the queue for it.
#[derive(Debug)]
struct Own<K: Hash + Eq> {
    key: K,
    each: Arc<Mutex<HashMap<K, Arc<Semaphore>>>>,
    share: Arc<Semaphore>,
    permit: Option<OwnedSemaphorePermit>,
}

impl<K: Hash + Eq> Drop for Own<K> {
    fn drop(&mut self) {
        let mut each = self.each.lock().unwrap_or_else(PoisonError::into_inner);
        self.permit = None;
        // The map's, and this one; all clones are made and dropped behind the lock.
        if Arc::strong_count(&self.share) <= 2 {
            each.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{future::Future, pin::pin, task::Poll};

    use super::*;

    /// Whether a future is ready now.
    async fn now<T>(future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        std::future::poll_fn(|cx| {
            Poll::Ready(match future.as_mut().poll(cx) {
                Poll::Ready(value) => Some(value),
                Poll::Pending => None,
            })
        })
        .await
    }

    #[tokio::test]
    async fn one_key_has_its_share_and_nothing_is_left_of_those_who_are_gone() {
        let slots = Slots::new(8);
        let one = now(slots.take(Some("a"))).await.flatten().expect("a slot");
        let two = now(slots.take(Some("a"))).await.flatten().expect("a slot");
        assert!(now(slots.take(Some("a"))).await.is_none(), "a quarter");
        let other = now(slots.take(Some("b"))).await.flatten().expect("another key");
        let mut rest = Vec::new();
        while let Some(slot) = now(slots.take(None)).await.flatten() {
            rest.push(slot);
        }
        assert_eq!(rest.len(), 5, "all of them");
        assert!(now(slots.take(Some("c"))).await.is_none());
        drop((one, rest));
        assert!(now(slots.take(Some("a"))).await.flatten().is_some(), "given back");
        drop((two, other));
        assert!(slots.each.lock().expect("sound").is_empty());
        assert_eq!(slots.all.available_permits(), 8);
    }
}
