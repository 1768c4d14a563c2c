//! The one suite that every engine passes, yours too: a test of your crate calls [`conforms`].
//!
//! ```
//! use std::sync::Arc;
//! use tinysse_hub::engine::{conformance::conforms, memory::Memory};
//!
//! // A log that is never opened twice, since it ends with the process.
//! conforms(|| Box::new(|_, epoch, sink| Arc::new(Memory::start(epoch, sink))), false);
//! ```

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

use tinysse::proto::wire::id::Epoch;

use super::*;
use crate::hub::Update;

/// What a sink received, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// [`Sink::begin`], with the place before the first update.
    Begin(u64),
    /// [`Sink::restore`].
    Old(u64, Record),
    /// [`Sink::deliver`].
    New(u64, Record),
}

/// A sink that remembers what it receives.
#[derive(Debug, Default)]
pub struct RecordingSink(Mutex<(Vec<Received>, Vec<Epoch>)>);

impl RecordingSink {
    fn record(&self, call: Received, epoch: Option<Epoch>) {
        let mut received = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        received.0.push(call);
        received.1.extend(epoch);
    }

    /// All of it.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    /// The epoch of the log of which it was last notified.
    ///
    /// # Panics
    /// If it was notified of none.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).1.last().expect("a beginning")
    }

    /// Places that were delivered as new.
    #[must_use]
    pub fn fresh(&self) -> Vec<u64> {
        self.received()
            .iter()
            .filter_map(|call| if let Received::New(seq, _) = call { Some(*seq) } else { None })
            .collect()
    }

    /// Places that were restored as old.
    #[must_use]
    pub fn old(&self) -> Vec<u64> {
        self.received()
            .iter()
            .filter_map(|call| if let Received::Old(seq, _) = call { Some(*seq) } else { None })
            .collect()
    }
}

impl Sink for RecordingSink {
    fn begin(&self, epoch: Epoch, after: u64) {
        self.record(Received::Begin(after), Some(epoch));
    }

    fn restore(&self, seq: u64, record: Record) {
        self.record(Received::Old(seq, record), None);
    }

    fn deliver(&self, seq: u64, record: Record) {
        self.record(Received::New(seq, record), None);
    }
}

/// Bounds that the suite's updates stay within.
pub const WIDE: Bounds = Bounds { max_count: 1_000, max_age_ms: 3_600_000, max_bytes: 1 << 20 };

/// An update of a type.
#[must_use]
pub fn record(logged: u64, kind: &str) -> Record {
    Record { logged, update: Update { data: Some("{\"n\":1}".into()), ..Update::new(kind) } }
}

/// A batch of one.
#[must_use]
pub fn one(logged: u64) -> Batch {
    Batch { records: vec![record(logged, "a")], receipt: None }
}

/// A batch of one that happens once.
#[must_use]
pub fn once(logged: u64, key: &str, fingerprint: u64) -> Batch {
    Batch { receipt: Some(Receipt { key: key.into(), fingerprint }), ..one(logged) }
}

/// Waits on a runtime of its own.
///
/// # Panics
/// Inside another runtime.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

/// Opens one log, again and again; the epoch names a new life, should one begin.
pub type Open = dyn Fn(Bounds, Epoch, Arc<dyn Sink>) -> Arc<dyn Engine>;

fn start(open: &Open, bounds: Bounds, epoch: Epoch, sink: &Arc<RecordingSink>) -> Arc<dyn Engine> {
    open(bounds, epoch, Arc::clone(sink) as Arc<dyn Sink>)
}

/// Which clock dates the updates that an engine keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dated {
    /// The records come with their dates, and the sink gets them as they are.
    Records,
    /// The store dates what it is given by its own clock, and the sink gets that.
    Store,
}

/// Everything that is required of an engine that keeps the dates of its records. `make` returns how
/// to open a log that was never opened; `keeps` states whether it outlives its closing.
///
/// # Panics
/// Where the engine is wrong. Outside of asynchronous code only: it has a runtime of its own.
pub fn conforms(make: impl Fn() -> Box<Open>, keeps: bool) {
    conforms_dated(make, keeps, Dated::Records);
}

