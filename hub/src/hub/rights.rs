//! What a user may see: an identity, and the types that are allowed.

use tinysse::proto::{audience::Identity, registry::Pattern};

/// What a user may see.
///
/// ```
/// use tinysse::proto::registry::Pattern;
/// use tinysse_hub::hub::Rights;
/// let news = Pattern::parse("news.*").unwrap();
/// let rights = Rights { types: Some(vec![news.clone()]), ..Rights::default() };
/// assert_eq!(rights.narrow(None), Some(vec![news.clone()]));
/// assert_eq!(rights.narrow(Some(&[Pattern::Everything])), Some(vec![news]));
/// assert_eq!(rights.narrow(Some(&[Pattern::parse("projects").unwrap()])), Some(vec![]));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// The user with role and channels.
    pub identity: Identity,
    /// The types that may be seen; `None` for all.
    pub types: Option<Vec<Pattern>>,
}

impl Rights {
    /// Returns what is left of the types that were asked for (`None` for all).
    #[must_use]
    pub fn narrow(&self, asked: Option<&[Pattern]>) -> Option<Vec<Pattern>> {
        match (&self.types, asked) {
            (None, None) => None,
            (Some(types), None) => Some(types.clone()),
            (None, Some(asked)) => Some(asked.to_vec()),
            (Some(types), Some(asked)) => {
                Some(types.iter().flat_map(|ours| asked.iter().filter_map(|theirs| ours.meet(theirs))).collect())
            }
        }
    }
}
