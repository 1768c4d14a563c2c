//! Tests of the machine: rounds, slots, back-pressure, deadlines, windows, receipts.

use tinysse::proto::audience::Identity;
use tinysse_hub::hub::{HubConfig, Slow, SlowRules};

use super::*;

fn machine(config: Config) -> Machine {
    Machine::new(Config { spread: 0, max_age_ms: 0, ..config })
}

fn ask(user: &str) -> Ask<'static> {
    let identity = Identity { user: user.into(), ..Identity::default() };
    Ask { name: format!("c-{user}"), rights: Rights { identity, types: None }, ..Ask::default() }
}

/// What each stream got in the rounds until there is nothing more.
fn given(machine: &mut Machine, now: u64) -> Vec<(u32, String)> {
    let mut given = Vec::new();
    loop {
        for group in machine.round(Time(now)).groups() {
            let text = String::from_utf8(group.bytes().to_vec()).expect("text");
            given.extend(group.slots().iter().map(|slot| (*slot, text.clone())));
        }
        if !machine.has_more() {
            return given;
        }
    }
}

#[test]
fn a_stream_gets_its_hello_then_each_update_once() {
    let mut machine = machine(Config::default());
    let ada = machine.connect(Time(0), ask("ada"));
    let hello = given(&mut machine, 0);
    assert!(hello[0].1.contains("event: tinysse.hello"), "{hello:?}");
    machine.publish(Time(1), Update::new("a")).expect("published");
    assert_eq!(given(&mut machine, 1), [(ada, "id: 1.1\nevent: a\ndata: {}\n\n".to_owned())]);
    assert_eq!(given(&mut machine, 2), []);
    machine.disconnect(ada);
    machine.publish(Time(3), Update::new("a")).expect("published");
    assert_eq!((given(&mut machine, 3), machine.sizes()[0]), (vec![], 0));
}

#[test]
fn a_slot_is_used_again_and_nothing_of_the_former_stream_remains() {
    let mut machine = machine(Config::default());
    let ada = machine.connect(Time(0), ask("ada"));
    given(&mut machine, 0);
    let to_ada = Update { to: vec!["user:ada".parse().expect("an audience")], ..Update::new("a") };
    machine.publish(Time(1), to_ada).expect("published");
    machine.full(Time(1), ada);
    machine.disconnect(ada);
    let bob = machine.connect(Time(2), ask("bob"));
    assert_eq!(bob, ada);
    let bobs = given(&mut machine, 2);
    assert_eq!(bobs.len(), 1);
    assert!(bobs[0].1.contains("tinysse.hello") && !bobs[0].1.contains("event: a"), "{bobs:?}");
    assert_eq!(machine.round(Time(60_000)).cut(), [] as [u32; 0]);
}

#[test]
fn a_connection_that_takes_nothing_costs_its_cursor_and_is_cut_in_the_end() {
    let mut machine = machine(Config { stall_ms: 1_000, ..Config::default() });
    let ada = machine.connect(Time(0), ask("ada"));
    given(&mut machine, 0);
    machine.full(Time(0), ada);
    for n in 1..=50 {
        machine.publish(Time(n), Update::new("a")).expect("published");
        assert_eq!(given(&mut machine, n), []);
    }
    machine.drained(ada);
    let text = given(&mut machine, 60).remove(0).1;
    assert_eq!(text.matches("event: a").count(), 50);
    machine.full(Time(100), ada);
    assert_eq!(machine.round(Time(1_000)).cut(), [] as [u32; 0]);
    let due = machine.next().expect("a deadline");
    assert!((1_100..1_400).contains(&due.0), "{due:?}");
    assert_eq!(machine.round(Time(1_400)).cut(), [ada]);
}

#[test]
fn slow_readers_are_cut_by_their_rule() {
    let rules = vec![(Pattern::Everything, Slow::Disconnect)];
    let mut machine = machine(Config { slow: SlowRules { lag: 2, rules }, ..Config::default() });
    let ada = machine.connect(Time(0), ask("ada"));
    given(&mut machine, 0);
    machine.full(Time(0), ada);
    let mut cut = Vec::new();
    for n in 1..=3 {
        machine.publish(Time(n), Update::new("a")).expect("published");
        cut.push(machine.round(Time(n)).cut().to_vec());
    }
    assert_eq!(cut, [vec![], vec![], vec![ada]]);
}

