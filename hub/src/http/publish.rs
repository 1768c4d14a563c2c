//! `POST /publish`: services put updates into the log. It answers when the log has them.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use serde::{Deserialize, Deserializer, Serialize, de::IgnoredAny};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use tinysse::proto::{audience::Audience, wire::id::EventId};

use super::{
    body::{JsonBytes, parse},
    extract::Service,
};
use crate::{
    bom::without_bom,
    engine::{EngineError, Receipt},
    error::Problem,
    hub::{
        Update,
        input::{self, BadInput, MAX_NAME},
    },
    publish::{NotifyError, UpdateService},
};

/// Updates in one request.
const MAX_ITEMS: usize = 1_000;

/// The answer: the id of each update, in the order of the request, and what would have to fail for
/// them to be lost.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Ids {
    ids: Vec<String>,
    durability: &'static str,
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

pub(super) async fn publish(
    State(updates): State<Arc<UpdateService>>,
    _: Service,
    headers: HeaderMap,
    JsonBytes(body): JsonBytes,
) -> Result<Json<Ids>, Problem> {
    let receipt = headers.get("idempotency-key").map(|key| {
        let key = key.to_str().ok().filter(|key| (1..=MAX_NAME).contains(&key.len()));
        let key = key.ok_or_else(|| Problem::bad_request("bad_idempotency_key", "1 to 255 visible characters"))?;
        Ok::<_, Problem>(Receipt { key: key.to_owned(), fingerprint: fingerprint(&body) })
    });
    publish_bytes(&updates, &body, receipt.transpose()?).await
}

/// Publishes the updates of a body, once for each receipt.
///
/// # Errors
/// As [`publish`](self).
pub(super) async fn publish_bytes(
    updates: &UpdateService,
    body: &[u8],
    receipt: Option<Receipt>,
) -> Result<Json<Ids>, Problem> {
    let appended = match read_resync(body)? {
        Some(types) => updates.announce(types, receipt).await,
        None => updates.publish_all(read(body)?, receipt).await,
    };
    let appended = appended.map_err(refused)?;
    let ids = appended.ids().map(EventId::text).collect();
    Ok(Json(Ids { ids, durability: appended.reached.as_str() }))
}

/// The same on every node and after every restart.
fn fingerprint(body: &[u8]) -> u64 {
    let digest = Sha256::digest(body);
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Reads the body of `POST /publish`: one update or an array of them. Everything is checked before
/// anything is published.
///
/// ```
/// let updates = tinysse_hub::http::publish::read(br#"{"type":"projects","to":"role:admin","data":[1.50]}"#).unwrap();
/// assert_eq!((updates[0].kind.as_str(), updates[0].data.as_deref()), ("projects", Some("[1.50]")));
/// ```
///
/// # Errors
/// 400 `bad_json`, `too_many`, `bad_field`, `bad_audience`, `bad_type` or `reserved_type`.
pub fn read(body: &[u8]) -> Result<Vec<Update>, Problem> {
    let body = without_bom(body);
    let several = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    let items: Vec<Item> = if several { parse(body)? } else { vec![parse(body)?] };
    if !(1..=MAX_ITEMS).contains(&items.len()) {
        return Err(Problem::bad_request("too_many", format!("1 to {MAX_ITEMS} updates in one request")));
    }
    items.into_iter().map(update).collect()
}

/// Reads the body by which a publisher announces that it lost updates: `{"resync":["projects"]}`
/// for these types, `{"resync":null}` for all. Returns `None` for a body that publishes updates.
///
/// # Errors
/// 400 `bad_json`, `too_many`, `bad_type` or `reserved_type`.
fn read_resync(body: &[u8]) -> Result<Option<Option<Vec<String>>>, Problem> {
    /// Whether the member is there, whatever its value.
    #[derive(Deserialize)]
    struct Shape {
        #[serde(default, deserialize_with = "present")]
        resync: bool,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Resync {
        resync: Option<Vec<String>>,
    }
    fn present<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
        IgnoredAny::deserialize(from).map(|_| true)
    }
    let body = without_bom(body);
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') || !parse::<Shape>(body)?.resync {
        return Ok(None);
    }
    let Resync { resync } = parse(body)?;
    if let Some(types) = &resync {
        if !(1..=MAX_ITEMS).contains(&types.len()) {
            return Err(Problem::bad_request("too_many", format!("1 to {MAX_ITEMS} types, or null for all")));
        }
        types.iter().try_for_each(|kind| input::check_update(&Update::new(kind.as_str())))?;
    }
    Ok(Some(resync))
}

fn update(item: Item) -> Result<Update, Problem> {
    let Item { kind, data, key, to, origin, except } = item;
    let to = to.map(audiences).transpose()?.unwrap_or_default();
    let data = data.map(|data| Box::<str>::from(data).into_string());
    let update = Update { kind, data, key, to, origin, except, at: 0 };
    input::check_update(&update)?;
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
    Ok(input::audiences(&texts)?)
}

/// Why an update was not published.
pub(super) fn refused(error: NotifyError) -> Problem {
    let text = error.to_string();
    match error {
        NotifyError::Refused(error) => BadInput::from(error).into(),
        NotifyError::NotLogged(EngineError::Busy) => {
            Problem { retry_after: Some(1), ..Problem::new(StatusCode::TOO_MANY_REQUESTS, "busy", text) }
        }
        NotifyError::NotLogged(EngineError::Full(_)) => {
            Problem { retry_after: Some(5), ..Problem::new(StatusCode::INSUFFICIENT_STORAGE, "log_full", text) }
        }
        NotifyError::NotLogged(EngineError::Unavailable(_)) => Problem::unavailable("log_unavailable", text, 1),
        NotifyError::NotLogged(EngineError::Reused) => Problem::unprocessable("idempotency_mismatch", text),
    }
}
