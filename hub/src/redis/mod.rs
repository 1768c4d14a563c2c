//! The connection to Redis that a node's log, leases, revocations and used tokens share.
//!
//! `link.rs` makes calls over it, `script.rs` makes what is called, `place.rs` names where Redis
//! is, and `failure.rs` what an error means. What opens and replaces the connection looks at the
//! log too, so it belongs to the engine.

mod failure;
mod link;
mod place;
mod script;

use std::time::Duration;

pub(crate) use failure::{Failure, Verdict, words};
pub use link::Link;
pub(crate) use link::{Numbered, Status};
pub use place::Place;
#[cfg(test)]
pub(crate) use script::fence;
pub(crate) use script::script;

/// How long an answer of Redis may take, and how long an update waits for the tail.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// Redis does not answer, or what it holds can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("--redis: {0}")]
pub struct Unreachable(pub String);
