//! The listener: accepts connections, speaks HTTP/1.1, HTTP/2 and TLS over them, drains and ends.

mod drain;
mod end;
mod fast_path;
#[cfg(feature = "tls")]
mod http2;
mod listener;
mod settings;
#[cfg_attr(not(feature = "tls"), path = "no_tls.rs")]
mod tls;
mod unread;

use std::{sync::Arc, time::Duration};

use axum::Router;

pub(crate) use drain::drain;
pub(crate) use end::end;
pub(crate) use fast_path::FastPath;
pub use listener::bind;
pub(crate) use listener::carry;
pub use settings::{Settings, TlsFiles};
pub use tls::{Tls, TlsError};

use crate::http::Services;

/// What connections are served with.
#[derive(Debug)]
pub(crate) struct Serving {
    pub(crate) settings: Settings,
    /// How long a connection may take no bytes.
    pub(crate) stall_timeout: Duration,
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) services: Services,
    pub(crate) router: Router,
    /// Answers what it can before the routes are asked; `None` for routes of others, which may have
    /// layers that see every request.
    pub(crate) fast_path: Option<FastPath>,
}
