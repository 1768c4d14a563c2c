//! An event listener that is gone when it is dropped.

use wasm_bindgen::{JsCast, JsValue};
use web_sys::EventTarget;

use super::js::Callback;

/// One function that listens to several events of one target.
#[derive(Debug)]
pub(super) struct Listener {
    target: EventTarget,
    names: &'static [&'static str],
    call: Callback,
}

impl Listener {
    pub(super) fn new(target: EventTarget, names: &'static [&'static str], call: impl Fn(JsValue) + 'static) -> Self {
        let listener = Self { target, names, call: Callback::new(call) };
        for name in names {
            listener.listen(name);
        }
        listener
    }

    /// Listens to one more event, for as long as the target lives: of a target that outlives us, all names are known beforehand.
    /// Doing it twice is no harm: a target keeps a function once (DOM, "add an event listener").
    pub(super) fn listen(&self, name: &str) {
        // The only error is a missing target, and we hold it.
        let _ = self.target.add_event_listener_with_callback(name, self.call.as_ref().unchecked_ref());
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        for name in self.names {
            let _ = self.target.remove_event_listener_with_callback(name, self.call.as_ref().unchecked_ref());
        }
    }
}
