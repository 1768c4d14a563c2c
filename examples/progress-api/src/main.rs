//! Runs the small server to poll.

use std::{io::Write, net::SocketAddr};

use clap::Parser;
use tinysse_hub::values::Span;

#[derive(Parser)]
#[command(name = "progress-api", version, about = "A small server to poll, whose value advances by itself")]
struct Args {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, env = "PROGRESS_LISTEN", default_value = "127.0.0.1:3000", value_name = "ADDR")]
    listen: SocketAddr,
    /// How long one step of the job takes
    #[arg(long, env = "PROGRESS_EVERY", default_value = "2s", value_name = "SPAN")]
    every: Span,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let args = Args::parse();
    let listener = tokio::net::TcpListener::bind(args.listen).await?;
    writeln!(std::io::stdout(), "listening on http://{}", listener.local_addr()?)?;
    axum::serve(listener, progress_api::routes(args.every.duration())).await
}
