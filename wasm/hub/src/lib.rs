//! The hub for JavaScript runtimes: the pure hub, the streams that are open, and when each has
//! something to do. `js/server/hub/instance.ts` is the other side.
//!
//! Absent here: sockets, clocks, randomness, JSON, tokens. JavaScript passes time and names in and
//! writes what a [`round`](machine::Machine::round) returns.

mod changes;
mod config;
#[cfg(target_arch = "wasm32")]
mod exports;
mod fields;
pub mod machine;
pub mod round;
mod stream;

pub use config::Config;
pub use fields::{Fields, Malformed};
