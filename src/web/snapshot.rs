//! The client's state as a plain object, made anew at each call.

use alloc::string::String;

use js_sys::Array;
use wasm_bindgen::JsValue;

use super::{error, js};
use crate::core::{client::Client, session::Session, time::Time};

/// What `snapshot()` tells; `error` joins it in JavaScript, since an `Error` is no plain data.
#[cfg_attr(feature = "std", derive(serde::Serialize), serde(rename_all = "camelCase"))]
struct Snapshot {
    status: &'static str,
    client_id: Option<String>,
    last_event_id: String,
    attempt: u32,
    retry_at: Option<f64>,
    connects: u32,
    events: u32,
    duplicates: u32,
    resyncs: u32,
    bytes: f64,
    coalesced: u32,
}

pub(super) fn to_js(client: &Client, now: Time, cause: Option<JsValue>) -> JsValue {
    let session = client.session();
    let (status, counters) = (session.status(), session.counters());
    let snapshot = Snapshot {
        status: status.phase.as_str(),
        client_id: session.client_id().map(String::from),
        last_event_id: session.cursor().into(),
        attempt: session.attempt(),
        retry_at: session.retry_at().map(|at| at.since(now) as f64),
        connects: counters.connects.iter().sum(),
        events: counters.updates,
        duplicates: counters.duplicates,
        resyncs: counters.resyncs(),
        bytes: counters.bytes as f64,
        coalesced: client.coalesced(),
    };
    let object = snapshot.into_object();
    let error = status.error.map_or(JsValue::NULL, |error| error::to_js(error, cause));
    js::set(&object, "error", error);
    object
}

/// What `inspect()` tells.
pub(super) fn inspect(session: &Session) -> JsValue {
    let object = js::object();
    let counters = session.counters();
    for (name, counts) in [("connects", counters.connects.as_slice()), ("gaps", &counters.gaps)] {
        let list = Array::new();
        for count in counts {
            list.push(&JsValue::from(*count));
        }
        js::set(&object, name, list.into());
    }
    let lines = Array::new();
    for line in session.trace() {
        lines.push(&JsValue::from_str(line));
    }
    js::set(&object, "transitions", lines.into());
    object
}

impl Snapshot {
    #[cfg(feature = "std")]
    fn into_object(self) -> JsValue {
        use serde::Serialize as _;
        let nulls = serde_wasm_bindgen::Serializer::new().serialize_missing_as_null(true);
        self.serialize(&nulls).unwrap_or(JsValue::NULL)
    }

    #[cfg(not(feature = "std"))]
    fn into_object(self) -> JsValue {
        let object = js::object();
        let set = |name: &str, value: JsValue| js::set(&object, name, value);
        set("status", self.status.into());
        set("clientId", self.client_id.map_or(JsValue::NULL, JsValue::from));
        set("lastEventId", self.last_event_id.into());
        set("attempt", self.attempt.into());
        set("retryAt", self.retry_at.map_or(JsValue::NULL, JsValue::from));
        set("connects", self.connects.into());
        set("events", self.events.into());
        set("duplicates", self.duplicates.into());
        set("resyncs", self.resyncs.into());
        set("bytes", self.bytes.into());
        set("coalesced", self.coalesced.into());
        object
    }
}
