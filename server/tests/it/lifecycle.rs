//! The programs as processes: starting, signals, what they log.

use std::process::Stdio;

use reqwest::Client;
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{self, Command},
    time::timeout,
};

use tinysse_server::{
    config::{Config, DEV_PUBLISH_KEY},
    run,
};

use crate::support::{BOUND, Server, Stream, body_of, refused, until};

/// Names the arguments of [`reference_server`], one a line.
const ARGUMENTS: &str = "REFERENCE_SERVER_ARGUMENTS";

/// The reference server as a process: this test program, started again by [`Child::reference`] with
/// its arguments in the environment.
#[test]
fn reference_server() {
    let Ok(arguments) = std::env::var(ARGUMENTS) else { return started_and_stopped() };
    let config = Config::from_args(["reference-server"].into_iter().chain(arguments.lines())).unwrap();
    let code = run(config, |app| tinysse_reference::routes(&app.services));
    std::process::exit(i32::from(code != std::process::ExitCode::SUCCESS));
}

#[tokio::main(flavor = "current_thread")]
async fn started_and_stopped() {
    let server = Child::reference(&["--dev", "--memory", "--log=warn"]).await;
    let projects = Client::new().get(format!("{}/api/projects", server.url)).bearer_auth(DEV_PUBLISH_KEY);
    assert_eq!(body_of(projects.send().await.unwrap()).await["data"][0]["name"], "Apollo");
    server.signal("-TERM").await;
    assert_eq!(server.end().await.0, Some(0));
}

/// A running program of this workspace, killed when dropped.
pub struct Child {
    pub url: String,
    process: process::Child,
}

impl Child {
    /// With the log in memory.
    pub async fn server(args: &[&str]) -> Self {
        Self::start(env!("CARGO_BIN_EXE_tinysse-server"), &[args, &["--memory"]].concat()).await
    }

    /// Whatever the arguments name as the log.
    pub async fn hub(args: &[&str]) -> Self {
        Self::start(env!("CARGO_BIN_EXE_tinysse-server"), args).await
    }

    /// The reference server, which has routes of an application.
    pub async fn reference(args: &[&str]) -> Self {
        Self::reference_by(Command::new(std::env::current_exe().unwrap()), args).await
    }

    /// The same by a command that starts this test program.
    pub async fn reference_by(mut command: Command, args: &[&str]) -> Self {
        let args = [&["--listen=127.0.0.1:0"], args].concat().join("\n");
        command.args(["--exact", "lifecycle::reference_server", "--nocapture"]).env(ARGUMENTS, args);
        Self::ready(command).await
    }

    async fn start(program: &str, args: &[&str]) -> Self {
        Self::run(Command::new(program), args).await
    }

    pub async fn run(mut command: Command, args: &[&str]) -> Self {
        command.arg("--listen=127.0.0.1:0").args(args);
        Self::ready(command).await
    }

    async fn ready(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let ready = async {
            loop {
                let mut line = String::new();
                assert_ne!(stdout.read_line(&mut line).await.unwrap(), 0, "it ended before it was ready");
                if let Some(url) = line.trim().strip_prefix("listening on ") {
                    return url.to_owned();
                }
            }
        };
        let url = timeout(BOUND, ready).await.expect("ready");
        Self { url, process }
    }

    pub fn id(&self) -> u32 {
        self.process.id().unwrap()
    }

    /// Signals, as `kill -NAME` does.
    pub async fn signal(&self, name: &str) {
        let id = self.process.id().unwrap().to_string();
        assert!(Command::new("kill").args([name, &id]).status().await.unwrap().success());
    }

    /// Waits for the end: exit code and everything it logged.
    pub async fn end(mut self) -> (Option<i32>, String) {
        let mut log = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut log).await.unwrap();
        (timeout(BOUND, self.process.wait()).await.expect("it ends").unwrap().code(), log)
    }
}

/// Logs in and opens a stream; with the token, which nobody should see.
pub async fn stream(url: &str) -> (Stream, String) {
    let http = Client::new();
    let post = |path: &str, body: String| {
        http.post(format!("{url}{path}")).header("content-type", "application/json").body(body)
    };
    let login = post("/auth/login", json!({ "user": "ada" }).to_string()).send().await.unwrap();
    let cookie = login.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let answer = post("/auth/sse-token", String::new()).header("cookie", cookie).send().await.unwrap();
    let token = body_of(answer).await["token"].as_str().unwrap().to_owned();
    (Stream::open(http.get(format!("{url}/events?token={token}"))).await, token)
}

#[tokio::test]
async fn sigterm_and_sigint_end_it_under_open_streams() {
    for signal in ["-TERM", "-INT"] {
        let server = Child::server(&["--dev", "--drain-window=200ms"]).await;
        let (mut first, _) = stream(&server.url).await;
        let (mut second, _) = stream(&server.url).await;
        server.signal(signal).await;
        assert_eq!(first.bye().await, "drain");
        assert_eq!(second.bye().await, "drain");
        let (code, log) = server.end().await;
        assert_eq!(code, Some(0), "{log}");
        assert!(log.contains("draining") && log.contains("stopped"), "{log}");
        // Each is sent another time, so that they do not come back as one wave.
        let retry = |stream: &Stream| *stream.retries.last().unwrap();
        assert!(retry(&first) >= 2_500 && retry(&second) >= 2_500);
    }
}

