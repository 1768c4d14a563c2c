//! How often and how soon the session tries again.

use core::mem::replace;

use crate::proto::{
    backoff::{Backoff, Policy},
    rng::Rng,
    time::Time,
};

/// The failures of a session, and the delays that follow from them.
#[derive(Debug)]
pub(super) struct Retries {
    policy: Policy,
    backoff: Backoff,
    rng: Rng,
    /// Refusals in a row: 401, or answers that hold no token.
    refusals: u32,
    /// A refusal was answered at once since a stream was last stable; the next one has to wait.
    fast_retry_used: bool,
    /// Retries by the browser since a stream was last stable.
    native: u32,
    /// The server asked not to be called before.
    not_before: Time,
}

impl Retries {
    /// Returns a count of nothing; `seed` is the source of all jitter.
    pub(super) fn new(policy: Policy, seed: u64) -> Self {
        let (backoff, rng) = (Backoff::new(policy), Rng::new(seed));
        Self { policy, backoff, rng, refusals: 0, fast_retry_used: false, native: 0, not_before: Time::default() }
    }

    /// Returns the failures in a row.
    pub(super) fn failures(&self) -> u32 {
        self.backoff.failures()
    }

    /// Takes the reconnection time that the server names, in milliseconds.
    pub(super) fn set_base(&mut self, ms: u32) {
        self.backoff.set_base(ms);
    }

    /// A stream opened: what shows the token was accepted.
    pub(super) fn opened(&mut self) {
        self.refusals = 0;
    }

    /// A stream proved stable: earlier failures are forgotten.
    pub(super) fn stable(&mut self) {
        self.native = 0;
        self.fast_retry_used = false;
        self.backoff.forget();
    }

    /// There is reason to believe in a new attempt: all chances again.
    pub(super) fn start_over(&mut self) {
        self.refusals = 0;
        self.fast_retry_used = false;
        self.backoff.forget();
    }

    /// Leaves one attempt before the session gives up.
    pub(super) fn last_chance(&mut self, max_refusals: u32) {
        self.refusals = max_refusals.saturating_sub(1);
    }

    /// Counts a retry by the browser. Returns false if there were too many.
    pub(super) fn take_native(&mut self, max: u32) -> bool {
        if self.native >= max {
            return false;
        }
        self.native += 1;
        true
    }

    /// Forgets the retries by the browser.
    pub(super) fn forget_native(&mut self) {
        self.native = 0;
    }

    /// Counts a refusal, if it is known to be one of the token. Returns true if it was the last
    /// that is tolerated.
    pub(super) fn refused(&mut self, known: bool, max: u32) -> bool {
        self.refusals += u32::from(known);
        known && self.refusals >= max
    }

    /// Returns true once after each stable stream: a refusal may be answered at once.
    pub(super) fn take_fast_retry(&mut self) -> bool {
        !replace(&mut self.fast_retry_used, true)
    }

    /// Returns when to try again after a failure, no sooner than `wait` milliseconds from now.
    ///
    /// The delay is added to the server's wait: an exact time would bring all clients back at once.
    pub(super) fn after_failure(&mut self, now: Time, wait: u32) -> Time {
        self.not_before = now.plus(u64::from(wait));
        self.not_before.plus(self.backoff.next(&mut self.rng))
    }

    /// Returns when to open the next stream after a bye. The server's wait is random already; a
    /// stream that was not stable waits as after a failure besides.
    pub(super) fn after_bye(&mut self, now: Time, wait: u32, stable: bool) -> Time {
        if !stable {
            return self.after_failure(now, wait);
        }
        self.not_before = now.plus(u64::from(wait));
        self.not_before.plus(self.rng.below(u64::from(self.policy.floor)))
    }

    /// Returns true if the server asked not to be called yet.
    pub(super) fn must_wait(&self, now: Time) -> bool {
        now < self.not_before
    }

    /// Returns when the server may be called, spread so that clients do not come at once.
    pub(super) fn earliest(&mut self) -> Time {
        self.not_before.plus(self.rng.below(u64::from(self.policy.base)))
    }

    /// Returns when to try again if there is a reason not to wait for the backoff.
    pub(super) fn soon(&mut self, now: Time) -> Time {
        now.plus(u64::from(self.policy.floor)).max(self.earliest())
    }
}
