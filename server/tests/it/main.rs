//! The server over real sockets: in this process where that suffices, as a child process where
//! signals and logs matter.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod admin;
mod algorithms;
mod api;
mod attacks;
mod auth;
mod backends;
mod backup;
mod bounds;
mod clocks;
mod cluster;
mod crud;
mod cursor;
mod dev;
#[cfg(feature = "tls")]
mod edge;
#[cfg(target_os = "linux")] // a full disk is made by a limit
mod ending;
mod eviction;
mod failover;
mod faults;
mod files;
mod flood;
mod front;
mod fuzz;
#[cfg(all(feature = "tls", target_os = "linux"))] // descriptors are read from /proc
mod h2_limits;
mod identity;
mod layer;
mod lifecycle;
mod metrics;
mod nodes;
mod owed;
mod owed_process;
mod partition;
mod policies;
mod poll_bodies;
mod pressure;
mod publish;
#[cfg(target_os = "linux")] // memory is read from /proc
mod reconnects;
mod redis;
mod rights;
mod rights_cluster;
mod secure;
mod sessions;
#[cfg(unix)]
mod settings;
mod slow;
#[cfg(feature = "otlp")]
mod spans;
mod stream_bytes;
mod streams;
mod support;
mod tls;
mod tokens;
mod worker;
mod worker_http;
