//! Where each setting comes from.

use std::{collections::BTreeMap, fmt, path::Path};

use clap::{ArgMatches, Args, parser::ValueSource};

use super::{ConfigError, PollError, RawConfig, lines::Lines};

/// Where a setting comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It was not given.
    Default,
    /// The file of this name, with the line: `tinysse.toml:3`.
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
#[derive(Debug, Default)]
pub struct Origins {
    known: BTreeMap<String, Origin>,
    lines: Lines,
    /// The file's.
    name: String,
}

impl Origins {
    /// Of the values on the command line, with the environment behind it, and in a file.
    pub(super) fn read(matches: &ArgMatches, file: Option<&Path>) -> Self {
        let mut known = BTreeMap::new();
        let text = file.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
        let (lines, name) = (Lines::of(&text), file.map(|path| path.display().to_string()).unwrap_or_default());
        for arg in RawConfig::augment_args(clap::Command::new("")).get_arguments() {
            let Some(key) = arg.get_long() else { continue };
            let origin = match matches.value_source(arg.get_id().as_str()) {
                Some(ValueSource::CommandLine) => Origin::Flag,
                Some(ValueSource::EnvVariable) => {
                    Origin::Environment(arg.get_env().unwrap_or_default().to_string_lossy().into_owned())
                }
                Some(_) | None if lines.has(key) => Origin::File(at(&name, lines.key(key))),
                Some(_) | None => continue,
            };
            known.insert(key.to_owned(), origin);
        }
        Self { known, lines, name }
    }

    /// Of this setting.
    #[must_use]
    pub fn of(&self, key: &str) -> &Origin {
        self.known.get(key).unwrap_or(&Origin::Default)
    }

    /// Adds to a refusal where the setting that it names first comes from, if it was given.
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
            ConfigError::Poll(error) => {
                let origin = match self.of("poll") {
                    Origin::File(_) => Origin::File(at(&self.name, self.lines.poll(&error.kind, &error.key))),
                    origin @ (Origin::Default | Origin::Environment(_) | Origin::Flag) => origin.clone(),
                };
                ConfigError::Poll(PollError { origin, ..error })
            }
            other @ (ConfigError::Flags(_) | ConfigError::Given { .. }) => other,
        }
    }
}

fn at(file: &str, line: Option<usize>) -> String {
    line.map_or_else(|| file.to_owned(), |line| format!("{file}:{line}"))
}
