//! Names of users, roles and channels, as tokens, logins and directories give them.

use tinysse::core::audience::Identity;

/// Bytes of a name.
pub(super) const MAX_NAME: usize = 255;

/// A name that is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// It is empty or has more than 255 bytes. Only a role may be empty: it is none then.
    #[error("the name of a {0} has 1 to {MAX_NAME} bytes")]
    Length(&'static str),
    /// It has a control character. Such names are cut and joined in logs, headers and files of others.
    #[error("the name of a {0} has no control characters, like line breaks")]
    Control(&'static str),
}

/// Checks all names of an identity.
///
/// ```
/// use tinysse::core::audience::Identity;
/// use tinysse_server::auth::names::{BadName, check};
/// let ada = |channel: &str| Identity { user: "ada".into(), channels: vec![channel.into()], ..Identity::default() };
/// assert_eq!(check(&ada("ops.>")), Ok(()));
/// assert_eq!(check(&ada("ops\nuser")), Err(BadName::Control("channel")));
/// ```
///
/// # Errors
/// [`BadName`] for the first that is not taken.
pub fn check(identity: &Identity) -> Result<(), BadName> {
    let Identity { user, role, channels } = identity;
    name("user", user)?;
    if !role.is_empty() {
        name("role", role)?;
    }
    channels.iter().try_for_each(|channel| name("channel", channel))
}

/// Checks one name; `what` it names is said in the error.
///
/// # Errors
/// [`BadName`].
pub fn name(what: &'static str, text: &str) -> Result<(), BadName> {
    if !(1..=MAX_NAME).contains(&text.len()) {
        Err(BadName::Length(what))
    } else if text.chars().any(char::is_control) {
        Err(BadName::Control(what))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_and_endless_names_are_not_taken() {
        let good =
            Identity { user: "ada".into(), role: "admin".into(), channels: vec!["ops".into(), "日本.*".into()] };
        assert_eq!(check(&good), Ok(()));
        assert_eq!(check(&Identity { role: String::new(), channels: vec![], ..good.clone() }), Ok(()));
        for bad in ["a\nb", "a\r", "\0", "\u{7f}", "a\u{85}b", "\t"] {
            let bad = bad.to_owned();
            assert_eq!(check(&Identity { user: bad.clone(), ..good.clone() }), Err(BadName::Control("user")));
            assert_eq!(check(&Identity { role: bad.clone(), ..good.clone() }), Err(BadName::Control("role")));
            let channels = vec!["ops".into(), bad];
            assert_eq!(check(&Identity { channels, ..good.clone() }), Err(BadName::Control("channel")));
        }
        for bad in [String::new(), "x".repeat(256)] {
            assert_eq!(check(&Identity { user: bad.clone(), ..good.clone() }), Err(BadName::Length("user")));
            assert_eq!(check(&Identity { channels: vec![bad], ..good.clone() }), Err(BadName::Length("channel")));
        }
        assert_eq!(check(&Identity { user: "x".repeat(255), ..good }), Ok(()));
    }
}
