//! Opens streams at one server, publishes, and reports what a delivery costs it. One process, one
//! thread, raw epoll.
//!
//! `load --pid PID --port PORT --n 1000 --path /events --line 'POST /publish' --header 'A: b' --body '{"data":"@"}' --rate 20 --seconds 5`
//! prints one line of JSON: the cost of a connection, then a phase at `--rate`, then a saturated
//! one. With more than one of `--publishers` the order in which a server takes updates is its own,
//! and `reordered` means nothing. `--others FILE` names a file of paths, a line each: streams that
//! are open beside the measured ones, and get nothing.

mod cost;
mod histogram;
mod mark;
mod publisher;
mod subscribers;
mod sys;

use std::{
    io,
    thread::sleep,
    time::{Duration, Instant},
};

use publisher::{Publisher, Target};
use subscribers::Subscribers;
use sys::Poller;

/// Keys from here on are publishers.
const PUBLISHERS: u64 = 1 << 32;
/// How often all streams are opened: a thousand take thirty milliseconds, too short to measure
/// once. The median counts.
const OPENED: usize = 7;
/// How long what was published may be on its way at the end of a phase.
const DRAIN: Duration = Duration::from_secs(5);

struct Args {
    pid: u32,
    n: usize,
    path: String,
    rate: f64,
    seconds: f64,
    publishers: usize,
    /// When saturated: as many updates may be on their way to the slowest reader.
    lag: u64,
    core: usize,
    others: Vec<String>,
    target: Target,
}

fn args() -> Option<Args> {
    let mut args = Args {
        pid: 0,
        n: 1_000,
        path: "/".into(),
        rate: 20.0,
        seconds: 5.0,
        publishers: 1,
        lag: 64,
        core: 1,
        others: Vec::new(),
        target: Target { port: 0, line: "POST /".into(), headers: vec![], body: "@".into() },
    };
    let mut given = std::env::args().skip(1);
    while let (Some(name), Some(value)) = (given.next(), given.next()) {
        match name.as_str() {
            "--pid" => args.pid = value.parse().ok()?,
            "--port" => args.target.port = value.parse().ok()?,
            "--n" => args.n = value.parse().ok()?,
            "--path" => args.path = value,
            "--rate" => args.rate = value.parse().ok()?,
            "--seconds" => args.seconds = value.parse().ok()?,
            "--publishers" => args.publishers = value.parse().ok()?,
            "--lag" => args.lag = value.parse().ok()?,
            "--others" => args.others = std::fs::read_to_string(value).ok()?.lines().map(String::from).collect(),
            "--core" => args.core = value.parse().ok()?,
            "--line" => args.target.line = value,
            "--header" => args.target.headers.push(value),
            "--body" => args.target.body = value,
            _ => return None,
        }
    }
    (args.pid > 0 && args.target.port > 0).then_some(args)
}

fn main() -> io::Result<()> {
    let args = args().ok_or_else(|| io::Error::other("see the head of this file for the flags"))?;
    sys::raise_files()?;
    sys::pin(args.core)?;
    let server = cost::Server::new(args.pid);
    let mut poller = Poller::new()?;
    // Nobody reads them: what they get, beats, the kernel holds.
    let _others = Subscribers::open(&mut Poller::new()?, args.target.port, &args.others)?;
    let memory = server.memory();
    let mut memory_kb = None;
    let mut costs = Vec::new();
    let subscribers = loop {
        let cpu = server.cpu();
        let mut subscribers = Subscribers::open(&mut poller, args.target.port, &vec![args.path.clone(); args.n])?;
        // What the first frames and the opening cost belongs to the connection.
        let settled = Instant::now();
        while settled.elapsed() < Duration::from_millis(500) {
            let ready: Vec<u64> = poller.wait(50).collect();
            ready.into_iter().for_each(|key| subscribers.read(key));
        }
        costs.push((server.cpu() - cpu) as f64 / 1e3 / args.n as f64);
        memory_kb.get_or_insert(server.memory().saturating_sub(memory) as f64 / 1024.0 / args.n as f64);
        if costs.len() == OPENED {
            break subscribers;
        }
        subscribers.hang_up();
        sleep(Duration::from_millis(500));
    };
    // Now, not before: to open all streams so often may take longer than a server keeps a
    // connection that asks for nothing.
    let mut publishers = Vec::new();
    for key in 0..args.publishers as u64 {
        publishers.push(Publisher::new(&poller, PUBLISHERS + key, &args.target)?);
    }
    costs.sort_by(f64::total_cmp);
    let (connect_us, memory_kb) = (costs[OPENED / 2], memory_kb.unwrap_or_default());
    let mut load = Load { args, server, poller, publishers, subscribers };
    // Caches, pools and lazily made tables are filled before anything counts.
    load.phase(Some(load.args.rate), 1.0)?;
    let paced = load.phase(Some(load.args.rate), load.args.seconds)?;
    let saturated = load.phase(None, load.args.seconds)?;
    println!(
        "{{\"n\":{},\"connect_us\":{connect_us:.1},\"memory_kb\":{memory_kb:.2},\"paced\":{paced},\"saturated\":{saturated}}}",
        load.args.n
    );
    Ok(())
}

