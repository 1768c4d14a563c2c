//! What std would bring, for the wasm that ships: an allocator and an end for panics.
//!
//! A panic is a bug of tinysse; here it is a bare trap, since messages would cost kilobytes. The
//! debug build prints them.

#![allow(unsafe_code)]

use lol_alloc::{AssumeSingleThreaded, FreeListAllocator};

// SAFETY: the module is built without atomics, so its memory is never shared between threads.
#[global_allocator]
static ALLOCATOR: AssumeSingleThreaded<FreeListAllocator> =
    unsafe { AssumeSingleThreaded::new(FreeListAllocator::new()) };

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
