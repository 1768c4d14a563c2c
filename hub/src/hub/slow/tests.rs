//! Tests of the rules for slow readers.

use tinysse::proto::{audience::Identity, time::Time, wire::id::Epoch};

use super::*;
use crate::hub::{ClientId, Hub, HubConfig, Update};

const LAG: usize = 3;

/// A hub with a rule for each type, and a client that received its hello.
fn hub() -> (Hub, ClientId) {
    let rule = |kind: &str, slow| (Pattern::parse(kind).expect("a pattern"), slow);
    let rules = vec![
        rule("latest", Slow::Coalesce),
        rule("refetch.*", Slow::Resync),
        rule("strict", Slow::Disconnect),
        rule("latest.*", Slow::Coalesce),
    ];
    let mut hub = Hub::new(Epoch(7), HubConfig::default()).slow(SlowRules { lag: LAG, rules });
    let ada = Identity { user: "ada".into(), ..Identity::default() };
    let id = hub.connect(Time(0), ada, None, None);
    assert!(hub.poll(Time(0), id, 1 << 20, &mut Vec::new()));
    (hub, id)
}

fn publish(hub: &mut Hub, update: Update) {
    hub.publish(Time(1), update).expect("published");
}

fn keyed(kind: &str, key: &str) -> Update {
    Update { key: Some(key.into()), ..Update::new(kind) }
}

/// What the client gets now: places of updates, and the types of a resync.
fn given(hub: &mut Hub, id: ClientId) -> Vec<String> {
    let mut out = Vec::new();
    while hub.poll(Time(1), id, 1, &mut out) {}
    let text = String::from_utf8(out).expect("utf-8");
    let frames = text.split("\n\n").filter(|frame| !frame.is_empty());
    let line = |frame: &str| {
        let field = |name: &str| frame.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned();
        if frame.contains("event: tinysse.resync") { field("data: ") } else { field("id: 7.") }
    };
    frames.map(line).collect()
}

#[test]
fn the_newest_of_each_key_tab_and_audience_is_left() {
    let (mut hub, id) = hub();
    publish(&mut hub, keyed("latest", "a"));
    hub.stalled(id);
    for key in ["b", "a", "b", "a"] {
        publish(&mut hub, keyed("latest", key));
    }
    publish(&mut hub, Update::new("latest")); // 6
    publish(&mut hub, Update { origin: Some("tab".into()), ..keyed("latest", "a") }); // 7
    publish(&mut hub, Update { to: vec!["user:ada".parse().expect("ada")], ..keyed("latest", "a") }); // 8
    publish(&mut hub, Update { except: Some("c1".into()), ..keyed("latest", "b") }); // 9: not for this client
    publish(&mut hub, Update::new("plain")); // 10
    assert!(!hub.stalled(id));
    assert_eq!(given(&mut hub, id), ["4", "5", "6", "7", "8", "10"]);
    assert_eq!(hub.counts().passed_over, 3);
    // The next ones are delivered as ever.
    publish(&mut hub, keyed("latest", "a"));
    publish(&mut hub, keyed("latest", "a"));
    assert_eq!(given(&mut hub, id), ["11", "12"]);
}

#[test]
fn what_is_refetched_is_named_before_anything_is_passed_over() {
    let (mut hub, id) = hub();
    hub.stalled(id);
    for kind in ["refetch.b", "plain", "refetch.a", "refetch.b", "plain"] {
        publish(&mut hub, Update::new(kind));
    }
    // The resync moves no cursor: cut off behind it, the client would be given all of it.
    assert_eq!(given(&mut hub, id), ["gap=overflow&types=refetch.a,refetch.b", "2", "5"]);
    publish(&mut hub, Update::new("refetch.a"));
    assert_eq!(given(&mut hub, id), ["6"]);
    // More than naming them is worth: refetching everything costs less.
    hub.stalled(id);
    for n in 0..20 {
        publish(&mut hub, Update::new(format!("refetch.{n}")));
    }
    assert_eq!(given(&mut hub, id), ["gap=overflow"]);
}

#[test]
fn only_who_stalls_and_lags_is_slow() {
    let (mut hub, id) = hub();
    // A burst that a healthy reader takes at once.
    for _ in 0..50 {
        publish(&mut hub, keyed("latest", "a"));
    }
    assert_eq!(given(&mut hub, id).len(), 50);
    // A hiccup: as much as may wait.
    hub.stalled(id);
    for _ in 0..LAG {
        publish(&mut hub, Update::new("strict"));
        assert!(!hub.stalled(id));
    }
    publish(&mut hub, Update { except: Some("c1".into()), ..Update::new("strict") });
    publish(&mut hub, Update { to: vec!["user:bob".parse().expect("bob")], ..Update::new("strict") });
    assert!(!hub.stalled(id), "what is for others does not wait for it");
    assert_eq!(given(&mut hub, id).len(), LAG);
    // What waited then is forgotten.
    hub.stalled(id);
    publish(&mut hub, Update::new("strict"));
    assert!(!hub.stalled(id));
    assert_eq!(given(&mut hub, id).len(), 1);
}

#[test]
fn whoever_lags_behind_a_strict_type_is_cut_off_whatever_else_waits() {
    let (mut hub, id) = hub();
    publish(&mut hub, Update::new("strict"));
    for n in 0..LAG {
        assert!(!hub.stalled(id), "{n}");
        publish(&mut hub, Update::new("plain"));
    }
    assert!(hub.stalled(id));
    // A reader that was not cut in time is given everything.
    assert_eq!(given(&mut hub, id).len(), 1 + LAG);
}

#[test]
fn a_replay_is_not_slow_and_nobody_is_before_the_hello() {
    let (mut hub, _) = hub();
    for _ in 0..10 {
        publish(&mut hub, Update::new("strict"));
    }
    let late = hub.connect(Time(1), Identity::default(), Some("7.2"), None);
    assert!(!hub.stalled(late));
    hub.poll(Time(1), late, 1, &mut Vec::new());
    for _ in 0..LAG {
        publish(&mut hub, Update::new("strict"));
        assert!(!hub.stalled(late));
    }
    publish(&mut hub, Update::new("strict"));
    assert!(hub.stalled(late), "what came since counts");
    assert_eq!(given(&mut hub, late).len(), 8 + LAG + 1);
}

#[test]
fn a_log_that_forgot_what_waits_says_so_once() {
    let rules = SlowRules { lag: LAG, rules: vec![(Pattern::Everything, Slow::Resync)] };
    let mut hub = Hub::new(Epoch(7), HubConfig { max_count: 4, ..HubConfig::default() }).slow(rules);
    let id = hub.connect(Time(0), Identity::default(), None, None);
    assert!(hub.poll(Time(0), id, 1 << 20, &mut Vec::new()));
    hub.stalled(id);
    for _ in 0..9 {
        publish(&mut hub, Update::new("a"));
        hub.stalled(id);
    }
    assert_eq!(given(&mut hub, id), ["gap=overflow"]);
    publish(&mut hub, Update::new("a"));
    assert_eq!(given(&mut hub, id), ["10"]);
}
