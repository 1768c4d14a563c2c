//! What an error of Redis means for the connection and for the call. Pure.

use std::error::Error;

use ::redis::{ErrorKind, RedisError, ServerErrorKind};

/// The error that the prelude of every script answers with (see `script.rs`).
pub(crate) const STALE: &str = "STALE";

/// Why a call has no answer. The text never holds the address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// Redis has no memory left for it: nothing was done.
    #[error("{0}")]
    Full(String),
    /// Redis did not do it, or did not answer: then it may be done all the same.
    #[error("{0}")]
    Unavailable(String),
}

/// What to do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The connection is lost or silent, and whether the call was executed is unknown.
    Lost,
    /// The server at the other end executes no such calls (any more): a replica, one that starts,
    /// one that is not in charge. The call was not executed, and a new connection may lead to
    /// another server.
    Unfit,
    /// The call itself was refused; a new connection would change nothing.
    Refused,
}

impl Verdict {
    pub(crate) fn of(error: &RedisError) -> Self {
        if matches!(error.kind(), ErrorKind::Io | ErrorKind::Parse) {
            return Self::Lost;
        }
        let unfit = matches!(
            error.kind(),
            ErrorKind::Server(
                ServerErrorKind::ReadOnly
                    | ServerErrorKind::BusyLoading
                    | ServerErrorKind::MasterDown
                    | ServerErrorKind::ClusterDown
                    | ServerErrorKind::TryAgain
                    | ServerErrorKind::Moved
                    | ServerErrorKind::Ask
            ) | ErrorKind::AuthenticationFailed
        );
        // Before version 7 Redis puts the error of a command into a sentence about the script that
        // called it.
        let named = ["READONLY ", "MASTERDOWN ", "UNBLOCKED", "NOAUTH", STALE];
        if unfit || named.iter().any(|code| has_code(error, code)) { Self::Unfit } else { Self::Refused }
    }
}

impl From<&RedisError> for Failure {
    fn from(error: &RedisError) -> Self {
        // The answer when `maxmemory` is reached.
        if has_code(error, "OOM") { Self::Full(words(error)) } else { Self::Unavailable(words(error)) }
    }
}

/// Returns true if the error has this code, or quotes an error that has it.
fn has_code(error: &RedisError, code: &str) -> bool {
    error.code().is_some_and(|own| own == code.trim_end()) || error.detail().is_some_and(|text| text.contains(code))
}

/// Describes an error. The address is left out, since it may hold a password.
pub(crate) fn words(error: &RedisError) -> String {
    let category = error.category();
    match error.source().filter(|_| error.is_io_error()) {
        // The system's text about the connection, or that of rustls about a certificate.
        Some(cause) => format!("redis: {category}: {cause}"),
        None => match error.code().filter(|_| matches!(error.kind(), ErrorKind::Extension)) {
            Some(code) => format!("redis: {code}"),
            None => format!("redis: {category}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use ::redis::{make_extension_error, parse_redis_value};

    use super::*;

    /// The error that a client makes of this answer.
    fn answered(line: &str) -> RedisError {
        let value = parse_redis_value(format!("-{line}\r\n").as_bytes()).expect("an answer");
        value.extract_error().expect_err("an error")
    }

    #[test]
    fn a_replica_or_a_server_that_starts_is_left_and_a_refusal_is_final() {
        for (line, verdict) in [
            ("READONLY You can't write against a read only replica. script: 0, on @user_script:1.", Verdict::Unfit),
            ("ERR Error running script (call to f_0): @user_script:1: -READONLY You can't write", Verdict::Unfit),
            ("LOADING Redis is loading the dataset in memory", Verdict::Unfit),
            ("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", Verdict::Unfit),
            ("CLUSTERDOWN The cluster is down", Verdict::Unfit),
            ("UNBLOCKED force unblock from blocking operation", Verdict::Unfit),
            ("STALE replaced", Verdict::Unfit),
            ("NOAUTH Authentication required.", Verdict::Unfit),
            ("OOM command not allowed when used memory > 'maxmemory'.", Verdict::Refused),
            ("NOREPLICAS Not enough good replicas to write.", Verdict::Refused),
            ("MISCONF Redis is configured to save RDB snapshots", Verdict::Refused),
            ("WRONGTYPE Operation against a key holding the wrong kind of value", Verdict::Refused),
        ] {
            assert_eq!(Verdict::of(&answered(line)), verdict, "{line}");
        }
        for kind in [io::ErrorKind::TimedOut, io::ErrorKind::BrokenPipe, io::ErrorKind::ConnectionReset] {
            assert_eq!(Verdict::of(&RedisError::from(io::Error::from(kind))), Verdict::Lost);
        }
    }

    #[test]
    fn no_room_is_told_apart_and_the_text_names_the_code() {
        let full = answered("OOM command not allowed when used memory > 'maxmemory'.");
        assert!(matches!(Failure::from(&full), Failure::Full(_)));
        let nested = answered("ERR Error running script (call to f_0): @user_script:1: -OOM command not allowed");
        assert!(matches!(Failure::from(&nested), Failure::Full(_)));
        let other = make_extension_error("NOREPLICAS".to_owned(), None);
        assert_eq!(Failure::from(&other), Failure::Unavailable("redis: NOREPLICAS".to_owned()));
    }
}
