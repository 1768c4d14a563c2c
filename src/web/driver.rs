//! The loop between browser and core: feed an input, perform what comes out, set the timer.
//!
//! Rules kept here: core is never borrowed while JavaScript runs; after `close` nothing calls back.

use alloc::{rc::Rc, vec::Vec};
use core::cell::{Cell, RefCell};

use js_sys::{Array, Function};
use wasm_bindgen::JsValue;

use super::{
    clock::Clock,
    error::report,
    js, lifecycle,
    listener::Listener,
    options::Options,
    slot::Slot,
    snapshot,
    timer::Timer,
    token::{self, Question},
    transport::Stream,
    update::{self, Words},
};
use crate::core::{
    client::{Action, Client},
    registry::{Pattern, Subscriber},
    session::io::{Input, Resync, Ticket, Update},
    time::Time,
    wire::{Frame, control::Gap},
};

/// Everything a client holds in the browser.
#[derive(Debug)]
pub(super) struct Driver {
    options: Options,
    clock: Clock,
    core: RefCell<Client>,
    stream: Slot<Stream>,
    /// The stream before it, whose server said bye, as long as core listens to it.
    fading: Slot<Stream>,
    question: Slot<Question>,
    timer: Slot<Timer>,
    /// When it rings.
    alarm: Cell<Option<Time>>,
    words: Words,
    subscribers: RefCell<Vec<(Subscriber, Function)>>,
    on_status: Slot<Function>,
    on_resync: Slot<Function>,
    on_tabs: Slot<Function>,
    /// What the token provider threw last.
    cause: Slot<JsValue>,
    lifecycle: Slot<[Option<Listener>; 2]>,
    /// Somebody up the stack is performing: leave the actions to him, so that they keep their order.
    busy: Cell<bool>,
    closed: Cell<bool>,
}

impl Driver {
    pub(super) fn new(options: Options) -> Rc<Self> {
        let mut core = Client::new(options.config, u64::from(options.coalesce), u64::from(options.seed));
        core.set_cursor(options.last_event_id.clone());
        core.set_user(options.user.clone());
        Rc::new(Self {
            options,
            clock: Clock::new(),
            core: RefCell::new(core),
            stream: Slot::new(),
            fading: Slot::new(),
            question: Slot::new(),
            timer: Slot::new(),
            alarm: Cell::default(),
            words: Words::new(),
            subscribers: RefCell::default(),
            on_status: Slot::new(),
            on_resync: Slot::new(),
            on_tabs: Slot::new(),
            cause: Slot::new(),
            lifecycle: Slot::new(),
            busy: Cell::default(),
            closed: Cell::default(),
        })
    }

    pub(super) fn options(&self) -> &Options {
        &self.options
    }

    /// Connects by this input, and listens to the page from the first time on.
    pub(super) fn start(self: &Rc<Self>, input: Input) {
        if self.closed.get() {
            return;
        }
        let listening = self.lifecycle.take().unwrap_or_else(|| lifecycle::watch(self));
        if !self.closed.get() {
            self.lifecycle.set(Some(listening));
        }
        self.feed(input);
    }

    /// Takes one input, and performs what core makes of it.
    pub(super) fn feed(self: &Rc<Self>, input: Input) {
        if self.closed.get() {
            return;
        }
        let now = self.clock.now();
        self.core.borrow_mut().handle(now, input);
        self.run();
    }

    /// Takes bytes of a stream that core decodes.
    #[cfg(feature = "fetch")]
    pub(super) fn feed_bytes(self: &Rc<Self>, ticket: Ticket, bytes: &[u8]) {
        if !self.closed.get() {
            self.core.borrow_mut().bytes(self.clock.now(), ticket, bytes);
            self.run();
        }
    }

    /// Keeps what a stream failed with, as the cause of what follows.
    #[cfg(feature = "fetch")]
    pub(super) fn failed(&self, thrown: JsValue) {
        self.cause.set(Some(thrown));
    }

    /// Ends everything, for good.
    pub(super) fn close(&self) {
        if self.closed.replace(true) {
            return;
        }
        self.core.borrow_mut().handle(self.clock.now(), Input::Stop);
        self.subscribers.borrow_mut().clear();
        self.on_status.take();
        self.on_resync.take();
        self.on_tabs.take();
        self.stream.take();
        self.fading.take();
        self.timer.take();
        self.lifecycle.take();
        let question = self.question.take();
        drop(question); // aborts: the provider's code may run here, and finds us closed
    }

    pub(super) fn subscribe(&self, patterns: Vec<Pattern>, call: Function) -> Subscriber {
        // Types that are asked for by name are listened to by name: a server that does not know us does not fold.
        let stream = self.stream.take();
        if let Some(stream) = &stream {
            for name in patterns.iter().filter_map(Pattern::name) {
                stream.listen(name);
            }
        }
        self.stream.set(stream);
        let subscriber = self.core.borrow_mut().subscribe(patterns);
        self.subscribers.borrow_mut().push((subscriber, call));
        subscriber
    }

    pub(super) fn unsubscribe(&self, subscriber: Subscriber) -> bool {
        self.subscribers.borrow_mut().retain(|(known, _)| *known != subscriber);
        self.core.borrow_mut().unsubscribe(subscriber)
    }

