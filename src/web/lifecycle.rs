//! What the page and the network do: online/offline, looked at or not, put away and brought back.

use alloc::{rc::Rc, vec::Vec};

use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, Event, EventTarget, VisibilityState};

use super::{driver::Driver, listener::Listener};
use crate::core::session::io::{Input, Pause};

const WINDOW_EVENTS: [&str; 4] = ["online", "offline", "pagehide", "pageshow"];
const DOCUMENT_EVENTS: [&str; 3] = ["visibilitychange", "freeze", "resume"];

/// Listens for as long as it is held. Outside a window (workers) there is no document, and only the network is heard.
pub(super) fn watch(driver: &Rc<Driver>) -> Vec<Listener> {
    let global = js_sys::global();
    let navigator = get(&global, "navigator");
    if get(&navigator, "onLine").as_bool() == Some(false) {
        driver.feed(Input::Pause(Pause::Offline));
    }
    let document = get(&global, "document");
    [(global.into(), &WINDOW_EVENTS[..]), (document, &DOCUMENT_EVENTS[..])]
        .into_iter()
        .filter_map(|(target, names)| {
            // Not `instanceof`: a global of another realm is a good target too.
            get(&target, "addEventListener").is_function().then_some(())?;
            let weak = Rc::downgrade(driver);
            let mut listener = Listener::new(target.unchecked_into::<EventTarget>(), move |event| {
                if let Some(driver) = weak.upgrade() {
                    hear(&driver, &event);
                }
            });
            for name in names {
                listener.listen(name);
            }
            Some(listener)
        })
        .collect()
}

fn hear(driver: &Rc<Driver>, event: &Event) {
    match event.type_().as_str() {
        "online" => driver.feed(Input::Resume(Pause::Offline)),
        "offline" => driver.feed(Input::Pause(Pause::Offline)),
        // An open connection would keep the page out of the back/forward cache.
        "pagehide" | "freeze" => driver.feed(Input::Pause(Pause::Page)),
        "pageshow" | "resume" => driver.feed(Input::Resume(Pause::Page)),
        "visibilitychange" => {
            let document = event.target().and_then(|target| target.dyn_into::<Document>().ok());
            if document.is_some_and(|document| document.visibility_state() == VisibilityState::Visible) {
                driver.feed(Input::Wake);
            }
        }
        _ => {}
    }
}

fn get(object: &JsValue, name: &str) -> JsValue {
    if object.is_undefined() || object.is_null() {
        return JsValue::UNDEFINED;
    }
    Reflect::get(object, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
}
