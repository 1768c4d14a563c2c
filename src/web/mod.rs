//! The shell: wasm32 only. It performs what core decides and tells core what happened; no `if` about the protocol stands here.

mod client;
mod clock;
mod driver;
mod error;
mod js;
mod lifecycle;
mod listener;
#[cfg(feature = "npm")]
mod npm;
mod options;
mod slot;
mod snapshot;
mod timer;
mod token;
mod transport;
mod update;

pub use client::SseClient;

#[cfg(all(feature = "npm", feature = "std"))]
compile_error!("the features `npm` and `std` exclude each other: build with --no-default-features --features npm");
