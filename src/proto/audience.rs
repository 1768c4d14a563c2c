//! Audiences: who may see an update.

use alloc::{string::String, vec::Vec};
use core::{fmt, str::FromStr};

/// One group of clients: everybody, a user, a role or a channel.
///
/// ```
/// use tinysse::proto::audience::{Audience, Identity};
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

/// Whom a connection belongs to, as its token claims.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The subject of the token.
    pub user: String,
    /// The user's one role; empty for none.
    pub role: String,
    /// The channels the user is in, by name or by pattern (see [`covers`]).
    pub channels: Vec<String>,
}

/// Bytes of the name of a user, role or channel, at most. OpenID Connect Core 1.0, section 2,
/// allows a subject as many.
pub const MAX_NAME: usize = 255;
/// Segments of a channel's name or pattern, at most.
pub const MAX_SEGMENTS: usize = 32;
/// Channels of one identity, at most. A pattern covers any number of them.
pub const MAX_CHANNELS: usize = 1_000;

/// A text that names no audience.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadAudience {
    /// It begins with none of the four words.
    Form,
    /// What follows the word is no name.
    Name(BadName),
}

/// Why a name of a user, role or channel is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadName {
    /// It is empty.
    Empty,
    /// It is longer than [`MAX_NAME`].
    Length,
    /// It has a control character, such as a line break.
    Control,
    /// It is a channel with more than [`MAX_SEGMENTS`] segments.
    Segments,
    /// There are more than [`MAX_CHANNELS`] channels.
    Count,
}

impl Audience {
    /// Returns the name of the user, role or channel; empty for everybody.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::All => "",
            Self::User(name) | Self::Role(name) | Self::Channel(name) => name,
        }
    }

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

/// Checks the name of a user or role.
///
/// # Errors
/// [`BadName`]: a name has 1 to [`MAX_NAME`] bytes and no control characters.
pub fn check_name(name: &str) -> Result<(), BadName> {
    if name.is_empty() {
        Err(BadName::Empty)
    } else if name.len() > MAX_NAME {
        Err(BadName::Length)
    } else if name.chars().any(char::is_control) {
        Err(BadName::Control)
    } else {
        Ok(())
    }
}

/// Checks the name or pattern of a channel.
///
/// # Errors
/// As [`check_name`], and [`BadName::Segments`] for more than [`MAX_SEGMENTS`] segments.
pub fn check_channel(name: &str) -> Result<(), BadName> {
    check_name(name)?;
    if name.split('.').count() > MAX_SEGMENTS { Err(BadName::Segments) } else { Ok(()) }
}

/// True if a channel is the one that `pattern` names, or one of those: `*` matches one segment, `>`
/// at the end one or more.
///
/// ```
/// use tinysse::proto::audience::covers;
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
        let (kind, name) = text.split_once(':').ok_or(BadAudience::Form)?;
        let checked = if kind == "channel" { check_channel(name) } else { check_name(name) };
        let named = |audience: fn(String) -> Self| checked.map(|()| audience(name.into())).map_err(BadAudience::Name);
        match kind {
            "user" => named(Self::User),
            "role" => named(Self::Role),
            "channel" => named(Self::Channel),
            _ => Err(BadAudience::Form),
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
        match self {
            Self::Form => f.write_str("an audience is all, user:NAME, role:NAME or channel:NAME"),
            Self::Name(bad) => bad.fmt(f),
        }
    }
}

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a name must not be empty"),
            Self::Length => write!(f, "a name may have {MAX_NAME} bytes"),
            Self::Control => f.write_str("a name must not contain control characters, such as line breaks"),
            Self::Segments => write!(f, "a channel may have {MAX_SEGMENTS} segments"),
            Self::Count => write!(f, "{MAX_CHANNELS} channels at most; a pattern such as `orders.>` covers many"),
        }
    }
}

impl core::error::Error for BadAudience {}
impl core::error::Error for BadName {}

#[cfg(test)]
mod tests {
    use alloc::{format, string::ToString};

    use super::*;

    #[test]
    fn an_empty_role_is_nobodys() {
        let nobody = Identity { user: "ada".into(), ..Identity::default() };
        assert_eq!("role:".parse::<Audience>(), Err(BadAudience::Name(BadName::Empty)));
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
            assert_eq!(text.parse::<Audience>().expect(text).to_string(), text);
        }
        let name = |bad| BadAudience::Name(bad);
        for (text, bad) in [
            ("", BadAudience::Form),
            ("All", BadAudience::Form),
            ("users:ada", BadAudience::Form),
            ("user", BadAudience::Form),
            ("user:", name(BadName::Empty)),
            ("user:a\nb", name(BadName::Control)),
            ("channel:\0", name(BadName::Control)),
            (&format!("role:{}", "x".repeat(256)), name(BadName::Length)),
            (&format!("channel:{}", ".".repeat(32)), name(BadName::Segments)),
        ] {
            assert_eq!(text.parse::<Audience>(), Err(bad), "{text:?}");
        }
        for text in [format!("role:{}", "x".repeat(255)), format!("channel:{}", ".".repeat(31))] {
            assert!(text.parse::<Audience>().is_ok(), "{text:?}");
        }
    }
}
