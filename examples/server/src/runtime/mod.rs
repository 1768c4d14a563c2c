//! The shell around the hub: sockets, timers, wakers, shutdown. It performs and decides nothing about the protocol.

mod conn;
mod drain;
mod serve;
mod stream;
mod streams;

pub use conn::Conn;
pub use serve::{bind, serve};
pub use stream::{EventBody, goodbye};
pub use streams::{Full, Streams};
