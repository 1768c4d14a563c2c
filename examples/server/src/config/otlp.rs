//! Where spans of requests go.

use axum::http::Uri;

use super::{ConfigError, wrong};

/// The address of a collector, whole: `http://127.0.0.1:4318/v1/traces`.
///
/// # Errors
/// [`ConfigError::Setting`]; the address is not repeated, since it may hold a password.
pub(super) fn otlp(text: Option<&str>) -> Result<Option<Uri>, ConfigError> {
    let Some(text) = text else { return Ok(None) };
    if !cfg!(feature = "otlp") {
        return wrong("--otlp: build the server with `--features otlp`");
    }
    let place = text.parse::<Uri>().ok().filter(|uri| uri.authority().is_some());
    match place.as_ref().and_then(Uri::scheme_str) {
        Some("http") => Ok(place),
        Some("https") if cfg!(feature = "https") => Ok(place),
        Some("https") => wrong("--otlp: build the server with `--features https` for https"),
        Some(_) | None => wrong("--otlp: not an address like http://127.0.0.1:4318/v1/traces"),
    }
}
