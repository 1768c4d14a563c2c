//! What JavaScript calls: one instance of the module for all streams of a page, because a browser
//! has capacity for little more than a hundred memories (Chromium 156: 124, measured).

#![allow(unsafe_code)]

use alloc::boxed::Box;
use core::cell::UnsafeCell;

use tinysse::proto::{aligned_buffer::AlignedBuffer, wire::scan::Scanner};

struct Shared<T>(UnsafeCell<T>);

// SAFETY: the module is built without atomics, so its memory is never shared between threads, and
// no export calls another.
unsafe impl<T> Sync for Shared<T> {}

static INPUT: Shared<AlignedBuffer> = Shared(UnsafeCell::new(AlignedBuffer::new()));

/// What JavaScript reads after each feed: marks, their number, the bytes that they speak of, and
/// whether a bound was passed.
static REPORT: Shared<[usize; 4]> = Shared(UnsafeCell::new([0; 4]));

/// Where the bytes of the next feed are to be put.
#[unsafe(no_mangle)]
extern "C" fn input() -> *mut u8 {
    // SAFETY: no other reference is alive: each export has returned.
    unsafe { &mut *INPUT.0.get() }.bytes_mut().as_mut_ptr()
}

/// A new stream begins; answers what the other calls want.
#[unsafe(no_mangle)]
extern "C" fn open(limit: usize) -> Box<Scanner> {
    Box::new(Scanner::new(limit))
}

/// Takes this many of the bytes put in; returns where the report is. What was found stays until the
/// next feed of the same stream.
#[unsafe(no_mangle)]
extern "C" fn feed(scanner: &mut Scanner, length: usize) -> *const usize {
    // SAFETY: JavaScript writes into it before the call, not during it.
    let input = unsafe { &*INPUT.0.get() };
    let fed = scanner.feed(input.filled(length));
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
