//! A client: its core, and a browser that does what the core asks for.

use tinysse::proto::{
    client::Client,
    registry::{Pattern, Subscriber},
    rng::Rng,
    session::{
        Config, State,
        io::{Input, Output, Phase, Ticket, TokenFailure, TokenReason},
        token::{Grant, Token},
    },
    time::Time,
    wire::decode::Decoder,
};
use tinysse_hub::hub::Update;

use super::{
    Event, World,
    faults::Trouble,
    identity,
    network::{Link, Refusal},
    patterns, pick,
};

/// What a token provider answers.
#[derive(Clone, Copy, Debug)]
pub(super) enum Answer {
    /// A token that lives this long (milliseconds); the provider may leave that out.
    Token { lives: u64, said: bool, who: usize },
    /// Nothing that can be used.
    StreamError(TokenFailure),
    /// An empty token.
    Empty,
}

/// A token of the server.
#[derive(Debug)]
pub(super) struct Issued {
    pub(super) text: String,
    /// When the server stops taking it.
    pub(super) end: u64,
    /// Whose it is.
    pub(super) who: usize,
}

/// What the browser holds of a stream.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) ticket: Ticket,
    pub(super) token: Option<String>,
    /// The cursor in the URL.
    pub(super) cursor: String,
    /// Native: the id of the last event, which the browser sends with its own retries.
    pub(super) last_id: String,
    /// Native: the browser's own reconnection time.
    pub(super) retry: u64,
    pub(super) decoder: Decoder,
    pub(super) link: Option<Link>,
    /// Its first request was sent: others are repetitions of the browser's own.
    pub(super) asked: bool,
    /// Why it was refused last.
    pub(super) refusal: Option<Refusal>,
}

#[derive(Debug)]
pub(super) struct Peer {
    pub(super) core: Client,
    /// The user who is signed in, by number: see [`identity`].
    pub(super) who: usize,
    /// The application names its user, or leaves that to the token.
    pub(super) named: bool,
    /// The browser's `EventSource`, or bytes that the core decodes.
    pub(super) native: bool,
    pub(super) types: Vec<String>,
    pub(super) subscriber: Subscriber,
    /// The stream in hand, and before it perhaps one whose server sent bye.
    pub(super) streams: Vec<Stream>,
    pub(super) question: Option<Ticket>,
    pub(super) sleep: Option<Time>,
    /// How often the user was shown that it is not open any more.
    pub(super) breaks: usize,
    /// Tokens given out.
    pub(super) tokens: Vec<Issued>,
}

/// Long enough for all waits of the simulation, short enough to be met in it.
const CONFIG: Config = Config {
    provider: true,
    token_timeout: 6_000,
    connect_timeout: 9_000,
    heartbeat_timeout: 9_000,
    watch_plain: false,
    native: true,
    stable_after: 5_000,
    max_native_retries: 3,
    max_refusals: 8,
    backoff: tinysse::proto::backoff::Policy { floor: 250, base: 1_000, cap: 30_000 },
    event_limit: 1 << 20,
    share: false,
};

impl Peer {
    pub(super) fn new(index: usize, rng: &mut Rng) -> Self {
        let (native, named) = (rng.below(2) == 0, rng.below(2) == 0);
        let mut core = Client::new(Config { native, ..CONFIG }, 0, rng.next_u64());
        if named {
            core.handle(Time(0), Input::User(Some(identity(index).user)));
            while !matches!(core.poll(), Output::Sleep(_)) {}
        }
        let subscriber = core.subscribe([Pattern::Everything]);
        let types = if rng.below(3) == 0 { vec!["compute.*".into(), "projects".into()] } else { vec![] };
        Self {
            core,
            who: index,
            named,
            native,
            types,
            subscriber,
            streams: vec![],
            question: None,
            sleep: None,
            breaks: 0,
            tokens: vec![],
        }
    }

    /// The truth about rights, computed apart from the hub's own reading of them.
    pub(super) fn may_see(&self, update: &Update) -> bool {
        let asked = patterns(&self.types).is_none_or(|all| all.iter().any(|pattern| pattern.matches(&update.kind)));
        let identity = identity(self.who);
        asked && update.to.iter().any(|audience| audience.admits(&identity))
    }
}

impl World {
    pub(super) fn start(&mut self, peer: usize) {
        self.feed(peer, Input::Start);
    }

    /// One input, then every output of the core.
    pub(super) fn feed(&mut self, peer: usize, input: Input) {
        if self.log.is_some() {
            let line = format!("<- {input:?}");
            self.note(peer, || line);
        }
        let now = self.now;
        self.peers[peer].core.handle(now, input);
        self.listen(peer);
    }

    /// Bytes of a stream that the core decodes, then every output of the core.
    pub(super) fn feed_bytes(&mut self, peer: usize, ticket: Ticket, bytes: &[u8]) {
        let now = self.now;
        self.peers[peer].core.handle_bytes(now, ticket, bytes);
        self.listen(peer);
    }

    fn listen(&mut self, peer: usize) {
        let now = self.now;
        loop {
            let output = self.peers[peer].core.poll();
            if let Output::Sleep(until) = output {
                self.peers[peer].sleep = until;
                if let Some(at) = until {
                    // Browsers are late, and sometimes very late.
                    let late = if self.rng.below(50) == 0 { self.rng.below(3_000) } else { self.rng.below(5) };
                    self.after(at.since(now) + late, Event::Wake { peer });
                }
                return self.check_rest(peer);
            }
            self.perform(peer, output);
        }
    }

