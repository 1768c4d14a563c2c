//! An allocator for a handful of buffers that only grow, and an end for panics.
//!
//! The last block grows in place; any other is moved behind it, and what it leaves is lost. A buffer that doubles so loses at most what it
//! holds. Nothing grows for ever: buffers keep their size from stream to stream, and JavaScript drops an instance that became large.

#![allow(unsafe_code)]

use core::{
    alloc::{GlobalAlloc, Layout},
    arch::wasm32,
    cell::Cell,
    ptr::null_mut,
};

const PAGE: usize = 1 << 16;

/// Where the next block begins; 0 before the first.
struct Bump(Cell<usize>);

// SAFETY: the module is built without atomics, so its memory is never shared between threads.
unsafe impl Sync for Bump {}

#[global_allocator]
static HEAP: Bump = Bump(Cell::new(0));

impl Bump {
    /// Lets the last block end at `end`, if there is that much memory to be had.
    fn extend(&self, end: usize) -> bool {
        let have = wasm32::memory_size(0) * PAGE;
        if end > have && wasm32::memory_grow(0, (end - have).div_ceil(PAGE)) == usize::MAX {
            return false;
        }
        self.0.set(end);
        true
    }
}

// SAFETY: blocks lie behind one another in pages that nothing else asked for, each aligned as it wants; the linker's data ends where the
// memory's first size does.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let next = if self.0.get() == 0 { wasm32::memory_size(0) * PAGE } else { self.0.get() };
        let start = next.next_multiple_of(layout.align());
        match start.checked_add(layout.size()) {
            Some(end) if self.extend(end) => start as *mut u8,
            Some(_) | None => null_mut(),
        }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let start = block as usize;
        if start + layout.size() == self.0.get() {
            return match start.checked_add(size) {
                Some(end) if self.extend(end) => block,
                Some(_) | None => null_mut(),
            };
        }
        // SAFETY: the caller promises a size that is not too large for its alignment.
        let new = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !new.is_null() {
            // SAFETY: both blocks are ours, apart from each other, and as long as that.
            unsafe { new.copy_from_nonoverlapping(block, layout.size().min(size)) };
        }
        new
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    wasm32::unreachable()
}
