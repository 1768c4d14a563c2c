//! Taking rights away: here, in the file that outlives a restart, and as other nodes report.

use std::{
    io,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{
    Session,
    cluster_bus::Revocation,
    jwt::Claims,
    revocation_log::RevocationLog,
    revoked::{Moment, Revoke, RevokeError, Revoked, Standing},
};
use crate::{clock::Clock, values::Span};

/// The revocations that count, in memory and in the file.
#[derive(Debug)]
pub(super) struct Revocations {
    known: Mutex<Revoked>,
    file: Option<Mutex<RevocationLog>>,
    /// How long the tokens are valid that a session may ask for.
    token_ttl: Span,
    /// How long a session is valid, whatever its issuer promised.
    session_ttl: Span,
    clock: Clock,
}

impl Revocations {
    /// Nothing is revoked.
    pub(super) fn new(token_ttl: Span, session_ttl: Span, clock: Clock) -> Self {
        let known = Mutex::new(Revoked::new(session_ttl.ms() + token_ttl.ms(), clock.unix_ms()));
        Self { known, file: None, token_ttl, session_ttl, clock }
    }

    /// Keeps revocations in this file from now on, and takes over those that it has.
    pub(super) fn open(&mut self, path: &Path) -> io::Result<()> {
        let (file, known) = RevocationLog::open(path, self.clock.unix_ms(), self.memory_ms())?;
        self.restore(known.iter().map(|(moment, whom)| (*moment, whom)));
        self.file = Some(Mutex::new(file));
        Ok(())
    }

    /// Takes rights away. Returns when that happened, and whether it is recorded.
    pub(super) fn revoke(&self, whom: &Revoke) -> Result<(Moment, io::Result<()>), RevokeError> {
        let moment = self.known().revoke(self.clock.unix_ms(), whom)?;
        // What is over is not remembered either: only streams that are still open are to end.
        let kept = !whom.is_over(moment, moment.ms, self.memory_ms());
        let written = match self.file.as_ref().filter(|_| kept) {
            Some(file) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.add(moment, whom).inspect(|()| file.tidy(|| self.known().all()))
            }
            None => Ok(()),
        };
        Ok((moment, written))
    }

    /// Returns what ends a session, with the tokens that it asked for.
    pub(super) fn end_of(&self, session: &Claims) -> Revoke {
        let established = session.established();
        // A session is over by its own time, or when it is too old. Its last token may be issued
        // just before.
        let over = session.exp.saturating_mul(1_000).min(self.too_old_ms(session));
        Revoke::Session(Session {
            user: session.sub.clone(),
            jti: session.jti.clone(),
            place: session.generation,
            established,
            until: over.saturating_add(self.token_ttl.ms() + 1_000),
        })
    }

    /// Returns true if a session is older than revocations are remembered: none may live longer,
    /// whatever its issuer promised.
    pub(super) fn is_too_old(&self, session: &Claims) -> bool {
        self.clock.unix_ms() > self.too_old_ms(session)
    }

    /// Corrects the time of a revocation that was made here (see [`Revoked::correct`]).
    pub(super) fn correct(&self, whom: &Revoke, ms: u64) {
        self.known().correct(whom, ms);
    }

    /// Takes over a revocation by another node. Returns what the other nodes have to know besides
    /// (see [`Revoked::adopt`]).
    pub(super) fn adopt(&self, revocation: &Revocation) -> Option<Revocation> {
        let Revocation { moment, whom, again } = revocation;
        let at = self.known().adopt(self.clock.unix_ms(), *moment, whom)?;
        (!again).then(|| Revocation { moment: Moment { at, ..*moment }, whom: whom.clone(), again: true })
    }

    /// Returns true if a revocation by another node is no news here.
    pub(super) fn knows(&self, revocation: &Revocation) -> bool {
        self.known().knows(revocation.moment, &revocation.whom)
    }

    /// Takes over revocations that were recorded before this node issued anything.
    pub(super) fn restore<'a>(&self, recorded: impl IntoIterator<Item = (Moment, &'a Revoke)>) {
        let (now_ms, mut known) = (self.clock.unix_ms(), self.known());
        recorded.into_iter().for_each(|(moment, whom)| known.restore(now_ms, moment, whom));
    }

    /// Returns how long a revocation counts, in milliseconds.
    pub(super) fn memory_ms(&self) -> u64 {
        self.session_ttl.ms() + self.token_ttl.ms()
    }

    /// Returns the place of a login that happens now.
    pub(super) fn generation(&self) -> u64 {
        self.known().generation(self.clock.unix_ms())
    }

    /// Returns what a token with a good signature is worth, and takes note of it if it counts.
    pub(super) fn judge(&self, claims: &Claims) -> Standing {
        let mut known = self.known();
        let standing = known.standing(claims);
        if standing == Standing::Good {
            known.seen(claims);
        }
        standing
    }

    /// Returns true if the rights of a token that was once good are gone.
    pub(super) fn is_revoked(&self, claims: &Claims) -> bool {
        self.known().standing(claims) == Standing::Revoked
    }

    /// Treats a stream token as expired from now on.
    pub(super) fn expire(&self, jti: &str) {
        self.known().expire(self.clock.unix_ms(), jti);
    }

    /// Remembers that a revocation is on disk and known to the other nodes.
    pub(super) fn recorded(&self, whom: &Revoke) {
        self.known().recorded(whom);
    }

    /// Returns true if this revocation needs no repetition. May return false for one that is
    /// recorded.
    pub(super) fn is_recorded(&self, whom: &Revoke) -> bool {
        self.known().is_recorded(whom)
    }

    /// Returns from when on a session is too old, in milliseconds since 1970.
    fn too_old_ms(&self, session: &Claims) -> u64 {
        let issued = if session.iat > 0 { session.iat.saturating_mul(1_000) } else { session.established() };
        issued.saturating_add(self.session_ttl.ms() + 1_000)
    }

    fn known(&self) -> MutexGuard<'_, Revoked> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
