//! Which of several nodes polls: the one that holds the lease. Pure: answers and the time come in.
//!
//! *Invariant:* a holder counts from before it asked, the keeper of the lease from after it was
//! asked, and the holder ends a tenth earlier. So its holder has stopped before it can be
//! another's, however long the answer took and whatever became of the network.
//!
//! ```
//! use tinysse::proto::time::Time;
//! use tinysse_hub::poll::lease::{Lease, Reply, Step};
//!
//! let mut lease = Lease::new(5_000);
//! assert_eq!(lease.next(Time(0), false), Step::Wait(None)); // nobody wants to know anything
//! assert_eq!(lease.next(Time(0), true), Step::Take);
//! lease.on_reply(Time(0), Time(40), Reply::Ours);
//! assert_eq!(lease.until(), Some(Time(4_500)));
//! assert_eq!(lease.next(Time(40), true), Step::Wait(Some(Time(1_666))));
//! assert_eq!(lease.next(Time(1_666), true), Step::Take); // again, in good time
//! assert_eq!(lease.next(Time(1_700), false), Step::GiveBack);
//! ```

use tinysse::proto::time::Time;

/// A lease that is taken for a time, and taken again before it ends.
#[derive(Clone, Debug)]
pub struct Lease {
    ttl_ms: u64,
    /// Until when it is ours.
    until: Option<Time>,
    /// When to ask for it, or to ask again.
    ask_at: Time,
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask for it; it may be ours already.
    Take,
    /// Release it.
    GiveBack,
    /// Nothing, until this time or until something else changes.
    Wait(Option<Time>),
}

/// What its keeper published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It is ours for its whole time, counted from when it was asked for.
    Ours,
    /// It is another's for this number of milliseconds.
    Anothers(u64),
    /// There was no answer, so it may be ours or not.
    None,
}

impl Lease {
    /// A lease of this many milliseconds, which this node does not hold yet.
    #[must_use]
    pub fn new(ttl_ms: u64) -> Self {
        Self { ttl_ms, until: None, ask_at: Time(0) }
    }

    /// What to do, if it is `wanted` or not.
    pub fn next(&mut self, now: Time, wanted: bool) -> Step {
        if self.until.is_some_and(|until| until <= now) {
            self.until = None;
        }
        match (wanted, self.until) {
            (true, _) if self.ask_at <= now => Step::Take,
            (true, None) => Step::Wait(Some(self.ask_at)),
            (true, Some(until)) => Step::Wait(Some(self.ask_at.min(until))),
            (false, Some(_)) => Step::GiveBack,
            (false, None) => Step::Wait(None),
        }
    }

    /// Takes the answer to a question that was asked at `asked`.
    pub fn on_reply(&mut self, asked: Time, now: Time, reply: Reply) {
        let third = self.ttl_ms / 3;
        match reply {
            Reply::Ours => {
                self.until = Some(asked.plus(self.ttl_ms - self.ttl_ms / 10));
                self.ask_at = asked.plus(third);
            }
            Reply::Anothers(left_ms) => {
                self.until = None;
                // As soon as it ends, or a little later than it may be given back.
                self.ask_at = now.plus(left_ms.saturating_add(1).min(third));
            }
            // What is ours stays ours to its end, and no longer.
            Reply::None => self.ask_at = now.plus(third / 4),
        }
    }

    /// It was given back, or is to be taken for lost.
    pub fn lose(&mut self, now: Time) {
        (self.until, self.ask_at) = (None, now);
    }

    /// Until when this node holds it, if it did at the last answer.
    #[must_use]
    pub fn until(&self) -> Option<Time> {
        self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tinysse::proto::rng::Rng;

    #[test]
    fn without_an_answer_it_ends_in_time_and_is_asked_for_again() {
        let mut lease = Lease::new(3_000);
        lease.on_reply(Time(0), Time(10), Reply::Ours);
        lease.on_reply(Time(1_000), Time(2_400), Reply::None);
        assert_eq!((lease.until(), lease.next(Time(2_400), true)), (Some(Time(2_700)), Step::Wait(Some(Time(2_650)))));
        assert_eq!(lease.next(Time(2_700), true), Step::Take);
        assert_eq!(lease.until(), None);
        lease.on_reply(Time(2_700), Time(2_750), Reply::Anothers(2_900));
        assert_eq!(lease.next(Time(2_750), true), Step::Wait(Some(Time(3_750))));
        lease.on_reply(Time(3_750), Time(3_760), Reply::Anothers(5));
        assert_eq!(lease.next(Time(3_760), true), Step::Wait(Some(Time(3_766))));
        assert_eq!(lease.next(Time(3_760), false), Step::Wait(None));
    }

    /// The keeper, as Redis does it.
    #[derive(Default)]
    struct Keeper(Option<(usize, u64)>);

    impl Keeper {
        fn take(&mut self, who: usize, now: u64, ttl: u64) -> Reply {
            match self.0.filter(|(_, ends)| *ends > now) {
                Some((holder, ends)) if holder != who => Reply::Anothers(ends - now),
                Some(_) | None => {
                    self.0 = Some((who, now + ttl));
                    Reply::Ours
                }
            }
        }
    }

    /// On its way to the keeper and back.
    #[derive(Clone)]
    struct Question {
        asked: u64,
        arrives: u64,
        answered: u64,
        reply: Reply,
    }

    /// Nodes that ask over a network which delays and loses questions and answers, and that die:
    /// never two believe to hold it, and when one is gone another has it within the lease's time
    /// and one journey.
    #[test]
    fn never_two_and_never_long_none() {
        const TTL: u64 = 3_000;
        const SLOW: u64 = 400;
        for seed in 0..300 {
            let (mut rng, mut keeper) = (Rng::new(seed), Keeper::default());
            let mut nodes: Vec<_> = (0..3).map(|_| Lease::new(TTL)).collect();
            let mut under_way: Vec<Option<Question>> = vec![None; 3];
            let (mut alive, mut free_since) = ([true; 3], Some(0));
            for now in 0..30_000 {
                for who in 0..3 {
                    if !alive[who] {
                        continue;
                    }
                    if let Some(question) = &mut under_way[who] {
                        if question.arrives == now {
                            question.reply = keeper.take(who, now, TTL);
                        }
                        if question.answered == now {
                            let reply = if rng.below(20) == 0 { Reply::None } else { question.reply };
                            nodes[who].on_reply(Time(question.asked), Time(now), reply);
                            under_way[who] = None;
                        }
                    } else if nodes[who].next(Time(now), true) == Step::Take {
                        let arrives = now + 1 + rng.below(SLOW / 2);
                        let answered = arrives + 1 + rng.below(SLOW / 2);
                        under_way[who] = Some(Question { asked: now, arrives, answered, reply: Reply::None });
                    }
                }
                let holds = |who: &usize| alive[*who] && nodes[*who].until().is_some_and(|until| until > Time(now));
                let holders: Vec<_> = (0..3).filter(holds).collect();
                assert!(holders.len() <= 1, "seed {seed}, {now}: {holders:?}");
                match (holders.first(), free_since) {
                    (Some(holder), _) => {
                        free_since = None;
                        // Two of the three die, each while it holds it.
                        if rng.below(4_000) == 0 && alive.iter().filter(|alive| **alive).count() > 1 {
                            alive[*holder] = false;
                        }
                    }
                    (None, None) => free_since = Some(now),
                    (None, Some(since)) => {
                        assert!(now - since <= TTL + 2 * SLOW + TTL / 3, "seed {seed}: nobody since {since}");
                    }
                }
            }
        }
    }
}
