//! The server over real sockets: in this process where that suffices, as a child process where signals and logs matter.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod admin;
mod algorithms;
mod api;
mod attacks;
mod auth;
mod backup;
mod cluster;
mod crud;
mod cursor;
mod dev;
mod embed;
mod engines;
mod eviction;
mod failover;
mod faults;
mod flood;
mod front;
mod fuzz;
mod identity;
mod lane;
mod lifecycle;
mod metrics;
mod nodes;
mod partition;
mod policies;
mod pressure;
mod publish;
#[cfg(target_os = "linux")] // memory is read from /proc
mod reconnects;
mod redis;
mod rights;
mod rights_cluster;
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
mod worker_http;