struct Load {
    args: Args,
    server: cost::Server,
    poller: Poller,
    publishers: Vec<Publisher>,
    subscribers: Subscribers,
}

impl Load {
    /// Publishes for this number of seconds, waits for what is on its way, and prints the result as
    /// JSON.
    fn phase(&mut self, rate: Option<f64>, seconds: f64) -> io::Result<String> {
        // A late delivery of the phase before would be taken for one of this.
        sleep(Duration::from_millis(200));
        self.subscribers.reset();
        let n = self.args.n as u64;
        let (cpu, own, busy) = (self.server.cpu(), cost::own_cpu(), cost::busy());
        let (begun, mut published) = (Instant::now(), 0u32);
        while begun.elapsed().as_secs_f64() < seconds {
            let mut wait = 1_000;
            if let Some(rate) = rate {
                let due = Duration::from_secs_f64(f64::from(published) / rate);
                if begun.elapsed() < due {
                    wait = due.saturating_sub(begun.elapsed()).as_millis() as i32 + 1;
                } else if self.publish(published + 1)? {
                    published += 1;
                    continue;
                }
            } else {
                while u64::from(published) * n < self.subscribers.told.delivered + self.args.lag * n
                    && self.publish(published + 1)?
                {
                    published += 1;
                }
            }
            self.turn(wait)?;
        }
        let paced = begun.elapsed();
        while self.subscribers.lacking(published) > 0 && begun.elapsed() < paced + DRAIN {
            self.turn(20)?;
        }
        let (lasted, told) = (begun.elapsed().as_secs_f64(), &self.subscribers.told);
        let (cpu, own, busy) = (self.server.cpu() - cpu, cost::own_cpu() - own, cost::busy() - busy);
        let delivered = told.delivered.max(1) as f64;
        let others = (busy as f64 - cpu as f64 - own as f64).max(0.0) / 1e9 / lasted;
        Ok(format!(
            "{{\"published\":{published},\"delivered\":{},\"cpu_us\":{:.3},\"per_second\":{:.0},\"p50_ms\":{:.2},\"p99_ms\":{:.2},\
             \"joined\":{:.2},\"bytes\":{:.0},\"lost\":{},\"doubled\":{},\"reordered\":{},\"closed\":{},\"load_us\":{:.3},\"others\":{others:.2}}}",
            told.delivered,
            cpu as f64 / 1e3 / delivered,
            delivered / lasted,
            told.delays.at(0.5) as f64 / 1e3,
            told.delays.at(0.99) as f64 / 1e3,
            delivered / told.reads.max(1) as f64,
            told.bytes as f64 / delivered,
            told.gaps + self.subscribers.lacking(published),
            told.doubled,
            told.reordered,
            told.closed,
            own as f64 / 1e3 / delivered,
        ))
    }

    /// False if every publisher still waits for an answer.
    fn publish(&mut self, number: u32) -> io::Result<bool> {
        let since = self.subscribers.since;
        match self.publishers.iter_mut().find(|publisher| !publisher.busy) {
            Some(publisher) => publisher.send(&self.args.target, since, number).map(|()| true),
            None => Ok(false),
        }
    }

    fn turn(&mut self, ms: i32) -> io::Result<()> {
        for key in self.poller.wait(ms).collect::<Vec<_>>() {
            match key.checked_sub(PUBLISHERS) {
                Some(publisher) => self.publishers[publisher as usize].read()?,
                None => self.subscribers.read(key),
            }
        }
        Ok(())
    }
}
