//! The server over real sockets: in this process where that suffices, as a child process where signals and logs matter.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod auth;
mod crud;
mod dev;
mod faults;
mod lifecycle;
mod nodes;
mod publish;
mod slow;
mod streams;
mod support;
mod worker;
