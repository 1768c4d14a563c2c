//! What holds on all nodes of a cluster: revocations, news of rights, tokens that were used. Without Redis there is one node, and it is all.

use std::io;

use tinysse::core::wire::control::Reason;

use crate::{
    app::App,
    auth::{
        jwt::Claims,
        revoked::Revoke,
        shared::{Heard, Revocation, Shared},
        spent,
        whose::Whose,
    },
    error::Problem,
};

impl App {
    /// Takes rights away, and ends the streams that had them; answers how many ended on this node. With Redis, all nodes do the same.
    ///
    /// # Errors
    /// It is done here, but could not be written down, or the other nodes could not be told.
    pub async fn revoke(&self, whom: &Revoke) -> io::Result<usize> {
        // Marked before the streams are looked at, so that none opens in between.
        let (at, written) = self.auth.revoke(whom);
        let closed = self.close_revoked();
        let told = match &self.shared {
            Some(shared) => {
                let said = Revocation { at, whom: whom.clone(), again: false };
                shared.revoked(&said).await.map_err(io::Error::other)
            }
            None => Ok(()),
        };
        written.and(told).inspect_err(
            |error| tracing::error!(target: "tinysse::auth", %error, "a revocation is not written down"),
        )?;
        self.auth.recorded(whom);
        Ok(closed)
    }

    /// Ends sessions: their streams close, and the tokens that they asked for are refused, on all nodes. A session that has ended and is
    /// recorded costs nothing.
    ///
    /// # Errors
    /// As [`revoke`](Self::revoke). All of them were tried; call it again with the same sessions.
    pub async fn end_sessions(&self, sessions: &[Claims]) -> io::Result<()> {
        let mut ended = Ok(());
        for session in sessions {
            let whom = Revoke::Jti(session.jti.clone());
            if !self.auth.is_recorded(&whom) {
                ended = ended.and(self.revoke(&whom).await.map(drop));
            }
        }
        ended
    }

    /// Rights changed: asks the directory anew, and tells the open streams for which it is news; answers how many those are on this node.
    /// With Redis, all nodes do the same. It needs [`spawn_background`](Self::spawn_background).
    ///
    /// # Errors
    /// It is done here, but the other nodes could not be told.
    pub async fn rights_changed(&self, whose: Whose) -> io::Result<usize> {
        self.forget_rights();
        let changed = self.due.done(whose.clone());
        let told = match &self.shared {
            Some(shared) => shared.rights(&whose).await.map_err(io::Error::other),
            None => Ok(()),
        };
        let changed = changed.await.unwrap_or(0);
        told.inspect_err(
            |error| tracing::error!(target: "tinysse::auth", %error, "other nodes were not told that rights changed"),
        )?;
        Ok(changed)
    }

    /// Does what other nodes did, for ever. Nothing here waits for a directory: a revocation behind news of rights would wait with it.
    pub(crate) async fn listen(&self) {
        let Some(shared) = &self.shared else { return };
        let mut ear = shared.ear();
        loop {
            match ear.next().await {
                Heard::Revoked(page) => self.revoked_elsewhere(shared, &page).await,
                Heard::Rights(whose) => {
                    self.forget_rights();
                    self.due.add(whose);
                }
            }
        }
    }

    /// Does what other nodes revoked. The streams are looked at once for all of it, and not at all if nothing of it is news.
    async fn revoked_elsewhere(&self, shared: &Shared, page: &[Revocation]) {
        let news: Vec<_> = page.iter().filter(|revocation| !self.auth.knows(revocation)).collect();
        if news.is_empty() {
            return;
        }
        let again: Vec<_> = news.into_iter().filter_map(|revocation| self.auth.hear(revocation)).collect();
        self.close_revoked();
        for again in again {
            if let Err(error) = shared.revoked(&again).await {
                tracing::error!(target: "tinysse::auth", error, "what this node gave out is refused here only");
            }
        }
    }

    fn close_revoked(&self) -> usize {
        let closed = self.streams.close(Reason::Revoked, |claims| self.auth.is_revoked(claims));
        tracing::info!(target: "tinysse::auth", closed, "revoked");
        closed
    }

    /// Uses a token up, where it opens one stream only, for all nodes. Answers false if nobody can say now whether it was used.
    ///
    /// # Errors
    /// 401 `token_used` for all but the first.
    pub async fn use_up(&self, claims: &Claims) -> Result<bool, Problem> {
        self.auth.use_up(claims)?;
        let Some(shared) = self.shared.as_ref().filter(|_| self.config.access.single_use) else { return Ok(true) };
        let exp = claims.exp.saturating_mul(1_000);
        match shared.use_up(&claims.jti, exp, exp.saturating_sub(self.clock.unix_ms())).await {
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
        if let Some(shared) = self.shared.as_ref().filter(|_| self.config.access.single_use) {
            shared.give_back(&claims.jti).await;
        }
    }
}
