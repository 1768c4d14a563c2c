//! An engine of your own: the log as a text file, a line a batch. `tests/examples/lines.rs` puts it
//! through the suite that every engine passes.
//!
//! ```sh
//! cargo run -p tinysse-hub --example lines -- /tmp/log.txt
//! curl -H 'authorization: Bearer the-key-of-the-example' -H 'content-type: application/json' \
//!   -d '{"type":"projects"}' http://127.0.0.1:8082/publish
//! cat /tmp/log.txt
//! ```

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tinysse::proto::wire::id::Epoch;
use tinysse_hub::{
    app::Overrides,
    embed::Hub,
    engine::{
        Answer, Appended, Batch, Bounds, Durability, Engine, EngineError, Health, Receipt, Record, Sink,
        sequencer::{Done, Entry, Sequencer},
    },
    settings::Settings,
};

/// The log in a file.
#[derive(Debug)]
pub(crate) struct Lines(Arc<Mutex<Option<Log>>>);

#[derive(Debug)]
struct Log {
    path: PathBuf,
    file: File,
    ledger: Sequencer,
    sink: Arc<dyn Sink>,
    bounds: Bounds,
    /// How long the file is, and from which length on it is written anew without what no longer
    /// fits.
    length: u64,
    tidy_at: u64,
}

/// The first line.
#[derive(Serialize, Deserialize)]
struct Head {
    epoch: u64,
    after: u64,
}

/// Every other line.
#[derive(Serialize, Deserialize)]
struct Line {
    receipt: Option<(String, u64)>,
    records: Vec<Box<RawValue>>,
}

impl Lines {
    /// Opens the log in a file, or begins one.
    pub(crate) fn open(path: &Path, bounds: Bounds, fresh: Epoch, sink: Arc<dyn Sink>) -> io::Result<Self> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => read?,
        };
        // A line without an end was never acknowledged. The first one has one: the file is renamed
        // when it is written.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        if whole.is_empty() && !text.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "this file is not a log"));
        }
        let mut lines = whole.lines();
        let Head { epoch, after } = match lines.next() {
            Some(line) => serde_json::from_str(line)?,
            None => Head { epoch: fresh.0, after: 0 },
        };
        let mut batches = Vec::new();
        let mut seq = after;
        for line in lines {
            let line: Line = serde_json::from_str(line)?;
            let first = seq + 1;
            seq += line.records.len() as u64;
            batches.push((first, line));
        }
        let mut ledger = Sequencer::new(Epoch(epoch), seq, Durability::Sync);
        let mut records = Vec::new();
        for (first, line) in &batches {
            for raw in &line.records {
                records.push(Record::decode(raw.get().as_bytes()).map_err(io::Error::other)?);
            }
            if let (Some((key, fingerprint)), Some(record)) = (&line.receipt, records.last()) {
                let count = line.records.len() as u64;
                ledger.note(key.clone(), Done { fingerprint: *fingerprint, first: *first, count, at: record.logged });
            }
        }
        let gone = surplus(&records, &bounds);
        sink.begin(Epoch(epoch), after + gone as u64);
        let kept: Vec<_> = (after + 1..).zip(records).skip(gone).collect();
        // Whole lines only: one that holds something that is kept stays.
        let first = kept.first().map_or(seq + 1, |(seq, _)| *seq);
        batches.retain(|(from, line)| from + line.records.len() as u64 > first);
        let after = batches.first().map_or(seq, |(from, _)| from - 1);
        let lines = batches.iter().map(|(_, line)| serde_json::to_string(line));
        let head = serde_json::to_string(&Head { epoch, after });
        let text: Vec<_> = std::iter::once(head).chain(lines).collect::<Result<_, _>>()?;
        let file = replace(path, &(text.join("\n") + "\n"))?;
        kept.into_iter().for_each(|(seq, record)| sink.restore(seq, record));
        let length = file.metadata()?.len();
        let tidy_at = length + 2 * bounds.max_bytes as u64;
        let log = Log { path: path.to_owned(), file, ledger, sink, bounds, length, tidy_at };
        Ok(Self(Arc::new(Mutex::new(Some(log)))))
    }
}

