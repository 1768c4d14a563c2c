//! What holds on all nodes of a cluster: revocations, news of rights, tokens that were used.
//! Without Redis there is one node, and it is all.

use std::{io, sync::Arc};

use tinysse::proto::wire::control::Reason;

use super::rights::{LiveRights, RightsError};
use crate::{
    auth::{
        Auth,
        affected_users::AffectedUsers,
        cluster_bus::{ClusterBus, Notice, Revocation},
        jwt::Claims,
        limit::{Limit, too_many},
        revoked::{Revoke, RevokeError},
        spent,
    },
    clock::Clock,
    error::Problem,
    stream::Streams,
    values::Rate,
};

/// Revocations, changes of rights and used tokens, on this node and the others.
#[derive(Debug)]
pub struct Cluster {
    auth: Arc<Auth>,
    rights: Arc<LiveRights>,
    streams: Arc<Streams>,
    /// The other nodes, if there are any.
    shared: Option<Arc<ClusterBus>>,
    /// How often a user may end sessions.
    logout: Limit<String>,
    clock: Clock,
}

impl Cluster {
    /// Returns this node's part of the cluster; without `shared` it is all of it. `logout` is the
    /// rate at which a user may end sessions.
    #[must_use]
    pub fn new(
        auth: Arc<Auth>,
        rights: Arc<LiveRights>,
        streams: Arc<Streams>,
        shared: Option<Arc<ClusterBus>>,
        logout: Rate,
        clock: Clock,
    ) -> Self {
        Self { auth, rights, streams, shared, logout: Limit::new(logout), clock }
    }

