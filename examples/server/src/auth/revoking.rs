//! Taking rights away: here, in the file that outlives a restart, and as other nodes say.

use std::{
    io,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{
    Auth,
    jwt::Claims,
    ledger::Ledger,
    revoked::{Revoke, Revoked, Standing},
    shared::Revocation,
};

impl Auth {
    /// Takes rights away, at once. Answers the place in the count of generations at which that happened, and whether it is for good.
    pub fn revoke(&self, whom: &Revoke) -> (u64, io::Result<()>) {
        let at = self.revoked().revoke(self.clock.unix_ms(), whom);
        let written = match &self.ledger {
            Some(ledger) => ledger.lock().unwrap_or_else(PoisonError::into_inner).add(at, whom),
            None => Ok(()),
        };
        (at, written)
    }

    /// Another node took rights away. Answers what to tell the others, if that was not enough (see [`Revoked::hear`]).
    pub fn hear(&self, heard: &Revocation) -> Option<Revocation> {
        let Revocation { at, whom, again } = heard;
        let later = self.revoked().hear(self.clock.unix_ms(), *at, whom)?;
        (!again).then(|| Revocation { at: later, whom: whom.clone(), again: true })
    }

    /// Returns true if a revocation by another node is no news here.
    #[must_use]
    pub fn knows(&self, heard: &Revocation) -> bool {
        self.revoked().knows(heard.at, &heard.whom)
    }

    /// From now on revocations are kept in this file, and those that stand in it count.
    ///
    /// # Errors
    /// As the system says, or if the file is not ours.
    pub fn remember(&mut self, path: &Path) -> io::Result<()> {
        let (ledger, known) = Ledger::open(path, self.clock.unix_ms().saturating_sub(self.memory_ms()))?;
        for (at, whom) in known {
            self.revoked().revoke(at, &whom);
        }
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
