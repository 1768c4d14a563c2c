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
    revoked::{Moment, Revoke, Revoked, Standing},
    shared::Revocation,
};

impl Auth {
    /// Takes rights away, at once. Returns when that happened, and whether it is recorded.
    pub fn revoke(&self, whom: &Revoke) -> (Moment, io::Result<()>) {
        let moment = self.revoked().revoke(self.clock.unix_ms(), whom);
        let written = match &self.ledger {
            Some(ledger) => ledger.lock().unwrap_or_else(PoisonError::into_inner).add(moment, whom),
            None => Ok(()),
        };
        (moment, written)
    }

    /// Takes over a revocation by another node. Returns what the other nodes have to know besides (see [`Revoked::hear`]).
    pub fn hear(&self, heard: &Revocation) -> Option<Revocation> {
        let Revocation { moment, whom, again } = heard;
        let at = self.revoked().hear(self.clock.unix_ms(), *moment, whom)?;
        (!again).then(|| Revocation { moment: Moment { at, ..*moment }, whom: whom.clone(), again: true })
    }

    /// Takes over revocations that were recorded before this node issued anything.
    pub fn restore<'a>(&self, known: impl IntoIterator<Item = (Moment, &'a Revoke)>) {
        let (now_ms, mut revoked) = (self.clock.unix_ms(), self.revoked());
        known.into_iter().for_each(|(moment, whom)| revoked.restore(now_ms, moment, whom));
    }

    /// From now on revocations are kept in this file, and those that it has count.
    ///
    /// # Errors
    /// As the system says, or if the file is damaged, of another program, or in use. It names the file.
    pub fn remember(&mut self, path: &Path) -> io::Result<()> {
        let (ledger, known) = Ledger::open(path, self.clock.unix_ms(), self.memory_ms())?;
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
