//! The settings of the streams: how many, for how long, and what a slow reader gets.

use crate::{hub::SlowRules, values::Span};

/// The settings of this module.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Refetches a second that clients are asked to keep to; 0 asks nothing.
    pub spread_rate: u32,
    /// What slow readers get.
    pub slow: SlowRules,
    /// Streams at a time.
    pub max_streams: usize,
    /// Streams of one user at a time.
    pub max_streams_user: usize,
    /// Streams of one address at a time.
    pub max_streams_address: usize,
    /// Streams are asked to reopen before they are this old; 0 never asks.
    pub max_age: Span,
    /// Whether streams end with their tokens.
    pub end_with_token: bool,
    /// How long a connection may take no bytes before it is dropped.
    pub stall_timeout: Span,
    /// How long closing the streams is spread over. Clients that are sent away stay away for up to
    /// this long.
    pub drain_window: Span,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            spread_rate: 500,
            slow: SlowRules { lag: 100, rules: Vec::new() },
            max_streams: 10_000,
            max_streams_user: 100,
            max_streams_address: 1_000,
            max_age: Span::of_ms(3_600_000),
            end_with_token: false,
            stall_timeout: Span::of_ms(30_000),
            drain_window: Span::of_ms(5_000),
        }
    }
}
