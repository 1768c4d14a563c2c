//! The body of `POST /publish`. What is read is written as it was read, and on the wire nothing
//! inside it opens a field or a frame.

use serde::Deserialize;
use serde_json::{json, value::RawValue};
use tinysse::proto::{
    audience::Identity,
    time::Time,
    wire::{
        decode::{Decoder, Item},
        id::Epoch,
    },
};
use tinysse_hub::{
    engine::Record,
    http::publish::read,
    hub::{Hub, HubConfig, Update},
};

/// The data of a frame. `at` and `spread` are the hub's.
#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    key: Option<String>,
    origin: Option<String>,
}

pub fn check(bytes: &[u8]) {
    let updates = match read(bytes) {
        Ok(updates) => updates,
        Err(problem) => {
            let known = ["bad_json", "too_many", "bad_field", "bad_audience", "bad_type", "reserved_type"];
            assert!(problem.status == 400 && known.contains(&problem.code), "{problem:?}");
            return;
        }
    };
    assert!((1..=1_000).contains(&updates.len()));
    let items: Vec<_> = updates.iter().map(item).collect();
    // Numbers keep their digits: texts are compared, not numbers.
    let again = format!("[{}]", items.join(","));
    assert_eq!(read(again.as_bytes()).as_ref(), Ok(&updates), "{again}");
    for update in updates {
        assert_eq!(update.check(), Ok(()));
        let record = Record { logged: 1, update: update.clone() };
        assert_eq!(Record::decode(&record.encode()).as_ref(), Ok(&record));
        framed(update);
    }
}

/// As an item of a body.
fn item(update: &Update) -> String {
    let mut item = json!({ "type": update.kind });
    for (name, value) in [("key", &update.key), ("origin", &update.origin), ("except", &update.except)] {
        if let Some(value) = value {
            item[name] = value.as_str().into();
        }
    }
    if !update.to.is_empty() {
        item["to"] = update.to.iter().map(ToString::to_string).collect();
    }
    match &update.data {
        None => item.to_string(),
        Some(data) => format!("{},\"data\":{data}}}", item.to_string().strip_suffix('}').expect("an object")),
    }
}

/// One update is one frame, for both kinds of readers, and carries what was published.
fn framed(update: Update) {
    let mut hub = Hub::new(Epoch(7), HubConfig { max_bytes: 1 << 30, ..HubConfig::default() });
    let [plain, folded] = [(); 2].map(|()| hub.connect(Time(0), Identity::default(), None, None));
    hub.fold(folded);
    for id in [plain, folded] {
        hub.poll(Time(0), id, 1 << 16, &mut Vec::new());
    }
    let everybody = Update { to: vec![], except: None, ..update };
    hub.publish(Time(0), everybody.clone()).expect("what was read is published");
    for id in [plain, folded] {
        let mut out = Vec::new();
        assert!(hub.poll(Time(0), id, 1 << 16, &mut out) && !hub.poll(Time(0), id, 1 << 16, &mut Vec::new()));
        let mut frames = Vec::new();
        let mut keep = |item: Item| match item {
            Item::Frame(frame) => frames.push(frame),
            Item::Id(id) => panic!("an id by itself: {id}"),
            Item::Retry(ms) => panic!("a retry: {ms}"),
        };
        Decoder::new("", 1 << 24).feed(&out, &mut keep).expect("decodes");
        let [frame] = &frames[..] else { panic!("{} frames: {:?}", frames.len(), String::from_utf8_lossy(&out)) };
        let body = if id == plain {
            assert_eq!(frame.event, everybody.kind);
            &frame.data
        } else {
            let (kind, body) = frame.data.split_once('\n').expect("the type stands first");
            assert_eq!((frame.event.as_str(), kind), ("tinysse.update", everybody.kind.as_str()));
            body
        };
        assert_eq!(frame.id, "7.1");
        let body: Body = serde_json::from_str(body).expect("json");
        assert_eq!((&body.key, &body.origin), (&everybody.key, &everybody.origin));
        // Byte by byte, whatever a reader makes of it: a number may be out of its range, and arrays
        // deeper than it goes.
        let data = everybody.data.as_deref().map(|data| data.replace(['\r', '\n'], " "));
        assert_eq!(body.data.map(RawValue::get), data.as_deref());
    }
}
