//! Proofs as arguments of handlers: a handler that takes one is not reached without it.

use std::sync::Arc;

use axum::{extract::FromRequestParts, http::request::Parts};

use super::jwt::Claims;
use crate::{app::App, error::Problem};

/// The user's own session.
#[derive(Clone, Debug)]
pub struct AppSession(pub Claims);

impl FromRequestParts<Arc<App>> for AppSession {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        app.auth.session(&parts.headers).await.map(Self)
    }
}

/// The request comes from a service that knows the publish key.
#[derive(Clone, Copy, Debug)]
pub struct Service;

impl FromRequestParts<Arc<App>> for Service {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        app.auth.service(&parts.headers).map(|()| Self)
    }
}

/// Who may read: a user, or a service.
#[derive(Clone, Debug)]
pub enum Reader {
    /// By an app session.
    User(Box<Claims>),
    /// By the publish key.
    Service,
}

impl FromRequestParts<Arc<App>> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        if app.auth.service(&parts.headers).is_ok() {
            return Ok(Self::Service);
        }
        app.auth.session(&parts.headers).await.map(|claims| Self::User(Box::new(claims)))
    }
}

/// The request comes from whoever runs the server: it shows the admin key.
#[derive(Clone, Copy, Debug)]
pub struct Admin;

impl FromRequestParts<Arc<App>> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        app.auth.admin(&parts.headers).map(|()| Self)
    }
}
