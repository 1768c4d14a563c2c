//! The hub of tinysse as a program: its flags, environment and file, and the commands that look at
//! settings and tokens.
//!
//! What it does is in the library [`tinysse_hub`]; here settings are read, checked as a whole, and
//! handed over.
//!
//! ```
//! use tinysse_hub::{app::App, serve::bind};
//! use tinysse_server::config::Config;
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let config = Config::from_args(["tinysse-server", "--dev", "--memory", "--listen=127.0.0.1:0"]).unwrap();
//! let listener = bind(config.listen).await.unwrap();
//! let app = App::new(config).unwrap();
//! let updates = app.services.updates.clone();
//! let (stop, stopped) = tokio::sync::oneshot::channel::<()>(); // until Ctrl-C, for example
//! let server = tokio::spawn(async move { app.serve(listener, async { drop(stopped.await) }).await });
//! updates.notify("projects").await.unwrap();
//! drop(stop);
//! server.await.unwrap();
//! # });
//! ```

pub mod check;
pub mod config;
mod run;
pub mod tokens;
#[cfg(feature = "otlp")]
pub mod trace;

pub use run::{failed, run};
