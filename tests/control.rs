//! Control messages: read back as they were written, total on anything, one message whatever the
//! names in it hold.
#![allow(clippy::unwrap_used)]

mod words;

use tinysse::proto::{
    rng::Rng,
    wire::{
        Frame, FrameRef,
        control::{Beat, Bye, Control, Gap, Hello, Reason, Resync},
        decode::{Decoder, Item},
        id::{Epoch, EventId},
        kind::is_reserved,
    },
};
use words::{hostile, number, pick, place, plain};

const GAPS: [Gap; 7] = [Gap::None, Gap::First, Gap::Epoch, Gap::Trimmed, Gap::Unknown, Gap::Overflow, Gap::Rights];
const REASONS: [Reason; 5] = [Reason::Drain, Reason::Rotate, Reason::Token, Reason::Revoked, Reason::Slow];

fn control(rng: &mut Rng) -> Control {
    match rng.below(4) {
        0 => Control::Hello(Hello {
            client: plain(rng, 12),
            after: place(rng),
            head: place(rng),
            beat: number(rng) as u32,
            gap: pick(rng, &GAPS),
            retry: number(rng) as u32,
        }),
        1 => {
            let types = (0..rng.below(4)).map(|_| format!("t{}", plain(rng, 6))).collect();
            Control::Resync(Resync { at: place(rng), gap: pick(rng, &GAPS), types })
        }
        2 => Control::Beat(Beat { at: place(rng) }),
        _ => {
            let retry = (rng.below(2) == 0).then(|| number(rng) as u32);
            Control::Bye(Bye { reason: pick(rng, &REASONS), wait: number(rng) as u32, retry })
        }
    }
}

fn encode(control: &Control, out: &mut Vec<u8>) {
    match control {
        Control::Hello(hello) => hello.encode(out),
        Control::Resync(resync) => resync.encode(out),
        Control::Beat(beat) => beat.encode(out),
        Control::Bye(bye) => bye.encode(out),
    }
}

/// The reconnection time is a field of its own, for the browser; it is no part of the message that
/// is read.
fn without_retry(control: &Control) -> (Control, Option<u32>) {
    match control.clone() {
        Control::Hello(hello) => (Control::Hello(Hello { retry: 0, ..hello.clone() }), Some(hello.retry)),
        Control::Bye(bye) => (Control::Bye(Bye { retry: None, ..bye }), bye.retry),
        other @ (Control::Resync(_) | Control::Beat(_)) => (other, None),
    }
}

fn decode(bytes: &[u8], last_id: &str) -> Vec<Item> {
    let mut items = Vec::new();
    Decoder::new(last_id, 1 << 20).feed(bytes, &mut |item| items.push(item)).unwrap();
    items
}

#[test]
fn every_message_is_read_back_as_it_was_written() {
    for seed in 0..10_000 {
        let mut rng = Rng::new(seed);
        let sent = control(&mut rng);
        let mut out = Vec::new();
        encode(&sent, &mut out);
        let (message, retry) = without_retry(&sent);
        let mut items = decode(&out, "before");
        let Some(Item::Frame(frame)) = items.pop() else { panic!("seed {seed}: {sent:?} wrote no frame") };
        assert_eq!(items, retry.map(Item::Retry).into_iter().collect::<Vec<_>>(), "seed {seed}");
        assert_eq!(Control::read(&frame), Some(message), "seed {seed}: {frame:?}");
        assert!(is_reserved(&frame.event), "seed {seed}");
        // What moves the cursor carries it as the frame's id, so that the browser resumes from the
        // same place.
        let id = match &sent {
            Control::Hello(hello) => hello.after.text(),
            Control::Resync(resync) => resync.at.text(),
            Control::Beat(beat) => beat.at.text(),
            Control::Bye(_) => String::from("before"),
        };
        assert_eq!(frame.id, id, "seed {seed}");
    }
}

