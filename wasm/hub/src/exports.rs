//! What JavaScript calls. Arguments are numbers, or [`Fields`] at [`input`]; texts that come back
//! are at [`output`]. One hub an instance: who needs another makes another instance.
//!
//! A negative number is a refusal: `REFUSED` has its code and reason at the output, `MALFORMED`
//! means that the two sides disagree about the arguments.

#![allow(unsafe_code)]

use std::cell::UnsafeCell;

use tinysse::proto::{
    registry::Pattern,
    time::Time,
    wire::{
        control::{Bye, Reason},
        id::{Epoch, EventId},
    },
};
use tinysse_hub::hub::{
    Rights, Update,
    input::{self, BadInput},
    receipts::Receipt,
};

use crate::{
    Config, Fields, Malformed,
    machine::{Ask, Machine, Published},
};

const REFUSED: i32 = -1;
const MALFORMED: i32 = -2;

struct Shared<T>(UnsafeCell<T>);

// SAFETY: the module is built without atomics, so its memory is never shared between threads, and
// no export calls another.
unsafe impl<T> Sync for Shared<T> {}

static INPUT: Shared<Vec<u8>> = Shared(UnsafeCell::new(Vec::new()));
static OUTPUT: Shared<Vec<u8>> = Shared(UnsafeCell::new(Vec::new()));
static REPORT: Shared<Vec<u32>> = Shared(UnsafeCell::new(Vec::new()));
static MACHINE: Shared<Option<Machine>> = Shared(UnsafeCell::new(None));

/// Returns the place for `length` bytes of arguments.
#[unsafe(no_mangle)]
extern "C" fn input(length: usize) -> *mut u8 {
    // SAFETY: no other reference is alive: each export has returned.
    let input = unsafe { &mut *INPUT.0.get() };
    input.resize(length, 0);
    input.as_mut_ptr()
}

/// Returns where the output begins; [`output_length`] is its length.
#[unsafe(no_mangle)]
extern "C" fn output() -> *const u8 {
    out().as_ptr()
}

/// Returns the length of the output, in bytes.
#[unsafe(no_mangle)]
extern "C" fn output_length() -> usize {
    out().len()
}

/// Makes the hub, with a [`Config`].
#[unsafe(no_mangle)]
extern "C" fn create() -> i32 {
    // A defect ends the instance; its message remains at the output.
    std::panic::set_hook(Box::new(|info| {
        let text = info.to_string();
        *out() = text.into_bytes();
    }));
    let Ok(config) = Config::read(fields()) else { return MALFORMED };
    // SAFETY: no other reference is alive: each export has returned.
    unsafe { *MACHINE.0.get() = Some(Machine::new(config)) };
    0
}

/// Opens a stream. Returns its slot.
#[unsafe(no_mangle)]
extern "C" fn connect(now: f64) -> i32 {
    answer(|| {
        let mut fields = fields();
        let ask = Ask {
            name: fields.some()?.to_owned(),
            rights: rights_of(&mut fields)?,
            types: match fields.text()? {
                None | Some("") => None,
                Some(types) => Some(input::types(types)?),
            },
            cursor: fields.text()?,
            folded: fields.number()? > 0,
            chunked: fields.number()? > 0,
            ends: Some(fields.number()?).filter(|ends| *ends > 0).map(Time),
        };
        fields.end()?;
        Ok(machine().connect(time(now), ask) as i32)
    })
}

/// Checks a list of types as a stream asks for it.
#[unsafe(no_mangle)]
extern "C" fn types() -> i32 {
    answer(|| {
        let mut fields = fields();
        input::types(fields.some()?)?;
        Ok(0)
    })
}

/// Removes a stream.
#[unsafe(no_mangle)]
extern "C" fn disconnect(slot: u32) {
    machine().disconnect(slot);
}

