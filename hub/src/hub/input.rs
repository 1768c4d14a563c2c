//! Updates and lists of types as requests and calls give them, checked.

use std::fmt;

use tinysse::proto::{audience::Audience, registry::Pattern, wire::kind::BadType};

use super::{PublishError, Update};

/// An update names at most this many audiences.
pub const MAX_AUDIENCES: usize = 100;
/// Key, origin and exception have at most this many bytes.
pub const MAX_NAME: usize = 255;
/// A stream asks for at most this many patterns of types.
pub const MAX_TYPES: usize = 64;

/// What is wrong with an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadInput {
    /// The stable word, as in `docs/errors.md`.
    pub code: &'static str,
    /// What exactly, for people.
    pub detail: String,
}

impl BadInput {
    fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

impl fmt::Display for BadInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for BadInput {}

impl From<PublishError> for BadInput {
    fn from(error: PublishError) -> Self {
        let code = match error {
            PublishError::BadType(BadType::Reserved) => "reserved_type",
            PublishError::BadType(BadType::Length | BadType::Character) => "bad_type",
            PublishError::TooLarge => "update_too_large",
        };
        Self::new(code, error.to_string())
    }
}

/// Checks the fields of an update, all but the size of its data.
///
/// ```
/// use tinysse_hub::hub::{Update, input::check_update};
/// assert!(check_update(&Update::new("projects")).is_ok());
/// let long = Update { key: Some("x".repeat(256)), ..Update::new("projects") };
/// assert_eq!(check_update(&long).unwrap_err().code, "bad_field");
/// assert_eq!(check_update(&Update::new("tinysse.hello")).unwrap_err().code, "reserved_type");
/// ```
///
/// # Errors
/// `bad_field`, `bad_type` or `reserved_type`.
pub fn check_update(update: &Update) -> Result<(), BadInput> {
    for (name, text) in [("key", &update.key), ("origin", &update.origin), ("except", &update.except)] {
        if text.as_ref().is_some_and(|text| text.len() > MAX_NAME) {
            return Err(BadInput::new("bad_field", format!("{name} may have {MAX_NAME} bytes")));
        }
    }
    Ok(update.check()?)
}

/// Reads the audiences of an update. An empty list is refused: it would read as nobody and mean
/// everybody.
///
/// ```
/// use tinysse_hub::hub::input::audiences;
/// assert_eq!(audiences(&["user:ada", "all"]).unwrap().len(), 2);
/// assert_eq!(audiences(&["ada"]).unwrap_err().code, "bad_audience");
/// ```
///
/// # Errors
/// `bad_audience`.
pub fn audiences<T: AsRef<str>>(texts: &[T]) -> Result<Vec<Audience>, BadInput> {
    if !(1..=MAX_AUDIENCES).contains(&texts.len()) {
        let detail = format!("`to` names 1 to {MAX_AUDIENCES} audiences, or is left out");
        return Err(BadInput::new("bad_audience", detail));
    }
    let read = |text: &T| {
        let text = text.as_ref();
        text.parse().map_err(|error| BadInput::new("bad_audience", format!("{text:?}: {error}")))
    };
    texts.iter().map(read).collect()
}

/// Reads the types that a stream asks for, separated by commas.
///
/// ```
/// use tinysse_hub::hub::input::types;
/// assert_eq!(types("projects,compute.*").unwrap().len(), 2);
/// assert_eq!(types("projects,,").unwrap_err().code, "bad_types");
/// ```
///
/// # Errors
/// `bad_types`. It does not quote the text: where an `&` was forgotten, it goes on with a token.
pub fn types(text: &str) -> Result<Vec<Pattern>, BadInput> {
    let wrong = |detail: String| BadInput::new("bad_types", detail);
    let read =
        |(n, part)| Pattern::parse(part).ok_or_else(|| wrong(format!("number {n} is no type, `prefix.*` or `*`")));
    let patterns = (1..).zip(text.split(',')).map(read).collect::<Result<Vec<_>, _>>()?;
    if patterns.len() > MAX_TYPES { Err(wrong(format!("at most {MAX_TYPES} types"))) } else { Ok(patterns) }
}