    fn perform(&mut self, peer: usize, output: Output) {
        if self.log.is_some() {
            let line = if let Output::Update(update) = &output {
                format!("-> Update {} {}", update.frame.id, update.frame.data)
            } else {
                format!("-> {output:?}")
            };
            self.note(peer, || line);
        }
        match output {
            Output::FetchToken { ticket, reason } => self.ask(peer, ticket, reason),
            Output::CancelToken(ticket) => {
                let asked = self.peers[peer].question.take();
                if asked != Some(ticket) {
                    self.judge.lie(format!("forgot {ticket:?}, but {asked:?} was asked"));
                }
            }
            Output::Open { ticket, token, cursor } => {
                let fading = self.peers[peer].core.session().draining();
                if self.peers[peer].streams.iter().any(|stream| Some(stream.ticket) != fading) {
                    self.judge.lie("opened a stream beside another one".into());
                }
                self.peers[peer].streams.push(Stream {
                    ticket,
                    token: token.map(|token| token.reveal().into()),
                    decoder: Decoder::new("", 1 << 20),
                    cursor,
                    last_id: String::new(),
                    retry: 3_000,
                    link: None,
                    asked: false,
                    refusal: None,
                });
                self.after(0, Event::Attempt { peer, ticket });
            }
            Output::Close(ticket) => {
                let streams = &mut self.peers[peer].streams;
                match streams.iter().position(|stream| stream.ticket == ticket) {
                    Some(at) => {
                        let stream = streams.remove(at);
                        self.hang_up(stream);
                    }
                    None => self.judge.lie(format!("closed {ticket:?}, which was not open")),
                }
            }
            Output::Update(update) => {
                let to = self.peers[peer].core.matching(&update.frame.event);
                if to != [self.peers[peer].subscriber] {
                    self.judge.lie(format!("called {to:?}"));
                }
                let user = self.peers[peer].who;
                self.judge.delivered(peer, user, &update);
            }
            Output::Resync(resync) => {
                let cursor = self.peers[peer].core.session().cursor();
                self.judge.resync(self.now, peer, resync.gap, cursor);
            }
            Output::Status(status) => {
                self.peers[peer].breaks += usize::from(status.phase == Phase::Reconnecting);
                if status.phase == Phase::Failed {
                    // The user looks at the banner for a while, then clicks.
                    let wait = 1_000 + self.rng.below(5_000);
                    self.after(wait, Event::Recover { peer, what: Trouble::Failed });
                }
            }
            Output::Probe(ticket) => self.probe(peer, ticket),
            Output::Follow { .. } | Output::Relay(_) | Output::UserChanged | Output::Sleep(_) => {}
        }
    }

    fn ask(&mut self, peer: usize, ticket: Ticket, reason: TokenReason) {
        let Peer { question, .. } = &mut self.peers[peer];
        if let Some(open) = question.replace(ticket) {
            self.judge.lie(format!("asked for a token ({reason:?}) while {open:?} was not answered"));
        }
        let bad = self.now.0 + CALM_TOKENS < self.calm && self.rng.below(100) < self.climate.bad_tokens;
        let answer = match (bad, self.rng.below(12)) {
            (true, 0) => Answer::StreamError(TokenFailure::Refused(401)),
            (true, 1 | 2) => Answer::StreamError(TokenFailure::Malformed),
            (true, 3) => Answer::Empty,
            (true, 4 | 5) => return, // it hangs
            (true, _) => Answer::StreamError(TokenFailure::Failed),
            (false, luck) => {
                let lives = pick(&mut self.rng, &[400, 2_000, 60_000]).max(self.climate.shortest_token);
                Answer::Token { lives, said: luck < 6 || self.calm == 0, who: self.peers[peer].who }
            }
        };
        let delay = if self.calm > 0 && self.rng.below(10) == 0 { self.rng.below(9_000) } else { self.rng.below(80) };
        self.after(delay, Event::Answer { peer, ticket, answer });
    }

    /// Late answers come too; a core must know its own questions.
    pub(super) fn answer(&mut self, peer: usize, ticket: Ticket, answer: Answer) {
        let this = &mut self.peers[peer];
        if this.question == Some(ticket) {
            this.question = None;
        }
        let result = match answer {
            Answer::Token { lives, said, who } => {
                let text = format!("token{}", this.tokens.len());
                this.tokens.push(Issued { text: text.clone(), end: self.now.0 + lives, who });
                Ok(Grant { token: Token::new(text), expires_in: said.then_some(lives), user: identity(who).user })
            }
            Answer::Empty => Ok(Grant { token: Token::new(String::new()), expires_in: None, user: String::new() }),
            Answer::StreamError(loss) => Err(loss),
        };
        self.feed(peer, Input::Token(ticket, result));
    }

    pub(super) fn wake(&mut self, peer: usize) {
        if self.peers[peer].sleep.is_some_and(|at| at <= self.now) {
            self.peers[peer].sleep = None;
            self.feed(peer, Input::Tick);
        }
    }

    /// A client that wants to be connected must have an alarm set: nothing else is sure to wake it.
    fn check_rest(&mut self, peer: usize) {
        let state = self.peers[peer].core.session().state();
        let rests = matches!(state, State::Idle | State::SignedOut | State::Paused | State::Failed);
        if !rests && self.peers[peer].sleep.is_none() {
            self.judge.lie(format!("sleeps for ever in {state:?}"));
        }
    }
}

/// Providers are good again so long before the network is, in milliseconds.
const CALM_TOKENS: u64 = 10_000;
