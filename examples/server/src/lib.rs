//! The reference hub of tinysse: one ordered log, tokens that expire, replay, routing by audience, pollers.
//!
//! ```
//! use tinysse_server::{app::App, config::Config, serve::bind};
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let config = Config::from_args(["tinysse-server", "--dev", "--memory", "--listen=127.0.0.1:0"]).unwrap();
//! let listener = bind(config.listen).await.unwrap();
//! let app = App::new(config).unwrap();
//! let updates = app.services.updates.clone();
//! let (stop, stopped) = tokio::sync::oneshot::channel::<()>(); // until Ctrl-C, say
//! let server = tokio::spawn(async move { app.serve(listener, async { drop(stopped.await) }).await });
//! updates.notify("projects").await.unwrap(); // whatever changed, wherever in your code
//! drop(stop);
//! server.await.unwrap();
//! # });
//! ```
//!
//! The map: [`hub`] decides and is pure; [`runtime`] performs (sockets, timers, shutdown); [`http`] speaks with clients and services;
//! [`auth`] knows who may; [`worker`] asks other servers; [`update_service`] is the one way in, through an [`engine`] that keeps the log,
//! and [`delivery`] the way from there to the hub. [`embed`] puts all of it
//! into an app of your own.

pub mod access;
pub mod app;
mod append;
pub mod auth;
mod bom;
pub mod check;
pub mod clock;
pub mod config;
pub mod demo;
pub mod descriptors;
pub mod embed;
pub mod engine;
pub mod error;
mod files;
pub mod http;
pub mod hub;
pub mod metrics;
pub mod poll;
pub mod publish;
pub mod redis;
pub mod serve;
pub mod settings;
pub mod stream;
pub mod tokens;
#[cfg(feature = "otlp")]
pub mod trace;
pub mod values;
