//! An app of its own, with tinysse inside: its state, its users and its routes are what they were,
//! and every change reaches the open pages.
//!
//! ```sh
//! cargo run -p tinysse-hub --example embed
//! curl -c jar -H 'content-type: application/json' -d '{"user":"ada"}' http://127.0.0.1:8081/login
//! TOKEN=$(curl -s -b jar -X POST http://127.0.0.1:8081/auth/sse-token | sed 's/.*"token":"\([^"]*\).*/\1/')
//! curl -N -H "authorization: Bearer $TOKEN" http://127.0.0.1:8081/events &
//! curl -b jar -H 'content-type: application/json' -d '"buy milk"' http://127.0.0.1:8081/notes
//! ```

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Json, Router,
    extract::{FromRequestParts, State},
    http::{StatusCode, header, request::Parts},
    response::{AppendHeaders, IntoResponse},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use tinysse::proto::audience::{Audience, Identity};
use tinysse_hub::{
    auth::revoked::Revoke,
    clock::random_name,
    embed::{Hub, Token},
    error::Problem,
    http::response::Response,
    hub::Update,
    settings::Settings,
    values::Secret,
};

/// The app's own state. The hub is one more part of it.
pub(crate) struct Notes {
    hub: Hub,
    notes: Mutex<Vec<Note>>,
    /// Who is logged in, by the value of their cookie.
    sessions: Mutex<HashMap<String, String>>,
}

#[derive(Clone, Serialize)]
struct Note {
    by: String,
    text: String,
}

/// The app's own way of knowing who asks.
struct User {
    name: String,
    session: String,
}

#[derive(Deserialize)]
struct LogIn {
    user: String,
}

/// The app's routes, with what makes them live.
pub(crate) fn app(hub: &Hub) -> Router {
    let state = Notes { hub: hub.clone(), notes: Mutex::default(), sessions: Mutex::default() };
    Router::new()
        .route("/notes", get(list).post(write))
        .layer(hub.layer()) // publishes what the handlers broadcast
        .route("/login", post(log_in))
        .route("/logout", post(log_out))
        .route("/auth/sse-token", post(stream_token))
        .merge(hub.router()) // GET /events
        .with_state(Arc::new(state))
}

/// Yours alone.
async fn list(State(app): State<Arc<Notes>>, user: User) -> Response<Vec<Note>> {
    Response::new(held(&app.notes).iter().filter(|note| note.by == user.name).cloned().collect())
}

/// The handler names what it changed, and for whom that matters.
async fn write(State(app): State<Arc<Notes>>, user: User, Json(text): Json<String>) -> Response<Note> {
    let note = Note { by: user.name.clone(), text };
    held(&app.notes).push(note.clone());
    Response::created(note).broadcast(Update { to: vec![Audience::User(user.name)], ..Update::new("notes") })
}

/// Users whom the app knows may open a stream.
async fn stream_token(State(app): State<Arc<Notes>>, user: User) -> Result<Token, Problem> {
    let identity = Identity { user: user.name, ..Identity::default() };
    app.hub.token_of(identity, &user.session).await
}

/// Logs a user in without a password: this is an example. The new cookie replaces the one that the
/// browser has, so that login ends here.
async fn log_in(
    State(app): State<Arc<Notes>>,
    former: Result<User, StatusCode>,
    Json(LogIn { user }): Json<LogIn>,
) -> Result<impl IntoResponse, StatusCode> {
    if let Ok(former) = former {
        app.end(&former.session).await?;
    }
    let session = random_name();
    held(&app.sessions).insert(session.clone(), user.clone());
    // From anywhere in the app, without a request of the layer.
    drop(app.hub.notify("people").await);
    Ok((
        AppendHeaders([(header::SET_COOKIE, format!("session={session}; HttpOnly; SameSite=Lax; Path=/"))]),
        Json(user),
    ))
}

/// The streams of this login end with it.
async fn log_out(State(app): State<Arc<Notes>>, user: User) -> Result<StatusCode, StatusCode> {
    app.end(&user.session).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl Notes {
    /// Ends a login: first its streams and stream tokens, so that a logout that failed can be
    /// repeated, then the login itself.
    async fn end(&self, session: &str) -> Result<(), StatusCode> {
        let revoked = self.hub.revoke(&Revoke::Jti(session.to_owned())).await;
        revoked.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
        held(&self.sessions).remove(session);
        Ok(())
    }
}

impl FromRequestParts<Arc<Notes>> for User {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<Notes>) -> Result<Self, StatusCode> {
        let cookie = parts.headers.get(header::COOKIE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let session = cookie.split("; ").find_map(|pair| pair.strip_prefix("session="));
        let session = session.ok_or(StatusCode::UNAUTHORIZED)?;
        let name = held(&app.sessions).get(session).cloned().ok_or(StatusCode::UNAUTHORIZED)?;
        Ok(Self { name, session: session.to_owned() })
    }
}

fn held<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tokens are good as long as this process: it keeps neither its secret nor its log.
pub(crate) fn settings() -> Settings {
    Settings::in_memory(Secret::from([random_name(), random_name()].concat()))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let hub = Hub::start(settings())?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8081").await?;
    println!("listening on http://{}", listener.local_addr()?);
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    hub.serve(listener, app(&hub), stop).await;
    Ok(())
}
