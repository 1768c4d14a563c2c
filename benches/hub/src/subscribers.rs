//! The readers: they open their streams, and judge what comes.

use std::{io, os::fd::RawFd, time::Instant};

use crate::{
    histogram::Histogram,
    mark,
    sys::{self, Poller},
};

/// Connections that are being opened at the same time.
const OPENING: usize = 64;

pub struct Subscribers {
    all: Vec<Subscriber>,
    buffer: Vec<u8>,
    pub since: Instant,
    pub told: Told,
}

/// What the readers have seen.
pub struct Told {
    pub delivered: u64,
    pub reads: u64,
    pub bytes: u64,
    pub gaps: u64,
    pub doubled: u64,
    pub reordered: u64,
    pub closed: u64,
    pub delays: Histogram,
}

struct Subscriber {
    fd: RawFd,
    state: State,
    last: u32,
    carried: Vec<u8>,
}

#[derive(PartialEq)]
enum State {
    Connecting,
    Asked,
    Open,
    Closed,
}

impl Told {
    fn new() -> Self {
        Self {
            delivered: 0,
            reads: 0,
            bytes: 0,
            gaps: 0,
            doubled: 0,
            reordered: 0,
            closed: 0,
            delays: Histogram::new(),
        }
    }
}

impl Subscribers {
    /// Opens a stream at each of these paths and waits until each has an answer of 200.
    pub fn open(poller: &mut Poller, port: u16, paths: &[String]) -> io::Result<Self> {
        let ask = |path| format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n\r\n");
        let n = paths.len();
        let mut this = Self { all: Vec::new(), buffer: vec![0; 256 * 1024], since: Instant::now(), told: Told::new() };
        let (mut open, deadline) = (0, Instant::now());
        while open < n {
            if deadline.elapsed().as_secs() > 120 {
                return Err(io::Error::other(format!("only {open} of {n} streams opened")));
            }
            while this.all.len() < n && this.all.len() - open < OPENING {
                let fd = sys::connect(port)?;
                poller.add(fd, this.all.len() as u64, true)?;
                this.all.push(Subscriber { fd, state: State::Connecting, last: 0, carried: Vec::new() });
            }
            let ready: Vec<u64> = poller.wait(1_000).collect();
            for key in ready {
                let one = &mut this.all[key as usize];
                match one.state {
                    State::Connecting => {
                        let request = ask(&paths[key as usize]);
                        if sys::write(one.fd, request.as_bytes())? != Some(request.len()) {
                            return Err(io::Error::other("a request that does not fit"));
                        }
                        poller.reading(one.fd, key)?;
                        one.state = State::Asked;
                    }
                    State::Asked => {
                        let Some(n) = sys::read(one.fd, &mut this.buffer)? else { continue };
                        let head = &this.buffer[..n];
                        if !head.starts_with(b"HTTP/1.1 200") || !head.windows(4).any(|four| four == b"\r\n\r\n") {
                            return Err(io::Error::other(String::from_utf8_lossy(head).into_owned()));
                        }
                        one.state = State::Open;
                        open += 1;
                    }
                    State::Open | State::Closed => this.read(key),
                }
            }
        }
        Ok(this)
    }

    /// Ends all connections.
    pub fn hang_up(&mut self) {
        for one in self.all.drain(..).filter(|one| one.state != State::Closed) {
            sys::reset(one.fd);
        }
    }

    /// Forgets what was seen, so that a new phase can be judged. Numbers begin anew at 1.
    pub fn reset(&mut self) {
        self.told = Told::new();
        self.all.iter_mut().for_each(|one| one.last = 0);
    }

    /// Readers that have not seen `last`, and how many updates they lack.
    pub fn lacking(&self, last: u32) -> u64 {
        self.all.iter().map(|one| u64::from(last.saturating_sub(one.last))).sum()
    }

    pub fn read(&mut self, key: u64) {
        let one = &mut self.all[key as usize];
        if one.state == State::Closed {
            return;
        }
        let kept = one.carried.len();
        self.buffer[..kept].copy_from_slice(&one.carried);
        let n = match sys::read(one.fd, &mut self.buffer[kept..]) {
            Ok(None) => return,
            Ok(Some(n)) if n > 0 => n,
            Ok(Some(_)) | Err(_) => {
                sys::close(one.fd);
                one.state = State::Closed;
                self.told.closed += 1;
                return;
            }
        };
        let (told, now) = (&mut self.told, self.since.elapsed().as_nanos() as u64);
        told.reads += 1;
        told.bytes += n as u64;
        let bytes = &self.buffer[..kept + n];
        let rest = mark::read(bytes, |time, number| {
            told.delivered += 1;
            told.delays.add(now.saturating_sub(time) / 1_000);
            if number > one.last {
                told.gaps += u64::from(number - one.last - 1);
                one.last = number;
            } else if number == one.last {
                told.doubled += 1;
            } else {
                told.reordered += 1;
            }
        });
        one.carried.clear();
        one.carried.extend_from_slice(&bytes[rest..]);
    }
}
