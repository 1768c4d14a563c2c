//! `/api/projects`, an example of an app's own routes.

use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};

use crate::{Application, Store};
use tinysse_hub::{
    error::Problem,
    http::{
        body::{Json, name},
        extract::{AppSession, Reader},
        response::Response,
    },
};

/// The type of an update when projects changed.
const CHANGED: &str = "projects";

/// A project.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Project {
    id: String,
    name: String,
    /// In milliseconds since 1970; 0 if it was never touched.
    updated_at: u64,
    /// Who touched it last.
    by: String,
}

/// The fields of a project.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edit {
    name: String,
}

/// Returns no rows, or a few to look at.
pub(crate) fn rows(examples: bool) -> Store<Project> {
    let store = Store::new("p");
    for name in ["Apollo", "Gemini", "Mercury"].into_iter().filter(|_| examples) {
        let make = |id| Project { id, name: name.to_owned(), updated_at: 0, by: "nobody".to_owned() };
        // A new store has capacity for three.
        let _ = store.add(make);
    }
    store
}

pub(crate) async fn list(State(application): State<Application>, _: Reader) -> Response<Vec<Project>> {
    Response::new(application.projects.list())
}

pub(crate) async fn create(
    State(application): State<Application>,
    AppSession(user): AppSession,
    Json(edit): Json<Edit>,
) -> Result<Response<Project>, Problem> {
    let name = name(&edit.name)?;
    let updated_at = application.hub.clock.unix_ms();
    let project = application.projects.add(|id| Project { id, name, updated_at, by: user.sub })?;
    Ok(Response::created(project).broadcast(CHANGED))
}

pub(crate) async fn update(
    State(application): State<Application>,
    AppSession(user): AppSession,
    Path(id): Path<String>,
    Json(edit): Json<Edit>,
) -> Result<Response<Project>, Problem> {
    let name = name(&edit.name)?;
    let updated_at = application.hub.clock.unix_ms();
    let project = application.projects.change(&id, |project| {
        project.name = name;
        project.updated_at = updated_at;
        project.by = user.sub;
    })?;
    Ok(Response::new(project).broadcast(CHANGED))
}

pub(crate) async fn delete(
    State(application): State<Application>,
    _: AppSession,
    Path(id): Path<String>,
) -> Result<Response<Project>, Problem> {
    Ok(Response::new(application.projects.remove(&id)?).broadcast(CHANGED))
}
