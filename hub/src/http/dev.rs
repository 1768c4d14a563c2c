//! For trying things out, with `--dev` only: break your own stream in the ways that networks and
//! clocks do.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tinysse::proto::wire::id::EventId;

use super::{
    body,
    extract::AppSession,
    publish::{To, audiences, refused},
};
use crate::{
    auth::{Auth, jwt::Claims},
    error::Problem,
    hub::Update,
    publish::UpdateService,
    stream::{Conn, Streams},
};

/// Updates in one request.
const MAX_COUNT: u32 = 10_000;

/// One of the caller's own streams.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    client: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Notify {
    #[serde(rename = "type")]
    kind: String,
    /// The same for each; left out, each gets its number: `{"n":0}`.
    #[serde(default)]
    data: Option<Box<RawValue>>,
    #[serde(default = "one")]
    count: u32,
    to: Option<To>,
}

#[derive(Serialize)]
pub(super) struct Client {
    client: String,
}

#[derive(Serialize)]
pub(super) struct Ids {
    ids: Vec<String>,
}

/// From now on the stream's token is refused as expired; the stream itself goes on.
pub(super) async fn expire(
    State(auth): State<Arc<Auth>>,
    State(streams): State<Arc<Streams>>,
    AppSession(user): AppSession,
    body::Json(which): body::Json<Which>,
) -> Result<Json<Client>, Problem> {
    let (claims, _) = own(&streams, &which, &user)?;
    auth.expire(&claims.jti);
    Ok(Json(Client { client: which.client }))
}

/// Cuts the stream's connection without an end.
pub(super) async fn cut(
    State(streams): State<Arc<Streams>>,
    AppSession(user): AppSession,
    body::Json(which): body::Json<Which>,
) -> Result<Json<Client>, Problem> {
    let (_, conn) = own(&streams, &which, &user)?;
    conn.close("cut");
    Ok(Json(Client { client: which.client }))
}

/// Publishes, once or many times.
pub(super) async fn notify(
    State(updates): State<Arc<UpdateService>>,
    _: AppSession,
    body::Json(wish): body::Json<Notify>,
) -> Result<Json<Ids>, Problem> {
    let Notify { kind, data, count, to } = wish;
    if !(1..=MAX_COUNT).contains(&count) {
        return Err(Problem::bad_request("bad_count", format!("count is 1 to {MAX_COUNT}")));
    }
    let to = to.map(audiences).transpose()?.unwrap_or_default();
    let update = |n| {
        let data = data.as_ref().map_or_else(|| format!("{{\"n\":{n}}}"), |data| data.get().to_owned());
        Update { data: Some(data), to: to.clone(), ..Update::new(kind.clone()) }
    };
    let appended = updates.publish_all((0..count).map(update).collect(), None).await.map_err(refused)?;
    Ok(Json(Ids { ids: appended.ids().map(EventId::text).collect() }))
}

fn own(streams: &Streams, which: &Which, user: &Claims) -> Result<(Arc<Claims>, Arc<Conn>), Problem> {
    // A stream of another user is treated as unknown: its existence is not disclosed.
    streams.of_user(&which.client, &user.sub).ok_or_else(|| Problem::not_found("you have no such stream"))
}

fn one() -> u32 {
    1
}