/// The same as [`conforms`], for an engine whose updates are dated by `dated`.
///
/// # Panics
/// As [`conforms`].
pub fn conforms_dated(make: impl Fn() -> Box<Open>, keeps: bool, dated: Dated) {
    places_are_dense_and_told_once_in_order(&*make(), dated);
    a_batch_stays_together(&*make(), dated);
    publishers_at_the_same_time_get_a_place_each(&*make());
    a_key_counts_once(&*make());
    a_closed_engine_refuses(&*make());
    if keeps {
        a_log_goes_on_where_it_ended(&*make(), dated);
        what_no_longer_fits_is_gone(&*make(), dated);
        receipts_outlive_a_restart(&*make());
    } else {
        a_new_life_has_a_new_epoch(&*make());
    }
}

/// What the sink got, without dates that are of another clock.
fn undated(told: Received, dated: Dated) -> Received {
    let record = |record: Record| match dated {
        Dated::Records => record,
        Dated::Store => Record { logged: 0, ..record },
    };
    match told {
        Received::Begin(after) => Received::Begin(after),
        Received::Old(seq, found) => Received::Old(seq, record(found)),
        Received::New(seq, found) => Received::New(seq, record(found)),
    }
}

fn places_are_dense_and_told_once_in_order(open: &Open, dated: Dated) {
    let sink = Arc::new(RecordingSink::default());
    let engine = start(open, WIDE, Epoch(1), &sink);
    wait(async {
        for seq in 1..=5 {
            let done = engine.append(one(seq)).await.expect("appended");
            assert_eq!((done.epoch, done.first, done.count), (sink.epoch(), seq, 1));
            // By the time of the answer the sink knows.
            let last = sink.received().pop().map(|told| undated(told, dated));
            assert_eq!(last, Some(undated(Received::New(seq, record(seq, "a")), dated)));
        }
        assert_eq!(sink.received().first(), Some(&Received::Begin(0)));
        assert_eq!(engine.health(), Health::Good);
        engine.close().await;
    });
    assert_eq!(sink.fresh(), [1, 2, 3, 4, 5]);
}

fn a_batch_stays_together(open: &Open, dated: Dated) {
    let sink = Arc::new(RecordingSink::default());
    let engine = start(open, WIDE, Epoch(1), &sink);
    let batch = Batch { records: (0..3).map(|n| record(1, &format!("a{n}"))).collect(), receipt: None };
    wait(async {
        let done = engine.append(batch.clone()).await.expect("appended");
        assert_eq!(done.ids().map(|id| id.seq).collect::<Vec<_>>(), [1, 2, 3]);
        engine.close().await;
    });
    let told = (1..).zip(batch.records).map(|(seq, record)| undated(Received::New(seq, record), dated));
    let found = sink.received().into_iter().skip(1).map(|told| undated(told, dated));
    assert_eq!(found.collect::<Vec<_>>(), told.collect::<Vec<_>>());
}

fn publishers_at_the_same_time_get_a_place_each(open: &Open) {
    let sink = Arc::new(RecordingSink::default());
    let engine = start(open, WIDE, Epoch(1), &sink);
    let mut firsts = wait(async {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let engine = Arc::clone(&engine);
            tasks.spawn(async move { engine.append(one(1)).await.expect("appended").first });
        }
        let firsts = tasks.join_all().await;
        engine.close().await;
        firsts
    });
    firsts.sort_unstable();
    assert_eq!(firsts, (1..=50).collect::<Vec<_>>());
    assert_eq!(sink.fresh(), firsts);
}

fn a_key_counts_once(open: &Open) {
    let sink = Arc::new(RecordingSink::default());
    let engine = start(open, WIDE, Epoch(1), &sink);
    wait(async {
        let first = engine.append(once(1, "k", 7)).await;
        assert_eq!(engine.append(once(2, "k", 7)).await, first);
        assert_eq!(engine.append(once(2, "k", 8)).await, Err(EngineError::Reused));
        assert_eq!(engine.append(once(3, "l", 7)).await.map(|done| done.first), Ok(2));
        let (a, b) = tokio::join!(engine.append(once(4, "m", 7)), engine.append(once(4, "m", 7)));
        assert_eq!((a.clone(), a.map(|done| done.first)), (b, Ok(3)));
        engine.close().await;
    });
    assert_eq!(sink.fresh(), [1, 2, 3]);
}

