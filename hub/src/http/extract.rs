//! Proofs as arguments of handlers: a handler that takes one is not reached without it.

use std::sync::Arc;

use axum::{
    extract::{FromRef, FromRequestParts},
    http::request::Parts,
};

use crate::{
    auth::{Auth, jwt::Claims},
    error::Problem,
};

/// The user's own session.
#[derive(Clone, Debug)]
pub struct AppSession(pub Claims);

impl<S: Send + Sync> FromRequestParts<S> for AppSession
where
    Arc<Auth>: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let auth = Arc::<Auth>::from_ref(state);
        auth.session(&parts.headers).await.map(Self)
    }
}

/// The request comes from a service that knows the publish key.
#[derive(Clone, Copy, Debug)]
pub struct Service;

impl<S: Send + Sync> FromRequestParts<S> for Service
where
    Arc<Auth>: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let auth = Arc::<Auth>::from_ref(state);
        auth.service(&parts.headers).map(|()| Self)
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

impl<S: Send + Sync> FromRequestParts<S> for Reader
where
    Arc<Auth>: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let auth = Arc::<Auth>::from_ref(state);
        if auth.service(&parts.headers).is_ok() {
            return Ok(Self::Service);
        }
        auth.session(&parts.headers).await.map(|claims| Self::User(Box::new(claims)))
    }
}

/// The request comes from the operator: it shows the admin key.
#[derive(Clone, Copy, Debug)]
pub struct Admin;

impl<S: Send + Sync> FromRequestParts<S> for Admin
where
    Arc<Auth>: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let auth = Arc::<Auth>::from_ref(state);
        auth.admin(&parts.headers).map(|()| Self)
    }
}
