//! Whether anybody may see something, as it changes: for work that is done for those who look.

use tinysse::proto::audience::Audience;
use tokio::sync::watch;

use super::{scheduler_state::State, streams::Streams};

impl Streams {
    /// Whether a stream is open that would get an update of this type to these audiences (none for all), from now on.
    #[must_use]
    pub fn watch(&self, kind: &str, to: Vec<Audience>) -> watch::Receiver<bool> {
        let mut state = self.state();
        let number = state.hub.watch(kind, to);
        let (tell, told) = watch::channel(state.hub.watchers(number) > 0);
        state.watches.push(tell);
        told
    }
}

impl State {
    /// After a client came, went, or got other rights.
    pub(super) fn tell(&self) {
        for (number, watch) in self.watches.iter().enumerate() {
            let now = self.hub.watchers(number) > 0;
            watch.send_if_modified(|seen| std::mem::replace(seen, now) != now);
        }
    }
}
