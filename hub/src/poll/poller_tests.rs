//! Tests of what a poller decides.

use super::*;

fn poller(every_ms: u64, max_stale_ms: u64, seed: u64) -> Poller {
    Poller::new(Rules { every_ms, max_stale_ms, compare: Compare::Json }, seed)
}

fn body(text: &str) -> Answer {
    Answer::Body { body: text.into(), etag: Some("\"e\"".into()), modified: None }
}

/// When it asks next, with nothing to publish.
fn due(poller: &Poller) -> Time {
    poller.due
}

/// Whether something was due to be published; from now on it is.
fn tells(poller: &mut Poller) -> bool {
    let owed = poller.owes();
    poller.told();
    owed
}

#[test]
fn only_a_change_is_told() {
    let mut poller = poller(100, 10_000, 1);
    assert_eq!(poller.on_answer(Time(0), Answer::failed("x")), Outcome::Failed);
    assert!(!tells(&mut poller));
    for (at, answer, outcome) in [
        (1, body("{\"x\":1,\"y\":2}"), Outcome::Changed),
        (2, body("{\"y\":2,\"x\":1}"), Outcome::Unchanged),
        (3, Answer::NotModified, Outcome::NotModified),
        (4, body("no JSON"), Outcome::Failed),
        (5, body("{\"x\":1,\"y\":3}"), Outcome::Changed),
    ] {
        assert_eq!(poller.on_answer(Time(at), answer), outcome);
        assert_eq!(tells(&mut poller), outcome == Outcome::Changed, "{at}");
    }
}

#[test]
fn what_could_not_be_told_stays_due() {
    let mut poller = poller(100, 10_000, 1);
    poller.on_answer(Time(0), body("1"));
    poller.not_told(Time(70));
    let Want::Wait(first) = poller.wants(Time(70)) else { panic!("told at once again") };
    assert_eq!(first, Time(100), "the next question comes before");
    poller.on_answer(Time(100), Answer::NotModified);
    poller.on_answer(Time(2_000), Answer::NotModified);
    assert_eq!(poller.wants(Time(2_000)), Want::Tell);
    assert!(tells(&mut poller) && !tells(&mut poller));
    let mut slow = Poller::new(Rules { every_ms: 3_600_000, max_stale_ms: 7_200_000, compare: Compare::Json }, 1);
    slow.on_answer(Time(0), body("1"));
    slow.not_told(Time(0));
    let Want::Wait(again) = slow.wants(Time(0)) else { panic!("told at once again") };
    assert!((500..1_000).contains(&again.0), "not only with the next question: {again:?}");
}

#[test]
fn an_outage_is_told_when_the_value_grows_stale_and_when_it_ends() {
    let mut poller = poller(100, 1_000, 1);
    assert_eq!(poller.wants(Time(0)), Want::Ask);
    poller.on_answer(Time(0), body("1"));
    assert!(tells(&mut poller));
    let failed = Answer::Failed { why: "x".into(), retry_after_ms: Some(3_000_000) };
    poller.on_answer(Time(100), failed);
    assert_eq!((poller.wants(Time(1_000)), poller.view(Time(1_000)).stale), (Want::Wait(Time(1_001)), false));
    assert_eq!((poller.wants(Time(1_001)), poller.view(Time(1_001)).stale), (Want::Tell, true));
    poller.told();
    assert!(matches!(poller.wants(Time(9_000)), Want::Wait(at) if at > Time(3_000_000)), "once");
    assert_eq!(poller.on_answer(Time(9_001), body("1")), Outcome::Unchanged);
    assert!(tells(&mut poller), "it is fresh again: that shows");
    // Nobody looked, and still the page that shows a stale value learns of its confirmation.
    poller.on_answer(Time(20_000), Answer::NotModified);
    assert!(tells(&mut poller) && !poller.view(Time(20_000)).stale);
}

#[test]
fn failures_make_pauses_longer_and_a_success_forgets_them() {
    for seed in 0..50 {
        let (mut poller, mut longest) = (poller(2_000, 0, seed), 0);
        for _ in 0..20 {
            poller.on_answer(Time(7), Answer::failed("x"));
            let pause = due(&poller).since(Time(7));
            assert!((2_000..=30_000).contains(&pause), "{pause}");
            longest = longest.max(pause);
        }
        assert!(longest > 8_000);
        assert_eq!(poller.view(Time(7)).failures, 20);
        poller.on_answer(Time(7), body("1"));
        assert_eq!((due(&poller), poller.view(Time(7)).failures), (Time(2_007), 0));
    }
    let mut slow = poller(60_000, 0, 1);
    slow.on_answer(Time(0), Answer::failed("x"));
    assert_eq!(due(&slow), Time(60_000));
}

#[test]
fn who_is_sent_away_stays_away_and_not_for_ever() {
    let sent_away = |ms, seed| {
        let mut poller = poller(100, 0, seed);
        poller.on_answer(Time(0), Answer::Failed { why: String::new(), retry_after_ms: Some(ms) });
        due(&poller).0
    };
    let pauses: Vec<_> = (0..50).map(|seed| sent_away(120_000, seed)).collect();
    assert!(pauses.iter().all(|pause| (120_000..=132_000).contains(pause)), "{pauses:?}");
    assert!(pauses.iter().any(|pause| *pause != pauses[0]), "they do not come back together");
    assert!(sent_away(u64::MAX, 1) <= AWAY_MS * 11 / 10);
    assert!(sent_away(0, 1) >= 100, "never sooner than planned");
}

#[test]
fn a_304_for_nothing_is_a_failure() {
    let mut poller = poller(100, 0, 1);
    assert_eq!(poller.on_answer(Time(0), Answer::NotModified), Outcome::Failed);
    assert_eq!(poller.view(Time(9)), View { text: "null".into(), stale: true, age_ms: None, failures: 1 });
}

#[test]
fn what_another_node_found_out_is_known_here_and_what_it_owed_is_owed() {
    let known = |at, version| Known {
        text: "1".into(),
        print: "p".into(),
        etag: Some("\"e\"".into()),
        modified: None,
        version,
        at: Time(at),
    };
    let mut poller = poller(1_000, 5_000, 1);
    poller.learn(Time(300), known(200, 5), false);
    assert_eq!((due(&poller), poller.owes(), poller.unsaved()), (Time(1_200), false, false));
    assert_eq!(poller.on_answer(Time(1_200), Answer::NotModified), Outcome::NotModified);
    assert!(!poller.unsaved(), "only confirmed");
    poller.learn(Time(1_300), known(1_290, 4), true);
    assert_eq!(
        (poller.known().map(|known| known.version), poller.owes()),
        (Some(5), false),
        "an answer that comes late"
    );
    poller.learn(Time(1_300), known(1_200, 5), true);
    assert!(tells(&mut poller));
    poller.on_answer(Time(1_400), body("2"));
    assert!(poller.unsaved() && tells(&mut poller));
    poller.saved(6);
    assert_eq!((poller.known().map(|known| known.version), poller.unsaved()), (Some(6), false));
    poller.on_answer(Time(1_450), body("3"));
    // It could not be shared before another node shared what it found: that counts.
    poller.learn(Time(9_000), known(1_500, 7), false);
    assert_eq!((due(&poller), poller.view(Time(9_000)).stale), (Time(9_000), true));
    assert_eq!((&*poller.view(Time(9_000)).text, poller.unsaved()), ("1", false));
}
