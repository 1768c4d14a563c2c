//! Conversations: each file in `transcripts/` is one scenario, with the outputs of the session.
//! `UPDATE_TRANSCRIPTS=1` rewrites them; read the difference as a user of the connection would.
//!
//! ```text
//! # a comment
//! set seed 3                       before the first input: seed N, cursor ID, or a number of `Config` by name
//! @0 <- start                      at an absolute time, `@+500` after the last one, `@due` when the session asked to be woken
//!      -> status connecting        each output of that input
//!      == Authorizing, due 10000   where the session stands, and when it wants to be woken
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod conversation;

use std::{collections::BTreeMap, fmt::Write as _, fs, path::PathBuf};

use tinysse::proto::{
    session::{Config, Session},
    time::Time,
};

/// Name to text.
fn transcripts() -> BTreeMap<PathBuf, String> {
    let files = fs::read_dir("tests/transcripts").unwrap().map(|entry| entry.unwrap().path());
    files.map(|path| (path.clone(), fs::read_to_string(&path).unwrap())).collect()
}

#[test]
fn every_conversation_goes_as_it_is_written() {
    let mut changed = Vec::new();
    for (path, script) in transcripts() {
        let today = replay(&script);
        if today == script {
            continue;
        }
        if std::env::var_os("UPDATE_TRANSCRIPTS").is_some() {
            fs::write(&path, today).unwrap();
            continue;
        }
        let difference = script.lines().zip(today.lines()).find(|(then, now)| then != now);
        let (then, now) = difference.unwrap_or(("(fewer lines)", "(more lines)"));
        println!("{}\n  written: {}\n  today:   {}", path.display(), then.trim(), now.trim());
        changed.push(path);
    }
    assert!(changed.is_empty(), "{} conversations changed; UPDATE_TRANSCRIPTS=1 rewrites them", changed.len());
}

/// A file of its own for each scenario, and no word of the vocabulary that none of them uses.
#[test]
fn the_conversations_speak_of_everything() {
    let transcripts = transcripts();
    for (path, text) in &transcripts {
        assert!(text.starts_with("# "), "{} begins with no word of why", path.display());
    }
    let all: String = transcripts.into_values().collect();
    let words = [
        [
            "== Idle",
            "== SignedOut",
            "== Authorizing",
            "== Connecting",
            "== Live",
            "== Waiting",
            "== Paused",
            "== Failed",
        ]
        .as_slice(),
        &["status idle", "status connecting", "status open", "status reconnecting"],
        &["status offline", "status paused", "status failed"],
        &[" initial\n", " expired\n", " rejected\n", " revoked\n", " manual\n"],
        &["-> ask", "-> forget", "-> open", "-> close", "-> update", "-> replayed", "-> resync"],
        &["-> follow", "-> heard", "-> user changed", "-> probe", "<- follow", "<- lead", "<- user\n", "<- forget"],
        &["resync first", "resync epoch", "resync trimmed", "resync unknown", "resync overflow", "resync rights"],
        &["reason=drain", "reason=rotate", "reason=token", "reason=revoked", "reason=slow"],
        &["refused 401", "refused 403", " failed\n", " nonsense\n", " lives "],
        &[
            " retrying\n",
            " dropped\n",
            " closed\n",
            " unauthorized\n",
            " busy ",
            " gone ",
            " forbidden\n",
            " redirected\n",
        ],
        &["<- probed", " hub\n", " stream\n", " unseen\n"],
        &[
            "pause user",
            "pause offline",
            "pause page",
            "pause hidden",
            "<- wake",
            "<- stop",
            "<- reconnect",
            "<- bytes",
            "<- frame",
        ],
        &[": unauthorized", ": network", ": http", ": protocol", ": token", ": csp", ": user"],
    ];
    let missing: Vec<_> = words.into_iter().flatten().filter(|word| !all.contains(**word)).collect();
    assert!(missing.is_empty(), "no conversation has {missing:?}");
}

