//! The server over real sockets: in this process where that suffices, as a child process where signals and logs matter.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod algorithms;
mod api;
mod attacks;
mod auth;
mod backup;
mod cluster;
mod crud;
mod dev;
mod embed;
mod engines;
mod faults;
mod flood;
mod fuzz;
mod lane;
mod lifecycle;
mod nodes;
mod partition;
mod policies;
mod pressure;
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
