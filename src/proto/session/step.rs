//! Every transition of the session. If a state changes anywhere else, that is a bug. Those that the
//! application and the page ask for are in `step/wish.rs`.
//!
//! [`Session::handle`] moves by an input, then [`Session::settle`] moves by what has become true (a
//! token is held, the network is gone), until nothing moves.

mod wish;

use alloc::string::ToString;

use super::{
    Session, State, Stream,
    io::{ConnectReason, Input, Output, Probed, StreamError, Ticket, TokenFailure, TokenReason},
    token::{Grant, TokenState},
    user::Verdict,
};
use crate::proto::{
    error::{Cause, Error},
    time::Time,
    timers::Timer,
    wire::control::{Bye, Reason},
};

/// The longest time a server may send a client away for, in milliseconds.
const LONGEST_WAIT: u32 = 600_000;

impl Session {
    /// Takes one input. Poll until [`Output::Sleep`] afterwards.
    pub fn handle(&mut self, now: Time, input: Input) {
        self.now = self.now.max(now);
        // A follower reports it with each frame: only the first one is news.
        if !matches!(input, Input::Opened(ticket) if self.state != State::Connecting(ticket)) {
            self.trace.input(self.now, &input);
        }
        match input {
            Input::Start => self.start(),
            Input::Stop => self.stop(),
            Input::Reconnect => self.reconnect(),
            Input::Pause(why) => self.pauses |= why as u8,
            Input::Resume(why) => self.resume(why),
            Input::Wake => self.awake(),
            Input::User(user) => self.change_user(user),
            Input::Forget => self.forget(),
            Input::Token(ticket, answer) => self.token_answer(ticket, answer),
            Input::Opened(ticket) => self.opened(ticket),
            Input::Follow => self.hand_over(true),
            Input::Lead => self.hand_over(false),
            Input::Frame(ticket, frame) => {
                if self.accepts(ticket) {
                    self.counters.bytes += (frame.event.len() + frame.id.len() + frame.data.len()) as u64;
                    let bye = self.take_one(ticket, &frame);
                    self.after_event(bye);
                }
            }
            Input::Lost(ticket, _) if self.draining == Some(ticket) => self.close_draining(),
            Input::Lost(ticket, loss) => {
                if matches!(self.state, State::Connecting(current) | State::Live(current) if current == ticket) {
                    self.lost(ticket, loss);
                }
            }
            Input::Probed(ticket, answer) => self.answered(ticket, answer),
            Input::Tick => {}
        }
        self.conclude();
    }

    /// What follows every input.
    pub(super) fn conclude(&mut self) {
        while let Some(timer) = self.timers.expired(self.now) {
            self.expire(timer);
        }
        self.settle();
        self.report_status();
    }

    /// A second request reported how the first one was answered, or whether there is a hub behind a
    /// stream that is silent.
    fn answered(&mut self, ticket: Ticket, answer: Probed) {
        let refused = self.probed && self.state == State::Connecting(ticket);
        let doubted = self.state == State::Live(ticket) && self.in_doubt();
        match answer {
            Probed::Refused(loss) if refused => self.lost(ticket, loss),
            Probed::Stream { .. } if refused => {
                self.retry(Error::new(Cause::RefusedOnce, None), 0);
            }
            Probed::Unseen if refused => {
                let error = Error::new(Cause::Unreadable, None);
                self.refuse(error, 0, false);
            }
            Probed::Stream { hub: true } if doubted => self.silent(),
            Probed::Stream { hub: false } if doubted => {
                self.trust_silence();
                self.watch();
            }
            Probed::Refused(_) | Probed::Stream { .. } | Probed::Unseen => {}
        }
    }

    fn probe(&mut self, ticket: Ticket) {
        self.counters.connect(ConnectReason::Probe);
        self.emit(Output::Probe(ticket));
    }

    fn silent(&mut self) {
        self.retry(Error::new(Cause::Silent, None), 0);
    }

    fn token_answer(&mut self, ticket: Ticket, answer: Result<Grant, TokenFailure>) {
        let reason = match &self.token {
            TokenState::Asked(asked, reason) if *asked == ticket => *reason,
            TokenState::Asked(..) | TokenState::Absent(_) | TokenState::Held(..) => return,
        };
        self.timers.clear(Timer::Answer);
        self.token = TokenState::Absent(reason);
        match answer.and_then(Grant::check) {
            Ok(grant) => {
                match self.user.token(grant.user) {
                    Verdict::Same => {}
                    Verdict::Changed => {
                        self.close_draining(); // it is the former user's
                        self.drop_cursor();
                    }
                    Verdict::Wrong => {
                        return self.give_up(Error::new(Cause::OtherUser, None));
                    }
                }
                // A little early: the token has to survive its way to the server.
                let end = grant.expires_in.map(|ms| self.now.plus(ms - (ms / 10).min(5_000)));
                self.token = TokenState::Held(grant.token, end);
            }
            Err(TokenFailure::Refused(status)) => {
                self.give_up(Error::new(Cause::ProviderRefused, Some(status)));
            }
            Err(TokenFailure::Failed) => self.retry(Error::new(Cause::ProviderFailed, None), 0),
            Err(TokenFailure::Malformed) => {
                self.refuse(Error::new(Cause::NoToken, None), 0, true);
            }
        }
    }

