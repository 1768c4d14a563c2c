//! The reference server: an application on the hub of tinysse, with projects, compute instances and
//! one poller.
//!
//! The hub brings the stream (`GET /events`), the token endpoint (`POST /auth/sse-token`), replay,
//! `POST /publish` and, with `--dev`, a login without a password. The application brings handlers
//! that answer what they changed, and a webhook that notifies by itself.

mod compute;
mod projects;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    extract::{FromRef, Path, State},
    http::header,
    response::{IntoResponse, Response},
    routing::{get, patch, post},
};
use tinysse_hub::{
    auth::{Auth, directory::Denied, gone},
    error::Problem,
    http::{Services, extract::Reader},
};

/// What the handlers share.
#[derive(Clone, Debug)]
struct Application {
    hub: Services,
    projects: Arc<Store<projects::Project>>,
    instances: Arc<Store<compute::Instance>>,
}

/// Lets handlers ask for the proofs of [`tinysse_hub::http::extract`], which the hub checks.
impl FromRef<Application> for Arc<Auth> {
    fn from_ref(application: &Application) -> Self {
        Self::clone(&application.hub.auth)
    }
}

/// Returns the routes, with a few rows to look at in development.
pub fn routes(hub: &Services) -> Router<Services> {
    let rows = hub.settings.dev;
    let application = Application {
        hub: hub.clone(),
        projects: Arc::new(projects::rows(rows)),
        instances: Arc::new(compute::rows(rows)),
    };
    let api = Router::new()
        .route("/projects", get(projects::list).post(projects::create))
        .route("/projects/{id}", patch(projects::update).delete(projects::delete))
        .route("/compute", get(compute::list).post(compute::create))
        .route("/compute/{id}", patch(compute::update).delete(compute::delete))
        .route("/compute/changed", post(compute::changed))
        .route("/progress", get(progress))
        .route("/polls/{type}", get(poll))
        // Publishes what the handlers broadcast, and puts the cursor of the log on their answers.
        .layer(hub.publishing());
    Router::new().nest("/api", api.with_state(application))
}

/// `GET /api/progress`: the last answer of the poller of this type.
async fn progress(State(application): State<Application>, reader: Reader) -> Result<Response, Problem> {
    polled(&application.hub, &reader, "progress").await
}

/// `GET /api/polls/{type}`: the same for any poller.
async fn poll(
    State(application): State<Application>,
    reader: Reader,
    Path(kind): Path<String>,
) -> Result<Response, Problem> {
    polled(&application.hub, &reader, &kind).await
}

/// Returns the last known value, to services and to users who would get its updates. It is served
/// while the polled server is down, and marked as stale. A value that the user may not see is
/// answered like one that does not exist.
async fn polled(hub: &Services, reader: &Reader, kind: &str) -> Result<Response, Problem> {
    let nothing = || Problem::not_found(format!("nothing is polled as {kind:?}"));
    let poll = hub.pollers.find(kind).ok_or_else(nothing)?;
    if let Reader::User(user) = reader {
        let rights = hub.rights.of(user).await.map_err(|denied| match denied {
            Denied::Gone => gone(),
            Denied::Unavailable => Problem::unavailable("busy", "the rights of this user can't be determined now", 1),
        })?;
        let typed = rights.types.as_ref().is_none_or(|types| types.iter().any(|pattern| pattern.matches(kind)));
        if !typed || !poll.admits(&rights.identity) {
            return Err(nothing());
        }
    }
    let view = poll.look().await;
    let age = view.age_ms.map_or_else(|| "null".to_owned(), |age| age.to_string());
    // The value is JSON already, and its numbers keep their digits.
    let body = format!("{{\"data\":{},\"stale\":{},\"ageMs\":{age}}}", view.text, view.stale);
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// The most rows of a table: it is an example, and memory is finite.
const MAX_ROWS: usize = 1_000;

/// A table of rows.
#[derive(Debug)]
struct Store<T> {
    prefix: &'static str,
    rows: Mutex<Rows<T>>,
}

#[derive(Debug)]
struct Rows<T> {
    last: u64,
    by_number: BTreeMap<u64, T>,
}

impl<T: Clone> Store<T> {
    /// Returns an empty table. Ids are the prefix and a number: `p1`.
    fn new(prefix: &'static str) -> Self {
        Self { prefix, rows: Mutex::new(Rows { last: 0, by_number: BTreeMap::new() }) }
    }

    /// Returns all rows.
    fn list(&self) -> Vec<T> {
        self.rows().by_number.values().cloned().collect()
    }

    /// Adds the row that `make` makes for its id.
    ///
    /// # Errors
    /// 422 `full`.
    fn add(&self, make: impl FnOnce(String) -> T) -> Result<T, Problem> {
        let mut rows = self.rows();
        if rows.by_number.len() >= MAX_ROWS {
            return Err(Problem::unprocessable("full", "there are 1000 already; delete some"));
        }
        rows.last += 1;
        let number = rows.last;
        let row = make(format!("{}{number}", self.prefix));
        rows.by_number.insert(number, row.clone());
        Ok(row)
    }

    /// Changes the row of this id.
    ///
    /// # Errors
    /// 404.
    fn change(&self, id: &str, change: impl FnOnce(&mut T)) -> Result<T, Problem> {
        let mut rows = self.rows();
        let row = self.number(id).and_then(|number| rows.by_number.get_mut(&number)).ok_or_else(|| missing(id))?;
        change(row);
        Ok(row.clone())
    }

    /// Removes the row of this id.
    ///
    /// # Errors
    /// 404.
    fn remove(&self, id: &str) -> Result<T, Problem> {
        self.number(id).and_then(|number| self.rows().by_number.remove(&number)).ok_or_else(|| missing(id))
    }

    fn number(&self, id: &str) -> Option<u64> {
        id.strip_prefix(self.prefix)?.parse().ok()
    }

    fn rows(&self) -> MutexGuard<'_, Rows<T>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn missing(id: &str) -> Problem {
    Problem::not_found(format!("there is no {id:?}"))
}
