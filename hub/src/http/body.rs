//! Bodies of requests: JSON or a problem that explains why not.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header},
};
use serde::de::DeserializeOwned;

use crate::{bom::without_bom, error::Problem};

/// A JSON body, as an argument of a handler.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = JsonBytes::from_request(request, state).await?.0;
        parse(&bytes).map(Self)
    }
}

/// The bytes of a body whose content type is JSON.
#[derive(Clone, Debug)]
pub(super) struct JsonBytes(pub(super) Bytes);

impl<S: Send + Sync> FromRequest<S> for JsonBytes {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        // Also a guard: a foreign page can't send this type without asking (CORS preflight).
        if !is_json(request.headers()) {
            let detail = "send content-type: application/json";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail));
        }
        Bytes::from_request(request, state).await.map(Self).map_err(|error| too_large_or_cut(&error))
    }
}

/// Reads JSON, behind a byte order mark if there is one.
///
/// # Errors
/// 400 `bad_json`, with place and reason.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(without_bom(bytes)).map_err(|error| Problem::bad_request("bad_json", error.to_string()))
}

/// A short text that people see: trimmed, not empty, not long, no control characters.
///
/// # Errors
/// 422 `bad_name`.
pub fn name(text: &str) -> Result<String, Problem> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > 80 || text.chars().any(char::is_control) {
        return Err(Problem::unprocessable(
            "bad_name",
            "a name has 1 to 80 characters, none of them a control character",
        ));
    }
    Ok(text.to_owned())
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

fn too_large_or_cut(error: &BytesRejection) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "a body may have 1 MiB")
    } else {
        Problem::bad_request("bad_body", "the body ended early")
    }
}
