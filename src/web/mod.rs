//! The browser shell: wasm32 with the feature `web`. It performs what `proto` decides and reports
//! what happened; it decides nothing about the protocol.

#[cfg(feature = "npm")]
mod allocator;
mod bindings;
mod client;
mod delivery;
mod driver;
#[cfg(not(feature = "fetch"))]
mod eventsource;
#[cfg(feature = "fetch")]
mod fetch;
mod input;
mod options;
mod snapshot;

pub use client::JsClient;
// The transports of this build, behind the same two functions.
#[cfg(not(feature = "fetch"))]
use eventsource as transport;
#[cfg(feature = "fetch")]
use fetch as transport;

#[cfg(all(feature = "npm", feature = "std"))]
compile_error!("the features `npm` and `std` exclude each other: build with --no-default-features --features npm");
