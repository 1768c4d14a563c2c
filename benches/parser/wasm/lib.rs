//! The decoder and the client core, called with bytes that JavaScript puts in `input`. One of each
//! at a time.

#![allow(missing_docs)]

use std::cell::RefCell;

use tinysse::proto::{
    aligned_buffer::AlignedBuffer,
    client::Client,
    registry::Pattern,
    session::{
        Config,
        io::{Input, Output, Ticket},
    },
    time::Time,
    wire::decode::{Decoder, Item},
};

const LIMIT: usize = 16 << 20;

struct Bench {
    input: Box<AlignedBuffer>,
    decoder: Decoder,
    client: Client,
    ticket: Ticket,
}

thread_local! {
    static BENCH: RefCell<Bench> = RefCell::new(Bench {
        input: Box::default(),
        decoder: Decoder::new("", LIMIT),
        client: Client::new(Config::default(), 0, 7),
        ticket: Ticket(0),
    });
}

/// Where the bytes go; at most 65,536 at a time.
#[unsafe(no_mangle)]
extern "C" fn input() -> *mut u8 {
    BENCH.with_borrow_mut(|bench| bench.input.bytes_mut().as_mut_ptr())
}

/// A new stream for the decoder alone.
#[unsafe(no_mangle)]
extern "C" fn decoder() {
    BENCH.with_borrow_mut(|bench| bench.decoder = Decoder::new("", LIMIT));
}

/// Decodes `length` bytes; returns how many events they completed.
#[unsafe(no_mangle)]
extern "C" fn decode(length: usize) -> usize {
    BENCH.with_borrow_mut(|bench| {
        let (mut events, bytes) = (0, bench.input.filled(length));
        let fed = bench.decoder.feed(bytes, &mut |item| events += usize::from(matches!(item, Item::Frame(_))));
        if fed.is_err() { usize::MAX } else { events }
    })
}

/// Makes a new client whose stream is open. `subscribed`: it has a subscriber; `coalesce`: the
/// window, in milliseconds.
#[unsafe(no_mangle)]
extern "C" fn client(subscribed: u32, coalesce: u32) {
    BENCH.with_borrow_mut(|bench| {
        let config = Config { provider: false, ..Config::default() };
        bench.client = Client::new(config, u64::from(coalesce), 7);
        if subscribed != 0 {
            bench.client.subscribe(Pattern::parse("projects"));
        }
        bench.client.handle(Time(0), Input::Start);
        perform(&mut bench.client, |_, output| {
            if let Output::Open { ticket, .. } = output {
                bench.ticket = *ticket;
            }
        });
        bench.client.handle(Time(0), Input::Opened(bench.ticket));
        perform(&mut bench.client, |_, _| {});
    });
}

/// Gives the client `length` bytes, at this time in milliseconds; returns how many updates it hands
/// out.
#[unsafe(no_mangle)]
extern "C" fn bytes(length: usize, now: f64) -> usize {
    BENCH.with_borrow_mut(|bench| {
        let Bench { input, client, ticket, .. } = bench;
        client.handle_bytes(Time(now as u64), *ticket, input.filled(length));
        let mut calls = 0;
        perform(client, |client, output| {
            if let Output::Update(update) = output {
                calls += client.matching(&update.frame.event).len();
            }
        });
        calls
    })
}

fn perform(client: &mut Client, mut each: impl FnMut(&Client, &Output)) {
    loop {
        let output = client.poll();
        if matches!(output, Output::Sleep(_)) {
            return;
        }
        each(client, &output);
    }
}
