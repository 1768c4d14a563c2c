//! What the page and the network do: online/offline, looked at or not, put away and brought back.

use alloc::rc::Rc;

use wasm_bindgen::JsValue;

use super::{driver::Driver, js, listener::Listener};
use crate::core::session::io::{Input, Pause};

const WINDOW_EVENTS: [&str; 4] = ["online", "offline", "pagehide", "pageshow"];
const DOCUMENT_EVENTS: [&str; 3] = ["visibilitychange", "freeze", "resume"];

/// Listens for as long as it is held. Outside a window (workers) there is no document, and only the network is heard.
pub(super) fn watch(driver: &Rc<Driver>) -> [Option<Listener>; 2] {
    let global = js::global();
    if js::get(&js::get(&global, "navigator"), "onLine").as_bool() == Some(false) {
        driver.feed(Input::Pause(Pause::Offline));
    }
    let document = js::get(&global, "document");
    look(driver, &document);
    [listen(driver, global, &WINDOW_EVENTS), listen(driver, document, &DOCUMENT_EVENTS)]
}

fn listen(driver: &Rc<Driver>, target: JsValue, names: &'static [&'static str]) -> Option<Listener> {
    let driver = Rc::downgrade(driver);
    Listener::new(target, names, move |event| {
        if let Some(driver) = driver.upgrade() {
            hear(&driver, &event);
        }
    })
}

fn hear(driver: &Rc<Driver>, event: &JsValue) {
    match js::get_text(event, "type").unwrap_or_default().as_str() {
        "online" => driver.feed(Input::Resume(Pause::Offline)),
        "offline" => driver.feed(Input::Pause(Pause::Offline)),
        // An open connection would keep the page out of the back/forward cache.
        "pagehide" | "freeze" => driver.feed(Input::Pause(Pause::Page)),
        "pageshow" | "resume" => driver.feed(Input::Resume(Pause::Page)),
        "visibilitychange" => {
            let document = js::get(event, "target");
            look(driver, &document);
            if !hidden(&document) {
                driver.feed(Input::Wake);
            }
        }
        _ => {}
    }
}

/// For applications that want no connection in a hidden tab.
fn look(driver: &Rc<Driver>, document: &JsValue) {
    if driver.options().pause_when_hidden {
        let input = if hidden(document) { Input::Pause } else { Input::Resume };
        driver.feed(input(Pause::Hidden));
    }
}

fn hidden(document: &JsValue) -> bool {
    js::get_text(document, "visibilityState").as_deref() == Some("hidden")
}
