//! The shell in a real browser, against a real server (`tests/web/server.mjs`, which the test
//! script starts).
//!
//! One file of tests is one start of a browser, so everything that needs one hangs below this file.
//! The tests run one after another; each has its own run on the server, and none waits for a time:
//! they wait until something is so, and give up after many looks.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "web/close.rs"]
mod close;
#[path = "web/failures.rs"]
mod failures;
#[path = "web/foreign.rs"]
mod foreign;
// The API for frontends in Rust is of the std build.
#[cfg(feature = "std")]
#[path = "web/frontend.rs"]
mod frontend;
#[cfg(feature = "std")]
#[path = "web/frontend_streams.rs"]
mod frontend_streams;
#[cfg(feature = "std")]
#[path = "web/frontend_tokens.rs"]
mod frontend_tokens;
#[cfg(feature = "std")]
#[path = "web/frontend_users.rs"]
mod frontend_users;
#[path = "web/heap.rs"]
mod heap;
#[path = "web/leaks.rs"]
mod leaks;
#[path = "web/lifecycle.rs"]
mod lifecycle;
#[path = "web/options.rs"]
mod options;
#[path = "web/page.rs"]
mod page;
#[path = "web/replay.rs"]
mod replay;
#[path = "web/stream.rs"]
mod stream;
#[path = "web/subscribe.rs"]
mod subscribe;
#[path = "web/support.rs"]
mod support;
#[path = "web/tokens.rs"]
mod tokens;
#[path = "web/users.rs"]
mod users;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
