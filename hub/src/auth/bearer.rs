//! Keys that are shown as a bearer: that of services, and that of the operator.

use axum::http::{HeaderMap, header};
use subtle::ConstantTimeEq;

use super::unauthenticated;
use crate::{error::Problem, values::Secret};

/// The keys that are not bound to a user.
#[derive(Debug)]
pub(super) struct BearerKeys {
    publish: Option<Secret>,
    admin: Option<Secret>,
}

impl BearerKeys {
    pub(super) fn new(publish: Option<Secret>, admin: Option<Secret>) -> Self {
        Self { publish, admin }
    }

    pub(super) fn takes_services(&self) -> bool {
        self.publish.is_some()
    }

    /// Checks the key of services.
    pub(super) fn service(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let shown = bearer(headers).ok_or_else(|| unauthenticated("show the publish key as a bearer"))?;
        let ours = self.publish.as_ref().ok_or_else(|| unauthenticated("the server has no publish key"))?;
        if same(ours, shown) { Ok(()) } else { Err(unauthenticated("this is not the publish key")) }
    }

    /// Checks the key of the operator.
    pub(super) fn admin(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let wrong = |detail: &str| Problem::unauthorized("admin_key_required", detail);
        let shown = bearer(headers).ok_or_else(|| wrong("show the admin key as a bearer"))?;
        let ours = self.admin.as_ref().ok_or_else(|| wrong("the server has no admin key"))?;
        if same(ours, shown) { Ok(()) } else { Err(wrong("this is not the admin key")) }
    }
}

/// Returns the credentials of `Authorization: Bearer`.
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Compares in constant time, so that the time of the answer does not spell the key.
fn same(ours: &Secret, shown: &str) -> bool {
    ours.expose().as_bytes().ct_eq(shown.as_bytes()).into()
}
