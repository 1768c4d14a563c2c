//! What JavaScript calls: one instance of the module for all streams of a page, because a browser has room for little more than a
//! hundred memories (Chromium 156: 124, measured).

#![allow(unsafe_code)]

use alloc::boxed::Box;
use core::cell::UnsafeCell;

use crate::scan::Scanner;

/// Bytes that one call takes.
const INPUT: usize = 1 << 16;

struct Shared<T>(UnsafeCell<T>);

// SAFETY: the module is built without atomics, so its memory is never shared between threads, and no export calls another.
unsafe impl<T> Sync for Shared<T> {}

/// In the middle of a page: `src/web/room.rs` says why.
#[repr(C, align(4096))]
struct Room {
    before: [u8; 2048],
    bytes: [u8; INPUT],
}

static ROOM: Shared<Room> = Shared(UnsafeCell::new(Room { before: [0; 2048], bytes: [0; INPUT] }));

/// What JavaScript reads after each feed: marks, their number, the bytes that they speak of, and whether a bound was passed.
static REPORT: Shared<[usize; 4]> = Shared(UnsafeCell::new([0; 4]));

/// Where the bytes of the next feed are to be put.
#[unsafe(no_mangle)]
extern "C" fn input() -> *mut u8 {
    // SAFETY: only the address is taken.
    unsafe { (&raw mut (*ROOM.0.get()).bytes).cast() }
}

/// A new stream begins; answers what the other calls want.
#[unsafe(no_mangle)]
extern "C" fn open(limit: usize) -> Box<Scanner> {
    Box::new(Scanner::new(limit))
}

/// The stream begins again.
#[unsafe(no_mangle)]
extern "C" fn reset(scanner: &mut Scanner) {
    scanner.reset();
}

/// Takes so many of the bytes put in; answers where the report is. What was found stays until the next feed of the same stream.
#[unsafe(no_mangle)]
extern "C" fn feed(scanner: &mut Scanner, length: usize) -> *const usize {
    // SAFETY: JavaScript writes into it before the call, not during it.
    let bytes = unsafe { &(*ROOM.0.get()).bytes };
    let fed = scanner.feed(bytes.get(..length).unwrap_or_default());
    let (marks, held) = (scanner.marks(), scanner.held());
    let report = [marks.as_ptr() as usize, marks.len(), held.as_ptr() as usize, usize::from(fed.is_err())];
    // SAFETY: nobody else writes there.
    unsafe { REPORT.0.get().write(report) };
    REPORT.0.get().cast()
}

/// The stream is over.
#[unsafe(no_mangle)]
extern "C" fn close(scanner: Box<Scanner>) {
    drop(scanner);
}