    fn opened(&mut self, ticket: Ticket) {
        if self.state != State::Connecting(ticket) {
            return;
        }
        self.timers.clear(Timer::Answer);
        self.close_draining();
        self.stream = Stream::new(&self.config, self.now);
        self.stream.retried = self.retried;
        if self.server.is_plain() {
            self.trust_silence();
        }
        self.watch();
        self.timers.set(Timer::Stable, self.now.plus(u64::from(self.config.stable_after)));
        self.retries.opened();
        self.was_open = true;
        self.error = None;
        self.state = State::Live(ticket);
        self.report_status();
    }

    /// The stream sent something.
    pub(super) fn after_event(&mut self, bye: Option<Bye>) {
        let State::Live(ticket) = self.state else { return };
        self.watch();
        let Some(Bye { reason, wait, retry: _ }) = bye else { return };
        match reason {
            Reason::Token => self.token = TokenState::Absent(TokenReason::Expired),
            Reason::Revoked => self.token = TokenState::Absent(TokenReason::Revoked),
            Reason::Drain | Reason::Rotate | Reason::Slow => {}
        }
        let wait = wait.min(LONGEST_WAIT);
        let stable = self.stream.stable;
        self.connect_reason = ConnectReason::Rotate;
        match reason {
            // The next stream is opened before this one is dropped: what it still sends counts.
            Reason::Drain | Reason::Rotate | Reason::Token if wait <= self.config.connect_timeout => {
                self.timers.clear_all();
                self.draining = Some(ticket);
            }
            Reason::Drain | Reason::Rotate | Reason::Token | Reason::Revoked | Reason::Slow => self.close_stream(),
        }
        let due = self.retries.after_bye(self.now, wait, stable);
        self.timers.set(Timer::Retry, due);
        self.state = State::Waiting;
    }

    fn lost(&mut self, ticket: Ticket, loss: StreamError) {
        match loss {
            StreamError::Retrying => {
                self.token.expire(self.now);
                let stale = self.config.provider && !matches!(self.token, TokenState::Held(..));
                if stale || !self.retries.take_native(self.config.max_native_retries) {
                    return self.retry(Error::new(Cause::Lost, None), 0);
                }
                // The browser keeps its own cursor and its own delay; the answer is awaited as for
                // a stream that the session opens.
                self.counters.connect(ConnectReason::Glitch);
                self.timers.clear_all();
                self.retried = true;
                self.timers.set(Timer::Answer, self.now.plus(u64::from(self.config.connect_timeout)));
                self.error = Some(Error::new(Cause::Lost, None));
                self.state = State::Connecting(ticket);
            }
            StreamError::Dropped => self.retry(Error::new(Cause::Lost, None), 0),
            StreamError::Refused => {
                self.timers.clear_all();
                self.timers.set(Timer::Answer, self.now.plus(u64::from(self.config.connect_timeout)));
                self.state = State::Connecting(ticket);
                self.probed = true;
                self.probe(ticket);
            }
            StreamError::Unauthorized => {
                self.refuse(Error::new(Cause::TokenRefused, Some(401)), 0, true);
            }
            StreamError::Redirected => {
                let error = Error::new(Cause::Redirected, None);
                self.refuse(error, 0, true);
            }
            StreamError::Unavailable { status, retry_after } => {
                self.retry(Error::new(Cause::Busy, Some(status)), retry_after.min(LONGEST_WAIT));
            }
            StreamError::Rejected { status } => self.give_up(Error::new(Cause::NoStream, Some(status))),
            StreamError::InvalidUrl => self.give_up(Error::new(Cause::Url, None)),
            StreamError::BlockedByCsp => self.give_up(Error::new(Cause::Policy, None)),
        }
    }

    fn expire(&mut self, timer: Timer) {
        match (timer, self.state) {
            (Timer::Answer, State::Authorizing) => {
                self.retry(Error::new(Cause::ProviderUnanswered, None), 0);
            }
            (Timer::Answer, State::Connecting(_)) => {
                self.retry(Error::new(Cause::Unanswered, None), 0);
            }
            (Timer::Silence, State::Live(ticket)) if self.in_doubt() => {
                self.probe(ticket);
                self.stream.watchdog.feed(self.now);
                self.watch();
            }
            (Timer::Silence, State::Live(_)) if self.stream.watchdog.is_armed() => self.silent(),
            // So late, that the machine slept: nobody knows what became of the connection.
            (Timer::Silence, State::Live(_)) if self.stream.watchdog.slept(self.now) && !self.follows() => {
                self.replace()
            }
            (Timer::Silence, State::Live(_)) => self.watch(),
            (Timer::Stable, State::Live(_)) => {
                self.stream.stable = true;
                self.retries.stable();
                self.announce_unknown_server();
            }
            (Timer::Retry, State::Waiting) => self.state = State::Authorizing,
            (Timer::Answer | Timer::Stable | Timer::Retry | Timer::Silence, _) => {}
        }
    }