impl Engine for Lines {
    fn append(&self, batch: Batch) -> Answer<'_, Result<Appended, EngineError>> {
        let log = Arc::clone(&self.0);
        Box::pin(async move {
            // Waiting for a disk is no work for the threads that carry connections.
            let work =
                tokio::task::spawn_blocking(move || match &mut *log.lock().unwrap_or_else(PoisonError::into_inner) {
                    Some(log) => log.append(batch),
                    None => Err(EngineError::Unavailable("it is closed".to_owned())),
                });
            work.await.unwrap_or_else(|error| Err(EngineError::Unavailable(error.to_string())))
        })
    }

    fn health(&self) -> Health {
        Health::Good
    }

    fn close(&self) -> Answer<'_, ()> {
        Box::pin(async { drop(self.0.lock().unwrap_or_else(PoisonError::into_inner).take()) })
    }
}

impl Log {
    fn append(&mut self, batch: Batch) -> Result<Appended, EngineError> {
        if let Entry::Known(appended) = self.ledger.look(&batch)? {
            return Ok(appended);
        }
        self.write(&batch).map_err(|error| EngineError::Unavailable(error.to_string()))?;
        let (Entry::New(appended) | Entry::Known(appended)) = self.ledger.enter(&batch)?;
        for (seq, record) in (appended.first..).zip(batch.records) {
            self.sink.deliver(seq, record);
        }
        Ok(appended)
    }

    /// All of the batch is on the disk, or nothing is.
    fn write(&mut self, batch: &Batch) -> io::Result<()> {
        if self.length > self.tidy_at {
            self.tidy()?;
        }
        let raw = |record: &Record| RawValue::from_string(String::from_utf8_lossy(&record.encode()).into_owned());
        let records = batch.records.iter().map(raw).collect::<Result<_, _>>()?;
        let receipt = batch.receipt.clone().map(|Receipt { key, fingerprint }| (key, fingerprint));
        let line = serde_json::to_string(&Line { receipt, records })? + "\n";
        // What a write left that failed, and could not be undone either.
        if self.file.metadata()?.len() > self.length {
            self.file.set_len(self.length)?;
        }
        let written = self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_data());
        match written {
            Ok(()) => self.length += line.len() as u64,
            Err(_) => self.file.set_len(self.length)?,
        }
        written
    }

    /// Reads the log and writes it anew, as at a start; no sink is called.
    fn tidy(&mut self) -> io::Result<()> {
        #[derive(Debug)]
        struct Nobody;
        impl Sink for Nobody {
            fn begin(&self, _: Epoch, _: u64) {}
            fn restore(&self, _: u64, _: Record) {}
            fn deliver(&self, _: u64, _: Record) {}
        }
        let anew = Lines::open(&self.path, self.bounds.clone(), Epoch(0), Arc::new(Nobody))?;
        if let Some(log) = anew.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            (self.file, self.length, self.tidy_at) = (log.file, log.length, log.tidy_at);
        }
        Ok(())
    }
}

/// How many of the oldest no longer fit.
fn surplus(records: &[Record], bounds: &Bounds) -> usize {
    let now = records.iter().map(|record| record.logged).max().unwrap_or(0);
    let mut bytes = 0;
    let fits = records.iter().rev().take(bounds.max_count.max(1)).take_while(|record| {
        bytes += record.encode().len();
        bytes <= bounds.max_bytes && now - record.logged <= bounds.max_age_ms
    });
    records.len() - fits.count()
}

/// Never half a file: written beside it and renamed.
fn replace(path: &Path, text: &str) -> io::Result<File> {
    let mut next = path.as_os_str().to_owned();
    next.push(".next");
    let mut file = File::create(&next)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&next, path)?;
    OpenOptions::new().append(true).open(path)
}

/// A hub whose log is this file.
pub(crate) fn hub(path: PathBuf, settings: Settings) -> Result<Hub, Box<dyn std::error::Error>> {
    let own = Overrides {
        engine: Some(Box::new(move |bounds, fresh, sink| Ok(Arc::new(Lines::open(&path, bounds, fresh, sink)?)))),
        ..Overrides::default()
    };
    Ok(Hub::start_with(settings, own)?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).ok_or("name a file for the log")?;
    let mut settings = Settings::in_memory("a-secret-that-everybody-can-read-here".to_owned().into());
    settings.auth.publish_key = Some("the-key-of-the-example".to_owned().into());
    let hub = hub(path.into(), settings)?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8082").await?;
    println!("listening on http://{}", listener.local_addr()?);
    hub.serve(listener, hub.router(), async { drop(tokio::signal::ctrl_c().await) }).await;
    Ok(())
}