/// Replaces the rights of a stream. Returns 1 if they are other ones.
#[unsafe(no_mangle)]
extern "C" fn rights(slot: u32) -> i32 {
    answer(|| {
        let mut fields = fields();
        let rights = rights_of(&mut fields)?;
        fields.end()?;
        Ok(i32::from(machine().rights(slot, &rights)))
    })
}

/// Notes that a connection takes no bytes.
#[unsafe(no_mangle)]
extern "C" fn full(now: f64, slot: u32) {
    machine().full(time(now), slot);
}

/// Notes that a connection takes bytes again.
#[unsafe(no_mangle)]
extern "C" fn drained(slot: u32) {
    machine().drained(slot);
}

/// Publishes an update. Returns 0 with its id at the output, 1 if its window holds it, 2 if it is
/// to be given its place elsewhere.
#[unsafe(no_mangle)]
extern "C" fn publish(now: f64) -> i32 {
    answer(|| {
        let mut fields = fields();
        let update = update_of(&mut fields)?;
        fields.end()?;
        match machine().publish(time(now), update)? {
            Published::Logged(id) => {
                say(&id.text());
                Ok(0)
            }
            Published::Held => Ok(1),
            Published::Passed(update) => {
                out().clear();
                write_update(None, &update);
                Ok(2)
            }
        }
    })
}

/// Publishes several updates: all or none. Returns their number, with the id of the first at the
/// output.
#[unsafe(no_mangle)]
extern "C" fn publish_all(now: f64, unix_ms: f64) -> i32 {
    answer(|| {
        let mut fields = fields();
        let receipt = match fields.text()? {
            None => None,
            Some(key) => {
                let fingerprint = fields.number()? << 32 | fields.number()?;
                Some(Receipt { key: key.to_owned(), fingerprint })
            }
        };
        // The first update that is refused, by its own reason.
        let updates = fields.list(|fields| Ok(update_of(fields)))?.unwrap_or_default();
        fields.end()?;
        let updates = updates.into_iter().collect::<Result<Vec<_>, _>>()?;
        let (first, count) = machine().publish_all(time(now), time(unix_ms).0, updates, receipt)?;
        say(&first.text());
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    })
}

/// Announces to every client that anything may have been lost. Its id is at the output.
#[unsafe(no_mangle)]
extern "C" fn announce_everything() -> i32 {
    say(&machine().announce_everything().text());
    0
}

/// Takes an update that was given its place elsewhere: id, and the update.
#[unsafe(no_mangle)]
extern "C" fn deliver(logged: f64) -> i32 {
    answer(|| {
        let mut fields = fields();
        let id = EventId::parse(fields.some()?).ok_or(Malformed)?;
        let update = update_of(&mut fields)?;
        fields.end()?;
        machine().deliver(id, time(logged), update);
        Ok(0)
    })
}

/// Begins another log: an id as `epoch.seq`, behind which it begins.
#[unsafe(no_mangle)]
extern "C" fn begin() -> i32 {
    answer(|| {
        let mut fields = fields();
        let EventId { epoch, seq } = EventId::parse(fields.some()?).ok_or(Malformed)?;
        machine().begin(Epoch(epoch.0), seq);
        Ok(0)
    })
}

/// Ends windows that are over, or all. Returns the number of updates at the output.
#[unsafe(no_mangle)]
extern "C" fn flush(now: f64, all: i32) -> i32 {
    let flushed = machine().flush(time(now), all != 0);
    out().clear();
    for (id, update) in &flushed {
        write_update(*id, update);
    }
    flushed.len() as i32
}

/// Ends a stream with a bye; the reason is its word. A negative `retry` leaves it out.
#[unsafe(no_mangle)]
extern "C" fn bye(slot: u32, wait: u32, retry: i32) -> i32 {
    answer(|| {
        let reason = Reason::parse(fields().some()?).ok_or(Malformed)?;
        Ok(i32::from(machine().bye(slot, reason, wait, u32::try_from(retry).ok())))
    })
}