fn a_closed_engine_refuses(open: &Open) {
    let sink = Arc::new(RecordingSink::default());
    let engine = start(open, WIDE, Epoch(1), &sink);
    wait(async {
        engine.close().await;
        assert!(matches!(engine.append(one(1)).await, Err(EngineError::Unavailable(_))));
        engine.close().await;
    });
    assert!(sink.fresh().is_empty());
}

fn a_log_goes_on_where_it_ended(open: &Open, dated: Dated) {
    for round in 0..3 {
        let sink = Arc::new(RecordingSink::default());
        let engine = start(open, WIDE, Epoch(10 + round), &sink);
        assert_eq!((sink.epoch(), sink.received().first()), (Epoch(10), Some(&Received::Begin(0))));
        let old: Vec<_> = (1..=2 * round).collect();
        assert_eq!(sink.old(), old);
        assert!(sink.received().into_iter().all(|told| match told {
            Received::Old(seq, _) => undated(told, dated) == undated(Received::Old(seq, record(seq, "a")), dated),
            Received::Begin(_) | Received::New(..) => true,
        }));
        wait(async {
            for seq in 2 * round + 1..=2 * round + 2 {
                assert_eq!(engine.append(one(seq)).await.map(|done| done.first), Ok(seq));
            }
            engine.close().await;
        });
    }
}

fn what_no_longer_fits_is_gone(open: &Open, dated: Dated) {
    let kept = |bounds: Bounds, logged: &[u64]| {
        let sink = Arc::new(RecordingSink::default());
        let engine = open(bounds.clone(), Epoch(1), sink);
        wait(async {
            for at in logged {
                engine.append(one(*at)).await.expect("appended");
            }
            engine.close().await;
        });
        let sink = Arc::new(RecordingSink::default());
        let engine = start(open, bounds, Epoch(1), &sink);
        wait(engine.close());
        let old = sink.old();
        assert_eq!(sink.received().first(), Some(&Received::Begin(old.first().map_or(0, |first| first - 1))));
        old
    };
    assert_eq!(kept(Bounds { max_count: 3, ..WIDE }, &[1, 1, 1, 1, 1]), [3, 4, 5]);
    match dated {
        Dated::Records => assert_eq!(kept(Bounds { max_age_ms: 10, ..WIDE }, &[100, 105, 111]), [7, 8]),
        // Whatever the records contain.
        Dated::Store => assert_eq!(kept(WIDE, &[0, 9_999_999_999_999, 0]), [3, 4, 5, 6, 7, 8]),
    }
    let size = record(200, "a").encode().len();
    let few = kept(Bounds { max_bytes: 3 * size, ..WIDE }, &[200; 9]);
    assert!(few.last() == Some(&17) && (2..=3).contains(&few.len()), "{few:?}");
}

fn receipts_outlive_a_restart(open: &Open) {
    let again = || {
        let engine = open(WIDE, Epoch(1), Arc::new(RecordingSink::default()));
        wait(async {
            let done = engine.append(once(5, "k", 7)).await;
            let other = engine.append(once(5, "k", 8)).await;
            engine.close().await;
            (done.map(|done| done.first), other)
        })
    };
    assert_eq!(again(), (Ok(1), Err(EngineError::Reused)));
    assert_eq!(again(), (Ok(1), Err(EngineError::Reused)));
}

fn a_new_life_has_a_new_epoch(open: &Open) {
    for epoch in [Epoch(1), Epoch(2)] {
        let sink = Arc::new(RecordingSink::default());
        wait(start(open, WIDE, epoch, &sink).close());
        assert_eq!((sink.epoch(), sink.received()), (epoch, vec![Received::Begin(0)]));
    }
}
