//! Rights that the app itself is asked for, over HTTP.
//!
//! The question is `POST` with `{"user":"ada","role":"...","channels":[...],"gen":1732492800000}`,
//! from the token. The answer is 200 with any of
//! `{"role":"admin","channels":["ops.>"],"types":["news.*"]}` (what is left out stays as in the
//! token), or 403, 404 or 410 for nobody. Anything else is no answer.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use axum::http::Uri;
use moka::future::Cache;
use serde::Deserialize;
use serde_json::json;
use tinysse::proto::audience::Identity;

use super::{Answer, Denied, Directory, Rights, TypePattern, patterns};
use crate::{
    auth::{jwt::Claims, names},
    values::{Secret, Span},
};

/// Users whose rights are remembered.
const REMEMBERED: u64 = 10_000;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes that an answer may have.
const MAX_BYTES: usize = 64 * 1024;

/// The app's answer to who may see what. Remembered for a time; questions about one user at one
/// time are one.
#[derive(Debug)]
pub struct RightsService {
    url: Uri,
    key: Option<Secret>,
    http: reqwest::Client,
    known: Cache<Question, Rights>,
    /// How often everything was forgotten.
    forgotten: AtomicU64,
}

/// What is asked. All of it is the key of the answer: two sessions of one user may claim different
/// things. And when: an answer that was on its way while the rights changed must not be found
/// later. The parts are not joined to one text, in which one may look like two.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Question {
    forgotten: u64,
    established: u64,
    user: String,
    role: String,
    channels: Vec<String>,
}

#[derive(Deserialize)]
struct Said {
    role: Option<String>,
    channels: Option<Vec<String>>,
    types: Option<Vec<TypePattern>>,
}

impl RightsService {
    /// Asks `url`, with `key` as bearer. Answers hold for `ttl`.
    #[must_use]
    pub fn new(url: Uri, key: Option<Secret>, ttl: Span) -> Self {
        let known = Cache::builder().max_capacity(REMEMBERED).time_to_live(ttl.duration()).build();
        Self { url, key, http: reqwest::Client::new(), known, forgotten: AtomicU64::new(0) }
    }

    async fn ask(&self, claims: &Claims) -> Result<Rights, Denied> {
        match self.answer(claims).await {
            Ok(Some(Said { role, channels, types })) => {
                let identity = Identity {
                    user: claims.sub.clone(),
                    role: role.unwrap_or_else(|| claims.role.clone()),
                    channels: channels.unwrap_or_else(|| claims.channels.clone()),
                };
                if let Err(error) = names::check(&identity) {
                    tracing::warn!(target: "tinysse::auth", %error, "the answer of the service of rights is not taken");
                    return Err(Denied::Unavailable);
                }
                Ok(Rights { identity, types: types.map(|types| patterns(&types)) })
            }
            Ok(None) => Err(Denied::Gone),
            Err(error) => {
                tracing::warn!(target: "tinysse::auth", error, "the service of rights gives no answer");
                Err(Denied::Unavailable)
            }
        }
    }

    async fn answer(&self, claims: &Claims) -> Result<Option<Said>, String> {
        let question = json!({
            "user": claims.sub, "role": claims.role, "channels": claims.channels, "gen": claims.established(),
        });
        let mut request = self.http.post(self.url.to_string()).timeout(PATIENCE).body(question.to_string());
        request = request.header("content-type", "application/json");
        if let Some(key) = &self.key {
            request = request.bearer_auth(key.expose());
        }
        let failed = |error: reqwest::Error| error.without_url().to_string();
        let mut response = request.send().await.map_err(failed)?;
        match response.status().as_u16() {
            200 => {}
            403 | 404 | 410 => return Ok(None),
            status => return Err(format!("status {status}")),
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > MAX_BYTES {
                return Err(format!("more than {MAX_BYTES} bytes"));
            }
        }
        serde_json::from_slice(crate::bom::without_bom(&bytes)).map(Some).map_err(|error| error.to_string())
    }
}

impl Directory for RightsService {
    fn rights<'a>(&'a self, claims: &'a Claims) -> Answer<'a> {
        let question = Question {
            forgotten: self.forgotten.load(Ordering::Acquire),
            established: claims.established(),
            user: claims.sub.clone(),
            role: claims.role.clone(),
            channels: claims.channels.clone(),
        };
        Box::pin(async move { self.known.try_get_with(question, self.ask(claims)).await.map_err(|denied| *denied) })
    }

    /// Answers expire by themselves; if a service reports a change, all are forgotten at once.
    /// Whose streams are judged anew is named beside it, so one user's change is one question and
    /// not one for each user.
    fn refresh(&self, forced: bool) -> Result<(), String> {
        if forced {
            self.known.invalidate_all();
            self.forgotten.fetch_add(1, Ordering::AcqRel);
        }
        Ok(())
    }
}
