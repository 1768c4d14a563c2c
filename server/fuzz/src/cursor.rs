//! A text that is shown as a cursor. No client is ever past the head of the log, and what it lacks
//! is announced.

use tinysse::proto::{
    audience::Identity,
    time::Time,
    wire::{
        control::{Control, Gap},
        decode::{Decoder, Item},
        id::{Epoch, EventId},
    },
};
use tinysse_hub::hub::{Hub, HubConfig, Update};

const EPOCH: Epoch = Epoch(0x4f9a2c);
/// How many updates were published, and how many are left.
const HEAD: u64 = 12;
const KEPT: u64 = 6;

pub fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let parsed = EventId::parse(&text);
    if let Some(id) = parsed {
        assert_eq!(id.text(), text, "one id, one spelling");
    }
    let mut hub = Hub::new(EPOCH, HubConfig { max_count: KEPT as usize, ..HubConfig::default() });
    for n in 0..HEAD {
        let to = if n % 2 == 0 { vec![] } else { vec!["user:bob".parse().expect("an audience")] };
        hub.publish(Time(n), Update { to, ..Update::new("a") }).expect("published");
    }
    let ada = Identity { user: "ada".into(), ..Identity::default() };
    let id = hub.connect(Time(HEAD), ada, Some(&text), None);
    let mut out = Vec::new();
    while hub.poll(Time(HEAD), id, 1 << 16, &mut out) {}
    let mut frames = Vec::new();
    let mut decoder = Decoder::new("", 1 << 20);
    let mut keep = |item: Item| match item {
        Item::Frame(frame) => frames.push(frame),
        Item::Id(_) | Item::Retry(_) => {}
    };
    decoder.feed(&out, &mut keep).expect("decodes");
    let mut frames = frames.into_iter();
    let Some(Control::Hello(hello)) = frames.next().as_ref().and_then(Control::read) else { panic!("no hello") };
    assert_eq!((hello.after.epoch, hello.head), (EPOCH, EventId { epoch: EPOCH, seq: HEAD }));
    assert!(hello.after.seq <= HEAD, "past the head: {:?}", hello.after);
    let expected = match parsed {
        None if text.is_empty() => Gap::First,
        None => Gap::Unknown,
        Some(id) if id.epoch != EPOCH => Gap::Epoch,
        Some(id) if id.seq > HEAD => Gap::Unknown,
        // Of what is trimmed, Ada could see the odd places; the newest of those is the fifth.
        Some(id) if id.seq < 5 => Gap::Trimmed,
        Some(_) => Gap::None,
    };
    assert_eq!(hello.gap, expected, "{text:?}");
    let after = if hello.gap == Gap::None { parsed.expect("a cursor").seq } else { HEAD };
    assert_eq!(hello.after.seq, after);
    let given: Vec<_> = frames.map(|frame| EventId::parse(&frame.id).expect("an id").seq).collect();
    let missed: Vec<_> = (after + 1..=HEAD).filter(|seq| seq % 2 == 1).collect();
    assert_eq!(given, missed);
}
