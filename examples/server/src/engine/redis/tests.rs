//! Against a real Redis, started here. Without `redis-server` these tests say so and do nothing (`npm run setup` names it).

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use ::redis::Client;

use super::*;
use crate::{
    config::Secret,
    engine::conformance::{Ear, WIDE, conforms, one, wait},
};

/// A Redis of its own that syncs every write, on a Unix socket.
pub(super) struct Server {
    folder: PathBuf,
    process: Child,
}

impl Server {
    /// `None`, loudly, if there is no Redis here.
    pub(super) fn start() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("tinysse-redis-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("made");
        let process = launch(&folder);
        if process.is_none() {
            eprintln!("SKIPPED: redis-server is not installed; the engine for several nodes is not tested");
        }
        Some(Self { process: process?, folder })
    }

    fn place(&self, prefix: &str) -> Place {
        let url = format!("redis+unix://{}", self.folder.join("socket").display());
        Place { url: Secret::from(url), prefix: prefix.to_owned(), ca: None }
    }

    fn kill(&mut self) {
        self.process.kill().expect("killed");
        self.process.wait().expect("gone");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn launch(folder: &std::path::Path) -> Option<Child> {
    let socket = folder.join("socket");
    let _ = std::fs::remove_file(&socket);
    let mut command = Command::new("redis-server");
    command.current_dir(folder).args(["--port", "0", "--save", "", "--appendonly", "yes", "--appendfsync", "always"]);
    command.arg("--unixsocket").arg(&socket).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().ok()?;
    for _ in 0..1_000 {
        let answers = Client::open(format!("redis+unix://{}", socket.display()))
            .and_then(|client| client.get_connection())
            .is_ok_and(|mut conn| ::redis::cmd("PING").query::<String>(&mut conn).is_ok());
        if answers {
            return Some(child);
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("redis-server does not answer");
}

fn open(place: Place, fresh: u64) -> (Redis, Arc<Ear>) {
    let ear = Arc::new(Ear::default());
    let engine = Redis::open(place, WIDE, Epoch(fresh), Arc::clone(&ear) as Arc<dyn Sink>).expect("opened");
    (engine, ear)
}

/// Waits for what another thread does; the bound is only there to fail.
pub(super) fn until(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..6_000 {
        if condition() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("never: {what}");
}

#[test]
fn it_conforms() {
    let Some(server) = Server::start() else { return };
    let next = AtomicU32::new(0);
    let make = || -> Box<crate::engine::conformance::Open> {
        let place = server.place(&next.fetch_add(1, Ordering::Relaxed).to_string());
        Box::new(move |bounds, fresh, ear| Arc::new(Redis::open(place.clone(), bounds, fresh, ear).expect("opened")))
    };
    conforms(make, true);
}

#[test]
fn nodes_see_each_other_in_one_order() {
    let Some(server) = Server::start() else { return };
    let nodes: Vec<_> = (1..=3).map(|fresh| open(server.place("x"), fresh)).collect();
    wait(async {
        for at in 0..30 {
            let (engine, _) = &nodes[at as usize % 3];
            let done = engine.append(one(at)).await.expect("appended");
            assert_eq!((done.epoch, done.first, done.reached), (Epoch(1), at + 1, Durability::Group));
        }
    });
    for (_, ear) in &nodes {
        until("all of them are told", || ear.fresh().len() == 30);
        assert_eq!((ear.fresh(), ear.epoch()), ((1..=30).collect(), Epoch(1)));
    }
}

#[test]
fn a_killed_redis_makes_it_unready_and_loses_nothing() {
    let Some(mut server) = Server::start() else { return };
    let (engine, ear) = open(server.place("x"), 1);
    for round in 0..3 {
        assert_eq!(wait(engine.append(one(round))).map(|done| done.first), Ok(round + 1));
        server.kill();
        until("it is away", || matches!(engine.health(), Health::Away(_)));
        assert!(matches!(wait(engine.append(one(9))), Err(EngineError::Unavailable(_))));
        server.process = launch(&server.folder).expect("started");
        until("it is back", || engine.health() == Health::Good);
    }
    assert_eq!(wait(engine.append(one(9))).map(|done| done.first), Ok(4));
    assert_eq!((ear.fresh(), ear.told().len()), ((1..=4).collect(), 5));
}

#[test]
fn what_redis_lost_ends_the_life_of_the_log() {
    let Some(mut server) = Server::start() else { return };
    let (engine, ear) = open(server.place("x"), 1);
    let (other, heard) = open(server.place("x"), 2);
    wait(async { engine.append(one(1)).await.expect("appended") });
    until("told", || heard.fresh() == [1]);
    // As after a failover to a replica that was behind.
    server.kill();
    std::fs::remove_dir_all(server.folder.join("appendonlydir")).expect("lost");
    server.process = launch(&server.folder).expect("started");
    until("another life", || ear.epoch() != Epoch(1) && heard.epoch() == ear.epoch());
    let done = wait(other.append(one(2))).expect("appended");
    assert_eq!((done.epoch, done.first), (ear.epoch(), 1));
    until("told", || ear.fresh() == [1, 1] && heard.fresh() == [1, 1]);
}

#[test]
fn a_redis_that_is_not_there_is_said_at_the_start_without_its_password() {
    let url = Secret::from("redis://:hush-hush@127.0.0.1:1".to_owned());
    let place = Place { url, prefix: "x".to_owned(), ca: None };
    let error = Redis::open(place.clone(), WIDE, Epoch(1), Arc::new(Ear::default())).expect_err("refused");
    assert!(matches!(error, OpenError::Unreachable(_)) && !error.to_string().contains("hush"), "{error}");
    assert!(error.to_string().contains("refused"), "{error}");
    assert!(!format!("{place:?}").contains("hush"));
}
