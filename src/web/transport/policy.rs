//! Content security policies: a stream itself never says that one forbids it; the document does.

use alloc::{rc::Rc, string::String};

use super::address::before;
use crate::{
    core::session::io::{Input, Loss, Ticket},
    web::{driver::Driver, js, listener::Listener},
};

/// Listens for a violation of `connect-src` while the stream is on its way (CSP3 §5.3 fires it at the document), which names the
/// address without its fragment, and in some browsers without its query.
pub(super) fn watch(driver: &Rc<Driver>, ticket: Ticket, url: String) -> Option<Listener> {
    let weak = Rc::downgrade(driver);
    Listener::new(js::get(&js::global(), "document"), &["securitypolicyviolation"], move |event| {
        let Some(driver) = weak.upgrade() else { return };
        let is = |name, text: &str| js::get_text(&event, name).is_some_and(|value| before(&value, b'?') == text);
        if is("effectiveDirective", "connect-src") && is("blockedURI", before(&url, b'?')) {
            driver.feed(Input::Lost(ticket, Loss::Forbidden));
        }
    })
}
