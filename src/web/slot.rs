//! A place for one thing that is taken out to be used, so that nothing is borrowed while JavaScript runs.

use core::{cell::Cell, fmt};

pub(super) struct Slot<T>(Cell<Option<T>>);

impl<T> Slot<T> {
    pub(super) fn new() -> Self {
        Self(Cell::new(None))
    }

    /// Puts something in; what was there before is dropped.
    pub(super) fn set(&self, content: Option<T>) {
        self.0.set(content);
    }

    pub(super) fn take(&self) -> Option<T> {
        self.0.take()
    }

    /// Takes the content if it is the one meant.
    pub(super) fn take_if(&self, meant: impl FnOnce(&T) -> bool) -> Option<T> {
        let content = self.take()?;
        if meant(&content) {
            return Some(content);
        }
        self.set(Some(content));
        None
    }
}

impl<T: Clone> Slot<T> {
    pub(super) fn copy(&self) -> Option<T> {
        let content = self.take();
        self.set(content.clone());
        content
    }
}

impl<T> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Slot(…)")
    }
}