#[test]
fn hostile_names_write_one_message_and_nothing_else() {
    for seed in 0..5_000 {
        let mut rng = Rng::new(seed);
        let (at, gap, client) = (place(&mut rng), pick(&mut rng, &GAPS), hostile(&mut rng));
        let hello = Hello { client: client.clone(), after: at, head: at, beat: 15_000, gap, retry: 1 };
        let resync = Resync { at, gap, types: (0..rng.below(4)).map(|_| hostile(&mut rng)).collect() };
        let mut out = Vec::new();
        hello.encode(&mut out);
        resync.encode(&mut out);
        let items = decode(&out, "");
        let [Item::Retry(1), Item::Frame(first), Item::Frame(second)] = items.as_slice() else {
            panic!("seed {seed}: {items:?}")
        };
        let Some(Control::Hello(read)) = Control::read(first) else { panic!("seed {seed}: {first:?}") };
        assert_eq!((read.after, read.head, read.beat, read.gap), (at, at, 15_000, gap), "seed {seed}");
        assert!(client.contains(&read.client) || read.client.chars().all(|c| client.contains(c)), "seed {seed}");
        let Some(Control::Resync(read)) = Control::read(second) else { panic!("seed {seed}: {second:?}") };
        assert_eq!((read.at, read.gap), (at, gap), "seed {seed}");
    }
}

#[test]
fn reading_is_total_and_knows_only_what_it_knows() {
    let (mut known, mut unknown) = (0, 0);
    for seed in 0..40_000 {
        let mut rng = Rng::new(seed);
        let mut out = Vec::new();
        encode(&control(&mut rng), &mut out);
        let Some(Item::Frame(Frame { event, id, data })) = decode(&out, "4f.1").pop() else { panic!("seed {seed}") };
        let mut mutate = |text: &str| -> String {
            let mut text: Vec<char> = text.chars().collect();
            for _ in 0..rng.below(3) {
                let at = rng.below(text.len() as u64 + 1) as usize;
                match rng.below(3) {
                    0 if at < text.len() => drop(text.remove(at)),
                    1 if at < text.len() => text.truncate(at),
                    _ => {
                        text.insert(at, pick(&mut rng, &['&', '=', '.', ',', '0', '9', 'f', 'x', '\0', '\n', '\u{e9}']))
                    }
                }
            }
            text.into_iter().collect()
        };
        let frame = Frame { event: mutate(&event), id: mutate(&id), data: mutate(&data) };
        match Control::read(&frame) {
            Some(control) => {
                known += 1;
                assert!(is_reserved(&frame.event), "seed {seed}: {frame:?}");
                // What was understood can be written again in the same words, names apart.
                let mut again = Vec::new();
                encode(&control, &mut again);
                let Some(Item::Frame(frame)) = decode(&again, &frame.id).pop() else { panic!("seed {seed}") };
                assert!(Control::read(&frame).is_some(), "seed {seed}: {control:?}");
            }
            None => unknown += 1,
        }
    }
    assert!(known > 5_000 && unknown > 5_000, "{known} known, {unknown} unknown");
}

#[test]
fn a_message_with_a_piece_missing_or_strange_is_none() {
    let read = |event: &str, id: &str, data: &str| Control::read(FrameRef { event, id, data });
    let hello = "client=c7&after=4f.1&head=4f.2&beat=15000&gap=none";
    let place = EventId { epoch: Epoch(0x4f), seq: 1 };
    assert!(read("tinysse.hello", "4f.1", hello).is_some());
    assert!(read("tinysse.hello", "4f.1", &format!("later=1&{hello}&more")).is_some(), "fields of a later version");
    for missing in hello.split('&').filter(|pair| !pair.starts_with("head")) {
        assert_eq!(read("tinysse.hello", "4f.1", &hello.replace(missing, "")), None, "without {missing}");
    }
    let Some(Control::Hello(headless)) = read("tinysse.hello", "4f.1", &hello.replace("head=4f.2&", "")) else {
        panic!("a hello without a head is one")
    };
    assert_eq!(headless.head, place);
    for (good, bad) in [("4f.1", "4F.1"), ("4f.1", "4f.01"), ("15000", "-1"), ("15000", "4294967296"), ("none", "None")]
    {
        assert_eq!(read("tinysse.hello", "4f.1", &hello.replacen(good, bad, 1)), None, "{bad}");
    }
    assert_eq!(read("tinysse.beat", "4f.1", "anything"), Some(Control::Beat(Beat { at: place })));
    assert_eq!(read("tinysse.beat", "", ""), None);
    assert_eq!(read("tinysse.resync", "x", "gap=rights"), None);
    assert_eq!(read("tinysse.bye", "", "reason=drain"), None);
    assert_eq!(read("tinysse.bye", "", "reason=tired&wait=1"), None);
    for event in ["", "message", "tinysse", "tinysse.", "tinysse.Hello", "tinysse.hello ", "tinysse.news"] {
        assert_eq!(read(event, "4f.1", hello), None, "{event}");
    }
}
