//! The reference hub of tinysse: one ordered log, tokens that expire, replay, routing by audience, pollers.
//!
//! ```
//! use tinysse_server::{app::App, config::Config, runtime::{bind, serve}};
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let config = Config::from_args(["tinysse-server", "--dev", "--memory", "--listen=127.0.0.1:0"]).unwrap();
//! let listener = bind(config.listen).await.unwrap();
//! let app = App::new(config).unwrap();
//! let updates = app.updates.clone();
//! let (stop, stopped) = tokio::sync::oneshot::channel::<()>(); // until Ctrl-C, say
//! let server = tokio::spawn(serve(app, listener, async { drop(stopped.await) }));
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

pub mod app;
pub mod auth;
mod bom;
pub mod check;
pub mod clock;
pub mod config;
pub mod delivery;
pub mod embed;
pub mod engine;
pub mod error;
pub mod http;
pub mod hub;
pub mod metrics;
mod nodes;
pub mod owed;
pub mod rights;
pub mod room;
pub mod runtime;
pub mod tokens;
#[cfg(feature = "otlp")]
pub mod trace;
pub mod update_service;
pub mod worker;
