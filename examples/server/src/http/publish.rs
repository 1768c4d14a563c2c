//! `POST /publish`: services put updates into the log.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use moka::sync::Cache;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tinysse::core::{audience::Audience, wire::control::BadType};

use super::body::{JsonBytes, parse};
use crate::{
    app::App,
    auth::Service,
    error::Problem,
    hub::{PublishError, Update},
};

/// Updates in one request.
const MAX_ITEMS: usize = 1_000;
/// Audiences of one update.
const MAX_AUDIENCES: usize = 100;
/// Bytes of key, origin, exception and idempotency key.
const MAX_NAME: usize = 255;
/// How long a receipt is kept, and how many.
const REMEMBERED: (Duration, u64) = (Duration::from_secs(300), 10_000);

/// What was published under which idempotency key.
#[derive(Clone, Debug)]
pub struct Receipts(Cache<String, Receipt>);

#[derive(Clone, Debug)]
struct Receipt {
    /// Of the request's body: the same key for something else is a mistake.
    fingerprint: u64,
    answer: Result<Ids, Problem>,
}

/// The answer: the id of each update, in the order of the request.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Ids {
    ids: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    #[serde(rename = "type")]
    kind: String,
    /// Passed on as it was written: numbers keep their digits.
    #[serde(default)]
    data: Option<Box<RawValue>>,
    key: Option<String>,
    to: Option<To>,
    origin: Option<String>,
    except: Option<String>,
}

/// One audience or several.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum To {
    One(String),
    Several(Vec<String>),
}

impl Default for Receipts {
    fn default() -> Self {
        let (life, count) = REMEMBERED;
        Self(Cache::builder().time_to_live(life).max_capacity(count).build())
    }
}

pub(super) async fn publish(
    State(app): State<Arc<App>>,
    _: Service,
    headers: HeaderMap,
    JsonBytes(body): JsonBytes,
) -> Result<Json<Ids>, Problem> {
    let Some(key) = headers.get("idempotency-key") else {
        return publish_all(&app, &body).map(Json);
    };
    let key = key.to_str().ok().filter(|key| (1..=MAX_NAME).contains(&key.len()));
    let key = key.ok_or_else(|| Problem::bad_request("bad_idempotency_key", "1 to 255 visible characters"))?;
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    let fingerprint = hasher.finish();
    // Requests with one key that come at the same time wait for the first of them here.
    let receipt = app.receipts.0.get_with(key.to_owned(), || Receipt { fingerprint, answer: publish_all(&app, &body) });
    if receipt.fingerprint != fingerprint {
        return Err(Problem::unprocessable("idempotency_mismatch", "this key was used for another body"));
    }
    if receipt.answer.is_err() {
        // Nothing was published, so nothing needs protection from being published twice.
        app.receipts.0.invalidate(key);
    }
    receipt.answer.map(Json)
}

/// Everything is checked before anything is published.
fn publish_all(app: &App, body: &[u8]) -> Result<Ids, Problem> {
    let several = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    let items: Vec<Item> = if several { parse(body)? } else { vec![parse(body)?] };
    if items.len() > MAX_ITEMS {
        return Err(Problem::bad_request("too_many", format!("at most {MAX_ITEMS} updates in one request")));
    }
    let updates = items.into_iter().map(update).collect::<Result<Vec<_>, _>>()?;
    let publish = |update| app.updates.publish(update).map(|id| id.text()).map_err(refused);
    Ok(Ids { ids: updates.into_iter().map(publish).collect::<Result<_, _>>()? })
}

fn update(item: Item) -> Result<Update, Problem> {
    let Item { kind, data, key, to, origin, except } = item;
    for (name, text) in [("key", &key), ("origin", &origin), ("except", &except)] {
        if text.as_ref().is_some_and(|text| text.len() > MAX_NAME) {
            return Err(Problem::bad_request("bad_field", format!("{name} may have {MAX_NAME} bytes")));
        }
    }
    let to = to.map(audiences).transpose()?.unwrap_or_default();
    let data = data.map(|data| Box::<str>::from(data).into_string());
    let update = Update { kind, data, key, to, origin, except, at: 0 };
    update.check().map_err(refused)?;
    Ok(update)
}

/// Reads `to`. An empty list is refused: it would read as nobody and mean everybody.
///
/// # Errors
/// 400 `bad_audience`.
pub(super) fn audiences(to: To) -> Result<Vec<Audience>, Problem> {
    let texts = match to {
        To::One(text) => vec![text],
        To::Several(texts) => texts,
    };
    if !(1..=MAX_AUDIENCES).contains(&texts.len()) {
        return Err(Problem::bad_request(
            "bad_audience",
            format!("`to` names 1 to {MAX_AUDIENCES} audiences, or is left out"),
        ));
    }
    let read = |text: &String| {
        text.parse().map_err(|error| Problem::bad_request("bad_audience", format!("{text:?}: {error}")))
    };
    texts.iter().map(read).collect()
}

/// Why the hub refused an update.
pub(super) fn refused(error: PublishError) -> Problem {
    match error {
        PublishError::BadType(BadType::Reserved) => Problem::bad_request("reserved_type", error.to_string()),
        PublishError::BadType(BadType::Length | BadType::Character) => {
            Problem::bad_request("bad_type", error.to_string())
        }
        PublishError::TooLarge => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "update_too_large", error.to_string()),
    }
}
