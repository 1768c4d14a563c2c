//! How many clients may see something: counted as they connect, disconnect and change, instead of
//! by asking all.

use std::sync::Arc;

use super::{clients::Clients, route::Route, subscription::Subscription};

/// What is counted, by number.
#[derive(Debug, Default)]
pub(super) struct Watched(Vec<(Arc<Route>, usize)>);

impl Watched {
    /// Counts the clients that may see updates of this route. Returns the number to ask with.
    pub(super) fn watch(&mut self, route: Arc<Route>, clients: &Clients) -> usize {
        let count = clients.iter().filter(|client| client.subscription().may_see(&route)).count();
        self.0.push((route, count));
        self.0.len() - 1
    }

    /// Returns a count; 0 for a number that was not given out.
    pub(super) fn count(&self, number: usize) -> usize {
        self.0.get(number).map_or(0, |(_, count)| *count)
    }

    pub(super) fn add(&mut self, client: &Subscription) {
        self.0.iter_mut().filter(|(route, _)| client.may_see(route)).for_each(|(_, count)| *count += 1);
    }

    /// Removes a client, with the rights with which it was added.
    pub(super) fn remove(&mut self, client: &Subscription) {
        self.0.iter_mut().filter(|(route, _)| client.may_see(route)).for_each(|(_, count)| *count -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::{Hub, HubConfig};
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
                let views = open.iter().filter_map(|id| hub.view(*id));
                let asked = views.filter(|view| {
                    let types = view.types.is_none_or(|types| types.iter().any(|pattern| pattern.matches(kind)));
                    types && topic.admits(view.identity)
                });
                let asked = asked.count();
                assert_eq!(hub.watchers(*number), asked);
            }
        }
        open.into_iter().for_each(|id| hub.disconnect(id));
        assert_eq!(numbers.map(|number| hub.watchers(number)), [0; 3]);
    }
}
