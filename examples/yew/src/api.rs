//! The server's routes.

use gloo_net::http::{Method, RequestBuilder, Response};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tinysse::{TokenAnswer, TokenAsk, TokenError};

/// A project, as the list shows it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Project {
    pub id: String,
    pub name: String,
    /// In milliseconds since 1970; 0 if nobody touched it yet.
    pub updated_at: u64,
    /// Who touched it last.
    pub by: String,
}

/// What the server's lists are wrapped in.
#[derive(Deserialize)]
struct Body<T> {
    data: T,
}

#[derive(Serialize)]
struct Name<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct Login<'a> {
    user: &'a str,
    role: &'a str,
}

/// The development sign-in: no password. The session is a cookie that no script can read.
pub async fn sign_in(user: &str) -> Result<(), String> {
    send(Method::POST, "/auth/login", Some(&Login { user, role: "member" })).await.map(drop)
}

pub async fn projects() -> Result<Vec<Project>, String> {
    let answer = send::<()>(Method::GET, "/api/projects", None).await?;
    read::<Body<_>>(answer).await.map(|body| body.data)
}

pub async fn create(name: &str) -> Result<(), String> {
    send(Method::POST, "/api/projects", Some(&Name { name })).await.map(drop)
}

pub async fn rename(id: &str, name: &str) -> Result<(), String> {
    send(Method::PATCH, &format!("/api/projects/{id}"), Some(&Name { name })).await.map(drop)
}

/// The token provider of the connection. 401 and 403 are the end of it; everything else is tried
/// again.
pub async fn token(ask: TokenAsk) -> Result<TokenAnswer, TokenError> {
    let request = RequestBuilder::new("/auth/sse-token").method(Method::POST).abort_signal(ask.signal.as_ref());
    let response = request.send().await.map_err(TokenError::new)?;
    if !response.ok() {
        return Err(TokenError::status(response.status()));
    }
    response.json().await.map_err(TokenError::new)
}

async fn send<T: Serialize>(method: Method, path: &str, json: Option<&T>) -> Result<Response, String> {
    let request = RequestBuilder::new(path).method(method);
    let request = match json {
        Some(json) => request.json(json),
        None => request.build(),
    };
    let response = request.map_err(explain)?.send().await.map_err(explain)?;
    if response.ok() { Ok(response) } else { Err(format!("{path}: {}", response.status())) }
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T, String> {
    response.json().await.map_err(explain)
}

fn explain(error: gloo_net::Error) -> String {
    error.to_string()
}
