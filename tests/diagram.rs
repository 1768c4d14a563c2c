//! The state diagram of ARCHITECTURE.md is printed from the machine itself: every state, in every
//! setting that matters, is given every input, and what moves is drawn. `UPDATE_DIAGRAM=1` rewrites
//! the block.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod conversation;

use std::{collections::BTreeMap, fmt::Write as _, fs};

use tinysse::proto::{
    session::{Config, Session, State},
    time::Time,
};

const BEGIN: &str = "<!-- state diagram: printed by tests/diagram.rs -->";
const END: &str = "<!-- end -->";
const STATES: [&str; 8] = ["Idle", "SignedOut", "Authorizing", "Connecting", "Live", "Waiting", "Paused", "Failed"];

/// A way to a state: how it differs from the others, what the application is given, and the inputs
/// that lead there.
struct Way {
    setting: &'static str,
    provider: bool,
    refusals: u32,
    native_retries: u32,
    inputs: &'static [&'static str],
}

const USUAL: Way = Way { setting: "", provider: true, refusals: 8, native_retries: 3, inputs: &[] };

/// Ticket 1 is the first question, 2 the first stream; without a provider the first stream is 1.
const WAYS: &[Way] = &[
    Way { inputs: &["tick"], ..USUAL },
    Way { setting: "token held", inputs: &["start", "token 1 is t", "stop"], ..USUAL },
    Way { setting: "no provider", provider: false, inputs: &["tick"], ..USUAL },
    Way { inputs: &["start", "forget"], ..USUAL },
    Way { setting: "nobody", inputs: &["start", "user"], ..USUAL },
    Way { inputs: &["start"], ..USUAL },
    Way { setting: "last chance", refusals: 1, inputs: &["start"], ..USUAL },
    Way { inputs: &["start", "token 1 is t"], ..USUAL },
    Way { setting: "no provider", provider: false, inputs: &["start"], ..USUAL },
    Way { setting: "last chance", refusals: 1, inputs: &["start", "token 1 is t"], ..USUAL },
    Way { setting: "too often", native_retries: 0, inputs: &["start", "token 1 is t"], ..USUAL },
    Way { setting: "token over", inputs: &["start", "token 1 is t lives 5"], ..USUAL },
    Way { inputs: &["start", "token 1 is t", "opened 2"], ..USUAL },
    Way { setting: "hello", inputs: &["start", "token 1 is t", "opened 2", HELLO], ..USUAL },
    Way { setting: "no provider", provider: false, inputs: &["start", "opened 1"], ..USUAL },
    Way { setting: "last chance", refusals: 1, inputs: &["start", "token 1 is t", "opened 2"], ..USUAL },
    Way { setting: "too often", native_retries: 0, inputs: &["start", "token 1 is t", "opened 2"], ..USUAL },
    Way { setting: "token over", inputs: &["start", "token 1 is t lives 5", "opened 2"], ..USUAL },
    Way { inputs: &["start", "token 1 failed"], ..USUAL },
    Way { setting: "token held", inputs: &["start", "token 1 is t", "lost 2 dropped"], ..USUAL },
    Way { setting: "no provider", provider: false, inputs: &["start", "lost 1 dropped"], ..USUAL },
    Way { inputs: &["start", "pause user"], ..USUAL },
    Way { setting: "token held", inputs: &["start", "token 1 is t", "pause user"], ..USUAL },
    Way {
        setting: "told to wait",
        inputs: &["start", "token 1 is t", "lost 2 busy 503 wait 9000", "pause user"],
        ..USUAL
    },
    Way { setting: "two reasons", inputs: &["start", "pause page", "pause user"], ..USUAL },
    Way { inputs: &["start", "token 1 refused 401"], ..USUAL },
    Way { setting: "token held", inputs: &["start", "token 1 is t", "lost 2 gone 204"], ..USUAL },
];

const HELLO: &str = "frame 2 4f.1 tinysse.hello client=c&after=4f.1&head=4f.1&beat=15000&gap=first";

/// Every input, as it is drawn; `T` is the ticket in hand.
const INPUTS: &[(&str, &str)] = &[
    ("start", "start"),
    ("stop", "stop"),
    ("reconnect", "reconnect"),
    ("pause", "pause page"),
    ("resume", "resume user"),
    ("wake", "wake"),
    ("user", "user bob"),
    ("nobody", "user"),
    ("forget", "forget"),
    ("follow or lead", "lead"),
    ("token", "token T is t"),
    ("token refused", "token T refused 401"),
    ("token failed", "token T failed"),
    ("token nonsense", "token T nonsense"),
    ("opened", "opened T"),
    ("update", "frame T 4f.2 projects {}"),
    ("hello", "frame T 4f.1 tinysse.hello client=c&after=4f.1&head=4f.1&beat=15000&gap=first"),
    ("resync", "frame T 4f.1 tinysse.resync gap=overflow"),
    ("beat", "frame T 4f.1 tinysse.beat"),
    ("bye", "frame T - tinysse.bye reason=rotate&wait=0"),
    ("bytes", "bytes T data: x\\n\\n"),
    ("lost: retrying", "lost T retrying"),
    ("lost: dropped", "lost T dropped"),
    ("lost: closed", "lost T closed"),
    ("lost: unauthorized", "lost T unauthorized"),
    ("lost: busy", "lost T busy 503 wait 1000"),
    ("lost: gone", "lost T gone 204"),
    ("lost: redirected", "lost T redirected"),
    ("lost: forbidden", "lost T forbidden"),
];

