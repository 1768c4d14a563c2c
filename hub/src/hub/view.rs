//! What those who run the hub may look at: clients and the end of the log, as they are now.

use tinysse::proto::{
    audience::{Audience, Identity},
    registry::Pattern,
    time::Time,
    wire::id::EventId,
};

/// A client as it is now.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The `client` of its hello.
    pub name: &'a str,
    /// Whom it belongs to, and what that allows.
    pub identity: &'a Identity,
    /// The types it gets; `None` for all.
    pub types: Option<&'a [Pattern]>,
    /// Everything up to here that it may see was given out.
    pub cursor: EventId,
    /// Places of the log behind its cursor. A client that has nothing to get stays where it is, so
    /// only one that waits to be served is late.
    pub behind: u64,
}

/// An update that the log keeps.
#[derive(Clone, Copy, Debug)]
pub struct Kept<'a> {
    /// Its place.
    pub id: EventId,
    /// When it was logged.
    pub at: Time,
    /// Its type.
    pub kind: &'a str,
    /// Who may see it; empty for everybody.
    pub to: &'a [Audience],
    /// The frame that clients get.
    pub frame: &'a [u8],
}

/// Returns a pattern as it is written.
///
/// ```
/// use tinysse::proto::registry::Pattern;
/// for text in ["*", "compute.*", "projects"] {
///     assert_eq!(tinysse_hub::hub::written(&Pattern::parse(text).unwrap()), text);
/// }
/// ```
#[must_use]
pub fn written(pattern: &Pattern) -> String {
    match pattern {
        Pattern::Everything => "*".to_owned(),
        Pattern::Below(prefix) => format!("{prefix}*"),
        Pattern::Exactly(name) => name.clone(),
    }
}
