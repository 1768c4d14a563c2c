//! No trace: in the smallest build the page keeps the inputs, since it sees them all (`note` in
//! `src/web/bindings.js`).

#![allow(
    clippy::needless_pass_by_ref_mut,
    clippy::unused_self,
    reason = "these are the functions of the trace that other builds have"
)]

use alloc::string::String;

use super::io::{Input, Ticket};
use crate::proto::{time::Time, wire::FrameRef};

#[derive(Clone, Debug, Default)]
pub(super) struct Trace {}

impl Trace {
    pub(super) fn text(&self) -> String {
        String::new()
    }

    pub(super) fn input(&mut self, _: Time, _: &Input) {}

    pub(super) fn frame(&mut self, _: Time, _: Ticket, _: FrameRef<'_>) {}

    pub(super) fn update(&mut self, _: Time, _: Ticket, _: FrameRef<'_>) {}

    pub(super) fn alive(&mut self, _: Time, _: Ticket) {}

    pub(super) fn retry(&mut self, _: Time, _: Ticket, _: u32) {}
}