    /// Moves by what has become true, until nothing moves.
    fn settle(&mut self) {
        match self.state {
            State::Idle | State::SignedOut | State::Failed => {}
            State::Paused if self.must_pause() => {}
            State::Authorizing | State::Connecting(_) | State::Live(_) | State::Waiting if self.must_pause() => {
                self.close_and_forget_retries();
                self.state = State::Paused;
            }
            State::Paused if self.retries.must_wait(self.now) => {
                let due = self.retries.earliest();
                self.timers.set(Timer::Retry, due);
                self.state = State::Waiting;
            }
            State::Paused => {
                self.connect_reason = ConnectReason::Wake;
                self.state = State::Authorizing;
                self.settle();
            }
            State::Authorizing => self.authorize(),
            State::Connecting(_) | State::Live(_) | State::Waiting => {}
        }
    }

    fn authorize(&mut self) {
        self.report_status();
        if !self.config.provider {
            return self.open(None);
        }
        self.token.expire(self.now);
        match &self.token {
            TokenState::Held(token, _) => {
                let token = token.clone();
                self.open(Some(token));
            }
            TokenState::Asked(..) => {}
            TokenState::Absent(reason) => {
                let reason = *reason;
                let ticket = self.ticket();
                self.token = TokenState::Asked(ticket, reason);
                self.timers.set(Timer::Answer, self.now.plus(u64::from(self.config.token_timeout)));
                self.emit(Output::FetchToken { ticket, reason });
            }
        }
    }

    fn open(&mut self, token: Option<super::token::Token>) {
        let ticket = self.ticket();
        self.timers.set(Timer::Answer, self.now.plus(u64::from(self.config.connect_timeout)));
        self.state = State::Connecting(ticket);
        let cursor = self.cursor.text().to_string();
        self.retried = false;
        if self.follows() {
            self.emit(Output::Follow { ticket, cursor });
        } else {
            self.counters.connect(self.connect_reason);
            self.emit(Output::Open { ticket, token, cursor });
        }
    }

    /// The same event would come again: once more may help against a byte that was lost on the way,
    /// but not for ever.
    pub(super) fn too_large(&mut self) {
        let error = Error::new(Cause::TooLarge, None);
        if self.oversized_at.as_deref() == Some(self.cursor.text()) {
            return self.give_up(error);
        }
        self.oversized_at = Some(self.cursor.text().to_string());
        self.retry(error, 0);
    }

    /// The answer was no. A new token may help, once at once, then with growing patience, then not
    /// at all, if it is `known` that the token is the reason.
    fn refuse(&mut self, error: Error, wait: u32, known: bool) {
        let last = self.retries.refused(known, self.config.max_refusals);
        let held = matches!(self.token, TokenState::Held(..));
        if held {
            self.token = TokenState::Absent(TokenReason::Rejected);
        }
        if last {
            return self.give_up(error);
        }
        if held && self.retries.take_fast_retry() {
            self.close_stream();
            self.connect_reason = ConnectReason::Token;
            self.error = Some(error);
            self.state = State::Authorizing;
        } else {
            self.retry(error, wait);
        }
    }

    pub(super) fn retry(&mut self, error: Error, wait: u32) {
        self.close_stream();
        self.connect_reason = ConnectReason::Retry;
        self.error = Some(error);
        let due = self.retries.after_failure(self.now, wait);
        self.timers.set(Timer::Retry, due);
        self.state = State::Waiting;
    }

    fn give_up(&mut self, error: Error) {
        self.close_and_forget_retries();
        self.error = Some(error.last());
        self.failed_at = self.now;
        self.state = State::Failed;
    }

    /// Ends the stream in hand and the question that may be open; what is held stays held.
    pub(super) fn close_stream(&mut self) {
        if let State::Connecting(ticket) | State::Live(ticket) = self.state {
            self.emit(Output::Close(ticket));
        }
        if let TokenState::Asked(ticket, reason) = self.token {
            self.emit(Output::CancelToken(ticket));
            self.token = TokenState::Absent(reason);
        }
        self.close_draining();
        self.timers.clear_all();
        self.probed = false;
    }

    /// Closes the stream whose server sent bye.
    pub(super) fn close_draining(&mut self) {
        if let Some(ticket) = self.draining.take() {
            self.emit(Output::Close(ticket));
        }
    }

    /// [`close_stream`](Self::close_stream), for an end that is not a failure.
    pub(super) fn close_and_forget_retries(&mut self) {
        self.close_stream();
        self.retries.forget_native();
    }

    /// Sets the timer that ends a silent stream, from its last sign of life on.
    fn watch(&mut self) {
        let due = self.stream.watchdog.next_look(self.now);
        self.timers.set(Timer::Silence, due);
    }
}
