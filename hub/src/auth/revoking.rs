//! Taking rights away: here, in the file that outlives a restart, and as other nodes report.

use std::{
    io,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{
    Auth, Session,
    cluster_bus::Revocation,
    jwt::Claims,
    revocation_log::RevocationLog,
    revoked::{Moment, Revoke, RevokeError, Revoked, Standing},
};

impl Auth {
    /// Takes rights away, at once. Returns when that happened, and whether it is recorded.
    ///
    /// # Errors
    /// [`RevokeError::Full`]: nothing happened.
    pub fn revoke(&self, whom: &Revoke) -> Result<(Moment, io::Result<()>), RevokeError> {
        let moment = self.revoked().revoke(self.clock.unix_ms(), whom)?;
        // What is over is not remembered either: only streams that are still open are to end.
        let kept = !whom.is_over(moment, moment.ms, self.memory_ms());
        let written = match self.ledger.as_ref().filter(|_| kept) {
            Some(ledger) => {
                let mut ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
                ledger.add(moment, whom).inspect(|()| ledger.tidy(|| self.revoked().all()))
            }
            None => Ok(()),
        };
        Ok((moment, written))
    }

    /// Returns what ends a session, with the tokens that it asked for.
    #[must_use]
    pub fn end_of(&self, session: &Claims) -> Revoke {
        let established = session.established();
        // A session is over by its own time, or when it is too old: see `check_age`. Its last token may be issued just before.
        let issued = if session.iat > 0 { session.iat.saturating_mul(1_000) } else { established };
        let over = session.exp.saturating_mul(1_000).min(issued.saturating_add(self.session_ttl.ms() + 1_000));
        Revoke::Session(Session {
            user: session.sub.clone(),
            jti: session.jti.clone(),
            place: session.generation,
            established,
            until: over.saturating_add(self.token_ttl.ms() + 1_000),
        })
    }

    /// Corrects the time of a revocation that was made here (see [`Revoked::correct`]).
    pub fn correct(&self, whom: &Revoke, ms: u64) {
        self.revoked().correct(whom, ms);
    }

    /// Takes over a revocation by another node. Returns what the other nodes have to know besides (see [`Revoked::hear`]).
    pub fn hear(&self, heard: &Revocation) -> Option<Revocation> {
        let Revocation { moment, whom, again } = heard;
        let at = self.revoked().hear(self.clock.unix_ms(), *moment, whom)?;
        (!again).then(|| Revocation { moment: Moment { at, ..*moment }, whom: whom.clone(), again: true })
    }

    /// Returns true if a revocation by another node is no news here.
    #[must_use]
    pub fn knows(&self, heard: &Revocation) -> bool {
        self.revoked().knows(heard.moment, &heard.whom)
    }

    /// Takes over revocations that were recorded before this node issued anything.
    pub fn restore<'a>(&self, known: impl IntoIterator<Item = (Moment, &'a Revoke)>) {
        let (now_ms, mut revoked) = (self.clock.unix_ms(), self.revoked());
        known.into_iter().for_each(|(moment, whom)| revoked.restore(now_ms, moment, whom));
    }

    /// From now on revocations are kept in this file, and those that it has count.
    ///
    /// # Errors
    /// Errors of the system, or if the file is damaged, of another program, or in use. It names the file.
    pub fn remember(&mut self, path: &Path) -> io::Result<()> {
        let (ledger, known) = RevocationLog::open(path, self.clock.unix_ms(), self.memory_ms())?;
        self.restore(known.iter().map(|(moment, whom)| (*moment, whom)));
        self.ledger = Some(Mutex::new(ledger));
        Ok(())
    }

    /// How long a revocation counts, in milliseconds: no token lives longer.
    #[must_use]
    pub fn memory_ms(&self) -> u64 {
        self.session_ttl.ms() + self.token_ttl.ms()
    }

    /// Treats a stream token as expired from now on.
    pub fn expire(&self, jti: &str) {
        self.revoked().expire(self.clock.unix_ms(), jti);
    }

    /// Whether the rights of a token that was once good are gone.
    #[must_use]
    pub fn is_revoked(&self, claims: &Claims) -> bool {
        self.revoked().standing(claims) == Standing::Revoked
    }

    pub(super) fn revoked(&self) -> MutexGuard<'_, Revoked> {
        self.revoked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
