//! An event listener that is gone when it is dropped.

use alloc::{string::String, vec::Vec};

use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Event, EventTarget};

/// One function that listens to several events of one target.
#[derive(Debug)]
pub(super) struct Listener {
    target: EventTarget,
    names: Vec<String>,
    call: Closure<dyn Fn(Event)>,
}

impl Listener {
    pub(super) fn new(target: EventTarget, call: impl Fn(Event) + 'static) -> Self {
        Self { target, names: Vec::new(), call: Closure::new(call) }
    }

    /// Listens to one more event. Doing it twice is no harm: a target keeps a function once (DOM, "add an event listener").
    pub(super) fn listen(&mut self, name: &str) {
        if self.names.iter().any(|known| known == name) {
            return;
        }
        // The only error is a missing target, and we hold it.
        let _ = self.target.add_event_listener_with_callback(name, self.call.as_ref().unchecked_ref());
        self.names.push(name.into());
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        for name in &self.names {
            let _ = self.target.remove_event_listener_with_callback(name, self.call.as_ref().unchecked_ref());
        }
    }
}