#[tokio::test]
async fn while_draining_it_is_not_ready_and_opens_no_stream() {
    let mut server = Server::start(&["--dev", "--drain-window=60s"]).await;
    let token = {
        let ada = server.log_in("ada", "", &[]).await;
        ada.token().await
    };
    let path = format!("/events?token={token}");
    let mut first = Stream::open(server.get(&path)).await;
    let mut second = Stream::open(server.get(&path)).await;
    server.begin_stop();
    assert_eq!(first.bye().await, "drain");
    refused(server.get("/readyz"), 503, "draining").await;
    assert_eq!(server.get("/healthz").send().await.unwrap().status(), 200);
    let mut shed = Stream::raw(server.get(&path)).await;
    assert_eq!(shed.bye().await, "drain");
    assert_eq!(server.get("/events").bearer_auth(&token).send().await.unwrap().status(), 503);
    // Publishing goes on, and the stream that is not yet dismissed gets it.
    server.publish(json!({ "type": "a" })).await;
    assert_eq!(second.update().await.event, "a");
    // When all are gone there is nothing to wait for.
    drop(second);
    server.stop().await;
}

#[tokio::test]
async fn no_token_and_no_secret_is_ever_logged() {
    let server = Child::server(&["--dev", "--log=trace", "--secret=a-secret-that-is-nowhere-to-be-seen"]).await;
    let (mut open, token) = stream(&server.url).await;
    let http = Client::new();
    for path in [
        format!("/events?token={token}x"),
        format!("/events?token={token}&token={token}"),
        format!("/nothing?token={token}"),
    ] {
        assert!(http.get(format!("{}{path}", server.url)).send().await.unwrap().status().is_client_error());
    }
    let request = http.post(format!("{}/publish", server.url)).bearer_auth("dev-publish-key");
    let request = request
        .header("content-type", "application/json")
        .body(json!({ "type": "projects", "origin": "tab" }).to_string());
    assert_eq!(request.send().await.unwrap().status(), 200);
    assert_eq!(open.update().await.event, "projects");
    drop(open);
    server.signal("-TERM").await;
    let (code, log) = server.end().await;
    assert_eq!(code, Some(0));
    assert!(log.contains("path=\"/events\" status=200"), "{log}");
    let line = log.lines().find(|line| line.contains("tinysse::update")).unwrap();
    for part in ["type=\"projects\"", "audience=\"all\"", "receivers=1", "origin=\"tab\""] {
        assert!(line.contains(part), "{line}");
    }
    let signature = token.rsplit_once('.').unwrap().1;
    for hidden in [token.as_str(), signature, "token=", "dev-publish-key", "nowhere-to-be-seen", "tinysse_session"] {
        assert!(!log.contains(hidden), "the log holds {hidden}");
    }
}

#[tokio::test]
async fn settings_that_do_not_work_are_named_before_anything_starts() {
    let run = async |args: &[&str], env: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tinysse-server"));
        let output =
            timeout(BOUND, command.args(args).envs(env.iter().copied()).output()).await.expect("ends").unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(run(&[], &[]).await.contains("--secret (or TINYSSE_SECRET) is required"));
    assert!(run(&["--dev", "--listen=0.0.0.0:0"], &[]).await.contains("loopback"));
    assert!(run(&["--dev", "--nonsense"], &[]).await.contains("--nonsense"));
    assert!(run(&["--dev"], &[("TINYSSE_TOKEN_TTL", "soon")]).await.contains("soon"));
    let error = run(&[], &[("TINYSSE_SECRET", "hush-hush")]).await;
    assert!(error.contains("32 bytes") && !error.contains("hush-hush"), "{error}");
    let taken = Child::server(&["--dev"]).await;
    let listen = format!("--listen={}", taken.url.strip_prefix("http://").unwrap());
    assert!(run(&["--dev", "--memory", &listen], &[]).await.contains(&listen.replace('=', " ")));
}

#[tokio::test]
async fn the_environment_counts_and_flags_beat_it() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tinysse-server"));
    command.args(["serve", "--beat=30ms", "--memory"]).kill_on_drop(true).stdout(Stdio::piped()).stderr(Stdio::null());
    for (name, value) in [("DEV", "true"), ("LISTEN", "127.0.0.1:0"), ("BEAT", "9s"), ("RETRY", "777ms")] {
        command.env(format!("TINYSSE_{name}"), value);
    }
    let mut process = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
    let (open, _) = stream(line.trim().strip_prefix("listening on ").unwrap()).await;
    assert_eq!((open.hello.beat, open.retries.as_slice()), (30, &[777][..]));
    process.kill().await.unwrap();
    until("gone", || async { process.id().is_none() }).await;
}

#[tokio::test]
async fn a_stream_may_end_with_its_token() {
    let server = Server::dev(&["--token-ttl=4s", "--end-with-token", "--max-stream-age=1h"]).await;
    let ada = server.log_in("ada", "", &[]).await;
    let mut stream = ada.stream("").await;
    server.publish(json!({ "type": "a" })).await;
    assert_eq!(stream.update().await.event, "a");
    assert_eq!(stream.bye().await, "token");
    assert_eq!(server.metric("tinysse_streams_closed_total{reason=\"token\"}").await, 1.0);
    server.stop().await;
}
