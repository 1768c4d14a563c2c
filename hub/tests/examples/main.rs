//! The examples over real sockets.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod embed;
mod lines;
mod support;
