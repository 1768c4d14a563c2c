//! The truth: what was published to whom, and what each client received.

use tinysse::proto::{
    session::io::{Phase, Update},
    time::Time,
    wire::{control::Gap, id::EventId},
};

use super::World;

/// No client may try to connect more often than this in any 15 seconds, whatever the server does.
const MOST_CONNECTS: usize = 20;
const WINDOW: u64 = 15_000;

#[derive(Debug)]
struct Published {
    at: Time,
    /// By peer: may its user see it, and who is that user.
    sees: Vec<bool>,
    users: Vec<usize>,
}

#[derive(Debug)]
struct Resync {
    at: Time,
    gap: Gap,
    /// The number of updates that were delivered before.
    behind: usize,
}

#[derive(Debug, Default)]
struct Witness {
    delivered: Vec<u64>,
    resyncs: Vec<Resync>,
    connects: Vec<Time>,
    /// What the user or the page did: each allows two connects more.
    forgiven: Vec<Time>,
    /// The last request carried an older cursor than the client's: the hub may be wrong about it.
    misquoted: bool,
    /// The stream opened while an older one still brought updates.
    overlapped: bool,
    /// A cursor was given out: the client is not new any more.
    greeted: bool,
    epoch: u64,
    /// Where the client was when it last received a resync.
    told: String,
}

#[derive(Debug)]
pub(super) struct Judge {
    published: Vec<Published>,
    witnesses: Vec<Witness>,
    pub(super) lie: Option<String>,
}

impl Judge {
    pub(super) fn new(peers: usize) -> Self {
        Self { published: vec![], witnesses: (0..peers).map(|_| Witness::default()).collect(), lie: None }
    }

    pub(super) fn lie(&mut self, what: String) {
        self.lie.get_or_insert(what);
    }

    pub(super) fn published(&mut self, at: Time, number: u64, sees: Vec<bool>, users: Vec<usize>) {
        assert_eq!(self.published.len() as u64 + 1, number);
        self.published.push(Published { at, sees, users });
    }

    /// Once, in order, and only to whom it is for.
    pub(super) fn delivered(&mut self, peer: usize, user: usize, update: &Update) {
        let number = update.frame.data.strip_prefix("{\"data\":").and_then(|rest| rest.strip_suffix('}'));
        let Some(number) = number.and_then(|text| text.parse::<u64>().ok()) else {
            return self.lie(format!("peer{peer} was given {:?}", update.frame));
        };
        let last = self.witnesses[peer].delivered.last().copied().unwrap_or(0);
        if number == last {
            self.lie(format!("peer{peer} was given {number} twice"));
        } else if number < last {
            self.lie(format!("peer{peer} was given {number} after {last}"));
        } else if !self.published[number as usize - 1].sees[peer] {
            self.lie(format!("peer{peer} was given {number}, which it must not see"));
        } else if self.published[number as usize - 1].users[peer] != user {
            self.lie(format!("peer{peer} was given {number}, which was for the user before"));
        }
        self.witnesses[peer].delivered.push(number);
    }

    /// A resync makes a client fetch everything: it must have a reason. Some reasons show at once,
    /// others in the end.
    pub(super) fn resync(&mut self, now: Time, peer: usize, gap: Gap, cursor: &str) {
        // The epoch of the sender, not the one that runs now: what it sent may arrive after its
        // end.
        let epoch = EventId::parse(cursor).map_or(0, |id| id.epoch.0);
        let witness = &mut self.witnesses[peer];
        let needed = witness.misquoted
            || match gap {
                // Twice, if the first stream opened and died before its hello came: the client
                // could not know whom it spoke to.
                Gap::First => !witness.greeted,
                Gap::Epoch => witness.epoch < epoch,
                Gap::Trimmed | Gap::Overflow => true,
                Gap::None | Gap::Unknown | Gap::Rights => false,
            };
        witness.epoch = epoch;
        witness.greeted |= !cursor.is_empty();
        // What the hub cannot replay, the older stream may have brought; whether the last of it was
        // for this client, it cannot know. And both may report one loss: the same place can also be
        // that from which a slow reader's updates are left out.
        let twice = gap == Gap::Overflow && witness.told == cursor;
        witness.told = cursor.to_owned();
        let forgiven = witness.misquoted || witness.overlapped && (gap == Gap::Trimmed || twice);
        let gap = if forgiven { Gap::First } else { gap };
        witness.resyncs.push(Resync { at: now, gap, behind: witness.delivered.len() });
        if !needed {
            self.lie(format!("peer{peer} was asked to resync ({gap:?}) for nothing"));
        }
    }

