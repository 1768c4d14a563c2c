//! From an audience to the clients in it, without asking every client.

use std::collections::{BTreeMap, BTreeSet};

use tinysse::proto::audience::{Audience, Identity};

use super::{
    clients::ClientId,
    patterns::{Patterns, is_pattern},
};

type Group = BTreeMap<String, BTreeSet<ClientId>>;

#[derive(Debug, Default)]
pub(super) struct Routing {
    all: BTreeSet<ClientId>,
    users: Group,
    roles: Group,
    channels: Group,
    patterns: Patterns,
}

impl Routing {
    pub(super) fn insert(&mut self, id: ClientId, identity: &Identity) {
        self.all.insert(id);
        join(&mut self.users, &identity.user, id);
        join(&mut self.roles, &identity.role, id);
        for channel in &identity.channels {
            if is_pattern(channel) {
                self.patterns.insert(channel, id);
            } else {
                join(&mut self.channels, channel, id);
            }
        }
    }

    pub(super) fn remove(&mut self, id: ClientId, identity: &Identity) {
        self.all.remove(&id);
        leave(&mut self.users, &identity.user, id);
        leave(&mut self.roles, &identity.role, id);
        for channel in &identity.channels {
            if is_pattern(channel) {
                self.patterns.remove(channel, id);
            } else {
                leave(&mut self.channels, channel, id);
            }
        }
    }

    /// The clients that at least one of the audiences admits, each once, oldest first. No audience
    /// means everybody.
    pub(super) fn reach(&self, to: &[Audience]) -> Vec<ClientId> {
        let groups = to.iter().map(|audience| match audience {
            Audience::All => Some(&self.all),
            Audience::User(user) => self.users.get(user),
            Audience::Role(role) => self.roles.get(role),
            Audience::Channel(channel) => self.channels.get(channel),
        });
        let mut covered = BTreeSet::new();
        if !self.patterns.is_empty() {
            for channel in to.iter().filter_map(channel) {
                self.patterns.reach(channel, &mut covered);
            }
        }
        match to {
            [..] if !covered.is_empty() => {
                covered.extend(groups.flatten().flatten());
                covered.into_iter().collect()
            }
            [] => self.all.iter().copied().collect(),
            [_] => groups.flatten().flatten().copied().collect(),
            [..] => groups.flatten().flatten().copied().collect::<BTreeSet<_>>().into_iter().collect(),
        }
    }
}

fn channel(audience: &Audience) -> Option<&str> {
    match audience {
        Audience::Channel(channel) => Some(channel),
        Audience::All | Audience::User(_) | Audience::Role(_) => None,
    }
}

fn join(group: &mut Group, name: &str, id: ClientId) {
    match group.get_mut(name) {
        Some(members) => members.insert(id),
        None => group.entry(name.to_owned()).or_default().insert(id),
    };
}

fn leave(group: &mut Group, name: &str, id: ClientId) {
    if let Some(members) = group.get_mut(name) {
        members.remove(&id);
        if members.is_empty() {
            group.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::{client::Client, clients::Clients};

    #[test]
    fn each_member_once_and_no_memory_left_behind() {
        let (mut routing, mut clients) = (Routing::default(), Clients::default());
        let mut join = |user: &str, role: &str, channels: &[&str]| {
            let identity = Identity {
                user: user.into(),
                role: role.into(),
                channels: channels.iter().map(ToString::to_string).collect(),
            };
            let id = clients.insert(Client::of(identity.clone()));
            routing.insert(id, &identity);
            (id, identity)
        };
        let (ada, ada_is) = join("ada", "admin", &["ops", "ops", "dev"]);
        let (bob, bob_is) = join("bob", "", &["ops"]);
        let reach = |routing: &Routing, to: &[&str]| {
            routing.reach(&to.iter().map(|text| text.parse().expect("an audience")).collect::<Vec<_>>())
        };
        assert_eq!(reach(&routing, &[]), [ada, bob]);
        assert_eq!(reach(&routing, &["channel:ops", "user:ada", "role:admin"]), [ada, bob]);
        assert_eq!(reach(&routing, &["role:admin"]), [ada]);
        assert_eq!(reach(&routing, &["user:eve"]), []);
        routing.remove(ada, &ada_is);
        routing.remove(bob, &bob_is);
        assert!(routing.all.is_empty() && routing.users.is_empty());
        assert!(routing.roles.is_empty() && routing.channels.is_empty());
    }
}
