//! The types of an application's updates, and those that it may not have.

/// What the types of control messages begin with; no application type may.
pub const RESERVED: &str = "tinysse.";

/// An application type that may not be published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadType {
    /// Empty, or longer than 128 bytes.
    Length,
    /// A character outside `A-Z a-z 0-9 . _ : -`.
    Character,
    /// Begins with [`RESERVED`].
    Reserved,
}

/// True for types that only the hub may use.
#[must_use]
pub fn is_reserved(event: &str) -> bool {
    event.starts_with(RESERVED)
}

/// Checks an application's type before it reaches the log.
///
/// # Errors
/// [`BadType`] describes what is wrong with it.
///
/// ```
/// use tinysse::proto::wire::kind::{check_type, BadType};
/// assert_eq!(check_type("compute.progress"), Ok(()));
/// assert_eq!(check_type("tinysse.hello"), Err(BadType::Reserved));
/// assert_eq!(check_type("a\nid: 1"), Err(BadType::Character));
/// ```
pub fn check_type(event: &str) -> Result<(), BadType> {
    if event.is_empty() || event.len() > 128 {
        return Err(BadType::Length);
    }
    if !event.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'-')) {
        return Err(BadType::Character);
    }
    if is_reserved(event) { Err(BadType::Reserved) } else { Ok(()) }
}
