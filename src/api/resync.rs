//! News of gaps, as a stream.

use std::{
    pin::Pin,
    rc::Rc,
    string::String,
    task::{Context, Poll},
    vec::Vec,
};

use futures_core::Stream;
use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};

use super::{
    channel::{Buffer, Channel, Channels},
    js,
};
use crate::proto::wire::control::Gap;

/// Updates may be missing: fetch again what is shown of these types.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resync {
    /// Why. [`Gap::First`] is the first connection: what was fetched before it may be stale.
    pub gap: Gap,
    /// The types concerned; empty means all.
    pub types: Vec<String>,
}

impl Resync {
    pub(super) fn read(resync: &JsValue) -> Self {
        let gap = js::word(resync, "gap", Gap::parse, Gap::Unknown);
        let types = js::field(resync, "types").dyn_into::<Array>().unwrap_or_default();
        Self { gap, types: types.iter().filter_map(|kind| kind.as_string()).collect() }
    }

    /// Both in one: the later reason, all types of both.
    fn join(self, later: Self) -> Self {
        if self.types.is_empty() || later.types.is_empty() {
            return Self { types: Vec::new(), ..later };
        }
        let mut types = self.types;
        types.extend(later.types);
        types.sort_unstable();
        types.dedup();
        Self { gap: later.gap, types }
    }
}

/// What was not looked at yet, joined into one.
#[derive(Debug, Default)]
pub(super) struct Joined(Option<Resync>);

impl Joined {
    pub(super) fn add(&mut self, later: Resync) {
        self.0 = Some(match self.0.take() {
            Some(before) => before.join(later),
            None => later,
        });
    }
}

impl Buffer for Joined {
    type Item = Resync;

    fn pop(&mut self) -> Option<Resync> {
        self.0.take()
    }
}

/// The stream of [`resyncs`](crate::SseClient::resyncs).
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct Resyncs {
    channel: Rc<Channel<Joined>>,
    among: Rc<Channels<Joined>>,
}

impl Resyncs {
    pub(super) fn new(among: &Rc<Channels<Joined>>) -> Self {
        let channel = Channel::new(Joined::default());
        among.add(&channel);
        Self { channel, among: among.clone() }
    }

    /// The next gap; `None` once the client is closed. What `StreamExt::next` does, without a
    /// further crate.
    pub async fn next(&mut self) -> Option<Resync> {
        std::future::poll_fn(|context| self.channel.poll(context)).await
    }
}

impl Stream for Resyncs {
    type Item = Resync;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Resync>> {
        self.channel.poll(context)
    }
}

impl Drop for Resyncs {
    fn drop(&mut self) {
        self.among.remove(&self.channel);
    }
}
