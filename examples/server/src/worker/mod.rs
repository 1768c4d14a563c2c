//! The background worker: asks other servers over HTTP and says what changed.

pub mod poller;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::http::Uri;
use reqwest::Client;
use serde_json::Value;
use tinysse::core::time::Time;
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use crate::{
    clock::{Clock, random_u64},
    config::Config,
    metrics::Metrics,
    update_service::UpdateService,
};
use poller::{Failed, Poller, View};

/// An answer may be this long; more is a failure.
const MAX_ANSWER: usize = 1 << 20;

/// All pollers of the server.
#[derive(Debug)]
pub struct BackgroundWorker {
    polls: Vec<Arc<Poll>>,
    every: Duration,
    timeout: Duration,
}

/// One address that is polled.
#[derive(Debug)]
pub struct Poll {
    uri: Uri,
    state: Mutex<Poller>,
}

impl BackgroundWorker {
    /// As configured; nothing is asked yet.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let poll = |pair: &crate::config::Pair<Uri>| {
            let poller = Poller::new(&*pair.kind, config.poll_every.ms(), random_u64());
            Arc::new(Poll { uri: pair.value.clone(), state: Mutex::new(poller) })
        };
        Self {
            polls: config.polls.iter().map(poll).collect(),
            every: config.poll_every.duration(),
            timeout: config.poll_timeout.duration(),
        }
    }

    /// The pollers, in the order of the configuration.
    #[must_use]
    pub fn polls(&self) -> &[Arc<Poll>] {
        &self.polls
    }

    /// The poller that publishes `kind`.
    #[must_use]
    pub fn find(&self, kind: &str) -> Option<&Poll> {
        self.polls.iter().map(AsRef::as_ref).find(|poll| poll.kind() == kind)
    }

    /// Starts one task a poller.
    pub fn spawn(&self, into: &mut JoinSet<()>, clock: Clock, updates: &Arc<UpdateService>, metrics: &Arc<Metrics>) {
        if self.polls.is_empty() {
            return;
        }
        let http = Client::builder().timeout(self.timeout).build().expect("a plain HTTP client");
        for poll in &self.polls {
            let (poll, http) = (Arc::clone(poll), http.clone());
            let (updates, metrics) = (Arc::clone(updates), Arc::clone(metrics));
            let every = self.every;
            into.spawn(async move { poll.run(every, &http, clock, &updates, &metrics).await });
        }
    }
}

impl Poll {
    /// The type that it publishes.
    #[must_use]
    pub fn kind(&self) -> String {
        self.state().kind().to_owned()
    }

    /// What it has to show.
    #[must_use]
    pub fn view(&self, now: Time) -> View {
        self.state().view(now)
    }

    async fn run(&self, every: Duration, http: &Client, clock: Clock, updates: &UpdateService, metrics: &Metrics) {
        let mut rhythm = interval(every);
        // A slow answer delays the next question; there is no burst to catch up.
        rhythm.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            rhythm.tick().await;
            let answer = self.ask(http).await;
            let kind = self.kind();
            let result = answer.map_err(|error| {
                metrics.poll_failed(&kind);
                tracing::warn!(target: "tinysse::worker", r#type = kind, error, "poll failed; the last value goes on");
                Failed
            });
            let (notify, pause) = {
                let mut poller = self.state();
                (poller.on_result(clock.now(), result), Duration::from_millis(poller.pause_ms()))
            };
            if pause != every {
                rhythm.reset_after(pause);
            }
            if let Some(notify) = notify {
                // The type was checked with the configuration; if it is refused all the same, the service has logged it.
                let _ = updates.notify(&notify.kind).await;
            }
        }
    }

    /// The answer's JSON, or in words why there is none. The words never hold the address: it may hold a password.
    async fn ask(&self, http: &Client) -> Result<Value, String> {
        let words = |error: reqwest::Error| error.without_url().to_string();
        let mut response = http.get(self.uri.to_string()).send().await.map_err(words)?;
        if !response.status().is_success() {
            return Err(format!("status {}", response.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(words)? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err("the answer is too long".to_owned());
            }
            body.extend_from_slice(&chunk);
        }
        serde_json::from_slice(&body).map_err(|error| format!("no JSON: {error}"))
    }

    fn state(&self) -> MutexGuard<'_, Poller> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
