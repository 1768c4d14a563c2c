//! The server over real sockets: in this process where that suffices, as a child process where signals and logs matter.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod api;
mod attacks;
mod auth;
mod cluster;
mod crud;
mod dev;
mod faults;
mod flood;
mod lane;
mod lifecycle;
mod nodes;
mod partition;
mod publish;
mod redis;
mod rights;
mod sessions;
mod slow;
mod streams;
mod support;
mod tokens;
mod worker;
mod worker_http;
