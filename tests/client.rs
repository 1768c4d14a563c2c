//! The whole client: updates addressed to their subscribers, thinned where asked, and silence after
//! a stop.
#![allow(clippy::unwrap_used)]

mod conversation;

use tinysse::proto::{
    client::Client,
    registry::{Pattern, Subscriber},
    rng::Rng,
    session::{
        Config, Counters,
        io::{Output, Ticket, Update},
    },
    time::Time,
};

fn open(coalesce: u64) -> Client {
    let mut client = Client::new(Config { provider: false, ..Config::default() }, coalesce, 1);
    for (at, input) in [
        (0, "start"),
        (10, "opened 1"),
        (11, "frame 1 4f.0 tinysse.hello client=c1&after=4f.0&head=4f.0&beat=15000&gap=first"),
    ] {
        tell(&mut client, at, input);
    }
    client
}

/// What the client gives out, and when it wants to be woken.
fn drain(client: &mut Client) -> (Vec<Update>, Option<u64>) {
    let mut given = Vec::new();
    loop {
        match client.poll() {
            Output::Update(update) => given.push(update),
            Output::Sleep(due) => return (given, due.map(|Time(ms)| ms)),
            Output::FetchToken { .. } | Output::CancelToken(_) | Output::Open { .. } | Output::Close(_) => {}
            Output::Resync(_) | Output::Status(_) | Output::UserChanged | Output::Probe(_) => {}
            Output::Follow { .. } | Output::Relay(_) => {}
        }
    }
}

/// Who was called with what (type and id), and when the client wants to be woken.
fn tell(client: &mut Client, at: u64, input: &str) -> (Vec<(String, Vec<Subscriber>)>, Option<u64>) {
    conversation::say(input, Time(at), client);
    let (given, due) = drain(client);
    let called = given
        .into_iter()
        .map(|Update { frame, .. }| (format!("{} {}", frame.event, frame.id), client.matching(&frame.event)));
    (called.filter(|(_, to)| !to.is_empty()).collect(), due)
}

fn subscribe(client: &mut Client, patterns: &[&str]) -> Subscriber {
    client.subscribe(patterns.iter().map(|pattern| Pattern::parse(pattern).unwrap()))
}

fn calls(of: &[(&str, &[Subscriber])]) -> Vec<(String, Vec<Subscriber>)> {
    of.iter().map(|(update, to)| ((*update).to_owned(), to.to_vec())).collect()
}

#[test]
fn an_update_goes_to_those_who_asked_for_its_type() {
    let mut client = open(0);
    let all = subscribe(&mut client, &["*"]);
    let compute = subscribe(&mut client, &["compute.*", "compute.progress"]);
    let proto = subscribe(&mut client, &["__proto__"]);
    let mut to = |at, input| tell(&mut client, at, input).0;
    assert_eq!(to(20, "frame 1 4f.1 compute.progress {}"), calls(&[("compute.progress 4f.1", &[all, compute])]));
    assert_eq!(to(21, "frame 1 4f.2 __proto__ {}"), calls(&[("__proto__ 4f.2", &[all, proto])]));
    assert_eq!(to(22, "frame 1 4f.3 toString {}"), calls(&[("toString 4f.3", &[all])]));
    assert!(client.unsubscribe(all) && !client.unsubscribe(all));
    assert_eq!(tell(&mut client, 23, "frame 1 4f.4 projects {}").0, []);
    assert_eq!(client.session().cursor(), "4f.4", "unwanted, and yet seen");
}

#[test]
fn a_window_lets_the_first_and_the_last_pass() {
    let mut client = open(50);
    let all = subscribe(&mut client, &["*"]);
    let (first, due) = tell(&mut client, 100, "frame 1 4f.1 a {}");
    assert_eq!((first, due), (calls(&[("a 4f.1", &[all])]), Some(150)));
    assert_eq!(tell(&mut client, 110, "frame 1 4f.2 a {}").0, []);
    assert_eq!(tell(&mut client, 120, "frame 1 4f.3 b {}").0, calls(&[("b 4f.3", &[all])]));
    assert_eq!(tell(&mut client, 130, "frame 1 4f.4 a {}"), (vec![], Some(150)));
    assert_eq!(tell(&mut client, 150, "tick").0, calls(&[("a 4f.4", &[all])]));
}

