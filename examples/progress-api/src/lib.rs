//! A small server to poll: `GET /state` answers a job that advances by itself,
//! `POST /fail {"for":"5s"}` makes it fail for a while.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tinysse_hub::values::Span;

struct Job {
    begun: Instant,
    every: Duration,
    fails_until: Mutex<Option<Instant>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fail {
    r#for: Span,
}

/// The job's parts; each takes as many steps as the next.
const PARTS: [&str; 5] = ["fetching", "unpacking", "compiling", "linking", "checking"];
/// Steps of the whole job; then it begins anew.
const STEPS: u64 = 25;

/// Returns the routes of a job of which one step takes `every`, at least a millisecond.
pub fn routes(every: Duration) -> Router {
    let every = every.max(Duration::from_millis(1));
    let job = Arc::new(Job { begun: Instant::now(), every, fails_until: Mutex::new(None) });
    Router::new().route("/state", get(state)).route("/fail", post(fail)).with_state(job)
}

async fn state(State(job): State<Arc<Job>>) -> (StatusCode, Json<Value>) {
    let fails =
        job.fails_until.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|until| Instant::now() < until);
    if fails {
        return (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({ "error": "out of order, as asked for" })));
    }
    let step = u64::try_from(job.begun.elapsed().as_nanos() / job.every.as_nanos()).unwrap_or(u64::MAX);
    let done = step % STEPS;
    let part = PARTS[usize::try_from(done * PARTS.len() as u64 / STEPS).unwrap_or(0)];
    (StatusCode::OK, Json(json!({ "step": step, "percent": done * 100 / (STEPS - 1), "label": part })))
}

async fn fail(State(job): State<Arc<Job>>, Json(fail): Json<Fail>) -> StatusCode {
    let until = Instant::now() + fail.r#for.duration();
    *job.fails_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
    StatusCode::NO_CONTENT
}
