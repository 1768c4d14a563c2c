//! The wasm that the npm package ships. What it exports, its allocator and its panic handler are in
//! `src/web` of tinysse.
#![cfg_attr(target_arch = "wasm32", no_std)]

#[cfg(target_arch = "wasm32")]
pub use tinysse::web::JsClient;
