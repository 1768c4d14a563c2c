//! Where spans of requests go.

use axum::http::Uri;

use super::{ConfigError, wrong};
use tinysse_hub::values::Secret;

/// The address of a collector, whole: `http://127.0.0.1:4318/v1/traces`. It may hold a password.
///
/// # Errors
/// [`ConfigError::Setting`]; the address is not repeated.
pub(super) fn otlp(place: Option<Secret>) -> Result<Option<Secret>, ConfigError> {
    let Some(place) = place else { return Ok(None) };
    if !cfg!(feature = "otlp") {
        return wrong("--otlp: build the server with `--features otlp`");
    }
    let uri = place.expose().parse::<Uri>().ok().filter(|uri| uri.authority().is_some());
    match uri.as_ref().and_then(Uri::scheme_str) {
        Some("http") => Ok(Some(place)),
        Some("https") if cfg!(feature = "https") => Ok(Some(place)),
        Some("https") => wrong("--otlp: build the server with `--features https` for https"),
        Some(_) | None => wrong("--otlp: not an address like http://127.0.0.1:4318/v1/traces"),
    }
}
