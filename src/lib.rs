//! One Server-Sent-Events connection that says *what changed*; the client refetches exactly that.
//!
//! ```
//! use tinysse::core::{client::{Action, Client}, registry::Pattern, session::{Config, io::Input}, time::Time};
//!
//! // The pure core: tell it the time and what happened, then do what it says until it wants to sleep.
//! let mut client = Client::new(Config { provider: false, ..Config::default() }, 0, 7);
//! client.subscribe([Pattern::parse("projects").unwrap()]);
//! client.handle(Time(0), Input::Start);
//! let asked_for_a_stream = core::iter::from_fn(|| match client.poll() {
//!     Action::Sleep(_) => None,
//!     action => Some(action),
//! })
//! .any(|action| matches!(action, Action::Open(..)));
//! assert!(asked_for_a_stream);
//! ```
//!
//! * [`core`] decides: the session machine, the wire, the registry. It compiles for every target, and the server's hub shares it.
//! * `web` performs, on wasm32 only: `SseClient` over the browser's `EventSource`.
#![no_std]

extern crate alloc;
// The shipped wasm brings its own panic handler; everything else has std's.
#[cfg(not(all(feature = "npm", target_arch = "wasm32")))]
extern crate std;

pub mod core;
#[cfg(target_arch = "wasm32")]
mod web;

#[cfg(target_arch = "wasm32")]
pub use web::SseClient;