    /// Returns true if this node knows what the others publish; true without others.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.shared.as_ref().is_none_or(|shared| shared.is_connected())
    }

    /// Forgets the users whose rate of ending sessions is full again; from time to time.
    pub(crate) fn tidy(&self) {
        self.logout.tidy();
    }

    /// Takes rights away, and ends the streams that had them. Returns how many ended on this node.
    /// With Redis, all nodes do the same.
    ///
    /// # Errors
    /// [`RevokeError`]. If it is not durable, it holds on this node.
    pub async fn revoke(&self, whom: &Revoke) -> Result<usize, RevokeError> {
        // Marked before the streams are looked at, so that none opens in between.
        let (moment, written) = self.auth.revoke(whom)?;
        let closed = self.close_revoked(|claims| whom.names(claims));
        let shared = match &self.shared {
            Some(shared) => {
                let revocation = Revocation { moment, whom: whom.clone(), again: false };
                shared.revoked(&revocation).await.map(|ms| self.auth.correct(whom, ms)).map_err(io::Error::other)
            }
            None => Ok(()),
        };
        written
            .and(shared)
            .inspect_err(|error| tracing::error!(target: "tinysse::auth", %error, "a revocation is not recorded"))?;
        self.auth.recorded(whom);
        Ok(closed)
    }

    /// Ends sessions: their streams close, and the tokens that they asked for are refused, on all
    /// nodes. A session that has ended and is recorded costs nothing; others are taken from the
    /// user's share (`--token-rate`).
    ///
    /// # Errors
    /// 429 `too_many_requests`, 503 `not_durable` or `revocations_full`. All of them were tried;
    /// call it again with the same sessions.
    pub async fn end_sessions(&self, sessions: &[Claims]) -> Result<(), Problem> {
        let mut ended = Ok(());
        for session in sessions {
            let whom = self.auth.end_of(session);
            if self.auth.is_recorded(&whom) {
                continue;
            }
            let done = match self.logout.take(&session.sub) {
                Ok(()) => self.revoke(&whom).await.map(drop).map_err(unrevoked),
                Err(wait) => Err(too_many(wait)),
            };
            ended = ended.and(done);
        }
        ended
    }

    /// Rights changed: asks the directory anew, and notifies the open streams for which it is news.
    /// Returns how many those are on this node. With Redis, all nodes do the same. It needs the
    /// background tasks of the app.
    ///
    /// # Errors
    /// [`RightsError`]. All of it was tried; call it again.
    pub async fn rights_changed(&self, whose: AffectedUsers) -> Result<usize, RightsError> {
        let read = self.rights.forget();
        let judged = self.rights.refresh(whose.clone());
        let told = match &self.shared {
            Some(shared) => shared.rights(&whose).await,
            None => Ok(()),
        };
        let judged = judged.await.unwrap_or_default();
        told.map_err(RightsError::NotTold).inspect_err(
            |error| tracing::error!(target: "tinysse::auth", %error, "other nodes were not told that rights changed"),
        )?;
        read.map_err(RightsError::Unreadable)?;
        if judged.unanswered > 0 { Err(RightsError::Unanswered(judged.unanswered)) } else { Ok(judged.changed) }
    }

    /// Does what other nodes did, for ever. Nothing here waits for a directory: a revocation behind
    /// news of rights would wait with it.
    pub(crate) async fn listen(&self) {
        let Some(shared) = &self.shared else { return };
        let mut subscriber = shared.subscribe();
        loop {
            match subscriber.next().await {
                Notice::Revoked(page) => self.revoked_elsewhere(shared, &page).await,
                Notice::Rights(whose) => {
                    // The directory logs by itself what it can't read.
                    let _ = self.rights.forget();
                    self.rights.refresh_soon(whose);
                }
            }
        }
    }

    /// Takes over what other nodes revoked. The streams are looked at once for all of it, and not
    /// at all if nothing of it is news.
    async fn revoked_elsewhere(&self, shared: &ClusterBus, page: &[Revocation]) {
        let news: Vec<_> = page.iter().filter(|revocation| !self.auth.knows(revocation)).collect();
        if news.is_empty() {
            return;
        }
        let again: Vec<_> = news.iter().filter_map(|revocation| self.auth.adopt(revocation)).collect();
        self.close_revoked(|claims| news.iter().any(|revocation| revocation.whom.names(claims)));
        for again in again {
            if let Err(error) = shared.revoked(&again).await {
                tracing::error!(target: "tinysse::auth", error, "what this node issued is refused here only");
            }
        }
    }

    fn close_revoked(&self, named: impl Fn(&Claims) -> bool) -> usize {
        let revoked = |claims: &Claims| named(claims) || self.auth.is_revoked(claims);
        let closed = self.streams.close(Reason::Revoked, revoked);
        tracing::info!(target: "tinysse::auth", closed, "revoked");
        closed
    }

    /// Uses a token up, where it opens one stream only, for all nodes. Returns false if it can't be
    /// used now: whether it was used can't be known, or not be remembered.
    ///
    /// # Errors
    /// 401 `token_used` for all but the first.
    pub async fn consume(&self, claims: &Claims) -> Result<bool, Problem> {
        if !self.auth.consume(claims)? {
            return Ok(false);
        }
        let Some(shared) = self.shared.as_ref().filter(|_| self.auth.is_single_use()) else { return Ok(true) };
        // Redis adds it to its clock, in 64 bits with a sign; Lua counts in 53.
        let exp = claims.exp.saturating_mul(1_000).min(1 << 52);
        match shared.consume(&claims.jti, exp, exp.saturating_sub(self.clock.unix_ms())).await {
            Ok(true) => Ok(true),
            Ok(false) => Err(spent()),
            Err(_) => {
                self.auth.give_back(claims);
                Ok(false)
            }
        }
    }

    /// Nothing was opened with this token after all.
    pub async fn give_back(&self, claims: &Claims) {
        self.auth.give_back(claims);
        if let Some(shared) = self.shared.as_ref().filter(|_| self.auth.is_single_use()) {
            shared.give_back(&claims.jti).await;
        }
    }
}

/// The answer to a revocation that failed.
pub(crate) fn unrevoked(error: RevokeError) -> Problem {
    match error {
        RevokeError::Full => Problem::unavailable("revocations_full", format!("{error}; repeat it later"), 60),
        RevokeError::NotDurable(_) => Problem::unavailable(
            "not_durable",
            "revoked here until the next restart: it could not be recorded, or other nodes could not be notified; repeat it",
            1,
        ),
    }
}