#[test]
fn a_long_replay_takes_several_rounds_and_lets_others_in() {
    let mut machine = machine(Config::default());
    let data = Some(format!("\"{}\"", "x".repeat(1_000)));
    for _ in 0..100 {
        machine.publish(Time(0), Update { data: data.clone(), ..Update::new("a") }).expect("published");
    }
    let ada = machine.connect(Time(0), Ask { cursor: Some("1.0"), ..ask("ada") });
    let bob = machine.connect(Time(0), ask("bob"));
    let order: Vec<_> =
        given(&mut machine, 0).into_iter().map(|(slot, text)| (slot, text.matches("event: a").count())).collect();
    assert_eq!(order[1], (bob, 0), "{order:?}");
    assert_eq!(order.iter().filter(|(slot, _)| *slot == ada).map(|(_, count)| count).sum::<usize>(), 100);
}

#[test]
fn beats_and_ends_come_by_the_wheel() {
    let hub = HubConfig { beat_ms: 1_000, linger_ms: 100, ..HubConfig::default() };
    let mut machine = machine(Config { hub, ..Config::default() });
    let ada = machine.connect(Time(0), ask("ada"));
    given(&mut machine, 0);
    let due = machine.next().expect("a deadline").0;
    assert!((1_000..1_063).contains(&due), "{due}");
    assert_eq!(given(&mut machine, due - 1), []);
    assert!(given(&mut machine, due)[0].1.contains("tinysse.beat"));
    assert!(machine.bye(ada, Reason::Drain, 50, Some(70)));
    assert!(given(&mut machine, due)[0].1.contains("reason=drain"));
    let end = machine.next().expect("a deadline").0;
    let round = machine.round(Time(end.max(due + 163)));
    assert!(round.groups().iter().any(|group| group.ends() && group.slots() == [ada]), "{round:?}");
}

#[test]
fn windows_hold_and_a_flush_publishes() {
    let windows = vec![(Pattern::Everything, 100)];
    let mut machine = machine(Config { windows, ..Config::default() });
    let id = |seq| EventId { epoch: Epoch(1), seq };
    let mut publish = |now| machine.publish(Time(now), Update::new("a")).expect("published");
    assert_eq!([publish(0), publish(1), publish(2)], [Published::Logged(id(1)), Published::Held, Published::Held]);
    assert_eq!(machine.next(), Some(Time(100)));
    assert_eq!(machine.flush(Time(99), false), []);
    assert_eq!(machine.flush(Time(100), false), [(Some(id(2)), Update::new("a"))]);
}

#[test]
fn a_batch_is_published_once_for_its_receipt() {
    let mut machine = machine(Config::default());
    let receipt = |fingerprint| Some(Receipt { key: "k".into(), fingerprint });
    let batch = || vec![Update::new("a"), Update::new("b")];
    let first = machine.publish_all(Time(0), 1_000, batch(), receipt(1)).expect("published");
    assert_eq!(first, (EventId { epoch: Epoch(1), seq: 1 }, 2));
    assert_eq!(machine.publish_all(Time(0), 1_001, batch(), receipt(1)), Ok(first));
    let error = machine.publish_all(Time(0), 1_001, batch(), receipt(2)).expect_err("another body");
    assert_eq!(error.code, "idempotency_mismatch");
    let bad = vec![Update::new("a"), Update::new("tinysse.x")];
    assert_eq!(machine.publish_all(Time(0), 0, bad, None).expect_err("reserved").code, "reserved_type");
    assert_eq!(machine.cursor().seq, 2);
}

#[test]
fn who_gained_a_right_while_away_is_resynced() {
    let mut machine = machine(Config::default());
    let ada = machine.connect(Time(0), ask("ada"));
    given(&mut machine, 0);
    machine.disconnect(ada);
    let mut admin = Ask { cursor: Some("1.0"), ..ask("ada") };
    admin.rights.identity.role = "admin".into();
    machine.connect(Time(1), admin);
    assert!(given(&mut machine, 1)[0].1.contains("gap=rights"));
}

#[test]
fn a_resync_of_everything_takes_a_place_and_reaches_everyone() {
    let mut machine = machine(Config::default());
    let ada = machine.connect(Time(0), ask("ada"));
    given(&mut machine, 0);
    assert_eq!(machine.announce_everything().seq, 1);
    let text = given(&mut machine, 1);
    assert_eq!(text[0].0, ada);
    assert!(text[0].1.contains("event: tinysse.resync\ndata: gap=overflow"), "{text:?}");
}
