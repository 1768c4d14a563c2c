//! One update, and its data as a type of the application's.

use std::{error, fmt, string::String, time::Duration};

use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;

use super::{error::Cause, js};

/// Something changed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Update<T> {
    /// The type: `projects`, `compute.progress`.
    pub kind: String,
    /// What the server sent with it.
    pub data: T,
    /// Which one of its type, if the server sent it.
    pub key: Option<String>,
    /// Who caused it, if the server sent it: what a page sends as `X-Tinysse-Origin` comes back
    /// here.
    pub origin: Option<String>,
    /// The id in the log; empty from servers that give none.
    pub id: String,
    /// When it happened, in milliseconds since 1970 by the server's clock, if the server sent it.
    pub at: Option<u64>,
    /// The hub asks its clients to wait, each for a random part of this time, before they fetch.
    pub spread: Option<Duration>,
    /// True if it happened before this stream was opened.
    pub replayed: bool,
}

impl Update<JsValue> {
    pub(super) fn read(update: &JsValue) -> Self {
        Self {
            kind: js::text(update, "type").unwrap_or_default(),
            data: js::field(update, "data"),
            key: js::text(update, "key"),
            origin: js::text(update, "origin"),
            id: js::text(update, "id").unwrap_or_default(),
            at: js::number(update, "at").map(|ms| ms as u64), // saturates
            spread: js::number(update, "spread").map(|ms| Duration::from_millis(ms as u64)),
            replayed: js::field(update, "replayed").is_truthy(),
        }
    }

    /// The same with its data as a `T`.
    pub(super) fn decode<T: DeserializeOwned>(self) -> Result<Update<T>, DataError> {
        let read = serde_path_to_error::deserialize(serde_wasm_bindgen::Deserializer::from(self.data));
        let data = read.map_err(|error: serde_path_to_error::Error<serde_wasm_bindgen::Error>| DataError {
            kind: DataErrorKind::Mismatch,
            update: self.kind.clone(),
            id: self.id.clone(),
            path: std::format!("{}", error.path()),
            cause: Some(Cause::new(error.inner())),
        })?;
        let Self { kind, key, origin, id, at, spread, replayed, data: _ } = self;
        Ok(Update { kind, data, key, origin, id, at, spread, replayed })
    }
}

/// An update that could not be handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataError {
    kind: DataErrorKind,
    update: String,
    id: String,
    path: String,
    cause: Option<Cause>,
}

/// The class of a [`DataError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataErrorKind {
    /// The data does not fit the type that was asked for. The stream goes on with the next update.
    Mismatch,
    /// There were more updates than the queue holds, and [`Queue::fail`](crate::Queue::fail) was
    /// asked for. The stream ends.
    Overflow,
}

impl DataError {
    /// The class.
    #[must_use]
    pub fn kind(&self) -> DataErrorKind {
        self.kind
    }

    /// The type of the update.
    #[must_use]
    pub fn update(&self) -> &str {
        &self.update
    }

    /// The id of the update.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Where in the data it does not fit, as `items[3].name`; `.` is the data as a whole, and an
    /// overflow has no place.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// This update found the queue full.
    pub(super) fn overflow(update: Update<JsValue>) -> Self {
        let Update { kind: update, id, .. } = update;
        Self { kind: DataErrorKind::Overflow, update, id, path: String::new(), cause: None }
    }
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { update, id, path, .. } = self;
        match self.kind {
            DataErrorKind::Mismatch => write!(f, "the data of `{update}` ({id}) is not as expected at `{path}`"),
            DataErrorKind::Overflow => write!(f, "the queue was full when `{update}` ({id}) came"),
        }
    }
}

impl error::Error for DataError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(self.cause.as_ref()?)
    }
}
