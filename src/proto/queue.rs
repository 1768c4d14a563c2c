//! First in, first out, for lists that are filled by one hand and then emptied by the other.

use alloc::vec::Vec;

/// A queue that gives its memory back when it is empty. A ring buffer would cost the wasm more.
#[derive(Clone, Debug)]
pub(super) struct Queue<T> {
    items: Vec<Option<T>>,
    next: usize,
}

impl<T> Queue<T> {
    pub(super) fn new() -> Self {
        Self { items: Vec::new(), next: 0 }
    }

    pub(super) fn push(&mut self, item: T) {
        self.items.push(Some(item));
    }

    /// Drops what is waiting and does not pass.
    pub(super) fn retain(&mut self, keep: fn(&T) -> bool) {
        self.items.retain(|item| item.as_ref().is_some_and(keep));
        self.next = 0;
    }

    pub(super) fn pop(&mut self) -> Option<T> {
        if self.items.is_empty() {
            return None;
        }
        let item = self.items.get_mut(self.next).and_then(Option::take);
        self.next += 1;
        if item.is_none() {
            *self = Self::new();
        }
        item
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_in_between_waits_its_turn() {
        let mut queue = Queue::new();
        assert_eq!(queue.pop(), None);
        queue.push(1);
        queue.push(2);
        assert_eq!(queue.pop(), Some(1));
        queue.push(3);
        assert_eq!([queue.pop(), queue.pop(), queue.pop()], [Some(2), Some(3), None]);
        queue.push(4);
        assert_eq!(queue.pop(), Some(4));
    }

    #[test]
    fn what_is_dropped_leaves_the_rest_in_order() {
        let mut queue = Queue::new();
        for number in 1..=5 {
            queue.push(number);
        }
        assert_eq!(queue.pop(), Some(1));
        queue.retain(|number| number % 2 == 1);
        assert_eq!([queue.pop(), queue.pop(), queue.pop()], [Some(3), Some(5), None]);
    }
}
