//! Tests of the hub: replay, live delivery, gaps, ends.

use tinysse::proto::wire::control::Reason;

use super::*;

const EPOCH: Epoch = Epoch(7);

fn hub(config: HubConfig) -> Hub {
    Hub::new(EPOCH, config)
}

fn who(user: &str, role: &str, channels: &[&str]) -> Identity {
    Identity { user: user.into(), role: role.into(), channels: channels.iter().map(ToString::to_string).collect() }
}

fn to(kind: &str, audience: &str) -> Update {
    Update { to: vec![audience.parse().expect("an audience")], ..Update::new(kind) }
}

fn publish(hub: &mut Hub, now: u64, update: Update) -> Vec<ClientId> {
    hub.publish(Time(now), update).expect("published").1
}

/// The frames of everything that is due: `event id` each, the hello with its gap.
fn drain(hub: &mut Hub, now: u64, id: ClientId) -> Vec<String> {
    let mut out = Vec::new();
    while hub.poll(Time(now), id, 64 * 1024, &mut out) {}
    String::from_utf8(out).expect("utf-8").split_terminator("\n\n").map(shown).collect()
}

fn shown(frame: &str) -> String {
    let line = |name: &str| frame.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("-");
    let data = line("data: ");
    let detail =
        ["gap=", "reason="].into_iter().find_map(|name| data.split('&').find_map(|pair| pair.strip_prefix(name)));
    let detail = detail.map(|text| format!(" {text}")).unwrap_or_default();
    format!("{} {}{detail}", line("event: ").trim_start_matches("tinysse."), line("id: "))
}

#[test]
fn replay_and_live_are_one_walk() {
    let mut hub = hub(HubConfig::default());
    for now in 0..3 {
        publish(&mut hub, now, Update::new("a"));
    }
    let id = hub.connect(Time(5), who("ada", "", &[]), Some("7.1"), None);
    publish(&mut hub, 6, Update::new("b"));
    assert_eq!(drain(&mut hub, 6, id), ["hello 7.1 none", "a 7.2", "a 7.3", "b 7.4"]);
    publish(&mut hub, 7, Update::new("c"));
    assert_eq!(drain(&mut hub, 7, id), ["c 7.5"]);
    assert_eq!(drain(&mut hub, 7, id), [""; 0]);
}

#[test]
fn a_cursor_that_says_nothing_is_a_gap_and_goes_on_at_the_head() {
    let mut hub = hub(HubConfig { max_count: 2, ..HubConfig::default() });
    for now in 0..4 {
        publish(&mut hub, now, Update::new("a"));
    }
    for (cursor, gap) in [
        (None, "first"),
        (Some("8.4"), "epoch"),
        (Some("7.1"), "trimmed"),
        (Some("7.9"), "unknown"),
        (Some("garbage\n\n"), "unknown"),
    ] {
        let id = hub.connect(Time(5), who("ada", "", &[]), cursor, None);
        assert_eq!(drain(&mut hub, 5, id), [format!("hello 7.4 {gap}")]);
    }
    assert_eq!(hub.counts().resyncs, [(Gap::First, 1), (Gap::Epoch, 1), (Gap::Trimmed, 1), (Gap::Unknown, 2)]);
}

#[test]
fn only_the_audience_gets_it_live_and_on_replay() {
    let mut hub = hub(HubConfig::default());
    let ada = hub.connect(Time(0), who("ada", "admin", &["ops"]), None, None);
    let bob = hub.connect(Time(0), who("bob", "", &[]), None, None);
    assert_eq!(publish(&mut hub, 1, to("a", "user:ada")), [ada]);
    assert_eq!(publish(&mut hub, 1, to("b", "role:admin")), [ada]);
    assert_eq!(publish(&mut hub, 1, to("c", "channel:ops")), [ada]);
    assert_eq!(publish(&mut hub, 1, to("d", "user:bob")), [bob]);
    assert_eq!(publish(&mut hub, 1, to("e", "all")), [ada, bob]);
    assert_eq!(drain(&mut hub, 1, ada), ["hello 7.0 first", "a 7.1", "b 7.2", "c 7.3", "e 7.5"]);
    assert_eq!(drain(&mut hub, 1, bob), ["hello 7.0 first", "d 7.4", "e 7.5"]);
    let again = hub.connect(Time(2), who("bob", "", &[]), Some("7.0"), None);
    assert_eq!(drain(&mut hub, 2, again), ["hello 7.0 none", "d 7.4", "e 7.5"]);
}

