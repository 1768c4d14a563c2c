//! What goes wrong, how often, and how it ends.

use tinysse::proto::{
    rng::Rng,
    session::io::{Input, Pause},
    wire::control::Reason,
};

use super::{Event, World, identity, pick};

/// The weather of one run; chances in percent.
#[derive(Debug)]
pub(super) struct Climate {
    pub(super) publish_every: u64,
    pub(super) bad_tokens: u64,
    pub(super) shortest_token: u64,
    pub(super) no_network: u64,
    pub(super) busy: u64,
    pub(super) accept_and_close: u64,
    /// The header of a native retry gets lost on the way.
    pub(super) headless: u64,
    pub(super) outage: u64,
    /// Milliseconds between faults, on average.
    fault_every: u64,
}

impl Climate {
    pub(super) fn new(rng: &mut Rng) -> Self {
        Self {
            publish_every: pick(rng, &[40, 400, 4_000, 20_000]),
            bad_tokens: pick(rng, &[0, 10, 60]),
            shortest_token: pick(rng, &[0, 5_000, 60_000]),
            no_network: pick(rng, &[0, 5, 40]),
            busy: pick(rng, &[0, 5, 50]),
            accept_and_close: pick(rng, &[0, 0, 10, 90]),
            headless: pick(rng, &[0, 0, 30]),
            outage: 0,
            fault_every: pick(rng, &[300, 2_000, 8_000, 60_000]),
        }
    }
}

/// What ends by itself, or by the user's hand.
#[derive(Clone, Copy, Debug)]
pub(super) enum Trouble {
    Pause(Pause),
    /// The client gave up.
    Failed,
    /// The user stopped it.
    Stopped,
    /// The user logged out.
    SignedOut,
}

impl World {
    pub(super) fn fault(&mut self) {
        if self.now.0 >= self.calm {
            return;
        }
        let pause = 1 + self.rng.below(2 * self.climate.fault_every);
        self.after(pause, Event::Fault);
        let peer = self.rng.below(self.peers.len() as u64) as usize;
        let open = self.links.open();
        let link = (!open.is_empty()).then(|| pick(&mut self.rng, &open));
        let kind = self.rng.below(18);
        let long = self.rng.below(9_000);
        self.note(peer, || format!("fault {kind} ({long} ms, {link:?})"));
        match (kind, link) {
            (0..=4, Some(link)) => {
                self.links.0[link.0].cut = true;
                self.after(long / 100, Event::End { link });
            }
            (5, Some(link)) => self.links.0[link.0].stalled = true,
            (6 | 7, Some(link)) => self.links.0[link.0].slow_until = self.now.0 + 2 * long,
            (8 | 9, Some(link)) => {
                let reasons = [Reason::Drain, Reason::Rotate, Reason::Token, Reason::Revoked, Reason::Slow];
                let reason = pick(&mut self.rng, &reasons);
                let client = self.links.0[link.0].client;
                if let (Some(hub), Some(client)) = (&mut self.hub, client) {
                    hub.bye(client, reason, (long / 4) as u32, Some(self.config.retry_ms));
                    self.after(0, Event::Serve { link });
                }
            }
            (10, _) => self.crash(long / 2),
            (11, _) => self.climate.outage = self.now.0 + long,
            (12, _) => {
                let why = pick(&mut self.rng, &[Pause::User, Pause::Offline, Pause::Page]);
                self.judge.forgive(self.now, peer);
                self.after(long, Event::Recover { peer, what: Trouble::Pause(why) });
                self.feed(peer, Input::Pause(why));
            }
            (13, _) => {
                self.judge.forgive(self.now, peer);
                self.feed(peer, Input::Wake);
            }
            (14, _) => {
                self.judge.forgive(self.now, peer);
                self.feed(peer, Input::Reconnect);
            }
            (15, _) => {
                self.judge.forgive(self.now, peer);
                self.after(long, Event::Recover { peer, what: Trouble::Stopped });
                self.feed(peer, Input::Stop);
            }
            (16, _) => self.log_in(peer),
            (17, _) => {
                self.judge.forgive(self.now, peer);
                self.judge.another_user(peer);
                self.after(long, Event::Recover { peer, what: Trouble::SignedOut });
                let out =
                    if self.peers[peer].named && long.is_multiple_of(2) { Input::User(None) } else { Input::Forget };
                self.feed(peer, out);
            }
            _ => {}
        }
    }

    /// Another user takes the place of the one before. The application reports it, or ends what it
    /// has.
    fn log_in(&mut self, peer: usize) {
        self.judge.forgive(self.now, peer);
        self.judge.another_user(peer);
        self.peers[peer].who = self.rng.below(3) as usize;
        if self.peers[peer].named {
            let user = identity(self.peers[peer].who).user;
            self.feed(peer, Input::User(Some(user)));
        } else {
            self.feed(peer, Input::Forget);
            self.feed(peer, Input::Reconnect);
        }
    }

    /// The hub is killed; its log is gone, and all connections with it.
    fn crash(&mut self, for_ms: u64) {
        if self.hub.take().is_none() {
            return;
        }
        self.note(usize::MAX, || "hub   is killed".into());
        for link in self.links.open() {
            self.links.0[link.0].client = None;
            self.links.0[link.0].cut = true;
            let soon = self.rng.below(50);
            self.after(soon, Event::End { link });
        }
        self.after(for_ms, Event::Restart);
    }

    pub(super) fn recover(&mut self, peer: usize, what: Trouble) {
        self.judge.forgive(self.now, peer);
        match what {
            Trouble::Pause(why) => self.feed(peer, Input::Resume(why)),
            Trouble::Failed | Trouble::Stopped => self.feed(peer, Input::Start),
            Trouble::SignedOut => self.log_in(peer),
        }
    }
}
