//! From a callback to one stream: a buffer of bounded size, and the task that waits for it.

use std::{
    cell::{Cell, RefCell},
    fmt,
    rc::{Rc, Weak},
    task::{Context, Poll, Waker},
    vec::Vec,
};

/// What a stream holds between two polls. Each kind defines what happens when there is more than it
/// holds.
pub(super) trait Buffer: Default {
    type Item;

    fn pop(&mut self) -> Option<Self::Item>;

    /// True if nothing comes any more once the buffer is empty.
    fn over(&self) -> bool {
        false
    }
}

pub(super) struct Channel<B>(RefCell<Inside<B>>);

struct Inside<B> {
    buffer: B,
    waker: Option<Waker>,
    ended: bool,
}

impl<B: Buffer> Channel<B> {
    pub(super) fn new(buffer: B) -> Rc<Self> {
        Rc::new(Self(RefCell::new(Inside { buffer, waker: None, ended: false })))
    }

    /// Changes the buffer, and wakes who waits for it.
    pub(super) fn put(&self, put: impl FnOnce(&mut B)) {
        self.change(|inside| put(&mut inside.buffer));
    }

    /// Nothing comes any more, and what was held is let go.
    pub(super) fn end(&self) {
        self.change(|inside| {
            inside.buffer = B::default();
            inside.ended = true;
        });
    }

    /// Not borrowed while the waiting task wakes: it may look at once.
    fn change(&self, change: impl FnOnce(&mut Inside<B>)) {
        let mut inside = self.0.borrow_mut();
        if inside.ended {
            return;
        }
        change(&mut inside);
        let waker = inside.waker.take();
        drop(inside);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(super) fn look<T>(&self, look: impl FnOnce(&B) -> T) -> T {
        look(&self.0.borrow().buffer)
    }

    pub(super) fn poll(&self, context: &Context<'_>) -> Poll<Option<B::Item>> {
        let mut inside = self.0.borrow_mut();
        let item = inside.buffer.pop();
        if item.is_some() || inside.ended || inside.buffer.over() {
            return Poll::Ready(item);
        }
        let before = match &mut inside.waker {
            Some(waker) if waker.will_wake(context.waker()) => None,
            waker => waker.replace(context.waker().clone()),
        };
        drop(inside);
        drop(before); // the last hold on another task, perhaps
        Poll::Pending
    }
}

impl<B> fmt::Debug for Channel<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Channel(…)")
    }
}

/// The streams of one kind that have a holder.
pub(super) struct Channels<B> {
    held: RefCell<Vec<Weak<Channel<B>>>>,
    over: Cell<bool>,
}

impl<B: Buffer> Channels<B> {
    pub(super) fn new() -> Self {
        Self { held: RefCell::default(), over: Cell::new(false) }
    }

    /// One that comes after the end is at its end too.
    pub(super) fn add(&self, channel: &Rc<Channel<B>>) {
        if self.over.get() {
            channel.end();
        } else {
            self.held.borrow_mut().push(Rc::downgrade(channel));
        }
    }

    pub(super) fn remove(&self, channel: &Rc<Channel<B>>) {
        self.held.borrow_mut().retain(|known| known.as_ptr() != Rc::as_ptr(channel));
    }

    /// Those of this moment, so that a stream may come or go meanwhile.
    pub(super) fn each(&self, work: impl Fn(&Channel<B>)) {
        let held: Vec<_> = self.held.borrow().iter().filter_map(Weak::upgrade).collect();
        for channel in held {
            work(&channel);
        }
    }

    /// Ends them all, and those to come.
    pub(super) fn end(&self) {
        self.over.set(true);
        self.each(Channel::end);
        self.held.take();
    }
}

impl<B> fmt::Debug for Channels<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Channels(…)")
    }
}
