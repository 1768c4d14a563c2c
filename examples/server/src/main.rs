//! The server as a program. Everything it does is in the library.

use std::{io::Write, process::ExitCode, time::Duration};

use tinysse_server::{
    app::App,
    check,
    config::{Command, Config, ConfigError, TokenCommand},
    demo,
    descriptors::Descriptors,
    http::SPANS,
    serve::bind,
    tokens,
};
use tracing_subscriber::{Layer, filter::LevelFilter, layer::SubscriberExt, util::SubscriberInitExt};

/// How long the end waits for threads that are blocked.
const BLOCKING: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    let config = match Command::from_args(std::env::args_os()) {
        Ok(Command::Serve(config)) => *config,
        Ok(Command::Token(command)) => {
            if let Err(error) = hidden(&command) {
                return failed(&error);
            }
            return match tokens::run(&command, &mut std::io::stdin(), &mut std::io::stdout()) {
                Ok(true) => ExitCode::SUCCESS,
                Ok(false) => ExitCode::FAILURE,
                Err(error) => failed(&error),
            };
        }
        Ok(Command::Check { config, origins }) => {
            return match check::run(&config, &origins, &mut std::io::stdout()) {
                Ok(true) => ExitCode::SUCCESS,
                Ok(false) => ExitCode::FAILURE,
                Err(error) => failed(&error),
            };
        }
        Err(ConfigError::Flags(error)) => error.exit(),
        Err(error @ (ConfigError::Setting(_) | ConfigError::Given { .. } | ConfigError::Poll(_))) => {
            return failed(&error);
        }
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    let lines = lines.with_filter(config.log.clone().with_target(SPANS, LevelFilter::OFF));
    #[cfg(feature = "otlp")]
    let spans = match tinysse_server::trace::Spans::start(&config) {
        Ok(spans) => spans,
        Err(error) => return failed(&error),
    };
    let registry = tracing_subscriber::registry();
    #[cfg(feature = "otlp")]
    let registry = registry.with(spans.as_ref().map(|spans| spans.layer(&config.log)));
    registry.with(lines).init();
    let code = served(config);
    #[cfg(feature = "otlp")]
    spans.into_iter().for_each(tinysse_server::trace::Spans::stop);
    code
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

fn served(config: Config) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    // On a worker, like the connections that it accepts: handing each to another thread costs more than the rest of accepting.
    let ended = runtime.block_on(async { tokio::spawn(run(config)).await });
    // Dropped, it would wait for every call that blocks a thread: a lookup of a name, a write to a disk that hangs.
    runtime.shutdown_timeout(BLOCKING);
    match ended {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => failed(&error),
        Err(panicked) => failed(&panicked),
    }
}

async fn run(config: Config) -> std::io::Result<()> {
    if config.hub.http.dev {
        tracing::warn!(
            target: "tinysse::server",
            "--dev: tokens are signed with a secret that everybody knows, and anybody may log in as anybody. Never expose this."
        );
    }
    for warning in
        config.warnings.iter().cloned().chain(Descriptors::raise().shortage(config.hub.serve.max_connections))
    {
        tracing::warn!(target: "tinysse::server", "{warning}");
    }
    let (address, scheme) = (config.listen, if config.hub.serve.tls.is_some() { "https" } else { "http" });
    let app = App::new(config)?;
    let listener = bind(address).await?;
    let stop = stopped()?;
    // For people and for programs that start this one.
    writeln!(std::io::stdout(), "listening on {scheme}://{}", listener.local_addr()?)?;
    app.serve_with(demo::routes(&app.services), listener, stop).await;
    Ok(())
}

/// Resolves at the first SIGTERM or Ctrl-C; the second one ends the process at once.
fn stopped() -> std::io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    #[cfg(unix)]
    let mut interrupt = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
    let (first, stop) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let mut first = Some(first);
        loop {
            #[cfg(unix)]
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            #[cfg(not(unix))]
            if tokio::signal::ctrl_c().await.is_err() {
                return;
            }
            match first.take() {
                Some(first) => drop(first.send(())),
                None => std::process::exit(130),
            }
        }
    });
    Ok(async move { drop(stop.await) })
}

fn failed(error: &dyn std::error::Error) -> ExitCode {
    // Standard error may be closed; then there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "error: {error}");
    ExitCode::FAILURE
}