/// Puts the frame at the output that sends a client away for `wait` milliseconds: a native
/// `EventSource` takes a status of 503 for final.
#[unsafe(no_mangle)]
extern "C" fn goodbye(wait: u32) {
    let out = out();
    out.clear();
    Bye { reason: Reason::Drain, wait, retry: Some(wait) }.encode(out);
}

/// Serves the streams that are due something. Returns a report of 32-bit numbers: groups, streams
/// to cut, whether there is more; for each group the address of its bytes, their length, whether
/// its streams end, their number, and the streams; then the streams to cut. It and the bytes are
/// there until the next call.
#[unsafe(no_mangle)]
extern "C" fn round(now: f64) -> *const u32 {
    let machine = machine();
    machine.round(time(now));
    let more = u32::from(machine.has_more());
    let round = machine.last_round();
    // SAFETY: no other reference is alive: each export has returned.
    let report = unsafe { &mut *REPORT.0.get() };
    report.clear();
    report.extend([round.groups().len() as u32, round.cut().len() as u32, more]);
    for group in round.groups() {
        let (bytes, slots) = (group.bytes(), group.slots());
        report.extend([bytes.as_ptr() as u32, bytes.len() as u32, u32::from(group.ends()), slots.len() as u32]);
        report.extend(slots);
    }
    report.extend(round.cut());
    report.as_ptr()
}

/// Returns when a round is due though nothing happens; infinity if there is no such time.
#[unsafe(no_mangle)]
extern "C" fn next() -> f64 {
    machine().next().map_or(f64::INFINITY, |next| next.0 as f64)
}

/// Counts the streams that may see a type and audiences from now on. Returns the number of the
/// count.
#[unsafe(no_mangle)]
extern "C" fn watch() -> i32 {
    answer(|| {
        let mut fields = fields();
        let kind = fields.some()?.to_owned();
        input::check_update(&Update::new(kind.as_str()))?;
        let to = match fields.list(Fields::some)? {
            None => Vec::new(),
            Some(texts) => input::audiences(&texts)?,
        };
        Ok(machine().watch(&kind, to) as i32)
    })
}

/// Returns a count of [`watch`].
#[unsafe(no_mangle)]
extern "C" fn watchers(number: u32) -> u32 {
    machine().watchers(number as usize) as u32
}

/// Puts the head of the log at the output.
#[unsafe(no_mangle)]
extern "C" fn cursor() {
    say(&machine().cursor().text());
}

/// Returns a number below `limit`, another one each time.
#[unsafe(no_mangle)]
extern "C" fn jitter(limit: u32) -> u32 {
    machine().jitter(u64::from(limit)) as u32
}

/// Puts what the hub has done at the output, as doubles: open streams; updates and bytes of the
/// log; coalesced; frames, replayed, hits, misses, skipped, beats, passed over; how long updates
/// waited, their number and milliseconds; then each gap as a text with its number.
#[unsafe(no_mangle)]
extern "C" fn counts() {
    let (sizes, counts) = (machine().sizes(), machine().counts());
    let out = out();
    out.clear();
    let mut put = |number: u64| out.extend_from_slice(&(number as f64).to_le_bytes());
    sizes.into_iter().for_each(&mut put);
    let done = [counts.frames, counts.replayed, counts.hits, counts.misses, counts.skipped, counts.beats];
    done.into_iter().for_each(&mut put);
    put(counts.passed_over);
    put(counts.waits.count());
    put(counts.waits.sum_ms());
    for (gap, count) in &counts.resyncs {
        write_text(Some(gap.as_str()));
        out.extend_from_slice(&(*count as f64).to_le_bytes());
    }
}

/// Puts the slots of all open streams at the output, as 32-bit numbers. Returns how many.
#[unsafe(no_mangle)]
extern "C" fn slots() -> i32 {
    let slots = machine().slots();
    let out = out();
    out.clear();
    slots.iter().for_each(|slot| out.extend_from_slice(&slot.to_le_bytes()));
    slots.len() as i32
}

