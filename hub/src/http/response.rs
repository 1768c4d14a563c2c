//! What handlers of an app answer: the data, and what changed. They know nothing of streams;
//! [`Publishing`](super::layer::Publishing), the layer around them, publishes for them.
//!
//! ```
//! use tinysse_hub::{http::response::Response, hub::Update};
//!
//! async fn rename() -> Response<&'static str> {
//!     Response::new("Apollo").broadcast("projects")
//! }
//!
//! async fn pay() -> Response<u32> {
//!     Response::created(7).broadcast(Update { to: vec!["user:ada".parse().unwrap()], ..Update::new("invoices") })
//! }
//! ```
//!
//! A handler with answers of its own names the change beside them:
//!
//! ```
//! use axum::{Extension, response::{Html, IntoResponse}};
//! use tinysse_hub::http::response::Broadcast;
//!
//! async fn rename() -> impl IntoResponse {
//!     (Extension(Broadcast::of("projects")), Html("<p>Apollo"))
//! }
//! ```

use axum::{Json, http::StatusCode, response::IntoResponse};
use serde::{Serialize, Serializer};

use crate::hub::Update;

/// An answer of the app: `{"data":...,"broadcast":["projects"]}`.
#[derive(Clone, Debug, Serialize)]
pub struct Response<T> {
    data: T,
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "kinds")]
    broadcast: Vec<Update>,
    #[serde(skip)]
    status: StatusCode,
}

/// In the extensions of an answer: what to publish if it is a success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broadcast(pub Vec<Update>);

impl Broadcast {
    /// One update.
    #[must_use]
    pub fn of(update: impl Into<Update>) -> Self {
        Self(vec![update.into()])
    }
}

impl<T> Response<T> {
    /// 200 with data, nothing changed.
    pub fn new(data: T) -> Self {
        Self { data, broadcast: Vec::new(), status: StatusCode::OK }
    }

    /// 201.
    pub fn created(data: T) -> Self {
        Self { status: StatusCode::CREATED, ..Self::new(data) }
    }

    /// And something of this type changed; or an [`Update`] with key, audience or data.
    #[must_use]
    pub fn broadcast(mut self, update: impl Into<Update>) -> Self {
        self.broadcast.push(update.into());
        self
    }
}

impl<T: Serialize> IntoResponse for Response<T> {
    fn into_response(self) -> axum::response::Response {
        let broadcast = Broadcast(self.broadcast.clone());
        let mut response = (self.status, Json(self)).into_response();
        if !broadcast.0.is_empty() {
            response.extensions_mut().insert(broadcast);
        }
        response
    }
}

/// Only the types: the answer goes to the client that asked, and an audience must not be disclosed
/// to it.
fn kinds<S: Serializer>(updates: &[Update], into: S) -> Result<S::Ok, S::Error> {
    into.collect_seq(updates.iter().map(|update| &update.kind))
}
