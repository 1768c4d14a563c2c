//! The command of the program, with its flags.

use std::{ffi::OsString, path::PathBuf};

use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use super::{Config, ConfigError, Origins, RawConfig, environment, file::read, pages};
use tinysse_hub::values::Span;

/// The variable that names the file of settings.
pub(super) const CONFIG: &str = "TINYSSE_CONFIG";

/// A command with its settings.
#[derive(Debug)]
pub enum Command {
    /// Run the hub.
    Serve(Box<Config>),
    /// Something with tokens and keys.
    Token(TokenCommand),
    /// Print the settings that would count.
    Check {
        /// The settings.
        config: Box<Config>,
        /// Where they come from.
        origins: Origins,
    },
}

/// What to do with tokens.
#[derive(Debug)]
pub enum TokenCommand {
    /// Print a token.
    Mint {
        /// Whose keys sign it.
        config: Box<Config>,
        /// For whom and for how long.
        wish: Mint,
    },
    /// Print what a token from standard input is worth.
    Check {
        /// Whose keys check it.
        config: Box<Config>,
        /// Whether it is an app session.
        session: bool,
    },
    /// Print a new private key.
    Key,
}

#[derive(Parser)]
#[command(name = "tinysse-server", version, about, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Asked>,
    #[command(flatten)]
    serve: Settings,
}

#[derive(Subcommand)]
enum Asked {
    /// Run the hub (the default)
    Serve(Settings),
    /// Print, check and sign tokens
    #[command(subcommand)]
    Token(AskedToken),
    /// Inspect settings
    #[command(subcommand)]
    Config(AskedConfig),
}

#[derive(Subcommand)]
enum AskedConfig {
    /// Print the settings that count and where they come from, and check the files and folders that
    /// they name
    Check(Settings),
}

#[derive(Subcommand)]
enum AskedToken {
    /// Print a token for the stream, signed as the server with these settings would
    Mint {
        #[command(flatten)]
        wish: Mint,
        #[command(flatten)]
        settings: Settings,
    },
    /// Read a token from standard input and print what it is worth to the server with these
    /// settings
    Check {
        /// Expect an app session
        #[arg(long)]
        session: bool,
        #[command(flatten)]
        settings: Settings,
    },
    /// Print a new Ed25519 private key in PEM, for --token-key
    Key,
}

/// The claims of a minted token.
#[derive(Args, Clone, Debug)]
// The variant of the command has this name too.
#[group(id = "wish")]
pub struct Mint {
    /// Name the user
    #[arg(long, value_name = "USER")]
    pub sub: String,
    /// Name the role
    #[arg(long, value_name = "ROLE", default_value = "")]
    pub role: String,
    /// Add a channel or a pattern of channels; repeatable
    #[arg(long, value_name = "CHANNEL", value_delimiter = ',')]
    pub channel: Vec<String>,
    /// Expire after this time [default: --token-ttl, or --session-ttl of a session]
    #[arg(long, value_name = "SPAN")]
    pub ttl: Option<Span>,
    /// Print an app session instead of a stream token
    #[arg(long)]
    pub session: bool,
}

#[derive(Args)]
struct Settings {
    /// Read settings from this TOML file; flags and environment take precedence
    #[arg(long, env = CONFIG, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    flags: RawConfig,
}

impl Command {
    /// Reads flags (the first is the program's name), environment and, if one is named, the file.
    ///
    /// # Errors
    /// [`ConfigError`], in words for the person who started the program.
    pub fn from_args(args: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Result<Self, ConfigError> {
        let matches = Cli::command().try_get_matches_from(args)?;
        let cli = Cli::from_arg_matches(&matches)?;
        let mut inner = &matches;
        while let Some((_, of_command)) = inner.subcommand() {
            inner = of_command;
        }
        let resolve = |settings: Settings| resolve(settings, inner).map(|(config, _)| config);
        Ok(match cli.command {
            None => Self::Serve(resolve(cli.serve)?),
            Some(Asked::Serve(settings)) => Self::Serve(resolve(settings)?),
            Some(Asked::Config(AskedConfig::Check(settings))) => {
                let (config, origins) = self::resolve(settings, inner)?;
                Self::Check { config, origins }
            }
            Some(Asked::Token(AskedToken::Mint { wish, settings })) => {
                Self::Token(TokenCommand::Mint { config: resolve(settings)?, wish })
            }
            Some(Asked::Token(AskedToken::Check { session, settings })) => {
                Self::Token(TokenCommand::Check { config: resolve(settings)?, session })
            }
            Some(Asked::Token(AskedToken::Key)) => Self::Token(TokenCommand::Key),
        })
    }
}

fn resolve(settings: Settings, matches: &ArgMatches) -> Result<(Box<Config>, Origins), ConfigError> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let warnings = environment::check(names)?;
    let path = settings.config.as_deref();
    let file = path.map(read).transpose()?.unwrap_or_default();
    let origins = Origins::read(matches, path);
    let mut config = Config::resolve(settings.flags.over(file)).map_err(|error| origins.blame(error))?;
    config.warnings.extend(warnings);
    if let Some(warning) = pages::exposed(&config, path) {
        return Err(origins.blame(warning));
    }
    Ok((Box::new(config), origins))
}
