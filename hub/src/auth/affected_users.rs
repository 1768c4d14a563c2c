//! AffectedUsers rights changed. Pure.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// More users than this are everybody.
const BOUND: usize = 1_000;

/// AffectedUsers rights changed.
///
/// ```
/// use tinysse_hub::auth::affected_users::AffectedUsers;
/// let mut whose = AffectedUsers::from(Some("ada"));
/// whose.add(AffectedUsers::from(Some("bob")));
/// assert!(whose.has("ada") && whose.has("bob") && !whose.has("eve"));
/// whose.add(AffectedUsers::from(None));
/// assert_eq!(whose, AffectedUsers::Everybody);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AffectedUsers {
    /// All of them, or nobody knows whose.
    Everybody,
    /// Theirs.
    Users(BTreeSet<String>),
}

impl From<Option<&str>> for AffectedUsers {
    fn from(user: Option<&str>) -> Self {
        user.map_or(Self::Everybody, |user| Self::Users(BTreeSet::from([user.to_owned()])))
    }
}

impl AffectedUsers {
    /// Theirs too.
    pub fn add(&mut self, others: Self) {
        match (&mut *self, others) {
            (Self::Everybody, _) => {}
            (Self::Users(_), Self::Everybody) => *self = Self::Everybody,
            (Self::Users(users), Self::Users(more)) => {
                users.extend(more);
                if users.len() > BOUND {
                    *self = Self::Everybody;
                }
            }
        }
    }

    /// Whether this user's are among them.
    #[must_use]
    pub fn has(&self, user: &str) -> bool {
        match self {
            Self::Everybody => true,
            Self::Users(users) => users.contains(user),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_are_everybody() {
        let mut whose = AffectedUsers::from(Some("0"));
        for n in 1..BOUND {
            whose.add(AffectedUsers::from(Some(n.to_string().as_str())));
        }
        assert!(whose.has("7") && !whose.has("eve"));
        whose.add(AffectedUsers::from(Some("one more")));
        assert_eq!(whose, AffectedUsers::Everybody);
    }
}
