//! The wasm beneath `tinysse/eventsource`: bytes in, marks out, through raw exports. `js/eventsource/parser.ts` is the other side.
#![cfg_attr(target_arch = "wasm32", no_std)]

#[cfg(target_arch = "wasm32")]
extern crate alloc;

#[cfg(target_arch = "wasm32")]
mod border;
#[cfg(target_arch = "wasm32")]
mod heap;
// The parser of the crate tinysse, compiled alone. What this wasm does not call is not in it.
#[cfg(target_arch = "wasm32")]
#[path = "../../src/proto/wire/found.rs"]
#[allow(dead_code, unreachable_pub)]
mod found;
#[cfg(target_arch = "wasm32")]
#[path = "../../src/proto/wire/lines.rs"]
mod lines;
#[cfg(target_arch = "wasm32")]
#[path = "../../src/proto/wire/scan.rs"]
#[allow(dead_code, unreachable_pub)]
mod scan;
