//! `/api/projects`, an example of an app's own routes.

use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};

use super::{Demo, store::Store};
use crate::{
    error::Problem,
    http::{
        body::{Json, name},
        extract::{AppSession, Reader},
        response::Response,
    },
};

/// The type that says that projects changed.
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

/// What can be said about a project.
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
        // A store that is new has room for three.
        let _ = store.add(make);
    }
    store
}

pub(crate) async fn list(State(demo): State<Demo>, _: Reader) -> Response<Vec<Project>> {
    Response::new(demo.projects.list())
}

pub(crate) async fn create(
    State(demo): State<Demo>,
    AppSession(user): AppSession,
    Json(edit): Json<Edit>,
) -> Result<Response<Project>, Problem> {
    let name = name(&edit.name)?;
    let updated_at = demo.services.clock.unix_ms();
    let project = demo.projects.add(|id| Project { id, name, updated_at, by: user.sub })?;
    Ok(Response::created(project).broadcast(CHANGED))
}

pub(crate) async fn update(
    State(demo): State<Demo>,
    AppSession(user): AppSession,
    Path(id): Path<String>,
    Json(edit): Json<Edit>,
) -> Result<Response<Project>, Problem> {
    let name = name(&edit.name)?;
    let updated_at = demo.services.clock.unix_ms();
    let project = demo.projects.change(&id, |project| {
        project.name = name;
        project.updated_at = updated_at;
        project.by = user.sub;
    })?;
    Ok(Response::new(project).broadcast(CHANGED))
}

pub(crate) async fn delete(
    State(demo): State<Demo>,
    _: AppSession,
    Path(id): Path<String>,
) -> Result<Response<Project>, Problem> {
    Ok(Response::new(demo.projects.remove(&id)?).broadcast(CHANGED))
}