#[test]
fn types_and_except_filter_too() {
    let mut hub = hub(HubConfig::default());
    let types = vec![Pattern::parse("compute.*").expect("a pattern")];
    let picky = hub.connect(Time(0), who("ada", "", &[]), None, Some(types));
    let tab = hub.connect_as(Time(0), "tab".into(), who("ada", "", &[]), None, None);
    assert_eq!(publish(&mut hub, 0, Update::new("projects")), [tab]);
    assert_eq!(publish(&mut hub, 0, Update { except: Some("tab".into()), ..Update::new("compute.x") }), [picky]);
    assert_eq!(drain(&mut hub, 0, picky), ["hello 7.0 first", "compute.x 7.2"]);
    assert_eq!(drain(&mut hub, 0, tab), ["hello 7.0 first", "projects 7.1"]);
    assert_eq!(hub.find("tab"), Some(tab));
}

#[test]
fn a_beat_after_silence_moves_the_cursor_of_a_filtered_client() {
    let mut hub = hub(HubConfig { beat_ms: 100, ..HubConfig::default() });
    let bob = hub.connect(Time(0), who("bob", "", &[]), None, None);
    assert_eq!(hub.wants(bob), Some(Time(0)));
    assert_eq!(drain(&mut hub, 10, bob), ["hello 7.0 first"]);
    assert_eq!(hub.wants(bob), Some(Time(110)));
    assert_eq!(publish(&mut hub, 50, to("a", "user:ada")), []);
    assert_eq!(drain(&mut hub, 109, bob), [""; 0]);
    assert_eq!(drain(&mut hub, 110, bob), ["beat 7.1"]);
    assert_eq!(hub.wants(bob), Some(Time(210)));
    publish(&mut hub, 150, Update::new("b"));
    assert_eq!(drain(&mut hub, 150, bob), ["b 7.2"]);
    assert_eq!(hub.wants(bob), Some(Time(250)));
}

#[test]
fn falling_behind_the_log_is_told_once() {
    let mut hub = hub(HubConfig { max_count: 2, ..HubConfig::default() });
    let ada = hub.connect(Time(0), who("ada", "", &[]), None, None);
    assert_eq!(drain(&mut hub, 0, ada), ["hello 7.0 first"]);
    for _ in 0..5 {
        publish(&mut hub, 1, Update::new("a"));
    }
    assert_eq!(drain(&mut hub, 1, ada), ["resync 7.5 overflow"]);
    publish(&mut hub, 2, Update::new("b"));
    assert_eq!(drain(&mut hub, 2, ada), ["b 7.6"]);
}

#[test]
fn no_false_alarm_when_only_foreign_updates_were_trimmed() {
    let mut hub = hub(HubConfig { max_count: 2, ..HubConfig::default() });
    let bob = hub.connect(Time(0), who("bob", "", &[]), None, None);
    assert_eq!(drain(&mut hub, 0, bob), ["hello 7.0 first"]);
    for _ in 0..5 {
        publish(&mut hub, 1, to("a", "user:ada"));
    }
    publish(&mut hub, 1, Update::new("b"));
    assert_eq!(drain(&mut hub, 1, bob), ["b 7.6"]);
    let again = hub.connect(Time(2), who("bob", "", &[]), Some("7.1"), None);
    assert_eq!(drain(&mut hub, 2, again), ["hello 7.1 none", "b 7.6"]);
    let ada = hub.connect(Time(2), who("ada", "", &[]), Some("7.1"), None);
    assert_eq!(drain(&mut hub, 2, ada), ["hello 7.6 trimmed"]);
}

#[test]
fn the_budget_is_soft_and_the_rest_follows_in_order() {
    let mut hub = hub(HubConfig::default());
    let ada = hub.connect(Time(0), who("ada", "", &[]), None, None);
    assert_eq!(drain(&mut hub, 0, ada), ["hello 7.0 first"]);
    for _ in 0..10 {
        publish(&mut hub, 1, Update::new("a"));
    }
    let mut out = Vec::new();
    let mut polls = 0;
    while hub.poll(Time(1), ada, 1, &mut out) {
        polls += 1;
    }
    assert_eq!(polls, 10);
    let ids: Vec<_> = String::from_utf8(out).expect("utf-8").split_terminator("\n\n").map(shown).collect();
    assert_eq!(ids, (1..=10).map(|seq| format!("a 7.{seq}")).collect::<Vec<_>>());
}

