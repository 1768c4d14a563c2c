//! `/api/projects`, an example of an app's own routes.

use std::sync::Arc;

use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};

use super::{
    body::{Json, name},
    response::Response,
    store::Store,
};
use crate::{
    app::App,
    auth::{AppSession, Reader},
    error::Problem,
};

/// The type that says that projects changed.
const CHANGED: &str = "projects";

/// The projects.
#[derive(Debug)]
pub struct Projects(Store<Project>);

/// A project.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Project {
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
pub struct Edit {
    name: String,
}

impl Projects {
    /// None, or a few to look at.
    #[must_use]
    pub fn new(examples: bool) -> Self {
        let store = Store::new("p");
        for name in ["Apollo", "Gemini", "Mercury"].into_iter().filter(|_| examples) {
            let make = |id| Project { id, name: name.to_owned(), updated_at: 0, by: "nobody".to_owned() };
            // A store that is new has room for three.
            let _ = store.add(make);
        }
        Self(store)
    }
}

pub(super) async fn list(State(app): State<Arc<App>>, _: Reader) -> Response<Vec<Project>> {
    Response::new(app.projects.0.list())
}

pub(super) async fn create(
    State(app): State<Arc<App>>,
    AppSession(user): AppSession,
    Json(edit): Json<Edit>,
) -> Result<Response<Project>, Problem> {
    let name = name(&edit.name)?;
    let updated_at = app.clock.unix_ms();
    let project = app.projects.0.add(|id| Project { id, name, updated_at, by: user.sub })?;
    Ok(Response::created(project).broadcast(CHANGED))
}

pub(super) async fn update(
    State(app): State<Arc<App>>,
    AppSession(user): AppSession,
    Path(id): Path<String>,
    Json(edit): Json<Edit>,
) -> Result<Response<Project>, Problem> {
    let name = name(&edit.name)?;
    let updated_at = app.clock.unix_ms();
    let project = app.projects.0.change(&id, |project| {
        project.name = name;
        project.updated_at = updated_at;
        project.by = user.sub;
    })?;
    Ok(Response::new(project).broadcast(CHANGED))
}

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    _: AppSession,
    Path(id): Path<String>,
) -> Result<Response<Project>, Problem> {
    Ok(Response::new(app.projects.0.remove(&id)?).broadcast(CHANGED))
}