/// What leads from one state to another, in the order of [`INPUTS`], with the settings in which it
/// does.
type Edges = BTreeMap<(usize, usize), Vec<(String, Vec<&'static str>)>>;

fn reach(way: &Way) -> Session {
    let config = Config {
        provider: way.provider,
        max_refusals: way.refusals,
        max_native_retries: way.native_retries,
        ..Config::default()
    };
    let mut session = Session::new(config, 1);
    for input in way.inputs {
        conversation::say(input, Time(0), &mut session);
    }
    conversation::drain(&mut session);
    session
}

fn index(state: State) -> usize {
    STATES.iter().position(|name| *name == conversation::name(state)).unwrap()
}

fn probe() -> Edges {
    let mut edges = Edges::new();
    for way in WAYS {
        let session = reach(way);
        let from = index(session.state());
        let ticket = match session.state() {
            State::Connecting(ticket) | State::Live(ticket) => ticket.0,
            State::Idle | State::SignedOut | State::Authorizing | State::Waiting | State::Paused | State::Failed => 1,
        };
        let mut draw = |session: &Session, label: &str| {
            let to = index(session.state());
            if to != from {
                let labels = edges.entry((from, to)).or_default();
                match labels.iter_mut().find(|(known, _)| known == label) {
                    Some((_, settings)) => settings.push(way.setting),
                    None => labels.push((label.to_owned(), vec![way.setting])),
                }
            }
        };
        for (label, input) in INPUTS {
            let mut session = reach(way);
            let input = input.replace(" T ", &format!(" {ticket} ")).replace("opened T", &format!("opened {ticket}"));
            let now = match (way.setting, *label) {
                ("token over", _) => 10,
                (_, "wake") => 2_000, // after it gave up
                (_, _) => 1,
            };
            conversation::say(&input, Time(now), &mut session);
            draw(&session, label);
        }
        // and the time that passes, one deadline after the other
        let mut session = reach(way);
        for _ in 0..4 {
            let Some(due) = conversation::drain(&mut session).1 else { break };
            conversation::say("tick", Time(due), &mut session);
            if index(session.state()) != from {
                let label = match STATES[from] {
                    "Live" => "silence",
                    "Waiting" => "time to retry",
                    _ => "no answer in time",
                };
                draw(&session, label);
                break;
            }
        }
    }
    edges
}

/// What holds in every setting has no label; the rest names its settings.
fn print(edges: &Edges) -> String {
    let mut out = String::from("```mermaid\nstateDiagram-v2\n    [*] --> Idle\n");
    for ((from, to), labels) in edges {
        let mut lines: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (label, settings) in labels {
            let settings = if settings.contains(&"") { String::new() } else { settings.join(" or ") };
            lines.entry(settings).or_default().push(label);
        }
        let text: Vec<String> = lines
            .iter()
            .map(|(settings, labels)| {
                let labels = labels.join(", ").replace(": ", " ");
                if settings.is_empty() { labels } else { format!("{labels} [{settings}]") }
            })
            .collect();
        let _ = writeln!(out, "    {} --> {}: {}", STATES[*from], STATES[*to], text.join("<br>"));
    }
    out + "```\n"
}

#[test]
fn every_state_is_probed() {
    let mut reached: Vec<usize> = WAYS.iter().map(|way| index(reach(way).state())).collect();
    assert!(reached.is_sorted(), "the ways stand in the order of the states they lead to");
    reached.dedup();
    assert_eq!(reached.len(), STATES.len());
}

#[test]
fn the_diagram_in_architecture_md_is_the_machine() {
    let block = print(&probe());
    println!("{BEGIN}\n{block}{END}");
    let page = fs::read_to_string("ARCHITECTURE.md").expect("ARCHITECTURE.md holds the diagram printed above");
    let (head, rest) = page.split_once(BEGIN).expect("ARCHITECTURE.md has the line that begins the diagram");
    let (written, tail) = rest.split_once(END).expect("ARCHITECTURE.md has the line that ends the diagram");
    if written.trim() == block.trim() {
        return;
    }
    if std::env::var_os("UPDATE_DIAGRAM").is_some() {
        fs::write("ARCHITECTURE.md", format!("{head}{BEGIN}\n{block}{END}{tail}")).unwrap();
    } else {
        panic!("the diagram in ARCHITECTURE.md is not the machine's; UPDATE_DIAGRAM=1 rewrites it");
    }
}
