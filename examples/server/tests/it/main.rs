//! The server over real sockets: in this process where that suffices, as a child process where signals and logs matter.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod admin;
mod attacks;
mod auth;
mod crud;
mod dev;
mod faults;
mod flood;
mod lane;
mod lifecycle;
mod metrics;
mod nodes;
mod publish;
mod rights;
mod secure;
mod sessions;
mod slow;
#[cfg(feature = "otlp")]
mod spans;
mod streams;
mod support;
mod tls;
mod tokens;
mod worker;
