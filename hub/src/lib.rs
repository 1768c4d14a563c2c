//! A hub for Server-Sent Events that report what changed: one ordered log, tokens that expire,
//! replay, routing by audience, pollers.
//!
//! ```
//! # #[cfg(feature = "native")]
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use tinysse_hub::{embed::Hub, settings::Settings, values::Secret};
//!
//! let secret = Secret::from("32 bytes or more, kept to yourself".to_owned());
//! let hub = Hub::start(Settings::in_memory(secret)).unwrap();
//! let routes: axum::Router = hub.router(); // GET /events, to merge with your own routes
//! let mut updates = hub.subscribe();
//! hub.notify("projects").await.unwrap();
//! assert_eq!(updates.recv().await.unwrap().update.kind, "projects");
//! # drop(routes);
//! # });
//! ```
//!
//! [`hub`] decides who gets which update. It is pure, has no dependency but the protocol
//! (`tinysse`), and compiles for every target: `default-features = false` is that module alone.
//!
//! The feature `native` (default) is the rest, from the bottom to the top: [`values`], [`clock`],
//! [`error`] and [`metrics`]; an [`engine`] keeps the log, [`redis`] is the connection that several
//! nodes share; [`auth`] checks sessions and tokens, [`stream`] holds the open streams, [`publish`]
//! is the way into the log, [`poll`] asks other servers, and [`access`] is about the rights of open
//! streams on all nodes; [`http`] has the routes, [`serve`] the listener. [`app`] puts the parts
//! together by their [`settings`], and [`embed`] is the same inside an axum app of your own.

pub mod hub;

#[cfg(feature = "native")]
pub mod access;
#[cfg(feature = "native")]
pub mod app;
#[cfg(feature = "native")]
mod append;
#[cfg(feature = "native")]
pub mod auth;
#[cfg(feature = "native")]
mod bom;
#[cfg(feature = "native")]
pub mod clock;
#[cfg(feature = "native")]
pub mod descriptors;
#[cfg(feature = "native")]
pub mod embed;
#[cfg(feature = "native")]
pub mod engine;
#[cfg(feature = "native")]
pub mod error;
#[cfg(feature = "native")]
mod files;
#[cfg(feature = "native")]
pub mod http;
#[cfg(feature = "native")]
pub mod metrics;
#[cfg(feature = "native")]
pub mod poll;
#[cfg(feature = "native")]
pub mod publish;
#[cfg(feature = "native")]
pub mod redis;
#[cfg(feature = "native")]
pub mod serve;
#[cfg(feature = "native")]
pub mod settings;
#[cfg(feature = "native")]
pub mod stream;
#[cfg(feature = "native")]
pub mod values;
