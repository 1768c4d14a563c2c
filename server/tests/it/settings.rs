//! Settings of the program that would be taken in silence: names in the environment, and limits
//! beyond those of the system.

use std::process::Output;

use tokio::process::Command;

use crate::{
    lifecycle::Child,
    support::{Stream, until},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tinysse-server");

async fn checked(name: &str, value: &str) -> (bool, String) {
    let mut command = Command::new(PROGRAM);
    let Output { status, stdout, stderr } =
        command.args(["config", "check", "--dev", "--memory"]).env(name, value).output().await.unwrap();
    (status.success(), String::from_utf8([stdout, stderr].concat()).unwrap())
}

#[tokio::test]
async fn names_in_the_environment_that_are_no_settings_are_not_taken_in_silence() {
    let (good, text) = checked("TINYSSE_TOKEN_TLL", "5s").await;
    assert!(!good && text.contains("TINYSSE_TOKEN_TLL is no setting; did you mean TINYSSE_TOKEN_TTL?"), "{text}");
    let (good, text) = checked("TINYSSE_URL", "http://hush-hush").await;
    assert!(good && text.contains("warning: TINYSSE_URL is no setting"), "{text}");
    assert!(!text.contains("hush-hush"), "{text}");
    // Kubernetes gives these to every container, if there is a service of this name.
    let (good, text) = checked("TINYSSE_SERVICE_HOST", "10.0.0.1").await;
    assert!(good && !text.contains("warning: TINYSSE"), "{text}");
}

#[tokio::test]
async fn the_limit_of_file_descriptors_is_raised_and_a_lower_one_is_told() {
    let start = async |limit: &str| {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{limit}; exec \"$0\" \"$@\""), PROGRAM]);
        Child::run(shell, &["--dev", "--memory", "--drain-window=50ms", "--linger=50ms"]).await
    };
    // 64 are a reserve and 32 are for files of pages.
    let server = start("ulimit -n 128").await;
    let limit = std::fs::read_to_string(format!("/proc/{}/limits", server.id())).unwrap_or_default();
    let mut streams = Vec::new();
    let url = server.url.clone();
    let address = url.strip_prefix("http://").unwrap().to_owned();
    let mut idle = Vec::new();
    for _ in 0..100 {
        idle.push(tokio::net::TcpStream::connect(&address).await.unwrap());
    }
    drop(idle);
    // What did not fit waited, and nothing failed.
    until("there is room again", || async {
        reqwest::get(format!("{url}/healthz")).await.is_ok_and(|answer| answer.status() == 200)
    })
    .await;
    let (stream, _): (Stream, String) = crate::lifecycle::stream(&url).await;
    streams.push(stream);
    server.signal("-TERM").await;
    let (code, log) = server.end().await;
    assert_eq!(code, Some(0), "{log}");
    assert!(
        log.contains("--max-connections is 11000, but the limit of 128 file descriptors") && log.contains("leaves 32"),
        "{log}"
    );
    assert!(!log.contains("accept error") && !log.contains("Too many open files"), "{log}");
    assert!(limit.is_empty() || limit.contains("128"), "{limit}");
    let server = start("ulimit -Sn 128").await;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.id())).unwrap_or_default();
    let open = limits.lines().find(|line| line.starts_with("Max open files")).unwrap_or_default().to_owned();
    let numbers: Vec<_> = open.split_whitespace().filter(|word| word.parse::<u64>().is_ok()).collect();
    assert!(numbers.is_empty() || numbers[0] == numbers[1] && numbers[0] != "128", "{open}");
    server.signal("-TERM").await;
    assert_eq!(server.end().await.0, Some(0));
}
