//! The pure protocol core: it decides, the shell performs.
//!
//! Absent here, on purpose: clocks, sockets, promises, closures, loggers, JSON. Time is a number
//! that comes in, randomness a seed, bytes come in and decisions go out as data. The same files
//! serve the browser client, the server's hub and the simulation.
//!
//! From the outside in:
//! * [`client`] composes a client: session, registry and batch.
//! * [`session`] is the connection as a state machine; every transition is in `session/step.rs`.
//! * [`wire`] is what both sides exchange: frames, control messages, ids, names.
//! * [`registry`], [`coalescer`], [`audience`] answer who wants it, when, and who may see it.
//! * [`time`], [`timers`], [`backoff`], [`rng`], [`error`], [`aligned_buffer`] are the small parts.

pub mod aligned_buffer;
pub mod audience;
pub mod backoff;
pub mod client;
pub mod coalescer;
pub mod error;
mod queue;
pub mod registry;
pub mod rng;
pub mod session;
pub mod time;
pub mod timers;
pub mod wire;
mod words;
