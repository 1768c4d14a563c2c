//! Where the log is kept beyond the hub's ring: in memory, in a file, or in Redis for several
//! nodes.
//!
//! Publishing goes through an [`Engine`] to the hub: the engine gives each update its place and
//! keeps it as well as was promised, and then passes it to its [`Sink`], in the order of the log.
//! Streams are still fed from the hub's ring.
//!
//! *Invariant:* with [`Durability::Group`] and [`Durability::Sync`] nobody sees an id that a crash
//! could take back. So no id is ever given twice, and what was acknowledged is there after a
//! restart.
//!
//! ```
//! use std::sync::Arc;
//! use tinysse::proto::wire::id::Epoch;
//! use tinysse_hub::{engine::{Batch, Durability, Engine, Record, Sink, memory::Memory}, hub::Update};
//!
//! #[derive(Debug)]
//! struct Print;
//! impl Sink for Print {
//!     fn begin(&self, epoch: Epoch, after: u64) { println!("{epoch:?} goes on behind {after}") }
//!     fn restore(&self, seq: u64, record: Record) { println!("{seq} was kept: {record:?}") }
//!     fn deliver(&self, seq: u64, record: Record) { println!("{seq} is new: {record:?}") }
//! }
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let engine = Memory::start(Epoch(7), Arc::new(Print));
//! let record = Record { logged: 1, update: Update::new("projects") };
//! let done = engine.append(Batch { records: vec![record], receipt: None }).await.unwrap();
//! assert_eq!((done.first, done.count, done.reached), (1, 1, Durability::Memory));
//! # });
//! ```
//!
//! # An engine of your own
//! Implement [`Engine`] and hand it to [`App::with`](crate::app::App::with) or
//! [`Hub::start_with`](crate::embed::Hub::start_with). What it owes:
//!
//! 1. When it starts it calls [`begin`](Sink::begin) with the epoch of the log and the place before
//!    the first update that it still has, and each of those by [`restore`](Sink::restore). A life
//!    whose end may have been lost goes on under the fresh epoch that it is given.
//! 2. Each update gets the next place ([`sequencer`] counts, and knows what was published before
//!    under the same key). The sink receives each ([`deliver`](Sink::deliver)) once, in the order
//!    of the places, and never of one that a crash could take back.
//! 3. `append` returns after the sink was called; what waits is bounded, and the error is
//!    [`EngineError::Busy`] when the queue is full.
//! 4. [`Bounds`] define what is dropped: the oldest first. After [`close`](Engine::close)
//!    everything is refused.
//! 5. A store that can be restored from a backup gives its places twice. It must notice, or be
//!    notified by [`ahead_of_log`](Engine::ahead_of_log).
//!
//! [`conformance`] tests all of that. `examples/lines.rs` is an engine in a text file.

pub mod conformance;
pub mod memory;
mod record;
pub mod redb;
pub mod redis;
pub mod sequencer;

use std::{fmt, path::PathBuf, pin::Pin, str::FromStr};

use tinysse::proto::wire::id::{Epoch, EventId};

use crate::hub::HubConfig;

pub use record::Record;
pub use sequencer::Receipt;

/// What an engine will answer.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Keeps the log and orders it.
pub trait Engine: fmt::Debug + Send + Sync + 'static {
    /// Appends all of the batch or nothing, in neighbouring places. Answers when it is as durable
    /// as promised and the sink has it.
    ///
    /// # Errors
    /// [`EngineError`]. With [`EngineError::Unavailable`] the batch may be in the log all the same,
    /// if the power failed us halfway; with every other it is not.
    fn append(&self, batch: Batch) -> Answer<'_, Result<Appended, EngineError>>;

    /// Reports that a client shows a place of this epoch beyond the end of the log. An engine whose
    /// store may be an older copy of itself begins a new life then, once; for others, and by
    /// default, it means nothing.
    fn ahead_of_log(&self, id: EventId) {
        let _ = id;
    }

    /// Waits until the sink has the log up to `id`, which a client received from another node.
    ///
    /// That client may connect here before the update arrives here. Without the wait its cursor
    /// would be ahead of the log, and it would refetch everything for nothing. The wait is bounded,
    /// since `id` may be invented. An engine of one node, the default, returns at once.
    fn catch_up(&self, id: EventId) -> Answer<'_, ()> {
        let _ = id;
        Box::pin(std::future::ready(()))
    }

    /// How it fares.
    fn health(&self) -> Health;

    /// Writes what is still to be written and ends; later appends are refused.
    fn close(&self) -> Answer<'_, ()>;
}

