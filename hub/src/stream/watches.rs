//! Whether a client may see something, as that changes: for work that is done for those who look.

use tokio::sync::watch;

use crate::hub::Hub;

/// The observers, by the hub's number for what they observe.
#[derive(Debug, Default)]
pub(super) struct Watches(Vec<watch::Sender<bool>>);

impl Watches {
    /// Adds an observer of the hub's next number.
    pub(super) fn add(&mut self, seen: bool) -> watch::Receiver<bool> {
        let (sender, receiver) = watch::channel(seen);
        self.0.push(sender);
        receiver
    }

    /// Notifies the observers, after a client connected, disconnected, or got other rights.
    pub(super) fn notify(&self, hub: &Hub) {
        for (number, watch) in self.0.iter().enumerate() {
            let now = hub.watchers(number) > 0;
            watch.send_if_modified(|seen| std::mem::replace(seen, now) != now);
        }
    }
}
