//! The loop between page and core: feed an input, perform what comes out, set the timer.
//!
//! Rules kept here: core is never borrowed while JavaScript runs; after `close` nothing calls back.

use alloc::{
    rc::{Rc, Weak},
    string::String,
    vec::Vec,
};
use core::cell::{Cell, RefCell};

use js_sys::Function;
use wasm_bindgen::{JsValue, closure::Closure};

use super::{
    bindings::{Notify, Page},
    delivery::Delivery,
    input::{self, word},
    options::Options,
    snapshot, transport,
};
use crate::proto::{
    client::Client,
    registry::{Pattern, Subscriber},
    session::{
        io::{Input, Output},
        token::Token,
    },
    time::Time,
    wire::{Frame, control::Gap},
};

/// Everything a client holds.
#[derive(Debug)]
pub(super) struct Driver {
    page: Page,
    core: RefCell<Client>,
    /// When the page's timer rings.
    alarm: Cell<Option<Time>>,
    /// A caller up the stack is performing: leave the outputs to it, so that they keep their order.
    busy: Cell<bool>,
    closed: Cell<bool>,
    _callbacks: transport::Callbacks,
}

/// Functions of the application that are no subscribers: of a new status, of a gap, of what other
/// tabs are to know. `bindings.js` and `equip.js` have the same numbers, which
/// `tests/vocabulary.rs` compares.
pub(super) const ON_STATUS: i32 = -1;
pub(super) const ON_RESYNC: i32 = -2;
pub(super) const ON_TABS: i32 = -3;

impl Driver {
    pub(super) fn new(options: Options) -> Rc<Self> {
        let mut core = Client::new(options.config, u64::from(options.coalesce), u64::from(options.seed));
        if !options.user.is_empty() {
            core.handle(Time::default(), Input::User(Some(options.user)));
        }
        core.set_cursor(&options.last_event_id, &options.cursor_user);
        Rc::new_cyclic(|weak: &Weak<Self>| {
            let page = Page::new(&options.given);
            let me = weak.clone();
            let notify: Notify = Closure::new(move |word, ticket, number, wait, text: String| {
                if let Some(me) = me.upgrade() {
                    me.feed(input::input(word, ticket, number, wait, &text));
                }
            });
            let callbacks = transport::Callbacks::new(&page, notify, weak.clone());
            Self {
                page,
                core: RefCell::new(core),
                alarm: Cell::default(),
                busy: Cell::default(),
                closed: Cell::default(),
                _callbacks: callbacks,
            }
        })
    }

    /// Connects by this word, and listens to the page from the first time on.
    pub(super) fn start(&self, word: u32) {
        if !self.closed.get() {
            self.page.watch();
            self.request(word, "");
        }
    }

    /// Passes to core what the application asks for.
    pub(super) fn request(&self, word: u32, text: &str) {
        self.page.notify(word, 0, f64::from(input::pause::APPLICATION), 0.0, text);
    }

    /// Passes to core what the stream of another tab sent. The first of it opens the stream.
    pub(super) fn receive_relayed(&self, ticket: u32, frame: &str) {
        self.page.notify(word::OPENED, ticket, 0.0, 0.0, "");
        self.page.notify(word::FRAME, ticket, 0.0, 0.0, frame);
    }

    /// Takes one input, and performs what core makes of it.
    pub(super) fn feed(&self, input: Input) {
        if !self.closed.get() {
            if matches!(input, Input::Tick) {
                self.alarm.set(None);
            }
            self.change(|core, now| core.handle(now, input));
            self.run();
        }
    }

    /// Changes core at the current time. [`run`](Self::run) performs what core makes of it.
    pub(super) fn change(&self, change: impl FnOnce(&mut Client, Time)) {
        let now = self.now();
        change(&mut self.core.borrow_mut(), now);
    }

    /// Ends everything, for good.
    pub(super) fn close(&self) {
        if !self.closed.replace(true) {
            self.change(|core, now| core.handle(now, Input::Stop));
            self.page.close();
        }
    }

    /// `types` are the patterns as the page keeps them.
    pub(super) fn subscribe(&self, patterns: Vec<Pattern>, types: &str, call: Function) -> u32 {
        let Subscriber(number) = self.core.borrow_mut().subscribe(patterns);
        self.page.register(number as i32, Some(call), types);
        number
    }

    pub(super) fn unsubscribe(&self, subscriber: Subscriber) -> bool {
        self.keep(subscriber.0 as i32, None);
        self.core.borrow_mut().unsubscribe(subscriber)
    }

    /// Keeps a function of the application, or forgets it.
    pub(super) fn keep(&self, number: i32, call: Option<Function>) {
        self.page.register(number, call, "");
    }

    pub(super) fn snapshot(&self) -> JsValue {
        snapshot::to_js(&self.core.borrow(), self.now(), &self.page)
    }

    pub(super) fn page_object(&self) -> JsValue {
        self.page.clone().into()
    }

    pub(super) fn inspect(&self) -> JsValue {
        let core = self.core.borrow();
        let counters = core.session().counters();
        for count in counters.connects.iter().chain(&counters.gaps) {
            self.page.count(*count);
        }
        self.page.inspect(&core.session().trace())
    }

    fn now(&self) -> Time {
        Time(self.page.now() as u64)
    }

    /// Performs what core decided, until it has nothing more to do.
    pub(super) fn run(&self) {
        if self.busy.replace(true) {
            return;
        }
        let mut delivery = Delivery::default();
        loop {
            let output = self.core.borrow_mut().poll();
            if let Output::Update(update) = output {
                if delivery.push(update) {
                    delivery.deliver(&self.page, &self.core);
                }
                continue;
            }
            let called = delivery.deliver(&self.page, &self.core);
            if self.closed.get() {
                break;
            }
            if let Output::Sleep(until) = output {
                if called {
                    continue; // who was called may have given more to do
                }
                self.sleep(until);
                break;
            }
            self.perform(output);
        }
        self.busy.set(false);
    }

    fn perform(&self, output: Output) {
        let page = &self.page;
        match output {
            Output::FetchToken { ticket, reason } => page.fetch_token(ticket.0, reason.as_str()),
            Output::Open { ticket, token, cursor } => {
                let token = token.as_ref().map_or("", Token::reveal);
                transport::open(page, ticket.0, &cursor, token);
            }
            Output::CancelToken(ticket) | Output::Close(ticket) => page.end(ticket.0),
            Output::Follow { ticket, cursor } => {
                let user = String::from(self.core.borrow().session().user());
                page.follow(ticket.0, &cursor, &user);
            }
            Output::Probe(ticket) => page.probe(ticket.0),
            Output::Relay(Frame { event, id, data }) => page.relay(&event, &id, &data),
            Output::Resync(resync) => page.resync(Gap::as_str(resync.gap), &resync.types.join("\n")),
            Output::Status(_) | Output::UserChanged => page.call(ON_STATUS, &self.snapshot()),
            Output::Update(_) | Output::Sleep(_) => {}
        }
    }

    fn sleep(&self, until: Option<Time>) {
        // One that rings earlier does no harm: core looks again then. With every chunk of a busy
        // stream the silence begins anew.
        if until.is_some() && self.alarm.get().is_some_and(|alarm| until.is_some_and(|at| alarm <= at)) {
            return;
        }
        self.alarm.set(until);
        self.page.sleep(until.map_or(-1.0, |at| at.since(self.now()) as f64));
    }
}
