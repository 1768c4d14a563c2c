//! An update on its way into the log, and its form on the wire.

use std::fmt;

use tinysse::proto::{
    audience::Audience,
    wire::{
        encode::{Fields, encode},
        id::EventId,
        kind::{BadType, check_type},
    },
};

use super::postings;

/// One notification.
///
/// ```
/// use tinysse_hub::hub::Update;
/// let update = Update { to: vec!["user:ada".parse().unwrap()], ..Update::new("projects") };
/// assert!(update.check().is_ok());
/// assert!(Update::new("tinysse.hello").check().is_err());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Update {
    /// The type, for example `projects`: 1 to 128 bytes of `A-Z a-z 0-9 . _ : -`, not below
    /// `tinysse.`.
    pub kind: String,
    /// Small data as JSON text. It must be valid JSON: it goes to the clients as it is.
    pub data: Option<String>,
    /// Names the one thing that changed; coalescing keeps the latest of a type and key.
    pub key: Option<String>,
    /// Who may see it; empty means everybody.
    pub to: Vec<Audience>,
    /// The tab that made the change, so that it can recognise its own echo.
    pub origin: Option<String>,
    /// The connection that must not get it, by the `client` of its hello.
    pub except: Option<String>,
    /// When it happened, in milliseconds since 1970; 0 if that is not known.
    pub at: u64,
}

/// Why an update was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublishError {
    /// The type is malformed or reserved.
    BadType(BadType),
    /// It alone is larger than the log may be.
    TooLarge,
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadType(BadType::Length) => "a type has 1 to 128 bytes",
            Self::BadType(BadType::Character) => "a type consists of A-Z a-z 0-9 . _ : -",
            Self::BadType(BadType::Reserved) => "types below `tinysse.` are the hub's own",
            Self::TooLarge => "the update is larger than the whole log may be",
        })
    }
}

impl std::error::Error for PublishError {}

/// More than an entry of the log weighs beside its texts, and more than the frame's own words.
const OVERHEAD: usize = 512;

impl Update {
    /// An update of a type and nothing else, for everybody.
    #[must_use]
    pub fn new(kind: impl Into<String>) -> Self {
        Self { kind: kind.into(), ..Self::default() }
    }

    /// Whether the hub would take the type.
    ///
    /// # Errors
    /// [`PublishError::BadType`]. Size is judged when the update is published.
    pub fn check(&self) -> Result<(), PublishError> {
        check_type(&self.kind).map_err(PublishError::BadType)
    }

    /// Checks that a log of `max_bytes` is certain to take it, whatever place it gets. So what
    /// passes can be given a place before the hub has it.
    ///
    /// # Errors
    /// [`PublishError`].
    ///
    /// ```
    /// use tinysse_hub::hub::{PublishError, Update};
    /// let update = Update { data: Some("\"x\"".repeat(1_000)), ..Update::new("projects") };
    /// assert_eq!((update.fits(1 << 20), update.fits(1_000)), (Ok(()), Err(PublishError::TooLarge)));
    /// ```
    pub fn fits(&self, max_bytes: usize) -> Result<(), PublishError> {
        self.check()?;
        if self.size() > max_bytes { Err(PublishError::TooLarge) } else { Ok(()) }
    }

    /// The bytes that it takes at most, whatever its place.
    #[must_use]
    pub fn size(&self) -> usize {
        let texts = [&self.key, &self.origin, &self.except].into_iter().flatten();
        // As JSON a byte of these takes six at most; data is JSON already.
        let texts = texts.map(|text| 6 * text.len()).sum::<usize>();
        let to =
            self.to.iter().map(|audience| size_of::<Audience>() + audience.name().len() + postings::most(audience));
        // The type is in the frame and in the route.
        OVERHEAD + 2 * self.kind.len() + self.data.as_ref().map_or(0, String::len) + texts + to.sum::<usize>()
    }

    /// Returns the frame of the update: its data is a JSON object, every field optional. `spread`
    /// asks clients to distribute their refetches over this many milliseconds.
    pub(super) fn encode(&self, id: &EventId, spread: Option<u64>) -> Result<Vec<u8>, PublishError> {
        let mut fields = Vec::new();
        // JSON has raw line ends between its tokens only, where a space means the same.
        fields.extend(self.data.as_ref().map(|data| format!("\"data\":{}", data.replace(['\r', '\n'], " "))));
        fields.extend(self.key.as_ref().map(|key| format!("\"key\":{}", quoted(key))));
        fields.extend(self.origin.as_ref().map(|origin| format!("\"origin\":{}", quoted(origin))));
        fields.extend(spread.map(|spread| format!("\"spread\":{spread}")));
        fields.extend((self.at > 0).then(|| format!("\"at\":{}", self.at)));
        let data = format!("{{{}}}", fields.join(","));
        let mut frame = Vec::with_capacity(data.len() + self.kind.len() + 48);
        encode(&Fields { retry: None, id: Some(&id.text()), event: &self.kind, data: &data }, &mut frame)
            // Cannot be: the type was checked, and neither the id nor the data has a line end.
            .map_err(|_| PublishError::BadType(BadType::Character))?;
        Ok(frame)
    }
}

impl From<&str> for Update {
    fn from(kind: &str) -> Self {
        Self::new(kind)
    }
}

impl From<String> for Update {
    fn from(kind: String) -> Self {
        Self::new(kind)
    }
}

/// Returns a text as JSON has it (RFC 8259, §7).
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use tinysse::proto::wire::id::Epoch;

    fn encoded(update: &Update, spread: Option<u64>) -> String {
        let id = EventId { epoch: Epoch(10), seq: 3 };
        String::from_utf8(update.encode(&id, spread).expect("encodes")).expect("utf-8")
    }

    #[test]
    fn every_field_is_optional() {
        assert_eq!(encoded(&Update::new("a.b"), None), "id: a.3\nevent: a.b\ndata: {}\n\n");
    }

    #[test]
    fn nothing_inside_opens_a_field_or_a_frame() {
        let hostile = "x\r\nid: 9\n\ndata: \0\"}";
        let update = Update {
            data: Some("{\r\n \"n\": 1\n}".into()),
            key: Some(hostile.into()),
            origin: Some(hostile.into()),
            at: 12,
            ..Update::new("a.b")
        };
        let frame = encoded(&update, Some(250));
        let lines: Vec<_> = frame.lines().collect();
        assert_eq!(lines.len(), 4, "{frame:?}");
        let body: serde_json::Value =
            serde_json::from_str(lines[2].strip_prefix("data: ").expect("a data line")).expect("json");
        assert_eq!(
            body,
            serde_json::json!({ "data": { "n": 1 }, "key": hostile, "origin": hostile, "spread": 250, "at": 12 })
        );
    }

    #[test]
    fn texts_are_quoted_as_serde_json_does() {
        let all: String = (0..0x250).filter_map(char::from_u32).chain("\u{2028}\u{1f980}".chars()).collect();
        assert_eq!(quoted(&all), serde_json::Value::String(all.clone()).to_string());
    }
}