    pub(super) fn set_on_status(&self, call: Option<Function>) {
        self.on_status.set(call);
    }

    pub(super) fn set_on_resync(&self, call: Option<Function>) {
        self.on_resync.set(call);
    }

    pub(super) fn set_on_tabs(&self, call: Option<Function>) {
        self.on_tabs.set(call);
    }

    pub(super) fn snapshot(&self) -> JsValue {
        snapshot::to_js(&self.core.borrow(), self.clock.now(), self.cause.copy())
    }

    pub(super) fn inspect(&self) -> JsValue {
        snapshot::inspect(self.core.borrow().session())
    }

    /// The token provider answered: its signal is not to be aborted any more. What it threw is kept as the cause of what follows.
    pub(super) fn answered(&self, ticket: Ticket, cause: Option<JsValue>) {
        if let Some(question) = self.question.take_if(|question| question.ticket() == ticket) {
            question.settle();
            self.cause.set(cause);
        }
    }

    fn run(self: &Rc<Self>) {
        if self.busy.replace(true) {
            return;
        }
        loop {
            let action = self.core.borrow_mut().poll();
            if self.closed.get() {
                break;
            }
            if let Action::Sleep(until) = action {
                self.sleep(until);
                break;
            }
            self.perform(action);
        }
        self.busy.set(false);
    }

    fn perform(self: &Rc<Self>, action: Action) {
        match action {
            Action::Ask(ticket, reason) => {
                if let Some(provider) = &self.options.token {
                    let question = token::ask(self, provider, ticket, reason);
                    if !self.closed.get() {
                        self.question.set(Some(question));
                    }
                }
            }
            Action::Forget(ticket) => {
                drop(self.question.take_if(|question| question.ticket() == ticket)); // aborts
                self.cause.take();
            }
            Action::Open(ticket, token, cursor) => {
                let opened = Stream::open(self, ticket, token.as_ref(), &cursor);
                match opened {
                    Ok(stream) => {
                        let names = self.core.borrow().names();
                        for name in &names {
                            stream.listen(name);
                        }
                        self.fading.set(self.stream.take());
                        self.stream.set(Some(stream));
                    }
                    Err((loss, thrown)) => {
                        self.cause.set(Some(thrown));
                        self.core.borrow_mut().handle(self.clock.now(), Input::Lost(ticket, loss));
                    }
                }
            }
            Action::Close(ticket) => {
                for slot in [&self.stream, &self.fading] {
                    drop(slot.take_if(|stream| stream.ticket() == ticket));
                }
            }
            Action::Follow(Ticket(ticket), cursor) => self.tell_tabs(&[ticket.into(), cursor.into()]),
            Action::Heard(Frame { event, id, data }) => self.tell_tabs(&[event.into(), id.into(), data.into()]),
            Action::Call(update, to) => self.call(&update, &to),
            Action::Resync(resync) => self.resync(&resync),
            Action::Status(_) => {
                if let Some(call) = self.on_status.copy() {
                    notify(&call, &self.snapshot());
                }
            }
            Action::Sleep(_) => {}
        }
    }

    /// Whoever speaks with the other tabs gets a list: a ticket and a cursor to follow from, or a frame to pass on.
    fn tell_tabs(&self, what: &[JsValue]) {
        if let Some(call) = self.on_tabs.copy() {
            notify(&call, &js::list(what));
        }
    }

    fn call(&self, update: &Update, to: &[Subscriber]) {
        let object = update::to_js(update, &self.words);
        for subscriber in to {
            if self.closed.get() {
                return;
            }
            let known = |(known, call): &(Subscriber, Function)| (known == subscriber).then(|| call.clone());
            let call = self.subscribers.borrow().iter().find_map(known);
            if let Some(call) = call {
                notify(&call, &object);
            }
        }
    }

    fn resync(&self, resync: &Resync) {
        if let Some(call) = self.on_resync.copy() {
            let object = js::object();
            js::set_text(&object, "gap", Gap::as_str(resync.gap));
            let types = Array::new();
            for kind in &resync.types {
                types.push(&JsValue::from_str(kind));
            }
            let all = resync.types.is_empty();
            js::set(&object, "types", if all { JsValue::NULL } else { types.into() });
            notify(&call, &object);
        }
    }

    fn sleep(self: &Rc<Self>, until: Option<Time>) {
        // One that rings earlier does no harm: core looks again then. With every chunk of a busy stream the silence begins anew.
        if until.is_some() && self.alarm.get().is_some_and(|alarm| until.is_some_and(|at| alarm <= at)) {
            return;
        }
        self.alarm.set(until);
        let timer = until.map(|at| {
            let me = Rc::downgrade(self);
            Timer::new(at.since(self.clock.now()), move || {
                if let Some(me) = me.upgrade() {
                    me.alarm.set(None);
                    me.feed(Input::Tick);
                }
            })
        });
        self.timer.set(timer);
    }
}

/// Calls a function of the application. What it throws is reported, and breaks nothing else.
fn notify(call: &Function, argument: &JsValue) {
    if let Err(thrown) = call.call1(&JsValue::UNDEFINED, argument) {
        report(&thrown);
    }
}
