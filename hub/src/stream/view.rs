//! The open streams and the end of the log as those who run the server see them. Everything is
//! bounded: it is read behind the hub's lock.

use std::{collections::HashMap, net::IpAddr};

use serde::Serialize;

use crate::hub::Kept;

/// How many of the newest updates are looked at.
const LOOKED_AT: usize = 10_000;
/// How many types are reported.
const MAX_TYPES: usize = 200;
/// How much of an update's data is shown.
const MAX_SHOWN: usize = 1_024;

/// How a client came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// With the token in the address: a browser's own `EventSource`.
    Native,
    /// With the token in a header.
    Fetch,
}

impl Transport {
    /// As metrics and logs have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Fetch => "fetch",
        }
    }
}

/// How far streams are behind the log: only those that have something to get and did not get it
/// yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lag {
    /// Updates that the slowest stream is behind.
    pub most: u64,
    /// For each of [`BOUNDS`](Self::BOUNDS): the streams that are more than that behind.
    pub streams: [u64; Self::BOUNDS.len()],
}

impl Lag {
    /// In updates.
    pub const BOUNDS: [u64; 5] = [0, 10, 100, 1_000, 10_000];

    /// Counts streams by how many updates each is behind.
    pub(super) fn of(streams: impl Iterator<Item = u64>) -> Self {
        let mut lag = Self::default();
        for behind in streams {
            lag.most = lag.most.max(behind);
            let over = Self::BOUNDS.iter().zip(&mut lag.streams).filter(|(bound, _)| behind > **bound);
            over.for_each(|(_, streams)| *streams += 1);
        }
        lag
    }
}

/// Which streams to report.
#[derive(Clone, Debug, Default)]
pub struct Which {
    /// Those that came behind the one of this number.
    pub after: u64,
    /// How many at most.
    pub limit: usize,
    /// Those of one user.
    pub user: Option<String>,
}

/// An open stream.
#[derive(Clone, Debug, Serialize)]
pub struct Seen {
    /// Its number, for [`Which::after`].
    pub number: u64,
    /// The name in its hello.
    pub client: String,
    /// Whose it is.
    pub user: String,
    /// Their role.
    pub role: String,
    /// Their channels.
    pub channels: Vec<String>,
    /// The types it gets; `None` for all.
    pub types: Option<Vec<String>>,
    /// How it came.
    pub transport: Transport,
    /// From where.
    pub address: Option<IpAddr>,
    /// Everything up to here that it may see was given out.
    pub cursor: String,
    /// Updates that it is behind, if it waits for any.
    pub lag: u64,
    /// When it came, in milliseconds since 1970.
    pub since: u64,
}

/// A type of which the log keeps updates.
#[derive(Clone, Debug, Serialize)]
pub struct TypeSeen {
    /// The type.
    #[serde(rename = "type")]
    pub kind: String,
    /// How many of them.
    pub updates: u64,
    /// The newest one.
    pub id: String,
    /// When that was logged, in milliseconds since 1970.
    pub at: u64,
}

/// An update of the log.
#[derive(Clone, Debug, Serialize)]
pub struct UpdateSeen {
    /// Its place.
    pub id: String,
    /// When it was logged, in milliseconds since 1970.
    pub at: u64,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Who may see it; empty for everybody.
    pub to: Vec<String>,
    /// What it carries, as JSON, if that is not too long to be shown.
    pub data: String,
    /// It was too long.
    pub cut: bool,
}

/// Returns the newest updates, newest first.
pub(super) fn tail<'a>(kept: impl Iterator<Item = Kept<'a>>, limit: usize) -> Vec<UpdateSeen> {
    kept.take(limit).map(|kept| shown(&kept)).collect()
}

/// Returns the types of the newest updates, the one that was published last first.
pub(super) fn types<'a>(kept: impl Iterator<Item = Kept<'a>>) -> Vec<TypeSeen> {
    let (mut known, mut types) = (HashMap::new(), Vec::new());
    for kept in kept.take(LOOKED_AT) {
        let place = *known.entry(kept.kind).or_insert(types.len());
        if place == types.len() && types.len() < MAX_TYPES {
            types.push(TypeSeen { kind: kept.kind.to_owned(), updates: 0, id: kept.id.text(), at: kept.at.0 });
        }
        if let Some(seen) = types.get_mut(place) {
            seen.updates += 1;
        }
    }
    types
}

fn shown(kept: &Kept<'_>) -> UpdateSeen {
    let data = kept.frame.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"data: "));
    let data = data.unwrap_or_default();
    let cut = data.len() > MAX_SHOWN;
    // Half a character at the cut becomes the sign for one that can't be read.
    let data = String::from_utf8_lossy(&data[..data.len().min(MAX_SHOWN)]).into_owned();
    let to = kept.to.iter().map(ToString::to_string).collect();
    UpdateSeen { id: kept.id.text(), at: kept.at.0, kind: kept.kind.to_owned(), to, data, cut }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_is_counted_by_bound() {
        let lag = Lag::of([1, 10, 11, 5_000].into_iter());
        assert_eq!(lag, Lag { most: 5_000, streams: [4, 2, 1, 1, 0] });
    }
}
