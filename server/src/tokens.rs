//! `tinysse-server token`: for people and scripts who make or look at tokens.

use std::io::{self, Read, Write};

use tinysse::proto::audience::Identity;

use tinysse_hub::{
    auth::{
        Auth,
        jwt::{Claims, STREAM},
        key::Key,
        names,
    },
    clock::Clock,
};

use crate::config::{Config, TokenCommand};

/// Does it, reading from `input` and writing to `output`. False if a token is worth nothing.
///
/// # Errors
/// As reading and writing fail.
pub fn run(command: &TokenCommand, input: &mut impl Read, output: &mut impl Write) -> io::Result<bool> {
    match command {
        TokenCommand::Key => {
            output.write_all(Key::generate().expose().as_bytes())?;
            Ok(true)
        }
        TokenCommand::Mint { config, wish } => {
            let auth = auth(config);
            let identity = Identity { user: wish.sub.clone(), role: wish.role.clone(), channels: wish.channel.clone() };
            names::check(&identity).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
            writeln!(output, "{}", auth.mint(identity, wish.session, wish.ttl))?;
            Ok(true)
        }
        TokenCommand::Check { config, session } => {
            // Not an argument: those appear in the list of processes and in the shell's history.
            let mut token = String::new();
            input.take(64 * 1024).read_to_string(&mut token)?;
            report(&auth(config), token.trim(), *session, output)
        }
    }
}

fn auth(config: &Config) -> Auth {
    Auth::new(&config.hub.auth, Clock::start())
}

fn report(auth: &Auth, token: &str, session: bool, output: &mut impl Write) -> io::Result<bool> {
    match auth.examine(token, session) {
        Ok(claims) => {
            let kind = if session { "app session" } else { STREAM };
            writeln!(output, "good ({kind})\n{}", shown(&claims)?)?;
            Ok(true)
        }
        Err(invalid) => {
            writeln!(output, "worth nothing: {invalid:?}")?;
            Ok(false)
        }
    }
}

fn shown(claims: &Claims) -> io::Result<String> {
    serde_json::to_string_pretty(claims).map_err(io::Error::other)
}
