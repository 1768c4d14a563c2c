//! Streams: how bytes or events get from the network into core.

mod eventsource;

pub(super) use eventsource::Stream;
