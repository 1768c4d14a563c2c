//! An event listener that is gone when it is dropped.

use wasm_bindgen::{JsCast, JsValue};
use web_sys::EventTarget;

use super::js::{self, Callback};

/// One function that listens to several events of one target.
#[derive(Debug)]
pub(super) struct Listener {
    target: EventTarget,
    names: &'static [&'static str],
    call: Callback,
}

impl Listener {
    /// Listens to these events; `None` if the target gives out none.
    pub(super) fn new(
        target: JsValue,
        names: &'static [&'static str],
        call: impl Fn(JsValue) + 'static,
    ) -> Option<Self> {
        // Not `instanceof`: an object of another realm is a good target too.
        js::get(&target, "addEventListener").is_function().then(|| {
            let listener = Self { target: target.unchecked_into(), names, call: js::callback(call) };
            for name in names {
                listener.listen(name);
            }
            listener
        })
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