/// What a session writes down of itself is what came in: played to another one, it leads to the
/// same place.
#[test]
fn a_trace_replays() {
    let (mut replayed, mut held) = (0, 0);
    for (path, script) in transcripts() {
        let (first, config, seed, cursor) = play(&script);
        let trace = first.trace();
        let lines: Vec<_> = trace.lines().collect();
        let left_out = [" for ada", " empty", "set event_limit", "<- user ", " of ada", ": beat"];
        if lines.len() == 64 || left_out.iter().any(|words| script.contains(words)) {
            continue; // its beginning is lost; or it depends on what is kept out of a trace
        }
        let mut second = Session::new(config, seed);
        second.set_cursor(&cursor, "");
        for line in &lines {
            let (at, input) = line.split_once(" <- ").unwrap();
            conversation::say(input, Time(at[1..].parse().unwrap()), &mut second);
            conversation::drain(&mut second);
        }
        assert_eq!((first.state(), first.cursor()), (second.state(), second.cursor()), "{}", path.display());
        assert_eq!(first.retry_at(), second.retry_at(), "{}", path.display());
        assert_eq!(first.counters().connects, second.counters().connects, "{}", path.display());
        assert!(!lines.iter().any(|line| line.contains("tokenA") || line.contains("{}")), "a secret, or data");
        replayed += 1;
        held += usize::from(!lines.is_empty());
    }
    assert!(replayed > 40 && held == replayed, "{replayed} traces were played, {held} of them had lines");
}

/// The session at the end of a conversation, and what it began with.
fn play(script: &str) -> (Session, Config, u64, String) {
    let mut played = None;
    replay_with(script, &mut |session, config, seed, cursor| played = Some((session, config, seed, cursor)));
    played.expect("a conversation has an input")
}

/// Plays a conversation, and writes it down anew: everything but the inputs is what the session
/// outputs today.
fn replay(script: &str) -> String {
    replay_with(script, &mut |_, _, _, _| {})
}

fn replay_with(script: &str, end: &mut dyn FnMut(Session, Config, u64, String)) -> String {
    let (mut config, mut seed, mut cursor, mut owner) = (Config::default(), 1, String::new(), String::new());
    let mut session: Option<Session> = None;
    let (mut now, mut due, mut out) = (0, None, String::new());
    for line in script.lines() {
        if line.starts_with("     ") {
            continue; // the outputs of last time
        }
        let _ = writeln!(out, "{line}");
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [] | ["#", ..] => {}
            ["set", "seed", value] => seed = value.parse().expect(line),
            ["set", "cursor", value] => cursor = (*value).to_owned(),
            ["set", "cursor", value, "of", user] => (cursor, owner) = ((*value).to_owned(), (*user).to_owned()),
            ["set", name, value] => set(&mut config, name, value.parse().expect(line)),
            [at, "<-", ..] => {
                let session = session.get_or_insert_with(|| {
                    let mut session = Session::new(config, seed);
                    session.set_cursor(&cursor, &owner);
                    session
                });
                now = match (at.strip_prefix("@+"), at.strip_prefix('@')) {
                    (Some(after), _) => now + after.parse::<u64>().expect(line),
                    (None, Some("due")) => due.expect(line),
                    (None, at) => at.and_then(|at| at.parse().ok()).expect(line),
                };
                let input = line.split_once("<-").map_or("", |(_, input)| input.trim());
                conversation::say(input, Time(now), session);
                let (outputs, wake) = conversation::drain(session);
                conversation::write(&outputs, session.state(), wake, &mut out);
                due = wake;
            }
            _ => panic!("neither a comment, a setting nor an input: {line}"),
        }
    }
    if let Some(session) = session {
        end(session, config, seed, cursor);
    }
    out
}

fn set(config: &mut Config, name: &str, value: u32) {
    match name {
        "provider" => config.provider = value != 0,
        "token_timeout" => config.token_timeout = value,
        "connect_timeout" => config.connect_timeout = value,
        "silence" => config.heartbeat_timeout = value,
        "watch_plain" => config.watch_plain = value != 0,
        "native" => config.native = value != 0,
        "proven" => config.stable_after = value,
        "native_retries" => config.max_native_retries = value,
        "refusals" => config.max_refusals = value,
        "share" => config.share = value != 0,
        "event_limit" => config.event_limit = value as usize,
        _ => panic!("no such setting: {name}"),
    }
}
