//! The client's state as a plain object, made anew at each call.

use wasm_bindgen::JsValue;

use super::page::Page;
use crate::proto::{client::Client, time::Time};

/// What `snapshot()` tells; `error` joins it in JavaScript, since an `Error` is no plain data.
#[cfg_attr(feature = "std", derive(serde::Serialize), serde(rename_all = "camelCase"))]
struct Snapshot<'a> {
    status: &'static str,
    client_id: Option<&'a str>,
    last_event_id: &'a str,
    attempt: u32,
    retry_at: Option<f64>,
    connects: u32,
    events: u32,
    duplicates: u32,
    resyncs: u32,
    bytes: f64,
    coalesced: u32,
    user: Option<&'a str>,
}

pub(super) fn to_js(client: &Client, now: Time, page: &Page) -> JsValue {
    let session = client.session();
    let (status, counters) = (session.status(), session.counters());
    let snapshot = Snapshot {
        status: status.phase.as_str(),
        client_id: session.client_id(),
        last_event_id: session.cursor(),
        attempt: session.attempt(),
        retry_at: session.retry_at().map(|at| at.since(now) as f64),
        connects: counters.connects.iter().sum(),
        events: counters.updates,
        duplicates: counters.duplicates,
        resyncs: counters.resyncs(),
        bytes: counters.bytes as f64,
        coalesced: client.coalesced(),
        user: Some(session.user()).filter(|user| !user.is_empty()),
    };
    let object = snapshot.into_object();
    match status.error {
        Some(error) => {
            let status = error.status.map_or(0, u32::from);
            page.fail(&object, error.code().as_str(), error.message(), status, error.retryable);
        }
        None => page.fail(&object, "", "", 0, false),
    }
    object
}

#[cfg(feature = "std")]
impl Snapshot<'_> {
    fn into_object(self) -> JsValue {
        use serde::Serialize as _;
        let nulls = serde_wasm_bindgen::Serializer::new().serialize_missing_as_null(true);
        self.serialize(&nulls).unwrap_or(JsValue::NULL)
    }
}

/// What serde does for the other build.
#[cfg(not(feature = "std"))]
impl Snapshot<'_> {
    fn into_object(self) -> JsValue {
        super::page::snapshot(
            self.status,
            self.client_id.unwrap_or_default(),
            self.last_event_id,
            self.attempt,
            self.retry_at.unwrap_or(-1.0),
            self.connects,
            self.events,
            self.duplicates,
            self.resyncs,
            self.bytes,
            self.coalesced,
            self.user.unwrap_or_default(),
        )
    }
}
