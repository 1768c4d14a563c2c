//! An allocator of blocks whose sizes are powers of two, and an end for panics.
//!
//! What is freed waits in the list of its size for the next of that size, so memory is bounded by
//! what was in use at once of each; the last block grows in place. Buffers double, so there is
//! little else that they would ask for. Nothing is given back, which wasm cannot do: JavaScript
//! drops an instance that became large when nobody uses it.

#![allow(unsafe_code)]

use core::{
    alloc::{GlobalAlloc, Layout},
    arch::wasm32,
    cell::Cell,
    ptr::null_mut,
};

const PAGE: usize = 1 << 16;
/// No block is smaller, and each begins at a multiple of it.
const LEAST: usize = 16;

struct Heap {
    /// Where the next block begins; 0 before the first.
    next: Cell<usize>,
    /// For each power of two the first free block; in it the address of the second.
    free: [Cell<usize>; 32],
}

// SAFETY: the module is built without atomics, so its memory is never shared between threads.
unsafe impl Sync for Heap {}

#[global_allocator]
static HEAP: Heap = Heap { next: Cell::new(0), free: [const { Cell::new(0) }; 32] };

/// The size of the block for this many bytes; 0 if there can be no such block.
fn block(size: usize) -> usize {
    size.max(LEAST).checked_next_power_of_two().unwrap_or(0)
}

impl Heap {
    /// Lets the last block, which begins at `start`, have this size, if there is that much memory
    /// to be had.
    fn extend(&self, start: usize, size: usize) -> *mut u8 {
        let Some(end) = start.checked_add(size).filter(|_| size > 0) else { return null_mut() };
        let have = wasm32::memory_size(0) * PAGE;
        if end > have && wasm32::memory_grow(0, (end - have).div_ceil(PAGE)) == usize::MAX {
            return null_mut();
        }
        self.next.set(end);
        start as *mut u8
    }

    fn list(&self, size: usize) -> &Cell<usize> {
        &self.free[size.trailing_zeros() as usize % 32]
    }
}

// SAFETY: a block is handed out once until it is freed, as large as it was asked for; no alignment
// that is asked for here passes LEAST.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let size = block(layout.size());
        let list = self.list(size);
        let first = list.get();
        if first != 0 {
            // SAFETY: a free block holds the address of the next one.
            list.set(unsafe { *(first as *const usize) });
            return first as *mut u8;
        }
        let next = self.next.get();
        self.extend(if next == 0 { wasm32::memory_size(0) * PAGE } else { next }, size)
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        let list = self.list(block(layout.size()));
        // SAFETY: the block is ours again, and large enough.
        unsafe { *old.cast() = list.get() };
        list.set(old as usize);
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let (had, want) = (block(layout.size()), block(size));
        if had == want {
            return old;
        }
        // Only if none of that size is free: else each stream would make a large block of a small
        // one, and free it as a large one.
        if old as usize + had == self.next.get() && self.list(want).get() == 0 {
            return self.extend(old as usize, want);
        }
        // SAFETY: the caller promises a size that is not too large for its alignment.
        let new = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !new.is_null() {
            // SAFETY: both blocks are ours, apart from each other, and as long as that.
            unsafe {
                new.copy_from_nonoverlapping(old, layout.size().min(size));
                self.dealloc(old, layout);
            }
        }
        new
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    wasm32::unreachable()
}