/// Why a call is refused.
enum Refusal {
    Input(BadInput),
    Malformed,
}

impl From<BadInput> for Refusal {
    fn from(error: BadInput) -> Self {
        Self::Input(error)
    }
}

impl From<Malformed> for Refusal {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}

fn answer(work: impl FnOnce() -> Result<i32, Refusal>) -> i32 {
    match work() {
        Ok(number) => number,
        Err(Refusal::Malformed) => MALFORMED,
        Err(Refusal::Input(BadInput { code, detail })) => {
            say(&format!("{code}\n{detail}"));
            REFUSED
        }
    }
}

fn rights_of(fields: &mut Fields<'_>) -> Result<Rights, Refusal> {
    let mut rights = Rights::default();
    rights.identity.user = fields.some()?.to_owned();
    rights.identity.role = fields.some()?.to_owned();
    rights.identity.channels =
        fields.list(Fields::some)?.unwrap_or_default().into_iter().map(ToOwned::to_owned).collect();
    rights.types = match fields.list(Fields::some)? {
        None => None,
        Some(types) => {
            let pattern = |text: &str| {
                let detail = format!("{text:?} is no type, `prefix.*` or `*`");
                Pattern::parse(text).ok_or(BadInput { code: "bad_types", detail })
            };
            Some(types.into_iter().map(pattern).collect::<Result<_, _>>()?)
        }
    };
    Ok(rights)
}

fn update_of(fields: &mut Fields<'_>) -> Result<Update, Refusal> {
    let owned = |text: Option<&str>| text.map(ToOwned::to_owned);
    let (kind, data, key) = (fields.some()?.to_owned(), owned(fields.text()?), owned(fields.text()?));
    let to = fields.list(Fields::some)?;
    let (origin, except, at) = (owned(fields.text()?), owned(fields.text()?), fields.number()?);
    let to = to.map(|texts| input::audiences(&texts)).transpose()?.unwrap_or_default();
    Ok(Update { kind, data, key, to, origin, except, at })
}

fn write_update(id: Option<EventId>, update: &Update) {
    write_text(id.map(EventId::text).as_deref());
    write_text(Some(&update.kind));
    write_text(update.data.as_deref());
    write_text(update.key.as_deref());
    out().extend_from_slice(&(update.to.len() as u32).to_le_bytes());
    update.to.iter().for_each(|audience| write_text(Some(&audience.to_string())));
    write_text(update.origin.as_deref());
    write_text(update.except.as_deref());
    out().extend_from_slice(&(update.at as f64).to_le_bytes());
}

fn write_text(text: Option<&str>) {
    let out = out();
    out.extend_from_slice(&text.map_or(u32::MAX, |text| text.len() as u32).to_le_bytes());
    out.extend_from_slice(text.unwrap_or_default().as_bytes());
}

fn say(text: &str) {
    let out = out();
    out.clear();
    out.extend_from_slice(text.as_bytes());
}

fn time(ms: f64) -> Time {
    // Negative and NaN become 0.
    Time(ms as u64)
}

fn fields() -> Fields<'static> {
    // SAFETY: JavaScript writes there between calls, not during one, and no export keeps it.
    Fields::new(unsafe { &*INPUT.0.get() })
}

fn out() -> &'static mut Vec<u8> {
    // SAFETY: one thread, and no function here keeps it over a call of another that writes.
    unsafe { &mut *OUTPUT.0.get() }
}

fn machine() -> &'static mut Machine {
    // SAFETY: one thread, and each export borrows it once.
    match unsafe { &mut *MACHINE.0.get() } {
        Some(machine) => machine,
        // JavaScript makes a hub before it calls anything else.
        None => core::arch::wasm32::unreachable(),
    }
}
