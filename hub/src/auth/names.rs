//! Names of users, roles and channels, as tokens, logins and directories give them. The rules are
//! those of [`tinysse::proto::audience`].

use tinysse::proto::audience::{self, Identity, MAX_CHANNELS};

/// A name that is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {why}")]
pub struct BadName {
    /// What it names: `user`, `role`, `channel`, `session` or `token`.
    pub what: &'static str,
    /// What is wrong with it.
    pub why: audience::BadName,
}

/// Checks all names of an identity.
///
/// ```
/// use tinysse::proto::audience::{self, Identity};
/// use tinysse_hub::auth::names::{BadName, check};
/// let ada = |channel: &str| Identity { user: "ada".into(), channels: vec![channel.into()], ..Identity::default() };
/// assert_eq!(check(&ada("ops.>")), Ok(()));
/// assert_eq!(check(&ada("ops\nuser")), Err(BadName { what: "channel", why: audience::BadName::Control }));
/// ```
///
/// # Errors
/// [`BadName`] for the first that is refused.
pub fn check(identity: &Identity) -> Result<(), BadName> {
    let Identity { user, role: named, channels: named_channels } = identity;
    name("user", user)?;
    role(named)?;
    channels(named_channels)
}

/// Checks one name; `what` it names is part of the error.
///
/// # Errors
/// [`BadName`].
pub fn name(what: &'static str, text: &str) -> Result<(), BadName> {
    audience::check_name(text).map_err(|why| BadName { what, why })
}

/// Checks a role, which may be empty: then there is no role.
///
/// # Errors
/// [`BadName`].
pub fn role(text: &str) -> Result<(), BadName> {
    if text.is_empty() { Ok(()) } else { name("role", text) }
}

/// Checks the channels of an identity, and that they are not too many.
///
/// # Errors
/// [`BadName`].
pub fn channels(names: &[String]) -> Result<(), BadName> {
    let bad = |why| BadName { what: "channel", why };
    if names.len() > MAX_CHANNELS {
        return Err(bad(audience::BadName::Count));
    }
    names.iter().try_for_each(|channel| audience::check_channel(channel)).map_err(bad)
}

#[cfg(test)]
mod tests {
    use audience::BadName as Why;

    use super::*;

    #[test]
    fn the_error_names_what_is_refused_and_why() {
        let good =
            Identity { user: "ada".into(), role: "admin".into(), channels: vec!["ops".into(), "日本.*".into()] };
        assert_eq!(check(&good), Ok(()));
        assert_eq!(check(&Identity { role: String::new(), channels: vec![], ..good.clone() }), Ok(()));
        let bad = |what, why| Err(BadName { what, why });
        for text in ["a\nb", "a\r", "\0", "\u{7f}", "a\u{85}b", "\t"] {
            let text = text.to_owned();
            assert_eq!(check(&Identity { user: text.clone(), ..good.clone() }), bad("user", Why::Control));
            assert_eq!(check(&Identity { role: text.clone(), ..good.clone() }), bad("role", Why::Control));
            let channels = vec!["ops".into(), text];
            assert_eq!(check(&Identity { channels, ..good.clone() }), bad("channel", Why::Control));
        }
        assert_eq!(check(&Identity { user: String::new(), ..good.clone() }), bad("user", Why::Empty));
        assert_eq!(check(&Identity { user: "x".repeat(256), ..good.clone() }), bad("user", Why::Length));
        let channels = vec!["a.".repeat(40)];
        assert_eq!(check(&Identity { channels, ..good.clone() }), bad("channel", Why::Segments));
        let channels = vec!["a".into(); MAX_CHANNELS + 1];
        assert_eq!(check(&Identity { channels, ..good }), bad("channel", Why::Count));
        assert_eq!(BadName { what: "user", why: Why::Length }.to_string(), "user: a name may have 255 bytes",);
    }
}
