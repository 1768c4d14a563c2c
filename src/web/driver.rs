//! The loop between browser and core: feed an input, perform what comes out, set the timer.
//!
//! Rules kept here: core is never borrowed while JavaScript runs; after `close` nothing calls back.

use alloc::{
    rc::{Rc, Weak},
    string::String,
    vec::Vec,
};
use core::cell::{Cell, RefCell};

use js_sys::{Array, Function, Object, Reflect};
use wasm_bindgen::JsValue;

use super::{
    clock::Clock,
    error::report,
    lifecycle,
    listener::Listener,
    options::Options,
    snapshot,
    timer::Timer,
    token::{self, Question},
    transport::Stream,
    update,
};
use crate::core::{
    client::{Action, Client},
    registry::{Pattern, Subscriber},
    session::io::{Input, Loss, Resync, Ticket, Update},
    time::Time,
    wire::control::Gap,
};

/// Everything a client holds in the browser.
#[derive(Debug)]
pub(super) struct Driver {
    options: Options,
    clock: Clock,
    core: RefCell<Client>,
    stream: RefCell<Option<Stream>>,
    question: RefCell<Option<Question>>,
    timer: RefCell<Option<Timer>>,
    subscribers: RefCell<Vec<(Subscriber, Function)>>,
    on_status: RefCell<Option<Function>>,
    on_resync: RefCell<Option<Function>>,
    /// What the token provider threw last.
    cause: RefCell<JsValue>,
    lifecycle: RefCell<Vec<Listener>>,
    /// Somebody up the stack is performing: leave the actions to him, so that they keep their order.
    busy: Cell<bool>,
    closed: Cell<bool>,
    me: Weak<Self>,
}

impl Driver {
    pub(super) fn new(options: Options) -> Rc<Self> {
        let seed = options.seed.map_or_else(|| (js_sys::Math::random() * 9e15) as u64, u64::from);
        let mut core = Client::new(options.config, u64::from(options.coalesce), seed);
        core.set_cursor(options.last_event_id.clone());
        Rc::new_cyclic(|me| Self {
            options,
            clock: Clock::new(),
            core: RefCell::new(core),
            stream: RefCell::default(),
            question: RefCell::default(),
            timer: RefCell::default(),
            subscribers: RefCell::default(),
            on_status: RefCell::default(),
            on_resync: RefCell::default(),
            cause: RefCell::new(JsValue::UNDEFINED),
            lifecycle: RefCell::default(),
            busy: Cell::new(false),
            closed: Cell::new(false),
            me: me.clone(),
        })
    }

    pub(super) fn options(&self) -> &Options {
        &self.options
    }

    /// Connects by this input, and listens to the page from the first time on.
    pub(super) fn start(&self, input: Input<'_>) {
        if self.closed.get() {
            return;
        }
        let deaf = self.lifecycle.borrow().is_empty();
        if let (true, Some(me)) = (deaf, self.me.upgrade()) {
            self.lifecycle.replace(lifecycle::watch(&me));
        }
        self.feed(input);
    }

    /// Takes one input, and performs what core makes of it.
    pub(super) fn feed(&self, input: Input<'_>) {
        if self.closed.get() {
            return;
        }
        let now = self.clock.now();
        self.core.borrow_mut().handle(now, input);
        self.run();
    }

    /// Ends everything, for good.
    pub(super) fn close(&self) {
        if self.closed.replace(true) {
            return;
        }
        self.core.borrow_mut().handle(self.clock.now(), Input::Stop);
        self.subscribers.borrow_mut().clear();
        for slot in [&self.on_status, &self.on_resync] {
            slot.take();
        }
        self.stream.take();
        self.timer.take();
        self.lifecycle.take();
        let question = self.question.take();
        drop(question); // aborts: the provider's code may run here, and finds us closed
    }

    pub(super) fn subscribe(&self, patterns: Vec<Pattern>, call: Function) -> Subscriber {
        let subscriber = self.core.borrow_mut().subscribe(patterns);
        self.subscribers.borrow_mut().push((subscriber, call));
        self.listen();
        subscriber
    }

    pub(super) fn unsubscribe(&self, subscriber: Subscriber) -> bool {
        self.subscribers.borrow_mut().retain(|(known, _)| *known != subscriber);
        self.core.borrow_mut().unsubscribe(subscriber)
    }

