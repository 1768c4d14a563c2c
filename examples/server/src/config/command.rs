//! What the program is asked to do.

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, Parser, Subcommand};

use super::{Config, ConfigError, Layer, Span, read};

/// A command with its settings.
#[derive(Debug)]
pub enum Command {
    /// Run the hub.
    Serve(Box<Config>),
    /// Something with tokens and keys.
    Token(TokenCommand),
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
    /// Say what a token from standard input is worth.
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
    /// Make, check and sign tokens
    #[command(subcommand)]
    Token(AskedToken),
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
    /// Read a token from standard input and say what it is worth to the server with these settings
    Check {
        /// It is an app session
        #[arg(long)]
        session: bool,
        #[command(flatten)]
        settings: Settings,
    },
    /// Print a new Ed25519 private key in PEM, for --token-key
    Key,
}

/// What a minted token says.
#[derive(Args, Clone, Debug)]
// The variant of the command has this name too.
#[group(id = "wish")]
pub struct Mint {
    /// The user
    #[arg(long, value_name = "USER")]
    pub sub: String,
    /// The role
    #[arg(long, value_name = "ROLE", default_value = "")]
    pub role: String,
    /// A channel or a pattern of channels; repeatable
    #[arg(long, value_name = "CHANNEL", value_delimiter = ',')]
    pub channel: Vec<String>,
    /// How long it is good for [default: --token-ttl, or --session-ttl of a session]
    #[arg(long, value_name = "SPAN")]
    pub ttl: Option<Span>,
    /// An app session instead
    #[arg(long)]
    pub session: bool,
}

#[derive(Args)]
struct Settings {
    /// A TOML file with the same settings; flags and environment win over it
    #[arg(long, env = "TINYSSE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    flags: Layer,
}

impl Command {
    /// Reads flags (the first is the program's name), environment and, if one is named, the file.
    ///
    /// # Errors
    /// [`ConfigError`], in words for the person who started the program.
    pub fn from_args(args: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Result<Self, ConfigError> {
        let cli = Cli::try_parse_from(args)?;
        Ok(match cli.command {
            None => Self::Serve(resolve(cli.serve)?),
            Some(Asked::Serve(settings)) => Self::Serve(resolve(settings)?),
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

fn resolve(settings: Settings) -> Result<Box<Config>, ConfigError> {
    let file = settings.config.as_deref().map(read).transpose()?.unwrap_or_default();
    Config::resolve(settings.flags.over(file)).map(Box::new)
}
