//! The shell: wasm32 only. It performs what core decides and tells core what happened; no `if` about the protocol stands here.

mod client;
mod driver;
mod hear;
#[cfg(feature = "npm")]
mod npm;
mod options;
mod page;
#[cfg(feature = "fetch")]
mod room;
mod snapshot;
mod timer;
mod together;

pub use client::SseClient;

#[cfg(all(feature = "npm", feature = "std"))]
compile_error!("the features `npm` and `std` exclude each other: build with --no-default-features --features npm");
