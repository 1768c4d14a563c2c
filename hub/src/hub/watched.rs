//! How many clients may see something: counted as they come and go, so that nobody need ask all of them.

use std::sync::Arc;

use tinysse::proto::audience::Audience;

use super::{Hub, clients::Client, trimmed::Route};

/// What is counted, by number.
#[derive(Debug, Default)]
pub(super) struct Watched(Vec<(Arc<Route>, usize)>);

impl Watched {
    pub(super) fn come(&mut self, client: &Client) {
        self.0.iter_mut().filter(|(topic, _)| client.may_see(topic)).for_each(|(_, count)| *count += 1);
    }

    /// The client must be as it was when it came.
    pub(super) fn leave(&mut self, client: &Client) {
        self.0.iter_mut().filter(|(topic, _)| client.may_see(topic)).for_each(|(_, count)| *count -= 1);
    }
}

impl Hub {
    /// From now on the clients are counted that would get an update of this type to these audiences. Answers the number to ask with.
    ///
    /// ```
    /// use tinysse::proto::{audience::Identity, time::Time, wire::id::Epoch};
    /// use tinysse_hub::hub::{Hub, HubConfig};
    /// let mut hub = Hub::new(Epoch(1), HubConfig::default());
    /// let weather = hub.watch("weather", vec!["user:ada".parse().unwrap()]);
    /// let ada = hub.connect(Time(0), Identity { user: "ada".into(), ..Identity::default() }, None, None);
    /// let _bob = hub.connect(Time(0), Identity { user: "bob".into(), ..Identity::default() }, None, None);
    /// assert_eq!(hub.watchers(weather), 1);
    /// hub.disconnect(ada);
    /// assert_eq!(hub.watchers(weather), 0);
    /// ```
    pub fn watch(&mut self, kind: impl Into<String>, to: Vec<Audience>) -> usize {
        let topic = Route::new(kind.into(), to);
        let count = self.clients.iter_mut().filter(|client| client.may_see(&topic)).count();
        self.watched.0.push((topic, count));
        self.watched.0.len() - 1
    }

    /// How many clients may see it; 0 for a number that was not given out.
    #[must_use]
    pub fn watchers(&self, number: usize) -> usize {
        self.watched.0.get(number).map_or(0, |(_, count)| *count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::HubConfig;
    use tinysse::proto::{audience::Identity, registry::Pattern, rng::Rng, time::Time, wire::id::Epoch};

    #[test]
    fn the_count_is_what_asking_everybody_would_say() {
        let mut rng = Rng::new(5);
        let mut hub = Hub::new(Epoch(1), HubConfig::default());
        let audience = |text: &str| vec![text.parse().expect("an audience")];
        let topics = [("a", vec![]), ("a", audience("role:x")), ("b.c", audience("channel:ops"))];
        let numbers = topics.clone().map(|(kind, to)| hub.watch(kind, to));
        let pick = |rng: &mut Rng| {
            let role = ["x", "y"][rng.below(2) as usize].to_owned();
            let channels = if rng.below(2) == 0 { vec!["ops".to_owned()] } else { vec!["o>".to_owned()] };
            let types = [None, Pattern::parse("b.*").map(|one| vec![one]), Some(vec![])][rng.below(3) as usize].clone();
            (Identity { user: "u".into(), role, channels }, types)
        };
        let mut open = Vec::new();
        for _ in 0..2_000 {
            let (identity, types) = pick(&mut rng);
            match rng.below(3) {
                0 => open.push(hub.connect(Time(0), identity, None, types)),
                1 if !open.is_empty() => {
                    let at = rng.below(open.len() as u64) as usize;
                    hub.disconnect(open.swap_remove(at));
                }
                _ if !open.is_empty() => {
                    let at = rng.below(open.len() as u64) as usize;
                    hub.rights(open[at], identity, types);
                }
                _ => {}
            }
            for (number, (kind, to)) in numbers.iter().zip(&topics) {
                let topic = Route::new((*kind).to_owned(), to.clone());
                let asked = hub.clients.iter_mut().filter(|client| client.may_see(&topic)).count();
                assert_eq!(hub.watchers(*number), asked);
            }
        }
        open.into_iter().for_each(|id| hub.disconnect(id));
        assert_eq!(numbers.map(|number| hub.watchers(number)), [0; 3]);
    }
}
