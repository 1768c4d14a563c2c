//! The same Redis, for what else the nodes agree on: who polls, whose rights are gone, which tokens were used.

use std::fmt;

use ::redis::{Client, Cmd, RedisError, ScriptInvocation, aio::ConnectionManager};

use super::{Place, words};

/// A way to Redis that all clones share. Answers come within two seconds, or an error does.
#[derive(Clone)]
pub struct Link {
    pub(super) manager: ConnectionManager,
    pub(super) client: Client,
    pub(super) place: Place,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("prefix", &self.place.prefix).finish_non_exhaustive()
    }
}

impl Link {
    /// The full name of a key.
    pub(crate) fn key(&self, name: &str) -> String {
        self.place.key(name)
    }

    /// For a connection of one's own, that may block.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// An error in words, without the address.
    pub(crate) fn words(error: &RedisError) -> String {
        words(error)
    }

    /// Asks one thing.
    ///
    /// # Errors
    /// In words, without the address. It may have been done all the same.
    pub(crate) async fn ask<T: ::redis::FromRedisValue>(&self, question: &Cmd) -> Result<T, String> {
        question.query_async(&mut self.manager.clone()).await.map_err(|error: RedisError| words(&error))
    }

    /// Runs a script, in one step for all nodes.
    ///
    /// # Errors
    /// In words, without the address. It may have been run all the same.
    pub(crate) async fn run<T: ::redis::FromRedisValue>(&self, call: &ScriptInvocation<'_>) -> Result<T, String> {
        call.invoke_async(&mut self.manager.clone()).await.map_err(|error: RedisError| words(&error))
    }
}