    pub(super) fn set_on_status(&self, call: Option<Function>) {
        *self.on_status.borrow_mut() = call;
    }

    pub(super) fn set_on_resync(&self, call: Option<Function>) {
        *self.on_resync.borrow_mut() = call;
    }

    pub(super) fn snapshot(&self) -> JsValue {
        snapshot::to_js(&self.core.borrow(), self.clock.now(), &self.cause.borrow())
    }

    /// The token provider answered: its signal is not to be aborted any more. What it threw is kept as the cause of what follows.
    pub(super) fn answered(&self, ticket: Ticket, cause: JsValue) {
        let question = self.question.borrow_mut().take_if(|question| question.ticket() == ticket);
        if let Some(question) = question {
            question.settle();
            *self.cause.borrow_mut() = cause;
        }
    }

    fn run(&self) {
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

    fn perform(&self, action: Action) {
        match action {
            Action::Ask(ticket, reason) => {
                if let (Some(me), Some(provider)) = (self.me.upgrade(), &self.options.token) {
                    let question = token::ask(&me, provider, ticket, reason);
                    if !self.closed.get() {
                        *self.question.borrow_mut() = Some(question);
                    }
                }
            }
            Action::Forget(ticket) => {
                let forgotten = self.question.borrow_mut().take_if(|question| question.ticket() == ticket);
                drop(forgotten); // aborts, outside the borrow
                *self.cause.borrow_mut() = JsValue::UNDEFINED;
            }
            Action::Open(ticket, token, cursor) => {
                let Some(me) = self.me.upgrade() else { return };
                let opened = Stream::open(&me, ticket, token.as_ref(), &cursor);
                match opened {
                    Ok(stream) => {
                        *self.stream.borrow_mut() = Some(stream);
                        self.listen();
                    }
                    Err(thrown) => {
                        *self.cause.borrow_mut() = thrown;
                        self.core.borrow_mut().handle(self.clock.now(), Input::Lost(ticket, Loss::Unusable));
                    }
                }
            }
            Action::Close(ticket) => {
                self.stream.borrow_mut().take_if(|stream| stream.ticket() == ticket);
            }
            Action::Call(update, to) => self.call(&update, &to),
            Action::Resync(resync) => self.resync(&resync),
            Action::Status(_) => {
                let call = self.on_status.borrow().clone();
                notify(call.as_ref(), || self.snapshot());
            }
            Action::Sleep(_) => {}
        }
    }

    fn call(&self, update: &Update, to: &[Subscriber]) {
        let object = update::to_js(update);
        for subscriber in to {
            if self.closed.get() {
                return;
            }
            let known = |(known, call): &(Subscriber, Function)| (known == subscriber).then(|| call.clone());
            let call = self.subscribers.borrow().iter().find_map(known);
            notify(call.as_ref(), || object.clone().into());
        }
    }

    fn resync(&self, resync: &Resync) {
        let call = self.on_resync.borrow().clone();
        notify(call.as_ref(), || {
            let object = Object::new();
            let types: JsValue = if resync.types.is_empty() {
                JsValue::NULL
            } else {
                resync.types.iter().map(|kind| JsValue::from_str(kind)).collect::<Array>().into()
            };
            let _ = Reflect::set(&object, &JsValue::from_str("gap"), &JsValue::from_str(Gap::as_str(resync.gap)));
            let _ = Reflect::set(&object, &JsValue::from_str("types"), &types);
            object.into()
        });
    }

    /// Types that are asked for by name are listened to by name: a server that does not know us does not fold.
    fn listen(&self) {
        if let Some(stream) = self.stream.borrow_mut().as_mut() {
            let names: Vec<String> = self.core.borrow().names().map(String::from).collect();
            for name in &names {
                stream.listen(name);
            }
        }
    }

    fn sleep(&self, until: Option<Time>) {
        let me = self.me.clone();
        let timer = until.map(|at| {
            Timer::new(at.since(self.clock.now()), move || {
                if let Some(me) = me.upgrade() {
                    me.feed(Input::Tick);
                }
            })
        });
        self.timer.replace(timer);
    }
}

/// Calls a function of the application. What it throws is reported, and breaks nothing else.
fn notify(call: Option<&Function>, argument: impl FnOnce() -> JsValue) {
    let Some(call) = call else { return };
    if let Err(thrown) = call.call1(&JsValue::UNDEFINED, &argument()) {
        report(&thrown);
    }
}
