//! Random inputs, without sense or mercy: whatever comes, the session keeps its promises. A failing
//! seed prints its conversation.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod conversation;

use std::fmt::Write as _;

use tinysse::proto::{
    rng::Rng,
    session::{
        Config, Session, State,
        io::{Output, Phase, Status, Ticket},
    },
    time::Time,
    wire::id::EventId,
};

struct Chaos {
    session: Session,
    rng: Rng,
    now: u64,
    due: Option<u64>,
    /// The question that is open, and the stream.
    asked: Option<Ticket>,
    streams: Vec<Ticket>,
    last_ticket: u32,
    shown: Status,
    /// The last update delivered from a hub, unless a gap was announced since.
    delivered: Option<EventId>,
    head: u64,
    said: String,
}

impl Drop for Chaos {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let skip = self.said.len().saturating_sub(6_000);
            println!("{}", self.said.get(skip..).unwrap_or(&self.said));
        }
    }
}

impl Chaos {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let config = Config {
            provider: rng.below(4) > 0,
            max_refusals: 1 + rng.below(8) as u32,
            max_native_retries: rng.below(4) as u32,
            event_limit: 200,
            ..Config::default()
        };
        let shown = Status { phase: Phase::Idle, error: None };
        let session = Session::new(config, seed);
        let said = format!("seed {seed}, {config:?}\n");
        Self {
            session,
            rng,
            now: 0,
            due: None,
            asked: None,
            streams: vec![],
            last_ticket: 0,
            shown,
            delivered: None,
            head: 5,
            said,
        }
    }

    fn pick(&mut self, of: &[&str]) -> String {
        of[self.rng.below(of.len() as u64) as usize].to_owned()
    }

    /// Mostly the one in hand, sometimes any other.
    fn ticket(&mut self, current: Option<Ticket>) -> u32 {
        match current {
            Some(Ticket(ticket)) if self.rng.below(5) > 0 => ticket,
            _ => self.rng.below(u64::from(self.last_ticket) + 2) as u32,
        }
    }

    fn place(&mut self) -> String {
        match self.rng.below(8) {
            0 => format!("4f.{}", self.rng.below(self.head + 3)),
            1 => format!("{:x}.{}", self.rng.below(3) + 0x4e, self.rng.below(9)),
            2 => String::from("17"),
            _ => {
                self.head += 1;
                format!("4f.{}", self.head)
            }
        }
    }

    fn frame(&mut self) -> String {
        let cursor = self.session.cursor().to_owned();
        let known = EventId::parse(&cursor).is_some() && self.rng.below(4) > 0;
        let at = if known { cursor } else { self.place() };
        match self.rng.below(12) {
            0..=2 => {
                let gap = self.pick(&["none", "none", "first", "epoch", "trimmed", "unknown"]);
                let beat = self.pick(&["0", "15000", "4294967295"]);
                let head = self.head;
                format!("{at} tinysse.hello client=c&after={at}&head=4f.{head}&beat={beat}&gap={gap}")
            }
            3 => format!("{} tinysse.beat", self.place()),
            4 => format!("{} tinysse.resync gap={}", self.place(), self.pick(&["overflow", "rights", "none"])),
            5 if self.rng.below(2) == 0 => {
                let reason = self.pick(&["drain", "rotate", "token", "revoked", "slow", "tired"]);
                format!("- tinysse.bye reason={reason}&wait={}", self.pick(&["0", "300", "4294967295"]))
            }
            5 => format!("{at} tinysse.{} x", self.pick(&["hello", "news", "bye", "beat"])),
            6 => String::from("- message foreign"),
            _ => format!("{} {} {{}}", self.place(), self.pick(&["projects", "__proto__", "compute.a"])),
        }
    }

    fn input(&mut self) -> String {
        match self.rng.below(40) {
            0..=2 => String::from("start"),
            3 => self.pick(&["stop", "reconnect", "tick", "tick"]),
            4 => format!("pause {}", self.pick(&["user", "offline", "page"])),
            5..=7 => format!("resume {}", self.pick(&["user", "offline", "page"])),
            8 => match self.rng.below(8) {
                0 => self.pick(&["user", "user ada", "user bob", "forget"]),
                1..=3 => {
                    let answer = self.pick(&["hub", "stream", "unseen", "busy 502 wait 0", "gone 404", "unauthorized"]);
                    format!("probed {} {answer}", self.ticket(self.streams.last().copied()))
                }
                _ => String::from("wake"),
            },
            9..=11 => String::from("tick"),
            12..=18 => {
                let answer = self.pick(&[
                    "is a",
                    "is a",
                    "is b lives 60000",
                    "is c lives 1",
                    "is d lives 0",
                    "empty",
                    "nonsense",
                    "failed",
                    "refused 401",
                ]);
                format!("token {} {answer}", self.ticket(self.asked))
            }
            19..=24 => format!("opened {}", self.ticket(self.streams.last().copied())),
            25..=33 => format!("frame {} {}", self.ticket(self.streams.last().copied()), self.frame()),
            34 | 35 => {
                let bytes = self.pick(&[
                    "\\n\\n",
                    ": c\\n",
                    "data: x\\n",
                    "data: x\\n\\n",
                    "event: tinysse.bye\\n",
                    "data: reason=rotate&wait=0\\n\\n",
                    "retry: 0\\n",
                    "\\r\\n",
                    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
                ]);
                format!("bytes {} {bytes}", self.ticket(self.streams.last().copied()))
            }
            _ => {
                let loss = self.pick(&[
                    "retrying",
                    "retrying",
                    "dropped",
                    "dropped",
                    "closed",
                    "unauthorized",
                    "busy 503 wait 9000",
                    "busy 429 wait 4294967295",
                    "gone 204",
                    "forbidden",
                    "redirected",
                ]);
                format!("lost {} {loss}", self.ticket(self.streams.last().copied()))
            }
        }
    }

    fn step(&mut self) {
        self.now = match (self.rng.below(20), self.due) {
            (0, _) => self.now + self.rng.below(10_000_000),
            (1..=3, _) => self.now + self.rng.below(30_000),
            (4..=9, Some(due)) => due.max(self.now),
            _ => self.now + self.rng.below(50),
        };
        let input = self.input();
        let (now, before) = (self.now, self.session.state());
        let (was_hub, cursor) = (self.session.client_id().is_some(), EventId::parse(self.session.cursor()));
        let _ = writeln!(self.said, "@{now} <- {input}");
        if input.starts_with(&format!("token {} ", self.asked.map_or(0, |Ticket(ticket)| ticket))) {
            self.asked = None; // answered
        }
        conversation::say(&input, Time(now), &mut self.session);
        let (outputs, due) = conversation::drain(&mut self.session);
        let state = self.session.state();
        conversation::write(&outputs, state, due, &mut self.said);
        self.due = due;

        let hub = self.session.client_id().is_some();
        for output in &outputs {
            self.heard(output, was_hub || hub);
        }
        self.rests(before, &input, &outputs);
        let (at, told) =
            (EventId::parse(self.session.cursor()), outputs.iter().any(|o| matches!(o, Output::Resync(_))));
        if was_hub && let (Some(from), Some(to)) = (cursor, at) {
            assert!(told || from.epoch != to.epoch || !from.follows(to), "the cursor moved from {from} back to {to}");
        }
        assert_eq!(self.shown, self.session.status(), "the status shown is not the status");
    }

    /// One output: questions and streams one at a time, updates in order.
    fn heard(&mut self, output: &Output, hub: bool) {
        match output {
            Output::FetchToken { ticket, .. } => {
                assert_eq!(self.asked.replace(*ticket), None, "two questions are open");
                self.last_ticket = ticket.0;
            }
            Output::CancelToken(ticket) => {
                assert_eq!(self.asked.take(), Some(*ticket), "forgets a question that is not open")
            }
            Output::Open { ticket, .. } | Output::Follow { ticket, .. } => {
                self.streams.push(*ticket);
                // After a bye the events of the old stream count until the new one is open.
                assert!(self.streams.len() <= 2, "more than two streams are open");
                self.last_ticket = ticket.0;
            }
            Output::Close(ticket) => {
                let before = self.streams.len();
                self.streams.retain(|open| open != ticket);
                assert_eq!(self.streams.len() + 1, before, "closes a stream that is not open");
            }
            Output::Relay(_) => {}
            Output::UserChanged => self.delivered = None,
            Output::Probe(ticket) => {
                assert_eq!(self.streams, [*ticket], "asks about a stream that is not the one in hand");
            }
            Output::Update(update) => {
                let id = EventId::parse(&update.frame.id).filter(|_| hub);
                if let (Some(last), Some(id)) = (self.delivered, id) {
                    assert!(last.epoch != id.epoch || id.follows(last), "{id} delivered after {last}");
                }
                self.delivered = id;
            }
            Output::Resync(_) => self.delivered = None,
            Output::Status(status) => {
                assert_ne!(self.shown, *status, "the same status twice");
                self.shown = *status;
            }
            Output::Sleep(_) => {}
        }
    }

    /// The state has the timer it needs and nothing else in hand; at rest nothing happens.
    fn rests(&self, before: State, input: &str, outputs: &[Output]) {
        let ends = outputs.iter().all(|o| matches!(o, Output::Close(_) | Output::CancelToken(_) | Output::Status(_)));
        let identity = input == "forget" || input.starts_with("user");
        let silent = match before {
            State::Idle => !matches!(input, "start" | "reconnect") && !identity,
            State::SignedOut | State::Failed => {
                let wakes = ["wake", "resume page", "resume offline", "pause offline"];
                !matches!(input, "start" | "reconnect" | "stop") && !wakes.contains(&input) && !identity
            }
            State::Authorizing | State::Connecting(_) | State::Live(_) | State::Waiting | State::Paused => false,
        };
        assert!(!silent || outputs.is_empty() && self.session.state() == before, "at rest, and yet it does something");
        assert!(input != "stop" || ends && self.session.state() == State::Idle, "a stop does more than end things");
        let state = self.session.state();
        let in_hand = (self.asked.is_some(), self.streams.clone(), self.due.is_some());
        // The events of one whose server sent bye may count until the next one is open.
        let fading = self.session.draining().into_iter();
        let expected = match state {
            State::Idle | State::SignedOut | State::Paused | State::Failed => (false, vec![], false),
            State::Authorizing => (true, fading.collect(), true),
            State::Connecting(ticket) => (false, fading.chain([ticket]).collect(), true),
            // A server that does not speak tinysse/1 may be silent for as long as it likes.
            State::Live(ticket) => (false, vec![ticket], self.session.client_id().is_some() || self.due.is_some()),
            State::Waiting => (false, fading.collect(), true),
        };
        assert_eq!(in_hand, expected, "{state:?} with (a question, a stream, a timer)");
        assert!(self.due.is_none_or(|due| due > self.now), "wants to be woken in the past: a busy loop");
    }
}

#[test]
fn any_inputs_in_any_order_at_any_time() {
    let mut seen = [0_u32; 8];
    for seed in 0..1_000 {
        let mut chaos = Chaos::new(seed);
        for _ in 0..300 {
            chaos.step();
            let state = match chaos.session.state() {
                State::Idle => 0,
                State::Authorizing => 1,
                State::Connecting(_) => 2,
                State::Live(_) => 3,
                State::Waiting => 4,
                State::Paused => 5,
                State::Failed => 6,
                State::SignedOut => 7,
            };
            seen[state] += 1;
        }
    }
    assert!(seen.iter().all(|steps| *steps > 5_000), "the inputs reach every state often: {seen:?}");
}