#[test]
fn bye_ends_the_stream_behind_what_is_due() {
    let mut hub = hub(HubConfig { linger_ms: 0, ..HubConfig::default() });
    let ada = hub.connect(Time(0), who("ada", "", &[]), None, None);
    publish(&mut hub, 0, Update::new("a"));
    hub.bye(ada, Reason::Drain, 300, Some(400));
    assert!(!hub.closed(ada) && hub.wants(ada) == Some(Time(0)));
    assert_eq!(drain(&mut hub, 0, ada), ["hello 7.0 first", "a 7.1", "bye - drain"]);
    assert!(hub.closed(ada));
    assert_eq!(hub.wants(ada), None);
    hub.disconnect(ada);
    assert!(hub.closed(ada) && hub.clients().next().is_none());
    assert_eq!(publish(&mut hub, 1, Update::new("a")), []);
}

#[test]
fn behind_a_planned_bye_the_stream_lingers_and_is_served_until_the_next_one_is_open() {
    let mut hub = hub(HubConfig { linger_ms: 3_000, beat_ms: 1_000, ..HubConfig::default() });
    let ada = hub.connect(Time(0), who("ada", "", &[]), None, None);
    hub.bye(ada, Reason::Drain, 0, None);
    assert_eq!(drain(&mut hub, 0, ada), ["hello 7.0 first", "bye - drain"]);
    assert!(!hub.closed(ada));
    assert_eq!(publish(&mut hub, 500, Update::new("a")), [ada]);
    assert_eq!(drain(&mut hub, 500, ada), ["a 7.1"]);
    assert_eq!(drain(&mut hub, 2_000, ada), ["beat 7.1"]);
    assert_eq!(hub.wants(ada), Some(Time(3_000)));
    publish(&mut hub, 3_000, Update::new("b"));
    assert_eq!(drain(&mut hub, 3_000, ada), ["b 7.2"]);
    assert!(hub.closed(ada));
}

#[test]
fn lost_rights_end_a_stream_that_still_lingers() {
    let mut hub = hub(HubConfig::default());
    let ada = hub.connect(Time(0), who("ada", "", &[]), None, None);
    hub.bye(ada, Reason::Rotate, 0, None);
    assert_eq!(drain(&mut hub, 0, ada), ["hello 7.0 first", "bye - rotate"]);
    publish(&mut hub, 1, Update::new("a"));
    hub.bye(ada, Reason::Revoked, 0, None);
    assert_eq!(drain(&mut hub, 1, ada), ["bye - revoked"]);
    assert!(hub.closed(ada));
}

#[test]
fn a_stream_that_is_old_enough_is_asked_to_rotate() {
    let mut hub = hub(HubConfig { linger_ms: 100, ..HubConfig::default() });
    let ada = hub.connect(Time(0), who("ada", "", &[]), None, None);
    hub.end_at(ada, Time(400), Reason::Rotate);
    hub.end_at(ada, Time(401), Reason::Token);
    assert_eq!(drain(&mut hub, 0, ada), ["hello 7.0 first"]);
    assert_eq!(hub.wants(ada), Some(Time(400)));
    assert_eq!(drain(&mut hub, 400, ada), ["bye - rotate"]);
    assert_eq!(hub.wants(ada), Some(Time(500)));
    assert_eq!(drain(&mut hub, 500, ada), [""; 0]);
    assert!(hub.closed(ada));
}

#[test]
fn a_client_far_behind_gets_its_own_in_order_and_the_rest_costs_it_nothing() {
    let mut hub = hub(HubConfig::default());
    for n in 0..2_000 {
        publish(&mut hub, 1, to("a", &format!("user:u{}", n % 500)));
    }
    let id = hub.connect(Time(1), who("u3", "", &[]), Some("7.0"), None);
    assert_eq!(drain(&mut hub, 1, id), ["hello 7.0 none", "a 7.4", "a 7.504", "a 7.1004", "a 7.1504"]);
    assert_eq!(hub.counts().frames, 4);
    // Having read what is its own, it is at the head.
    publish(&mut hub, 2, Update::new("b"));
    assert_eq!(drain(&mut hub, 2, id), ["b 7.2001"]);
}

#[test]
fn a_revoked_client_gets_no_update_that_waits_for_it() {
    let mut hub = hub(HubConfig::default());
    let ada = hub.connect(Time(0), who("ada", "", &[]), None, None);
    assert_eq!(drain(&mut hub, 0, ada), ["hello 7.0 first"]);
    publish(&mut hub, 0, Update::new("a"));
    hub.bye(ada, Reason::Revoked, 0, None);
    hub.bye(ada, Reason::Drain, 0, None);
    assert_eq!(drain(&mut hub, 0, ada), ["bye - revoked"]);
}