/// Receives what is in the log: once each, in order.
pub trait Sink: fmt::Debug + Send + Sync + 'static {
    /// The log is the one of `epoch` from here on; what follows comes behind `after`.
    fn begin(&self, epoch: Epoch, after: u64);

    /// An update that was in the log before this process.
    fn restore(&self, seq: u64, record: Record);

    /// A new update.
    fn deliver(&self, seq: u64, record: Record);
}

/// Updates that are appended together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// What to append, at least one.
    pub records: Vec<Record>,
    /// Makes it happen once, however often it is asked for.
    pub receipt: Option<Receipt>,
}

/// Where a batch went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The life of the log.
    pub epoch: Epoch,
    /// The place of the first update.
    pub first: u64,
    /// How many there are.
    pub count: u64,
    /// What would have to fail for it to be lost.
    pub reached: Durability,
}

impl Bounds {
    /// Those of the hub: whatever a stream can be given is kept, and nothing else.
    #[must_use]
    pub fn of(hub: &HubConfig) -> Self {
        Self { max_count: hub.max_count, max_age_ms: hub.max_age_ms, max_bytes: hub.max_bytes }
    }
}

impl Appended {
    /// The ids, in the order of the batch.
    pub fn ids(self) -> impl Iterator<Item = EventId> {
        (self.first..self.first + self.count).map(move |seq| EventId { epoch: self.epoch, seq })
    }
}

/// When an update counts as published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// In this process's memory. A file follows within a moment; a crash before that ends the life
    /// of the log, and clients refetch.
    Memory,
    /// On the disk, together with what else was published meanwhile: one write for all of them.
    #[default]
    Group,
    /// On the disk, with a write of its own in two phases.
    Sync,
}

impl Durability {
    /// As it is written in settings and answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Group => "group",
            Self::Sync => "sync",
        }
    }
}

impl FromStr for Durability {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = [Self::Memory, Self::Group, Self::Sync].into_iter().find(|known| known.as_str() == text);
        known.ok_or_else(|| format!("`{text}` is none of memory, group and sync"))
    }
}

/// How much of the log is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Updates.
    pub max_count: usize,
    /// Their age, in milliseconds.
    pub max_age_ms: u64,
    /// Their bytes.
    pub max_bytes: usize,
}

/// How an engine fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It takes updates.
    Good,
    /// The last write failed and it tries again; streams are served from memory meanwhile.
    Refusing(EngineError),
    /// The store of the log can't be reached: this node receives nothing from the others and should
    /// get no traffic. Its streams stay open.
    Away(EngineError),
}

/// Why nothing was appended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// More updates wait to be written than may wait. Come again in a moment.
    #[error("too many updates wait to be written")]
    Busy,
    /// No space: disk, quota or file size.
    #[error("there is no room for the log: {0}")]
    Full(String),
    /// The log can't be written now.
    #[error("the log can't be written: {0}")]
    Unavailable(String),
    /// The idempotency key was used for something else.
    #[error("this key was used for another body")]
    Reused,
}

/// Why a stored log can't be used. Nothing was changed in it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file is not a log of this program.
    #[error("{} is not a log of tinysse; name another directory", .0.display())]
    Foreign(PathBuf),
    /// It is of a version that this program does not read.
    #[error("{} is a log of format {found}; this program reads format {known}", .path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// Ours.
        known: u64,
    },
    /// It is torn, truncated or otherwise not what was written.
    #[error(
        "{} is damaged ({what}); restore it, or move it away to begin an empty log: clients are told and refetch",
        .path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// Another process has it open.
    #[error("{} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// Redis does not answer.
    #[error(transparent)]
    Unreachable(#[from] crate::redis::Unreachable),
    /// The system refused.
    #[error("{}: {what}", .path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// In its words.
        what: String,
    },
}
