//! Against a real Redis, started here. Without `redis-server` these tests print that and do nothing
//! (`npm run setup` names it).

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use ::redis::Client;

use super::*;
use crate::{
    auth::cluster_bus::ClusterBus,
    engine::{
        Durability,
        conformance::{Dated, Received, RecordingSink, WIDE, conforms_dated, once, one, wait},
    },
    redis::words,
    values::Secret,
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

    /// Sends one command.
    fn ask(&self, words: &[&str]) {
        let mut conn = self.place("x").client().and_then(|client| client.get_connection().map_err(|e| e.to_string()));
        let conn = conn.as_mut().expect("connected");
        ::redis::cmd(words[0]).arg(&words[1..]).query::<::redis::Value>(conn).expect("done");
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

fn open(place: Place, fresh: u64) -> (Redis, Arc<RecordingSink>) {
    let sink = Arc::new(RecordingSink::default());
    let engine =
        Redis::open(place, WIDE, Clock::start(), Epoch(fresh), Arc::clone(&sink) as Arc<dyn Sink>).expect("opened");
    (engine, sink)
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
        let open = move |bounds, fresh, sink| Redis::open(place.clone(), bounds, Clock::start(), fresh, sink);
        Box::new(move |bounds, fresh, sink| Arc::new(open(bounds, fresh, sink).expect("opened")))
    };
    conforms_dated(make, true, Dated::Store);
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
    for (_, sink) in &nodes {
        until("all of them are told", || sink.fresh().len() == 30);
        assert_eq!((sink.fresh(), sink.epoch()), ((1..=30).collect(), Epoch(1)));
    }
}

#[test]
fn a_killed_redis_makes_it_unready_and_loses_nothing() {
    let Some(mut server) = Server::start() else { return };
    let (engine, sink) = open(server.place("x"), 1);
    for round in 0..3 {
        assert_eq!(wait(engine.append(one(round))).map(|done| done.first), Ok(round + 1));
        server.kill();
        until("it is away", || matches!(engine.health(), Health::Away(_)));
        assert!(matches!(wait(engine.append(one(9))), Err(EngineError::Unavailable(_))));
        server.process = launch(&server.folder).expect("started");
        until("it is back", || engine.health() == Health::Good);
    }
    assert_eq!(wait(engine.append(one(9))).map(|done| done.first), Ok(4));
    assert_eq!((sink.fresh(), sink.received().len()), ((1..=4).collect(), 5));
}

#[test]
fn what_redis_lost_ends_the_life_of_the_log() {
    let Some(mut server) = Server::start() else { return };
    let (engine, sink) = open(server.place("x"), 1);
    let (other, other_sink) = open(server.place("x"), 2);
    wait(async { engine.append(one(1)).await.expect("appended") });
    until("told", || other_sink.fresh() == [1]);
    // As after a failover to a replica that was behind.
    server.kill();
    std::fs::remove_dir_all(server.folder.join("appendonlydir")).expect("lost");
    server.process = launch(&server.folder).expect("started");
    until("another life", || sink.epoch() != Epoch(1) && other_sink.epoch() == sink.epoch());
    let done = wait(other.append(one(2))).expect("appended");
    assert_eq!((done.epoch, done.first), (sink.epoch(), 1));
    until("told", || sink.fresh() == [1, 1] && other_sink.fresh() == [1, 1]);
}

#[test]
fn a_log_without_its_key_or_a_key_without_its_log_begins_another_life() {
    let Some(server) = Server::start() else { return };
    let (engine, sink) = open(server.place("x"), 1);
    let (other, other_sink) = open(server.place("x"), 2);
    let next = |words: &[&str], publishes: bool| {
        for seq in 1..=3 {
            let done = wait(engine.append(one(seq))).expect("appended");
            until("read", || other_sink.epoch() == done.epoch && other_sink.fresh().last() == Some(&done.first));
        }
        let before = sink.epoch();
        server.ask(words);
        if publishes {
            let done = wait(other.append(one(7))).expect("appended");
            assert_eq!((done.first, done.epoch != before), (1, true), "{words:?}");
            assert_eq!(
                (other_sink.epoch(), other_sink.fresh().last()),
                (done.epoch, Some(&1)),
                "the answer came later"
            );
        }
        // Without a publish, the nodes look.
        until("another life", || sink.epoch() != before && other_sink.epoch() == sink.epoch());
    };
    for publishes in [true, false] {
        next(&["DEL", "{x}:log"], publishes);
        next(&["DEL", "{x}:meta"], publishes);
        next(&["DEL", "{x}:log", "{x}:meta"], publishes);
    }
    next(&["HSET", "{x}:meta", "head", "1"], true);
    // While no node runs, too.
    wait(async {
        engine.append(one(8)).await.expect("appended");
        engine.close().await;
        other.close().await;
    });
    let before = sink.epoch();
    server.ask(&["DEL", "{x}:log"]);
    let (engine, sink) = open(server.place("x"), 3);
    assert_eq!((sink.epoch(), sink.received()), (Epoch(3), vec![Received::Begin(0)]), "{before:?}");
    assert_eq!(wait(engine.append(one(9))).map(|done| done.first), Ok(1));
}

#[test]
fn redis_dates_the_log_and_no_nodes_clock_trims_it() {
    let Some(server) = Server::start() else { return };
    let (engine, _) = open(server.place("x"), 1);
    let now = Clock::start().now().0;
    // The second node is two hours ahead; an hour is kept.
    for logged in [now, now + 7_200_000, 1] {
        wait(engine.append(one(logged))).expect("appended");
    }
    let (_, sink) = open(server.place("x"), 2);
    assert_eq!(sink.old(), [1, 2, 3]);
    for told in sink.received() {
        let Received::Old(_, record) = told else { continue };
        assert!((now - 1_000..=now + 60_000).contains(&record.logged), "{}", record.logged);
    }
}

#[test]
fn what_is_too_old_by_the_time_of_redis_goes() {
    let Some(server) = Server::start() else { return };
    let (place, clock) = (server.place("x"), Clock::start());
    let bounds = Bounds { max_age_ms: 20, ..WIDE };
    let engine =
        Redis::open(place.clone(), bounds, clock, Epoch(1), Arc::new(RecordingSink::default())).expect("opened");
    wait(engine.append(one(clock.now().0 + 7_200_000))).expect("appended");
    until("the first one goes", || {
        wait(engine.append(one(1))).expect("appended");
        let (_, sink) = open(place.clone(), 2);
        sink.old().first().is_some_and(|seq| *seq > 1)
    });
}

#[test]
fn an_append_is_repeated_over_a_new_connection_and_happens_once() {
    let Some(server) = Server::start() else { return };
    let (engine, sink) = open(server.place("x"), 1);
    wait(async {
        for round in 0..20 {
            // The call is under way, or done, or not sent yet, when the connection goes.
            let number = engine.link.number();
            let batch = if round % 2 == 0 { one(round) } else { once(round, &round.to_string(), 7) };
            let cut = async {
                for _ in 0..round {
                    tokio::task::yield_now().await;
                }
                engine.link.discard(number, "the test".to_owned());
            };
            let (done, ()) = tokio::join!(engine.append(batch), cut);
            assert_eq!(done.map(|done| done.first), Ok(round + 1));
        }
    });
    assert_eq!(sink.fresh(), (1..=20).collect::<Vec<_>>());
}

#[test]
fn what_comes_over_a_replaced_connection_changes_nothing_however_late_it_comes() {
    let Some(server) = Server::start() else { return };
    let client = server.place("x").client().expect("a client");
    let mut conn = client.get_connection().expect("connected");
    let set = crate::redis::script("return redis.call('INCR', KEYS[1])");
    let mut call = |number: u64| set.key("n").key("fence").arg(number).invoke::<u64>(&mut conn).map_err(|e| words(&e));
    let stale = || Err("redis: STALE".to_owned());
    assert_eq!(call(1), Ok(1));
    let mut other = client.get_connection().expect("connected");
    let mut fence =
        |number: u64| crate::redis::fence().key("fence").arg(number).arg(1_000_000).invoke::<()>(&mut other);
    fence(3).expect("the third connection");
    assert_eq!((call(1), call(2), call(3)), (stale(), stale(), Ok(2)));
    assert!(fence(2).is_err(), "the second one's number was under way");
    assert_eq!((call(2), call(3), call(4)), (stale(), Ok(3), Ok(4)));
}

#[test]
fn a_token_counts_as_used_to_its_end_by_the_time_of_redis() {
    let Some(server) = Server::start() else { return };
    let (engine, _) = open(server.place("x"), 1);
    let (shared, _) = ClusterBus::open(engine.link(), 1_000).expect("opened");
    let exp = Clock::start().unix_ms() + 60_000;
    // By the clock of this node, which is ahead, the token has ended.
    let consume = || wait(shared.consume("a", exp, 0));
    assert_eq!((consume(), consume()), (Ok(true), Ok(false)));
    let mut conn = server.place("x").client().expect("a client").get_connection().expect("connected");
    let left: u64 = ::redis::cmd("PTTL").arg("{x}:used:a").query(&mut conn).expect("an end");
    assert!((30_000..=61_000).contains(&left), "{left}");
    wait(shared.give_back("a"));
    assert_eq!(consume(), Ok(true));
    // A clock that is behind keeps it for as long as it believes in it.
    assert_eq!(wait(shared.consume("b", exp, 7_200_000)), Ok(true));
    let left: u64 = ::redis::cmd("PTTL").arg("{x}:used:b").query(&mut conn).expect("an end");
    assert!(left > 7_000_000, "{left}");
}

#[test]
fn a_redis_that_takes_no_writes_now_refuses_and_is_not_away() {
    let Some(server) = Server::start() else { return };
    let (engine, sink) = open(server.place("x"), 1);
    wait(engine.append(one(1))).expect("appended");
    server.ask(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    let why = EngineError::Unavailable("redis: NOREPLICAS".to_owned());
    assert_eq!(wait(engine.append(one(2))), Err(why.clone()));
    until("it is seen", || engine.health() == Health::Refusing(why.clone()));
    server.ask(&["CONFIG", "SET", "min-replicas-to-write", "0"]);
    until("it is seen", || engine.health() == Health::Good);
    server.ask(&["CONFIG", "SET", "maxmemory", "1"]);
    assert!(matches!(wait(engine.append(one(3))), Err(EngineError::Full(_))));
    // A connection that is opened meanwhile is good, and what was sent over the one before is put
    // out of effect later.
    engine.link.discard(engine.link.number(), "the test".to_owned());
    assert!(matches!(wait(engine.append(one(3))), Err(EngineError::Full(_))));
    assert!(!matches!(engine.health(), Health::Away(_)));
    server.ask(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(wait(engine.append(one(4))).map(|done| done.first), Ok(2));
    until("it is fenced", || wait(engine.link.is_fenced()));
    assert_eq!(sink.fresh(), [1, 2]);
}

#[test]
fn a_redis_that_is_not_there_is_said_at_the_start_without_its_password() {
    let url = Secret::from("redis://:hush-hush@127.0.0.1:1".to_owned());
    let place = Place { url, prefix: "x".to_owned(), ca: None };
    let error = Redis::open(place.clone(), WIDE, Clock::start(), Epoch(1), Arc::new(RecordingSink::default()))
        .expect_err("refused");
    assert!(matches!(error, OpenError::Unreachable(_)) && !error.to_string().contains("hush"), "{error}");
    assert!(error.to_string().contains("refused"), "{error}");
    assert!(!format!("{place:?}").contains("hush"));
}
