//! The wasm beneath `tinysse/eventsource`: bytes in, marks out, through raw exports.
//! `js/eventsource/parser.ts` is the other side.
#![cfg_attr(target_arch = "wasm32", no_std)]

#[cfg(target_arch = "wasm32")]
extern crate alloc;

#[cfg(target_arch = "wasm32")]
mod allocator;
#[cfg(target_arch = "wasm32")]
mod exports;
