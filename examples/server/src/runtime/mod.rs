//! The shell around the hub: sockets, timers, wakers, shutdown. It performs and decides nothing about the protocol.

mod changes;
mod conn;
mod deliver;
mod drain;
mod end;
mod first;
mod flush;
mod head;
mod joined;
mod lane;
mod line;
mod peer;
mod serve;
mod stream;
mod streams;
#[cfg_attr(not(feature = "tls"), path = "no_tls.rs")]
mod tls;
mod view;
mod watched;
mod wheel;

pub use conn::Conn;
pub(crate) use drain::drain;
pub(crate) use end::end;
pub(crate) use head::Head;
pub use peer::{Share, Shares, Site, address, site};
pub(crate) use serve::carry;
pub use serve::{bind, serve};
pub use stream::{EventBody, goodbye};
pub use streams::{Asked, Full, Streams};
pub use tls::{Tls, TlsError};
pub use view::{Lag, Seen, Transport, TypeSeen, UpdateSeen, Which};
