//! The names both sides must agree on: endpoints, parameters, headers.

use crate::proto::words::words;

/// The stream: `GET /events`.
pub const EVENTS: &str = "/events";
/// Where a short-lived stream token comes from: `POST /auth/sse-token`.
pub const SSE_TOKEN: &str = "/auth/sse-token";
/// Where services publish: `POST /publish`.
pub const PUBLISH: &str = "/publish";
words! {
    /// The query parameters of [`EVENTS`].
    pub enum Parameter {
        /// The stream token (an `EventSource` cannot send headers).
        Token = "token",
        /// The cursor of a new stream; the header [`H_LAST_EVENT_ID`] beats it.
        LastEventId = "lastEventId",
        /// Comma-separated patterns of types the client wants.
        Types = "types",
        /// [`WIRE_NATIVE`] asks for folded updates (see [`wrap`](super::wrap)).
        Wire = "wire",
    }
}

/// Value of [`Parameter::Wire`]: the reader is a native `EventSource`.
pub const WIRE_NATIVE: &str = "native";
/// Header: the cursor of a native retry, set by the browser.
pub const H_LAST_EVENT_ID: &str = "last-event-id";
/// Header on every API answer: the log's head when the answer was made.
pub const H_CURSOR: &str = "tinysse-cursor";
/// Header on the answer to a request for a stream, whose value is the version of the wire: the
/// server speaks tinysse.
pub const H_WIRE: &str = "tinysse-wire";
/// Value of [`H_WIRE`].
pub const WIRE_VERSION: &str = "1";
/// Header on an app's own requests: the tab that makes a change, to recognise its echo.
pub const H_ORIGIN: &str = "x-tinysse-origin";
