//! The hub as a program. Everything it does is in the libraries.

use std::process::ExitCode;

use axum::Router;
use tinysse_server::{
    check,
    config::{Command, ConfigError, TokenCommand},
    failed, run, tokens,
};

fn main() -> ExitCode {
    match Command::from_args(std::env::args_os()) {
        Ok(Command::Serve(config)) => run(*config, |_| Router::new()),
        Ok(Command::Token(command)) => {
            let done =
                hidden(&command).and_then(|()| tokens::run(&command, &mut std::io::stdin(), &mut std::io::stdout()));
            code(done)
        }
        Ok(Command::Check { config, origins }) => code(check::run(&config, &origins, &mut std::io::stdout())),
        Err(ConfigError::Flags(error)) => error.exit(),
        Err(error @ (ConfigError::Setting(_) | ConfigError::Given { .. } | ConfigError::Poll(_))) => failed(&error),
    }
}

fn code(done: std::io::Result<bool>) -> ExitCode {
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => failed(&error),
    }
}

/// A private key that is written to a file (`token key > key.pem`) is for its owner only.
#[cfg(unix)]
fn hidden(command: &TokenCommand) -> std::io::Result<()> {
    use std::os::{fd::AsFd, unix::fs::PermissionsExt};
    if !matches!(command, TokenCommand::Key) {
        return Ok(());
    }
    let file = std::fs::File::from(std::io::stdout().as_fd().try_clone_to_owned()?);
    if file.metadata()?.is_file() {
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn hidden(_: &TokenCommand) -> std::io::Result<()> {
    Ok(())
}
