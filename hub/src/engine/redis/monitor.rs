//! Opens the connection to Redis, looks after it, and replaces it.
//!
//! Every second it makes a call that needs what a publish needs: an answer, and a server that takes
//! writes. So a connection that the network forgot, that Redis closed, or that leads to a replica
//! is replaced before the next publish, and `/readyz` is true. It also sees whether the tail gets
//! what is in the log.

use std::{sync::Arc, time::Duration};

use ::redis::{RedisError, Script, ScriptInvocation};
use tinysse::proto::{
    backoff::{Backoff, Policy},
    rng::Rng,
    wire::id::Epoch,
};
use tokio::time::sleep;

use super::{State, script};
use crate::{
    clock::{Clock, jitter, random_u64},
    redis::{Link, Numbered, Status, Verdict, words},
};

/// How long after one look the next one follows.
const EVERY: Duration = Duration::from_secs(1);
/// Pauses between attempts while Redis is away, in milliseconds.
const POLICY: Policy = Policy { floor: 50, base: 100, cap: 2_000 };

pub(super) struct Monitor {
    link: Link,
    state: Arc<State>,
    clock: Clock,
    check: Script,
    number: u64,
    current: Option<Numbered>,
    rng: Rng,
}

impl Monitor {
    pub(super) fn new(link: Link, state: Arc<State>, clock: Clock) -> Self {
        Self { link, state, clock, check: script::check(), number: 0, current: None, rng: jitter() }
    }

    /// Opens the first connection.
    pub(super) async fn start(&mut self) -> Result<(), String> {
        self.number += 1;
        let numbered = self.link.dial(self.number).await?;
        self.link.set(Status::Ready(numbered.clone()));
        self.current = Some(numbered);
        Ok(())
    }

    /// Looks after the connection for ever.
    pub(super) async fn run(mut self) {
        let mut backoff = Backoff::new(POLICY);
        loop {
            let error = match self.current.take() {
                Some(numbered) => {
                    let why = self.watch(numbered.clone()).await;
                    tracing::warn!(target: "tinysse::engine", error = why, "the connection to Redis is replaced");
                    if numbered.is_proven() {
                        backoff.forget();
                        self.start().await.err()
                    } else {
                        Some(why)
                    }
                }
                None => self.start().await.err(),
            };
            if let Some(error) = error {
                tracing::warn!(target: "tinysse::engine", error, "Redis is away");
                self.state.set_away(Some(error.clone()));
                self.link.set(Status::Away(error));
                sleep(Duration::from_millis(backoff.next(&mut self.rng))).await;
            }
        }
    }

    /// Looks at a connection until it is of no use any more; answers why.
    async fn watch(&self, mut numbered: Numbered) -> String {
        let (number, mut behind) = (numbered.number, None);
        loop {
            let look = async {
                sleep(EVERY).await;
                self.look(&mut numbered, &mut behind).await
            };
            let looked = tokio::select! {
                why = self.link.until_discarded(number) => return why,
                looked = look => looked,
            };
            if let Err(why) = looked {
                self.link.discard(number, why.clone());
                return why;
            }
        }
    }

    /// Looks once. `behind` is where the tail was at the last look, if that was not the end.
    async fn look(&self, numbered: &mut Numbered, behind: &mut Option<(Epoch, u64)>) -> Result<(), String> {
        let looked = async {
            let asked = self.clock.now();
            let fill =
                |call: &mut ScriptInvocation<'_>| script::fill_check(call, &self.link, Epoch(random_u64() >> 16), None);
            let (epoch, head, time) = self.link.over(numbered, &self.check, fill).await?;
            self.state.dates.measure(asked, self.clock.now(), time);
            self.link.complete(numbered).await?;
            Ok((epoch, head))
        };
        let (epoch, head): (String, u64) = match looked.await {
            Ok(known) => known,
            Err(error) => return self.refused(&error),
        };
        self.state.set_refusing(None);
        let seen = *self.state.head.borrow();
        if script::epoch_of(&epoch) != Some(seen.0) {
            self.state.another_life.notify_one();
        } else if seen.1 >= head {
            *behind = None;
            return Ok(());
        }
        // A tail that has no connection finds another one by itself.
        if behind.replace(seen) == Some(seen) && !self.state.is_away() {
            return Err("what is in the log does not arrive".to_owned());
        }
        Ok(())
    }

    /// The connection is good, if Redis only takes no writes now.
    fn refused(&self, error: &RedisError) -> Result<(), String> {
        match Verdict::of(error) {
            Verdict::Lost | Verdict::Unfit => Err(words(error)),
            Verdict::Refused => {
                self.state.set_refusing(Some(words(error)));
                Ok(())
            }
        }
    }
}