    pub(super) fn connects(&mut self, now: Time, peer: usize, misquoted: bool) {
        let witness = &mut self.witnesses[peer];
        witness.misquoted = misquoted;
        witness.connects.push(now);
        let recent = |times: &[Time]| times.iter().rev().take_while(|at| now.since(**at) < WINDOW).count();
        let (connects, forgiven) = (recent(&witness.connects), recent(&witness.forgiven));
        if connects > MOST_CONNECTS + 2 * forgiven {
            self.lie(format!("peer{peer} connects {connects} times in 15 s, {forgiven} of them asked for"));
        }
    }

    /// A second request for a stream that was refused, or that is silent.
    pub(super) fn connects_again(&mut self, now: Time, peer: usize) {
        let misquoted = self.witnesses[peer].misquoted;
        self.connects(now, peer, misquoted);
    }

    /// Another user is new to the hub.
    pub(super) fn another_user(&mut self, peer: usize) {
        self.witnesses[peer].greeted = false;
    }

    pub(super) fn opens(&mut self, peer: usize, overlapped: bool) {
        self.witnesses[peer].overlapped = overlapped;
    }

    /// Gaps that a peer was notified of, and its connects.
    pub(super) fn told(&self, peer: usize) -> (usize, usize) {
        (self.witnesses[peer].resyncs.len(), self.witnesses[peer].connects.len())
    }

    pub(super) fn forgive(&mut self, now: Time, peer: usize) {
        self.witnesses[peer].forgiven.push(now);
    }

    /// Every trimmed log that was announced must have cost the client an update: between the
    /// updates that were delivered before and after, there are as many that were not.
    fn needless(&self, peer: usize) -> Result<(), String> {
        let Witness { delivered, resyncs, .. } = &self.witnesses[peer];
        let trimmed = |resync: &&Resync| matches!(resync.gap, Gap::Trimmed | Gap::Overflow);
        for resync in resyncs.iter().filter(trimmed) {
            let place = |index: Option<usize>| index.and_then(|index| delivered.get(index).copied());
            let from = place(resync.behind.checked_sub(1)).unwrap_or(0);
            let to = place(Some(resync.behind)).unwrap_or(u64::MAX);
            let told = resyncs.iter().filter(trimmed).filter(|other| other.behind == resync.behind).count();
            let lost = self.missing(peer).filter(|(number, _)| (from..to).contains(number)).count();
            if lost < told {
                return Err(format!(
                    "peer{peer} was asked {told} times to resync, at {} ms, for {lost} updates",
                    resync.at.0
                ));
            }
        }
        Ok(())
    }

    /// What a client may see and was not given.
    fn missing(&self, peer: usize) -> impl Iterator<Item = (u64, &Published)> {
        let delivered = &self.witnesses[peer].delivered;
        (1_u64..)
            .zip(&self.published)
            .filter(move |(number, published)| published.sees[peer] && delivered.binary_search(number).is_err())
    }
}

impl World {
    /// After a long calm: everybody is connected, and nothing was lost in silence.
    pub(super) fn verdict(&self) -> Result<(), String> {
        for (index, peer) in self.peers.iter().enumerate() {
            let phase = peer.core.session().status().phase;
            if phase != Phase::Open {
                return Err(format!("in the end peer{index} is {phase:?}"));
            }
            let witness = &self.judge.witnesses[index];
            let last = witness.resyncs.last().map(|resync| resync.at);
            let lost = self.judge.missing(index).find(|(_, published)| last.is_none_or(|last| last < published.at));
            if let Some((_, lost)) = lost {
                return Err(format!("peer{index} never received the update of {} ms", lost.at.0));
            }
            self.judge.needless(index)?;
        }
        Ok(())
    }
}