/// The cursor is past a held update already: thrown away it would be lost, given out later it would
/// come after the end.
#[test]
fn what_a_window_holds_is_given_out_before_a_stop_and_nothing_after_it() {
    let mut client = open(50);
    let all = subscribe(&mut client, &["*"]);
    tell(&mut client, 100, "frame 1 4f.1 a {}");
    tell(&mut client, 110, "frame 1 4f.2 a {}");
    assert_eq!(tell(&mut client, 120, "stop"), (calls(&[("a 4f.2", &[all])]), None));
    assert_eq!(tell(&mut client, 150, "tick"), (vec![], None));
    assert_eq!(tell(&mut client, 5_000, "frame 1 4f.3 a {}"), (vec![], None));
}

/// Bytes and frames are two ways in for the same updates: whatever the chunks, the same calls with
/// the same data at the same time.
#[test]
fn updates_out_of_bytes_are_those_out_of_frames() {
    let wanted = |given: Vec<Update>| -> Vec<Update> {
        given.into_iter().filter(|Update { frame, .. }| frame.event != "unheard").collect()
    };
    for seed in 0..300 {
        let mut rng = Rng::new(seed);
        let (mut framed, mut fed) = (open(50), open(50));
        for client in [&mut framed, &mut fed] {
            subscribe(client, &["a", "b", "c.*"]);
            // The first of them are replayed.
            let hello = "client=c1&after=4f.0&head=4f.60&beat=15000&gap=none";
            conversation::say(&format!("frame 1 4f.0 tinysse.hello {hello}"), Time(12), client);
        }
        // What is not wanted is not even counted.
        let kinds = ["a", "a", "b", "c.d", "a", if seed % 2 == 0 { "unheard" } else { "b" }];
        let (mut now, mut seq, mut last) = (100, 0, 0);
        for _ in 0..40 {
            now += rng.below(30);
            let mut bytes = Vec::new();
            let mut given = Vec::new();
            for _ in 0..rng.below(9) {
                // Now and then what was had already, which the newest of a run must not be.
                let id = if rng.below(8) == 0 { seq.max(3) - rng.below(3) } else { seq + 1 };
                seq = seq.max(id);
                let kind = kinds[rng.below(6) as usize];
                let data = format!("{{\"n\":{}}}", ["x", "ä"][rng.below(2) as usize].repeat(rng.below(20) as usize));
                // The second shape is not plain; the third leaves the id to the event before it, so
                // that it is one more of the same.
                let (id, event) = match rng.below(9) {
                    0 => (id, format!("id: 4f.{id}\r\nevent: {kind}\ndata: {data}\n\n")),
                    1 => (last, format!("event: {kind}\ndata: {data}\n\n")),
                    2 => {
                        bytes.extend(format!("id: 4f.{seq}\nevent: tinysse.beat\ndata:\n\n").bytes());
                        conversation::say(&format!("frame 1 4f.{seq} tinysse.beat"), Time(now), &mut framed);
                        last = seq;
                        continue;
                    }
                    _ => (id, format!("id: 4f.{id}\nevent: {kind}\ndata: {data}\n\n")),
                };
                last = id;
                bytes.extend(event.bytes());
                conversation::say(&format!("frame 1 4f.{id} {kind} {data}"), Time(now), &mut framed);
            }
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                let longest = if seed % 3 == 0 { 80 } else { 800 };
                let (chunk, tail) = rest.split_at((1 + rng.below(longest) as usize).min(rest.len()));
                fed.handle_bytes(Time(now), Ticket(1), chunk);
                given.extend(drain(&mut fed).0);
                rest = tail;
            }
            assert_eq!(given, wanted(drain(&mut framed).0), "seed {seed} at {now}");
            assert_eq!(fed.session().cursor(), framed.session().cursor());
            let counters = |client: &Client| format!("{:?}", Counters { bytes: 0, ..client.session().counters() });
            assert_eq!(counters(&fed), counters(&framed), "seed {seed} at {now}");
            if seed % 2 == 1 {
                assert_eq!(fed.coalesced(), framed.coalesced(), "seed {seed} at {now}");
            }
        }
        now += 200;
        for client in [&mut framed, &mut fed] {
            conversation::say("tick", Time(now), client);
        }
        assert_eq!(drain(&mut fed).0, wanted(drain(&mut framed).0), "seed {seed}, what was held");
    }
}
