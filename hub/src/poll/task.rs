//! One poller at work: asks when it may, publishes what changed, and keeps the lease while a client
//! looks.

use std::{
    future::pending,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tinysse::proto::{
    audience::{Audience, Identity},
    time::Time,
};
use tokio::{sync::watch, time::timeout};

use super::{
    PollContext, Target,
    ask::Ask,
    cluster::{Cluster, Unwritten},
    compare::Compare,
    lease::{Lease, Reply, Step},
    poller::{Answer, Outcome, Poller, Rules, View, Want},
};
use crate::{clock::random_u64, hub::Update, redis::Link, values::Span};

/// How long a reader of a value waits for Redis; what this node has received is there at once.
const LOOK: Duration = Duration::from_millis(500);

/// One address that is polled.
#[derive(Debug)]
pub struct Poll {
    kind: String,
    to: Vec<Audience>,
    ask: Ask,
    /// How the value that updates carry is found in an answer, if they carry one.
    sends: Option<Compare>,
    state: Mutex<Poller>,
    /// Whether anybody may see it.
    watched: watch::Receiver<bool>,
    /// Until when this node polls; `None` if another one does.
    ours: watch::Sender<Option<Time>>,
    cluster: Option<Cluster>,
    around: PollContext,
}

impl Poll {
    pub(super) fn new(poll: &Target, lease: Span, around: PollContext, link: Option<&Link>) -> Self {
        let rules =
            Rules { every_ms: poll.every.ms(), max_stale_ms: poll.max_stale.ms(), compare: poll.compare.clone() };
        // A tenth is for the next one to notice, so that it polls within the time that was
        // promised.
        let ttl = Span::of_ms(lease.ms() - lease.ms() / 10);
        let cluster = link.map(|link| Cluster::new(link.clone(), &poll.kind, ttl));
        Self {
            kind: poll.kind.clone(),
            to: poll.audience.clone(),
            ask: Ask::new(poll.clone()),
            sends: poll.send_value.then(|| poll.compare.clone()),
            state: Mutex::new(Poller::new(rules, random_u64())),
            watched: around.streams.watch(&poll.kind, poll.audience.clone()),
            // Alone, it is ours for ever.
            ours: watch::Sender::new(if cluster.is_some() { None } else { Some(Time(u64::MAX)) }),
            cluster,
            around,
        }
    }

    /// The type that it publishes.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Whether a connected client may see it.
    #[must_use]
    pub fn admits(&self, identity: &Identity) -> bool {
        self.to.is_empty() || self.to.iter().any(|audience| audience.admits(identity))
    }

    /// Whether this node polls now.
    #[must_use]
    pub fn works(&self) -> bool {
        *self.watched.borrow() && self.is_ours()
    }

    /// What this node knows.
    #[must_use]
    pub fn view(&self) -> View {
        self.state().view(self.now())
    }

    /// What there is to show: in a cluster, what the node that polls found out. If Redis is away,
    /// the last that was received.
    pub async fn look(&self) -> View {
        if !self.is_ours() {
            // Cut short, it changes nothing: what was received before is shown.
            let _ = timeout(LOOK, self.learn()).await;
        }
        self.view()
    }

    /// Works, for ever.
    pub(super) async fn run(&self) {
        match &self.cluster {
            None => self.poll().await,
            Some(cluster) => {
                tokio::join!(self.poll(), self.keep(cluster));
            }
        }
    }

    /// Asks whenever it is time, a client looks, and no other node does it.
    async fn poll(&self) {
        let (mut watched, mut ours) = (self.watched.clone(), self.ours.subscribe());
        loop {
            let (seen, until, now) = (*watched.borrow_and_update(), *ours.borrow_and_update(), self.now());
            let until = until.filter(|until| seen && *until > now);
            let want = until.map(|_| self.state().wants(now));
            let wake = match want {
                Some(Want::Ask) => {
                    self.inquire(&mut ours).await;
                    continue;
                }
                Some(Want::Tell) => {
                    self.tell().await;
                    continue;
                }
                Some(Want::Wait(at)) => until.map(|until| until.min(at)),
                None => None,
            };
            tokio::select! {
                () = self.sleep(wake) => {}
                _ = watched.changed() => {}
                _ = ours.changed() => {}
            }
        }
    }

    async fn inquire(&self, ours: &mut watch::Receiver<Option<Time>>) {
        let known = self.state().known().cloned();
        tokio::select! {
            answer = self.ask.ask(known.as_ref()) => {
                self.take(answer);
                self.share().await;
            }
            // The other server's answer is now for the node that polls instead.
            () = self.lost(ours) => {}
        }
    }

    fn take(&self, answer: Answer) {
        let mut state = self.state();
        let outcome = state.on_answer(self.now(), answer);
        self.around.metrics.polled(&self.kind, outcome.as_str());
        if outcome == Outcome::Failed {
            let (kind, error) = (&self.kind, state.why());
            tracing::warn!(target: "tinysse::worker", r#type = kind, error, "poll failed; the last value goes on");
        }
    }

    /// Lets the other nodes know what was found out.
    async fn share(&self) {
        let Some(cluster) = &self.cluster else { return };
        let (known, owed, unsaved) = {
            let state = self.state();
            // A failure is no news of the value.
            let good = state.view(self.now()).failures == 0 || state.unsaved();
            let Some(known) = state.known().filter(|_| good).cloned() else { return };
            // What this node owes, the next holder of the lease owes in its place if it dies.
            let owed = state.owes() || self.around.updates.owed().owes(&self.kind, &self.to);
            (known, owed, state.unsaved())
        };
        let written = if unsaved { Ok(false) } else { cluster.confirm(&known, owed).await };
        let written = match written {
            Ok(false) => cluster.put(&known, owed).await.map(|version| self.state().saved(version)),
            Ok(true) => Ok(()),
            Err(error) => Err(error),
        };
        match written {
            Ok(()) => {}
            Err(Unwritten::Anothers) => self.set_ours(None),
            Err(Unwritten::Away(error)) => {
                tracing::warn!(target: "tinysse::worker", r#type = self.kind, error, "a polled value is not shared yet");
            }
        }
    }

    /// Publishes that the value is another one. What the log does not take, the service owes from
    /// then on.
    async fn tell(&self) {
        if self.state().unsaved() {
            self.share().await;
        }
        // Clients would look where the value is not stored yet.
        if self.cluster.is_some() && self.state().unsaved() {
            return self.state().not_told(self.now());
        }
        let update = Update { to: self.to.clone(), data: self.data(), ..Update::new(&*self.kind) };
        // The service logs why not.
        let published = self.around.updates.publish(update).await.is_ok();
        let known = {
            let mut state = self.state();
            state.told();
            state.known().cloned()
        };
        if let (Some(cluster), Some(known)) = (&self.cluster, known)
            && published
        {
            cluster.told(&known).await;
        }
    }

    /// What the update carries. Nothing if the value is stale: it would look like a new one.
    fn data(&self) -> Option<String> {
        let compare = self.sends.as_ref()?;
        let view = self.view();
        (!view.stale).then(|| compare.value(&view.text))
    }

    /// Keeps the lease while a client looks.
    async fn keep(&self, cluster: &Cluster) {
        let (mut watched, mut ours) = (self.watched.clone(), self.ours.subscribe());
        let mut lease = Lease::new(cluster.ttl().ms());
        loop {
            let seen = *watched.borrow_and_update();
            // Where a value was to be written, the lease was found to be another's.
            if ours.borrow_and_update().is_none() && lease.until().is_some() {
                lease.lose(self.now());
            }
            match lease.next(self.now(), seen) {
                Step::Take => {
                    let asked = self.now();
                    let reply = cluster.take().await;
                    lease.on_reply(asked, self.now(), reply);
                    if !self.is_ours() && reply != Reply::None {
                        // What the one before found out, before anything is asked; or, as a
                        // bystander, for the metrics.
                        self.learn().await;
                    }
                    self.set_ours(lease.until());
                }
                Step::GiveBack => {
                    self.set_ours(None);
                    lease.lose(self.now());
                    cluster.give_back().await;
                }
                Step::Wait(at) => tokio::select! {
                    () = self.sleep(at) => {}
                    _ = watched.changed() => {}
                    _ = ours.changed() => {}
                },
            }
        }
    }

    /// Takes over what is stored in Redis.
    async fn learn(&self) {
        let Some(cluster) = &self.cluster else { return };
        let ours = self.state().known().cloned();
        match cluster.read(self.around.clock, ours.as_ref()).await {
            // The node that polls knows best.
            Ok(Some((known, owed))) if !self.is_ours() => self.state().learn(self.now(), known, owed),
            Ok(Some(_)) => {}
            Ok(None) => {}
            Err(error) => {
                tracing::debug!(target: "tinysse::worker", r#type = self.kind, error, "what others polled is not known");
            }
        }
    }

    fn set_ours(&self, until: Option<Time>) {
        self.ours.send_if_modified(|ours| std::mem::replace(ours, until) != until);
    }

    fn is_ours(&self) -> bool {
        self.ours.borrow().is_some_and(|until| until > self.now())
    }

    /// Resolves when the lease is over.
    async fn lost(&self, ours: &mut watch::Receiver<Option<Time>>) {
        loop {
            let until = *ours.borrow_and_update();
            if until.is_none_or(|until| until <= self.now()) {
                return;
            }
            tokio::select! {
                () = self.sleep(until) => {}
                _ = ours.changed() => {}
            }
        }
    }

    async fn sleep(&self, until: Option<Time>) {
        // So far away that it need not be asked for.
        const EVER: Time = Time(u64::MAX);
        match until.filter(|until| *until != EVER) {
            Some(until) => self.around.clock.sleep_until(until).await,
            None => pending().await,
        }
    }

    fn now(&self) -> Time {
        self.around.clock.now()
    }

    fn state(&self) -> MutexGuard<'_, Poller> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
