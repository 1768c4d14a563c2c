//! The connection to Redis that everything shared goes over: the log, leases, revocations, used
//! tokens.
//!
//! There is one at a time, and each has a number. When a call finds it lost, silent, or in front of
//! a replica, it is discarded, the monitor (`monitor.rs`) opens the next one, and the call is
//! repeated over that, once.
//!
//! *Invariant:* a call takes effect before the next connection is used, or never. Before a
//! connection is handed out its number is written to the key `P:fence:NODE`, and every script first
//! compares the number it came with (see `script.rs`). So a repeated call finds out what became of
//! the first attempt, and nothing that was under way for minutes arrives in the middle of later
//! calls.

use std::{
    fmt, io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use ::redis::{
    AsyncConnectionConfig, Client, FromRedisValue, RedisError, RedisResult, Script, ScriptInvocation,
    aio::MultiplexedConnection,
};
use tokio::{
    sync::watch,
    time::{error::Elapsed, timeout},
};

use super::{
    PATIENCE, Place,
    failure::{Failure, Verdict, words},
};
use crate::clock::random_name;

/// How long the number of a node's connection is kept. What is older than this is under way no
/// more.
const FENCE_MS: u64 = 86_400_000;

/// The connection to one Redis. All clones share it.
#[derive(Clone)]
pub struct Link {
    shared: Arc<Shared>,
}

struct Shared {
    client: Client,
    place: Place,
    /// What writes the number of the connection that counts, and its key. No other process has it.
    fence: (Script, String),
    status: watch::Sender<Status>,
    /// The number of the last connection that was discarded, and why it was.
    discarded: watch::Sender<(u64, String)>,
}

/// Whether calls can be made.
#[derive(Clone, Debug)]
pub(crate) enum Status {
    /// A connection is being opened, and nothing is known against it.
    Connecting,
    Ready(Numbered),
    /// The last attempt to connect failed.
    Away(String),
}

/// A connection with its number.
#[derive(Clone, Debug)]
pub(crate) struct Numbered {
    pub(crate) number: u64,
    conn: MultiplexedConnection,
    /// Whether everything that was sent over earlier connections is without effect from now on.
    fenced: bool,
    /// Whether a call has succeeded over it.
    proven: Arc<AtomicBool>,
}

impl Numbered {
    /// Returns true if a call has succeeded over it.
    pub(crate) fn is_proven(&self) -> bool {
        self.proven.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("prefix", &self.shared.place.prefix).finish_non_exhaustive()
    }
}

impl Link {
    pub(crate) fn new(client: Client, place: Place) -> Self {
        let fence = (super::script::fence(), place.key(&format!("fence:{}", random_name())));
        let (status, discarded) = (watch::Sender::new(Status::Connecting), watch::Sender::new((0, String::new())));
        Self { shared: Arc::new(Shared { client, place, fence, status, discarded }) }
    }

    /// Returns the full name of a key.
    pub(crate) fn key(&self, name: &str) -> String {
        self.shared.place.key(name)
    }

    /// Returns the client, for a connection that blocks this thread.
    pub(crate) fn client(&self) -> &Client {
        &self.shared.client
    }

    /// Describes an error, without the address.
    pub(crate) fn words(error: &RedisError) -> String {
        words(error)
    }

    /// Opens another connection for reading, which may wait inside Redis. Each answer comes within
    /// [`PATIENCE`], or an error does.
    pub(crate) async fn reader(&self) -> RedisResult<MultiplexedConnection> {
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(PATIENCE)).set_response_timeout(Some(PATIENCE));
        self.shared.client.get_multiplexed_async_connection_with_config(&config).await
    }

    /// Runs a script in one step for all nodes, and a second time over a new connection if the
    /// first one is lost or leads to a server that does not execute it. `fill` adds keys and
    /// arguments, and learns whether this is the second time: the first may have been executed.
    ///
    /// Takes at most two seconds for an answer, as long for a new connection, and as long again for
    /// the second answer.
    ///
    /// # Errors
    /// [`Failure`]. With [`Failure::Unavailable`] it may have been executed all the same.
    pub(crate) async fn run<T: FromRedisValue>(
        &self,
        script: &Script,
        fill: impl Fn(&mut ScriptInvocation<'_>, bool),
    ) -> Result<T, Failure> {
        let mut lost = None;
        loop {
            let numbered = self.current().await.map_err(Failure::Unavailable)?;
            let again = lost.is_some();
            if let Some(failure) = lost.take().filter(|_| !numbered.fenced) {
                return Err(failure);
            }
            let error = match self.over(&numbered, script, |call| fill(call, again)).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let failure = Failure::from(&error);
            match Verdict::of(&error) {
                Verdict::Refused => return Err(failure),
                Verdict::Lost | Verdict::Unfit => self.discard(numbered.number, words(&error)),
            }
            if again {
                return Err(failure);
            }
            lost = Some(failure);
        }
    }

    /// Runs a script over this connection, until it is discarded.
    pub(crate) async fn over<T: FromRedisValue>(
        &self,
        numbered: &Numbered,
        script: &Script,
        fill: impl Fn(&mut ScriptInvocation<'_>),
    ) -> RedisResult<T> {
        let mut call = script.prepare_invoke();
        fill(&mut call);
        call.key(&self.shared.fence.1).arg(numbered.number);
        let mut conn = numbered.conn.clone();
        tokio::select! {
            answer = call.invoke_async(&mut conn) => {
                if answer.is_ok() {
                    numbered.proven.store(true, Ordering::Relaxed);
                }
                answer
            }
            why = self.until_discarded(numbered.number) => Err(io::Error::other(why).into()),
        }
    }

    /// Returns the connection, and waits for one that is being opened.
    async fn current(&self) -> Result<Numbered, String> {
        let mut status = self.shared.status.subscribe();
        let known = status.wait_for(|status| !matches!(status, Status::Connecting));
        let status = timeout(2 * PATIENCE, known).await.map(|known| known.map(|status| status.clone()));
        match status {
            Ok(Ok(Status::Ready(numbered))) => Ok(numbered),
            Ok(Ok(Status::Away(why))) => Err(why),
            Ok(Ok(Status::Connecting) | Err(_)) | Err(_) => Err("redis: it does not answer".to_owned()),
        }
    }

    /// Returns the number of the connection, and waits for one that is being opened.
    ///
    /// # Errors
    /// Why there is no connection: the last attempt failed. The next one follows within two
    /// seconds.
    pub(crate) async fn ready(&self) -> Result<u64, String> {
        self.current().await.map(|numbered| numbered.number)
    }

    /// Waits until there is a connection, however long that takes; answers its number.
    pub(crate) async fn connected(&self) -> u64 {
        loop {
            let mut status = self.shared.status.subscribe();
            drop(status.wait_for(|status| matches!(status, Status::Ready(_))).await);
            if let Ok(number) = self.ready().await {
                return number;
            }
        }
    }

    /// Returns true if what was sent over earlier connections is without effect.
    #[cfg(test)]
    pub(crate) async fn is_fenced(&self) -> bool {
        self.current().await.is_ok_and(|numbered| numbered.fenced)
    }

    /// Gives a connection up, unless a newer one has taken its place. Calls under way over it end.
    pub(crate) fn discard(&self, number: u64, why: String) {
        // First this, so that no new call gets it.
        self.shared.status.send_if_modified(|status| {
            let its = matches!(status, Status::Ready(numbered) if numbered.number == number);
            if its {
                *status = Status::Connecting;
            }
            its
        });
        self.shared.discarded.send_if_modified(|last| {
            let news = number > last.0;
            if news {
                *last = (number, why);
            }
            news
        });
    }

    /// Waits until this connection or a later one is discarded. Answers why it was.
    pub(crate) async fn until_discarded(&self, number: u64) -> String {
        let mut discarded = self.shared.discarded.subscribe();
        let why = discarded.wait_for(|(last, _)| *last >= number).await;
        why.map_or_else(|_| String::new(), |last| last.1.clone())
    }

    /// Returns why there is no connection, if the last attempt to open one failed.
    pub(crate) fn away(&self) -> Option<String> {
        match &*self.shared.status.borrow() {
            Status::Away(why) => Some(why.clone()),
            Status::Connecting | Status::Ready(_) => None,
        }
    }

    /// Returns the number of the current connection, or of the last one.
    pub(crate) fn number(&self) -> u64 {
        let current = match &*self.shared.status.borrow() {
            Status::Ready(numbered) => Some(numbered.number),
            Status::Connecting | Status::Away(_) => None,
        };
        current.unwrap_or_else(|| self.shared.discarded.borrow().0)
    }

    /// Sets whether calls can be made.
    pub(crate) fn set(&self, status: Status) {
        self.shared.status.send_replace(status);
    }

    /// Opens the connection of this number, and puts what was sent over the earlier ones out of
    /// effect.
    pub(crate) async fn dial(&self, number: u64) -> Result<Numbered, String> {
        let dialled = async {
            let mut numbered = Numbered { number, conn: self.reader().await?, fenced: false, proven: Arc::default() };
            match self.fence(&mut numbered).await {
                Ok(()) => Ok(numbered),
                // Redis takes no writes now, but may again.
                Err(error) if Verdict::of(&error) == Verdict::Refused => Ok(numbered),
                Err(error) => Err(error),
            }
        };
        timeout(PATIENCE, dialled).await.map_err(silent)?.map_err(|error| words(&error))
    }

    /// Puts what was sent over earlier connections out of effect, if that is still to be done.
    pub(crate) async fn complete(&self, numbered: &mut Numbered) -> RedisResult<()> {
        if numbered.fenced {
            return Ok(());
        }
        self.fence(numbered).await?;
        self.shared.status.send_if_modified(|status| match status {
            Status::Ready(current) if current.number == numbered.number => {
                current.fenced = true;
                true
            }
            Status::Ready(_) | Status::Connecting | Status::Away(_) => false,
        });
        Ok(())
    }

    /// Writes the number of a connection down. A write also finds out whether those are taken.
    async fn fence(&self, numbered: &mut Numbered) -> RedisResult<()> {
        let fence = &self.shared.fence;
        fence.0.key(&fence.1).arg(numbered.number).arg(FENCE_MS).invoke_async::<()>(&mut numbered.conn).await?;
        numbered.fenced = true;
        Ok(())
    }
}

fn silent(_: Elapsed) -> String {
    "redis: it does not answer".to_owned()
}
