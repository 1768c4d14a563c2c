//! Runs the reference server, with the flags of `tinysse-server`.

use std::process::ExitCode;

use tinysse_reference::routes;
use tinysse_server::{
    config::{Config, ConfigError},
    failed, run,
};

fn main() -> ExitCode {
    match Config::from_args(std::env::args_os()) {
        Ok(config) => run(config, |app| routes(&app.services)),
        Err(ConfigError::Flags(error)) => error.exit(),
        Err(error @ (ConfigError::Setting(_) | ConfigError::Given { .. } | ConfigError::Poll(_))) => failed(&error),
    }
}
