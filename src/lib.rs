//! One Server-Sent-Events connection that reports *what changed*; the client refetches exactly
//! that.
#![cfg_attr(all(feature = "std", target_arch = "wasm32"), doc = include_str!("api/guide.md"))]
//!
//! # The core
//!
//! ```
//! use tinysse::proto::{client::Client, registry::Pattern, session::{Config, io::{Input, Output}}, time::Time};
//!
//! // Pure: tell it the time and what happened, then do what it says until it wants to sleep.
//! let mut client = Client::new(Config { provider: false, ..Config::default() }, 0, 7);
//! client.subscribe([Pattern::parse("projects").unwrap()]);
//! client.handle(Time(0), Input::Start);
//! let asked_for_a_stream = core::iter::from_fn(|| match client.poll() {
//!     Output::Sleep(_) => None,
//!     output => Some(output),
//! })
//! .any(|output| matches!(output, Output::Open { .. }));
//! assert!(asked_for_a_stream);
//! ```
//!
//! * [`proto`] decides: the session machine, the wire, the registry. It compiles for every target,
//!   and the server's hub shares it.
//! * `web` performs, on wasm32 with the feature `web`: the class that JavaScript sees, over the
//!   browser's `EventSource`.
//! * `SseClient` and what belongs to it, on wasm32 with the feature `std`, is the same client for
//!   frontends in Rust.
#![no_std]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

#[cfg(all(feature = "std", target_arch = "wasm32"))]
mod api;
pub mod proto;
#[cfg(all(feature = "web", target_arch = "wasm32"))]
pub mod web;

#[cfg(all(feature = "std", target_arch = "wasm32"))]
pub use api::{
    Builder, Cause, DataError, DataErrorKind, Error, ErrorKind, Gap, Patterns, Phase, Queue, Resync, Resyncs, Snapshot,
    SseClient, Status, Statuses, TokenAnswer, TokenAsk, TokenError, TokenErrorKind, TokenReason, Update, Updates,
};
