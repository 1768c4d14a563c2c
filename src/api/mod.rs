//! The client for frontends in Rust: wasm32 with `std`. It wraps the functions that
//! [`web::JsClient`](crate::web::JsClient) calls in streams and an async closure; nothing about the
//! connection is decided here.

mod builder;
mod channel;
mod client;
mod error;
mod js;
mod patterns;
mod queue;
mod resync;
mod status;
mod token;
mod update;
mod updates;

pub use builder::Builder;
pub use client::SseClient;
pub use error::{Cause, Error};
pub use patterns::Patterns;
pub use queue::Queue;
pub use resync::{Resync, Resyncs};
pub use status::{Snapshot, Status, Statuses};
pub use token::{TokenAnswer, TokenAsk, TokenError, TokenErrorKind};
pub use update::{DataError, DataErrorKind, Update};
pub use updates::Updates;

pub use crate::proto::{
    error::ErrorKind,
    session::io::{Phase, TokenReason},
    wire::control::Gap,
};
