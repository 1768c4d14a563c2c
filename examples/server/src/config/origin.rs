//! Where each setting comes from.

use std::{collections::BTreeMap, fmt, path::Path};

use clap::{ArgMatches, Args, parser::ValueSource};

use super::{ConfigError, Layer};

/// Where a setting comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It was not given.
    Default,
    /// The file of this name.
    File(String),
    /// The environment variable of this name.
    Environment(String),
    /// The command line.
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(name) | Self::Environment(name) => f.write_str(name),
            Self::Flag => f.write_str("flag"),
        }
    }
}

/// The origins of those settings that were given, by the name that they have in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(BTreeMap<String, Origin>);

impl Origins {
    /// Of what the command line, with the environment behind it, and a file say.
    pub(super) fn read(matches: &ArgMatches, file: Option<&Path>) -> Self {
        let mut known = BTreeMap::new();
        let table = file.and_then(|path| std::fs::read_to_string(path).ok()?.parse::<toml::Table>().ok());
        let (table, name) =
            (table.unwrap_or_default(), file.map(|path| path.display().to_string()).unwrap_or_default());
        for arg in Layer::augment_args(clap::Command::new("")).get_arguments() {
            let Some(key) = arg.get_long() else { continue };
            let origin = match matches.value_source(arg.get_id().as_str()) {
                Some(ValueSource::CommandLine) => Origin::Flag,
                Some(ValueSource::EnvVariable) => {
                    Origin::Environment(arg.get_env().unwrap_or_default().to_string_lossy().into_owned())
                }
                Some(_) | None if table.contains_key(key) => Origin::File(name.clone()),
                Some(_) | None => continue,
            };
            known.insert(key.to_owned(), origin);
        }
        Self(known)
    }

    /// Of this setting.
    #[must_use]
    pub fn of(&self, key: &str) -> &Origin {
        self.0.get(key).unwrap_or(&Origin::Default)
    }

    /// Says with a refusal where the setting that it names first comes from, if it was given.
    pub(super) fn blame(&self, error: ConfigError) -> ConfigError {
        match error {
            ConfigError::Setting(text) => {
                let name = text.trim_start_matches("--");
                let end = name.find(|c: char| !c.is_ascii_lowercase() && c != '-').unwrap_or(name.len());
                match self.of(&name[..end]).clone() {
                    Origin::Default => ConfigError::Setting(text),
                    origin @ (Origin::File(_) | Origin::Environment(_) | Origin::Flag) => {
                        ConfigError::Given { key: name[..end].to_owned(), origin, text }
                    }
                }
            }
            other @ (ConfigError::Flags(_) | ConfigError::Poll(_) | ConfigError::Given { .. }) => other,
        }
    }
}
