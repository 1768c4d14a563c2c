//! Open streams: sockets, timers, wakers and quotas around the hub. It performs what the hub
//! decides.

mod admission;
mod body;
mod changes;
mod client_ip;
mod conn;
mod forwarded;
mod head;
mod lifetime;
mod open;
mod quota;
mod refusals;
mod settings;
mod state;
mod stream_socket;
mod streams;
mod view;
mod watches;
mod write_buffer;
mod writer;

pub use body::{EventBody, goodbye};
pub use client_ip::{Client, RateKey};
pub use conn::Conn;
pub(crate) use conn::{BACKLOG, Socket, prepare};
pub(crate) use head::Head;
pub use quota::{Permit, Quota};
pub use settings::Settings;
pub(crate) use stream_socket::StreamSocket;
pub use streams::{Asked, Full, Streams};
pub use view::{Lag, Seen, Transport, TypeSeen, UpdateSeen, Which};
