//! What JavaScript calls. One instance of the module reads one stream at a time, so there are no handles and nothing is freed.

#![allow(unsafe_code)]

use core::cell::UnsafeCell;

use crate::scan::Scanner;

/// Bytes that one call takes.
const INPUT: usize = 1 << 16;

struct State {
    input: [u8; INPUT],
    scanner: Scanner,
    /// What JavaScript reads after each call: marks, their number, the bytes that they speak of, and whether a bound was passed.
    report: [usize; 4],
}

struct Shared(UnsafeCell<State>);

// SAFETY: the module is built without atomics, so its memory is never shared between threads, and no export calls another.
unsafe impl Sync for Shared {}

static STATE: Shared = Shared(UnsafeCell::new(State { input: [0; INPUT], scanner: Scanner::new(0), report: [0; 4] }));

fn state() -> &'static mut State {
    // SAFETY: each export calls this once and keeps nothing of it.
    unsafe { &mut *STATE.0.get() }
}

/// A new stream begins; answers where its bytes are to be put.
#[unsafe(no_mangle)]
extern "C" fn reset(limit: usize) -> *mut u8 {
    let state = state();
    state.scanner.reset(limit);
    state.input.as_mut_ptr()
}

/// Takes so many of the bytes there; answers where the report is.
#[unsafe(no_mangle)]
extern "C" fn feed(length: usize) -> *const usize {
    let State { input, scanner, report } = state();
    let fed = scanner.feed(input.get(..length).unwrap_or_default());
    let (marks, held) = (scanner.marks(), scanner.held());
    *report = [marks.as_ptr() as usize, marks.len(), held.as_ptr() as usize, usize::from(fed.is_err())];
    report.as_ptr()
}
