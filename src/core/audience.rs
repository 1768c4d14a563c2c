//! Who may see an update.

use alloc::{string::String, vec::Vec};
use core::{fmt, str::FromStr};

/// One group of clients: everybody, a user, a role or a channel.
///
/// ```
/// use tinysse::core::audience::{Audience, Identity};
/// let ada = Identity { user: "ada".into(), role: "admin".into(), channels: vec!["ops".into()] };
/// let ops: Audience = "channel:ops".parse().unwrap();
/// assert!(ops.admits(&ada));
/// assert!(!Audience::User("bob".into()).admits(&ada));
/// assert_eq!(ops.to_string(), "channel:ops");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Audience {
    /// Every connected client.
    All,
    /// The clients of one user.
    User(String),
    /// The clients of one role.
    Role(String),
    /// The clients that are in a channel.
    Channel(String),
}

/// Whom a connection belongs to, as its token says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The subject of the token.
    pub user: String,
    /// The user's one role; empty for none.
    pub role: String,
    /// The channels the user is in, by name or by pattern (see [`covers`]).
    pub channels: Vec<String>,
}

/// A text that names no audience.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadAudience;

impl Audience {
    /// True if the client behind `identity` belongs to this audience.
    #[must_use]
    pub fn admits(&self, identity: &Identity) -> bool {
        match self {
            Self::All => true,
            Self::User(user) => *user == identity.user,
            Self::Role(role) => *role == identity.role,
            Self::Channel(channel) => identity.channels.iter().any(|pattern| covers(pattern, channel)),
        }
    }
}

/// True if a channel is the one that `pattern` names, or one of those: `*` stands for one segment, `>` at the end for one or more.
///
/// ```
/// use tinysse::core::audience::covers;
/// assert!(covers("ops", "ops") && !covers("ops", "ops.eu"));
/// assert!(covers("a.*.b", "a.x.b") && !covers("a.*.b", "a.x.y.b"));
/// assert!(covers("a.>", "a.x.y") && !covers("a.>", "a"));
/// assert!(covers("a.x*", "a.x*") && !covers("a.x*", "a.xy")); // a star inside a segment is a star
/// ```
#[must_use]
pub fn covers(pattern: &str, channel: &str) -> bool {
    let (mut patterns, mut names) = (pattern.split('.').peekable(), channel.split('.'));
    loop {
        match (patterns.next(), names.next()) {
            (None, None) => return true,
            (Some(">"), Some(_)) if patterns.peek().is_none() => return true,
            (Some("*"), Some(_)) => {}
            (Some(wanted), Some(name)) if wanted == name => {}
            (Some(_) | None, Some(_)) | (Some(_), None) => return false,
        }
    }
}

impl FromStr for Audience {
    type Err = BadAudience;

    fn from_str(text: &str) -> Result<Self, BadAudience> {
        if text == "all" {
            return Ok(Self::All);
        }
        let (kind, name) = text.split_once(':').ok_or(BadAudience)?;
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err(BadAudience);
        }
        match kind {
            "user" => Ok(Self::User(name.into())),
            "role" => Ok(Self::Role(name.into())),
            "channel" => Ok(Self::Channel(name.into())),
            _ => Err(BadAudience),
        }
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = match self {
            Self::All => return f.write_str("all"),
            Self::User(name) => ("user:", name),
            Self::Role(name) => ("role:", name),
            Self::Channel(name) => ("channel:", name),
        };
        f.write_str(kind)?;
        f.write_str(name)
    }
}

impl fmt::Display for BadAudience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an audience is all, user:NAME, role:NAME or channel:NAME")
    }
}

impl core::error::Error for BadAudience {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_role_is_nobodys() {
        let nobody = Identity { user: "ada".into(), ..Identity::default() };
        assert_eq!("role:".parse::<Audience>(), Err(BadAudience));
        assert!(!Audience::Role("admin".into()).admits(&nobody));
    }

    #[test]
    fn patterns_stand_for_whole_segments() {
        for (pattern, channels) in [
            ("*", &["a", "b", ">", ""][..]),
            (">", &["a", "a.b", "a.b.c"]),
            ("a.*", &["a.b", "a."]),
            ("*.b", &["a.b", ".b"]),
            ("a.>.b", &["a.>.b"]),
        ] {
            for channel in ["", "a", "b", ">", "a.b", "a.", ".b", "a.b.c", "a.>.b", "a.c.b"] {
                assert_eq!(
                    covers(pattern, channel),
                    channels.contains(&channel) || pattern == ">",
                    "{pattern} {channel}"
                );
            }
        }
    }

    #[test]
    fn text_reads_back() {
        for text in ["all", "user:ada", "role:admin", "channel:a:b", "user:all"] {
            assert_eq!(std::string::ToString::to_string(&text.parse::<Audience>().expect(text)), text);
        }
        for text in ["", "All", "users:ada", "user", "user:", "user:a\nb", "channel:\0"] {
            assert_eq!(text.parse::<Audience>(), Err(BadAudience), "{text:?}");
        }
    }
}
