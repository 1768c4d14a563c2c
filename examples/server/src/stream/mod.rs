//! Open streams: sockets, timers, wakers and quotas around the hub. It performs what the hub decides.

mod changes;
mod conn;
mod deliver;
mod flush;
mod forwarded;
mod head;
mod joined;
mod lane;
mod line;
mod peer;
mod refusals;
mod settings;
mod stream;
mod streams;
mod view;
mod watched;
mod wheel;

pub use conn::Conn;
pub(crate) use conn::{BACKLOG, Socket, prepare};
pub(crate) use head::Head;
pub(crate) use lane::Lane;
pub use peer::{Client, Share, Shares, Site};
pub use settings::Settings;
pub use stream::{EventBody, goodbye};
pub use streams::{Asked, Full, Streams};
pub use view::{Lag, Seen, Transport, TypeSeen, UpdateSeen, Which};
