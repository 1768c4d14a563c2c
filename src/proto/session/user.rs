//! Whose connection it is: the user that the application names, or the one that the token names.

use alloc::string::String;

/// The user of a session, and where the name comes from.
#[derive(Debug, Default)]
pub(super) struct User {
    /// Empty if it is not known, and for nobody.
    name: String,
    source: Source,
    /// How often everything of a user had to be dropped.
    changes: u32,
}

/// Where the name of a user comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Source {
    /// Nothing has named one yet.
    #[default]
    Unknown,
    /// A cursor that was stored for this user. A token has to confirm it.
    Stored,
    /// The last token.
    Token,
    /// The application: tokens of other users are refused.
    Application,
    /// The application reports that there is no user.
    Nobody,
}

/// What a token's user means for the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The user is the same as before, or is known from now on.
    Same,
    /// The user is another one than before.
    Changed,
    /// The application named another user.
    Wrong,
}

impl User {
    /// Returns the name; empty if it is not known, and for nobody.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns true if the application reported that there is no user.
    pub(super) fn is_nobody(&self) -> bool {
        self.source == Source::Nobody
    }

    /// Returns how often everything of a user had to be dropped.
    pub(super) fn changes(&self) -> u32 {
        self.changes
    }

    /// Counts one more of these changes.
    pub(super) fn changed(&mut self) {
        self.changes = self.changes.wrapping_add(1);
    }

    /// Takes the application's user, or nobody. Returns true if it is another one than before.
    pub(super) fn set(&mut self, user: Option<String>) -> bool {
        let source = if user.is_some() { Source::Application } else { Source::Nobody };
        let name = user.unwrap_or_default();
        // A name that is not known may be any other.
        let same = if name.is_empty() { self.is_nobody() } else { name == self.name };
        (self.name, self.source) = (name, source);
        !same
    }

    /// Takes the user of a stored cursor. Returns false if the cursor is not for the user in hand.
    pub(super) fn stored(&mut self, user: &str) -> bool {
        if self.source == Source::Unknown && !user.is_empty() {
            (self.name, self.source) = (user.into(), Source::Stored);
        }
        user.is_empty() || user == self.name
    }

    /// Takes the user of a token; empty if the token does not name one.
    pub(super) fn token(&mut self, user: String) -> Verdict {
        let other = user != self.name;
        match self.source {
            Source::Nobody => Verdict::Wrong,
            Source::Application if other && !user.is_empty() => Verdict::Wrong,
            Source::Application => Verdict::Same,
            Source::Unknown | Source::Token if user.is_empty() => Verdict::Same,
            Source::Unknown | Source::Token | Source::Stored => {
                let known = self.source != Source::Unknown;
                self.source = if user.is_empty() { Source::Unknown } else { Source::Token };
                self.name = user;
                if known && other { Verdict::Changed } else { Verdict::Same }
            }
        }
    }

    /// Forgets a user whom the application did not name.
    pub(super) fn forget(&mut self) {
        if matches!(self.source, Source::Stored | Source::Token) {
            (self.name, self.source) = (String::new(), Source::Unknown);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Option<String> {
        Some(name.into())
    }

    #[test]
    fn the_application_naming_the_tokens_user_changes_nothing() {
        let mut user = User::default();
        assert_eq!(user.token("ada".into()), Verdict::Same);
        assert!(!user.set(named("ada")));
        assert!(user.set(named("bob")) && user.set(None) && !user.set(None) && user.set(named("bob")));
        assert_eq!((user.token("ada".into()), user.token(String::new())), (Verdict::Wrong, Verdict::Same));
    }

    #[test]
    fn a_stored_cursor_is_only_for_its_user() {
        let mut user = User::default();
        assert!(user.stored("ada"));
        assert_eq!((user.token("bob".into()), user.name()), (Verdict::Changed, "bob"));
        let mut unknown = User::default();
        assert!(unknown.stored("ada"));
        assert_eq!((unknown.token(String::new()), unknown.name()), (Verdict::Changed, ""));
        let mut named_before = User::default();
        named_before.set(named("bob"));
        assert!(!named_before.stored("ada") && named_before.stored("bob") && named_before.stored(""));
    }

    #[test]
    fn forgetting_keeps_what_the_application_said() {
        let mut user = User::default();
        user.token("ada".into());
        user.forget();
        assert_eq!((user.token("bob".into()), user.name()), (Verdict::Same, "bob"));
        user.set(named("eve"));
        user.forget();
        assert_eq!(user.name(), "eve");
    }
}
