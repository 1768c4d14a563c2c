//! Rights in a TOML file, read again when it changes.
//!
//! ```toml
//! strict = true                  # who is not named below is refused; else they have what their session gave them
//!
//! [roles.guest]
//! types = ["news.*"]             # what this role may see; everything, if this is left out
//! channels = ["lobby"]           # in addition to the user's own
//!
//! [users.ada]
//! role = "admin"                 # instead of the session's
//! channels = ["ops.>", "a.*.b"]  # instead of the session's
//!
//! [users.eve]
//! blocked = true
//! ```

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use serde::Deserialize;
use tinysse::proto::audience::Identity;

use super::{Answer, Denied, Directory, Rights, TypePattern, patterns};
use crate::auth::{
    jwt::Claims,
    names::{self, BadName},
};

/// The file and its content when it was last sound.
#[derive(Debug)]
pub struct RightsFile {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    text: String,
    rules: Rules,
    version: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Rules {
    strict: bool,
    roles: BTreeMap<String, Role>,
    users: BTreeMap<String, User>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Role {
    types: Option<Vec<TypePattern>>,
    channels: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct User {
    role: Option<String>,
    channels: Option<Vec<String>>,
    /// Instead of the role's.
    types: Option<Vec<TypePattern>>,
    blocked: bool,
    /// What was established before this time is over, in milliseconds since 1970.
    since: u64,
}

impl RightsFile {
    /// Reads the file.
    ///
    /// # Errors
    /// In words: the file can't be read, or is not as it must be.
    pub fn open(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        let rules = read(&text)?;
        Ok(Self { path: path.to_owned(), state: Mutex::new(State { text, rules, version: 0 }) })
    }

    /// Lets nobody in until the file is sound.
    pub(crate) fn closed(path: &Path) -> Self {
        let rules = Rules { strict: true, ..Rules::default() };
        Self { path: path.to_owned(), state: Mutex::new(State { text: String::new(), rules, version: 0 }) }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Directory for RightsFile {
    fn rights<'a>(&'a self, claims: &'a Claims) -> Answer<'a> {
        let answer = self.state().rules.of(claims);
        Box::pin(async move { answer })
    }

    fn version(&self) -> u64 {
        self.state().version
    }

    /// A file that is gone or not sound changes nothing: half a file must not lock everybody out,
    /// or let anybody in.
    fn refresh(&self, _forced: bool) -> Result<(), String> {
        let text = std::fs::read_to_string(&self.path).map_err(|error| error.to_string());
        let mut state = self.state();
        if text.as_ref() == Ok(&state.text) {
            return Ok(());
        }
        match text.and_then(|text| Ok((read(&text)?, text))) {
            Ok((rules, text)) => {
                *state = State { text, rules, version: state.version + 1 };
                tracing::info!(target: "tinysse::auth", version = state.version, "the rights were read again");
                Ok(())
            }
            Err(error) => {
                tracing::warn!(target: "tinysse::auth", error, "the file of rights is not sound; the last good one counts");
                Err(error)
            }
        }
    }
}

impl Rules {
    fn of(&self, claims: &Claims) -> Result<Rights, Denied> {
        let user = self.users.get(&claims.sub);
        if user.map_or(self.strict, |user| user.blocked || claims.established() < user.since) {
            return Err(Denied::Gone);
        }
        let role = user.and_then(|user| user.role.clone()).unwrap_or_else(|| claims.role.clone());
        let mut channels = user.and_then(|user| user.channels.clone()).unwrap_or_else(|| claims.channels.clone());
        let rule = self.roles.get(&role);
        for channel in rule.iter().flat_map(|rule| &rule.channels) {
            if !channels.contains(channel) {
                channels.push(channel.clone());
            }
        }
        let types = user.and_then(|user| user.types.as_ref()).or_else(|| rule.and_then(|rule| rule.types.as_ref()));
        Ok(Rights {
            identity: Identity { user: claims.sub.clone(), role, channels },
            types: types.map(|types| patterns(types)),
        })
    }
}

/// Only the message: the parser's full text quotes the file.
fn read(text: &str) -> Result<Rules, String> {
    let rules: Rules = toml::from_str(text).map_err(|error: toml::de::Error| error.message().to_owned())?;
    let checked = || -> Result<(), BadName> {
        for (name, rule) in &rules.roles {
            names::role(name).and_then(|()| names::channels(&rule.channels))?;
        }
        for (name, user) in &rules.users {
            names::name("user", name)?;
            user.role.as_deref().map_or(Ok(()), names::role)?;
            user.channels.as_deref().map_or(Ok(()), names::channels)?;
        }
        Ok(())
    };
    checked().map_err(|error| error.to_string())?;
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use tinysse::proto::registry::Pattern;

    use super::*;

    fn claims(user: &str, role: &str, channels: &str, generation: u64) -> Claims {
        let text = format!(
            r#"{{"iss":"","aud":"","sub":"{user}","role":"{role}","channels":{channels},"gen":{generation},"exp":9}}"#
        );
        serde_json::from_str(&text).expect("claims")
    }

    fn rights(rules: &Rules, claims: &Claims) -> String {
        match rules.of(claims) {
            Ok(Rights { identity, types }) => {
                let exact = |pattern: &Pattern| match pattern {
                    Pattern::Exactly(name) => name.clone(),
                    Pattern::Everything | Pattern::Below(_) => format!("{pattern:?}"),
                };
                let types = types.map(|types| types.iter().map(exact).collect::<Vec<_>>().join(","));
                format!("{} {} {}", identity.role, identity.channels.join(","), types.as_deref().unwrap_or("*"))
            }
            Err(denied) => format!("{denied:?}"),
        }
    }

    #[test]
    fn the_file_wins_over_the_session() {
        let text = r#"
            [roles.guest]
            types = ["a", "b"]
            channels = ["lobby", "ops"]
            [users.ada]
            role = "guest"
            channels = ["ops"]
            [users.bob]
            types = []
            since = 7
            [users.eve]
            blocked = true
        "#;
        let mut rules = read(text).expect("sound");
        assert_eq!(rights(&rules, &claims("ada", "admin", r#"["x"]"#, 0)), "guest ops,lobby a,b");
        assert_eq!(rights(&rules, &claims("bob", "guest", r#"["x"]"#, 7)), "guest x,lobby,ops ");
        assert_eq!(rights(&rules, &claims("bob", "guest", "[]", 6)), "Gone");
        assert_eq!(rights(&rules, &claims("eve", "admin", "[]", 9)), "Gone");
        assert_eq!(rights(&rules, &claims("zoe", "admin", r#"["x"]"#, 0)), "admin x *");
        rules.strict = true;
        assert_eq!(rights(&rules, &claims("zoe", "admin", "[]", 0)), "Gone");
    }

    #[test]
    fn an_unsound_file_is_refused_and_later_ignored() {
        let path = std::env::temp_dir().join(format!("tinysse-rights-{}.toml", std::process::id()));
        for bad in [
            "users = 1",
            "[roles.a]\ntypes = [\"a*b\"]",
            "[users.a]\nblokced = true",
            "[users.\"a\\nb\"]",
            "[users.a]\nrole = \"a\\tb\"",
            "[roles.a]\nchannels = [\"a\\u0000\"]",
        ] {
            std::fs::write(&path, bad).expect("written");
            assert!(RightsFile::open(&path).is_err(), "{bad}");
        }
        std::fs::write(&path, "strict = true").expect("written");
        let file = RightsFile::open(&path).expect("sound");
        assert_eq!(file.refresh(false), Ok(()));
        assert_eq!(file.version(), 0, "nothing changed");
        std::fs::write(&path, "strict =").expect("written");
        assert!(file.refresh(false).is_err());
        assert!(file.version() == 0 && file.state().rules.strict);
        std::fs::write(&path, "strict = false").expect("written");
        assert_eq!(file.refresh(false), Ok(()));
        assert!(file.version() == 1 && !file.state().rules.strict);
        std::fs::remove_file(&path).expect("removed");
        assert!(file.refresh(true).is_err());
        assert_eq!(file.version(), 1);
    }
}
