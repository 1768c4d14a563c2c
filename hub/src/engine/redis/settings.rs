//! What the log needs of how Redis is set up: whether an answer means the disk, and whether Redis
//! may throw the log away.

use ::redis::{aio::MultiplexedConnection, cmd};

use crate::engine::Durability;

/// Looks at the settings, and warns once of each that does not fit.
#[derive(Debug, Default)]
pub(super) struct Settings {
    /// The policy that was reported last.
    policy: Option<String>,
}

/// What a `maxmemory-policy` means for what is kept here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fit {
    /// Nothing is ever evicted.
    Good,
    /// What has an end may go early: leases, used tokens, idempotency keys.
    Early,
    /// Anything may go, the log too.
    Anything,
}

impl Settings {
    /// Returns what an acknowledged update survives. Where `CONFIG` is forbidden, as on managed
    /// servers, that is the least, and a debug line means that nothing could be checked.
    pub(super) async fn read(&mut self, conn: &mut MultiplexedConnection) -> Durability {
        let policy = get(conn, "maxmemory-policy").await.into_iter().find(|(name, _)| name == "maxmemory-policy");
        match policy {
            Some((_, policy)) => self.report(policy),
            None => {
                tracing::debug!(target: "tinysse::engine", "Redis does not say its maxmemory-policy; see deploy/operations.md")
            }
        }
        let fsync = get(conn, "append*").await;
        let is = |name: &str, value: &str| fsync.iter().any(|pair| pair.0 == name && pair.1 == value);
        let durable = is("appendonly", "yes") && is("appendfsync", "always");
        if durable { Durability::Group } else { Durability::Memory }
    }

    fn report(&mut self, policy: String) {
        if self.policy.as_ref() == Some(&policy) {
            return;
        }
        match fit(&policy) {
            Fit::Good => {}
            Fit::Early => tracing::info!(
                target: "tinysse::engine",
                policy,
                "this maxmemory-policy lets Redis drop leases, used tokens and idempotency keys before their time; set noeviction"
            ),
            Fit::Anything => tracing::warn!(
                target: "tinysse::engine",
                policy,
                "this maxmemory-policy lets Redis evict the log and the revocations: every client refetches when that \
                 happens, and revoked tokens may be accepted again; set noeviction"
            ),
        }
        self.policy = Some(policy);
    }
}

async fn get(conn: &mut MultiplexedConnection, pattern: &str) -> Vec<(String, String)> {
    cmd("CONFIG").arg("GET").arg(pattern).query_async(conn).await.unwrap_or_default()
}

fn fit(policy: &str) -> Fit {
    if policy == "noeviction" {
        Fit::Good
    } else if policy.starts_with("volatile-") {
        Fit::Early
    } else {
        Fit::Anything
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_without_an_end_must_stay() {
        assert_eq!(fit("noeviction"), Fit::Good);
        assert_eq!((fit("volatile-lru"), fit("volatile-ttl")), (Fit::Early, Fit::Early));
        assert_eq!((fit("allkeys-lru"), fit("allkeys-random")), (Fit::Anything, Fit::Anything));
    }
}