#[test]
fn refused_updates_leave_no_trace() {
    let mut hub = hub(HubConfig { max_bytes: 1_000, ..HubConfig::default() });
    let large = Update { data: Some(format!("\"{}\"", "x".repeat(2_000))), ..Update::new("a") };
    assert_eq!(hub.publish(Time(0), large), Err(PublishError::TooLarge));
    for kind in ["", "tinysse.hello", "a\nid: 1", "a\r", "a\0", "a b", &"x".repeat(129)] {
        assert!(matches!(hub.publish(Time(0), Update::new(kind)), Err(PublishError::BadType(_))), "{kind:?}");
    }
    assert_eq!((hub.cursor().seq, hub.size()), (0, (0, 0)));
}

#[test]
fn a_large_audience_is_asked_to_spread_its_refetches() {
    let mut hub = hub(HubConfig::default()).spread(10);
    let ada = hub.connect(Time(0), who("ada", "", &[]), None, None);
    let bob = hub.connect(Time(0), who("bob", "", &[]), None, None);
    publish(&mut hub, 0, Update::new("a"));
    publish(&mut hub, 0, to("b", "user:ada"));
    let mut out = Vec::new();
    while hub.poll(Time(0), ada, usize::MAX, &mut out) {}
    hub.disconnect(bob);
    let text = String::from_utf8(out).expect("utf-8");
    assert!(text.contains("event: a\ndata: {\"spread\":200}\n"), "{text}");
    assert!(text.contains("event: b\ndata: {\"spread\":100}\n"), "{text}");
}

#[test]
fn patterns_of_channels_replay_and_reach_alike() {
    let mut hub = hub(HubConfig::default());
    let live = hub.connect(Time(0), who("ada", "", &["a.*.b", "ops.>", "ops.eu"]), None, None);
    let channels = ["a.x.b", "a.b", "ops.eu", "ops.eu.west", "ops", "dev"];
    let reached: Vec<_> =
        channels.iter().map(|channel| publish(&mut hub, 1, to("t", &format!("channel:{channel}"))).len()).collect();
    assert_eq!(reached, [1, 0, 1, 1, 0, 0]);
    let late = hub.connect(Time(2), who("eve", "", &["a.*.b", "ops.>", "ops.eu"]), Some("7.0"), None);
    let wanted = ["t 7.1", "t 7.3", "t 7.4"];
    assert_eq!(drain(&mut hub, 3, live)[1..], wanted);
    assert_eq!(drain(&mut hub, 3, late)[1..], wanted);
    hub.disconnect(live);
    hub.disconnect(late);
    assert_eq!(publish(&mut hub, 4, to("t", "channel:ops.eu")), []);
}

#[test]
fn other_rights_are_announced_and_hold_for_what_waits() {
    let mut hub = hub(HubConfig::default());
    let ada = hub.connect(Time(0), who("ada", "admin", &["ops"]), None, None);
    assert_eq!(drain(&mut hub, 0, ada), ["hello 7.0 first"]);
    publish(&mut hub, 1, to("lost", "role:admin"));
    publish(&mut hub, 1, to("kept", "user:ada"));
    publish(&mut hub, 1, to("won", "channel:dev"));
    publish(&mut hub, 1, Update::new("news"));
    let only = ["kept", "won", "lost"].map(|text| Pattern::parse(text).expect("a type"));
    hub.rights(ada, who("ada", "", &["dev"]), Some(only.to_vec()));
    assert_eq!(hub.wants(ada), Some(Time(0)));
    assert_eq!(drain(&mut hub, 2, ada), ["resync 7.0 rights", "kept 7.2", "won 7.3"]);
    // The same rights again are no news.
    hub.rights(ada, who("ada", "", &["dev"]), Some(only.to_vec()));
    assert_eq!(drain(&mut hub, 2, ada), Vec::<String>::new());
    assert_eq!(publish(&mut hub, 3, to("lost", "role:admin")), []);
    assert_eq!(publish(&mut hub, 3, to("news", "channel:dev")), []);
    assert_eq!(publish(&mut hub, 3, to("won", "channel:dev")), [ada]);
    assert_eq!(hub.counts().resyncs, [(Gap::First, 1), (Gap::Rights, 1)]);
}

#[test]
fn who_comes_back_with_other_rights_is_told_in_the_hello() {
    let mut hub = hub(HubConfig::default());
    publish(&mut hub, 0, Update::new("a"));
    for (cursor, gap) in [(Some("7.0"), "rights"), (Some("8.0"), "epoch"), (None, "first")] {
        let id = hub.connect(Time(1), who("ada", "", &[]), cursor, None);
        hub.changed(id);
        assert!(drain(&mut hub, 1, id)[0].ends_with(gap));
    }
}
