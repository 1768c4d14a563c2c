//! `/api/compute`, another example: instances that run or are stopped.

use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};

use crate::{Application, Store};
use tinysse_hub::{
    error::Problem,
    http::{
        body::{Json, name},
        extract::{AppSession, Reader, Service},
        response::Response,
    },
};

/// The type of an update when instances changed.
const CHANGED: &str = "compute";

/// An instance.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Instance {
    id: String,
    name: String,
    state: Power,
    /// In milliseconds since 1970; 0 if it was never touched.
    updated_at: u64,
    /// Who touched it last.
    by: String,
}

/// Whether an instance runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Power {
    /// It runs.
    Running,
    /// It does not.
    Stopped,
}

/// What a new instance needs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct New {
    name: String,
}

/// What can be changed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edit {
    name: Option<String>,
    state: Option<Power>,
}

/// Returns no rows, or a few to look at.
pub(crate) fn rows(examples: bool) -> Store<Instance> {
    let store = Store::new("i");
    for (name, state) in [("worker-1", Power::Running), ("worker-2", Power::Stopped)].into_iter().filter(|_| examples) {
        let make = |id| Instance { id, name: name.to_owned(), state, updated_at: 0, by: "nobody".to_owned() };
        // A new store has capacity for two.
        let _ = store.add(make);
    }
    store
}

pub(crate) async fn list(State(application): State<Application>, _: Reader) -> Response<Vec<Instance>> {
    Response::new(application.instances.list())
}

pub(crate) async fn create(
    State(application): State<Application>,
    AppSession(user): AppSession,
    Json(new): Json<New>,
) -> Result<Response<Instance>, Problem> {
    let name = name(&new.name)?;
    let updated_at = application.hub.clock.unix_ms();
    let instance =
        application.instances.add(|id| Instance { id, name, state: Power::Stopped, updated_at, by: user.sub })?;
    Ok(Response::created(instance).broadcast(CHANGED))
}

pub(crate) async fn update(
    State(application): State<Application>,
    AppSession(user): AppSession,
    Path(id): Path<String>,
    Json(edit): Json<Edit>,
) -> Result<Response<Instance>, Problem> {
    let name = edit.name.as_deref().map(name).transpose()?;
    if name.is_none() && edit.state.is_none() {
        return Err(Problem::unprocessable("nothing_to_change", "give a name, a state or both"));
    }
    let updated_at = application.hub.clock.unix_ms();
    let instance = application.instances.change(&id, |instance| {
        instance.name = name.unwrap_or_else(|| std::mem::take(&mut instance.name));
        instance.state = edit.state.unwrap_or(instance.state);
        instance.updated_at = updated_at;
        instance.by = user.sub;
    })?;
    Ok(Response::new(instance).broadcast(CHANGED))
}

pub(crate) async fn delete(
    State(application): State<Application>,
    _: AppSession,
    Path(id): Path<String>,
) -> Result<Response<Instance>, Problem> {
    Ok(Response::new(application.instances.remove(&id)?).broadcast(CHANGED))
}

/// A webhook: the provider of the instances reports that they changed. What the log refuses now,
/// the hub publishes later.
pub(crate) async fn changed(State(application): State<Application>, _: Service) -> Result<StatusCode, Problem> {
    let notified = application.hub.updates.notify(CHANGED).await;
    notified.map(|_| StatusCode::ACCEPTED).map_err(|error| Problem::unavailable("busy", error.to_string(), 1))
}
