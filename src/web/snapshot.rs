//! The client's state as a plain object, made anew at each call.

use wasm_bindgen::JsValue;

use super::bindings::{self, Page};
use crate::proto::{client::Client, time::Time};

/// Returns what `snapshot()` returns. JavaScript adds `error`, since an `Error` is no plain data.
pub(super) fn to_js(client: &Client, now: Time, page: &Page) -> JsValue {
    let session = client.session();
    let (status, counters) = (session.status(), session.counters());
    let object = bindings::snapshot(
        status.phase.as_str(),
        session.client_id().unwrap_or_default(),
        session.cursor(),
        session.attempt(),
        session.retry_at().map_or(-1.0, |at| at.since(now) as f64),
        counters.connects.iter().sum(),
        counters.updates,
        counters.duplicates,
        counters.resyncs(),
        counters.bytes as f64,
        client.coalesced(),
        session.user(),
    );
    match status.error {
        Some(error) => {
            let status = error.status.map_or(0, u32::from);
            page.add_error(&object, error.kind().as_str(), error.message(), status, error.retryable);
        }
        None => page.add_error(&object, "", "", 0, false),
    }
    object
}
