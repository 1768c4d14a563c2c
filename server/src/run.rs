//! Runs a hub until it is asked to stop: logging, the runtime, signals.

use std::{error::Error, io::Write, process::ExitCode, time::Duration};

use axum::Router;
use tinysse_hub::{
    app::App,
    descriptors::Descriptors,
    http::{SPANS, Services},
    serve::bind,
};
use tracing_subscriber::{Layer, filter::LevelFilter, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::Config;

/// How long the end waits for threads that are blocked.
const BLOCKING: Duration = Duration::from_millis(500);

/// Runs a hub with these settings and the routes of an application, until SIGTERM or Ctrl-C. The
/// address it listens on is the first line of standard output; the log goes to standard error.
pub fn run(config: Config, routes: impl FnOnce(&App) -> Router<Services> + Send + 'static) -> ExitCode {
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    let lines = lines.with_filter(config.log.clone().with_target(SPANS, LevelFilter::OFF));
    #[cfg(feature = "otlp")]
    let spans = match crate::trace::Spans::start(&config) {
        Ok(spans) => spans,
        Err(error) => return failed(&error),
    };
    let registry = tracing_subscriber::registry();
    #[cfg(feature = "otlp")]
    let registry = registry.with(spans.as_ref().map(|spans| spans.layer(&config.log)));
    registry.with(lines).init();
    let code = served(config, routes);
    #[cfg(feature = "otlp")]
    spans.into_iter().for_each(crate::trace::Spans::stop);
    code
}

/// Prints why the program ends.
pub fn failed(error: &dyn Error) -> ExitCode {
    // Standard error may be closed; then no one reads it.
    let _ = writeln!(std::io::stderr(), "error: {error}");
    ExitCode::FAILURE
}

fn served(config: Config, routes: impl FnOnce(&App) -> Router<Services> + Send + 'static) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    // On a worker, like the connections that it accepts: handing each to another thread costs more
    // than the rest of accepting.
    let ended = runtime.block_on(async { tokio::spawn(listen(config, routes)).await });
    // Dropped, it would wait for every call that blocks a thread: a lookup of a name, a write to a
    // disk that hangs.
    runtime.shutdown_timeout(BLOCKING);
    match ended {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => failed(&error),
        Err(panicked) => failed(&panicked),
    }
}

async fn listen(config: Config, routes: impl FnOnce(&App) -> Router<Services>) -> std::io::Result<()> {
    if config.hub.http.dev {
        tracing::warn!(
            target: "tinysse::server",
            "--dev: tokens are signed with a secret that everybody knows, and anybody may log in as anybody. Never expose this."
        );
    }
    let shortage = Descriptors::raise().shortage(config.hub.serve.max_connections);
    for warning in config.warnings.iter().cloned().chain(shortage) {
        tracing::warn!(target: "tinysse::server", "{warning}");
    }
    let (address, scheme) = (config.listen, if config.hub.serve.tls.is_some() { "https" } else { "http" });
    let app = App::new(config)?;
    let routes = routes(&app);
    let listener = bind(address).await?;
    let stop = stopped()?;
    // For people and for programs that start this one.
    writeln!(std::io::stdout(), "listening on {scheme}://{}", listener.local_addr()?)?;
    app.serve_with(routes, listener, stop).await;
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
