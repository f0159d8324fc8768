//! Memory for the worker's own needs when the application has taken all that `limits.limit-as` allows.
//!
//! Python answers a refused allocation with a MemoryError; Rust ends the process, and with it every request that is in
//! it. So the limit is the application's: what the server needs to finish those requests, and to say what has happened,
//! comes on top of it, little by little, so that the application has hardly any of it.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    hint::black_box,
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// How far the limit may be exceeded. A worker whose memory is used up is replaced at once, so that it need not last.
pub(crate) const ON_TOP: u64 = 64 << 20;
/// By how much more than was asked for the limit is raised: what malloc takes from the kernel at a time.
const STEP: u64 = 1 << 20;

/// The system's allocator, which asks once more after it was refused.
struct Persistent;

#[global_allocator]
static ALLOCATOR: Persistent = Persistent;

// SAFETY: every call is passed on as it came; what is given out and taken back are the system allocator's blocks.
#[expect(unsafe_code, reason = "an allocator hands out raw memory")]
unsafe impl GlobalAlloc for Persistent {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the promises that the system's allocator asks for.
        persist(layout.size(), || unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        persist(layout.size(), || unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above; a block that could not grow is unchanged.
        persist(size, || unsafe { System.realloc(block, layout, size) })
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }
}

/// Lets malloc keep an answer or two of free memory at the end of its heap instead of 128 KiB, at which bodies of 64 KiB
/// have it take memory from the kernel and give it back, page by page, with each request. glibc keeps twice the largest
/// block that it has mapped apart and got back (mallopt(3), M_MMAP_THRESHOLD), and goes on to learn by that; a number
/// of our own would end the learning.
pub(crate) fn keep_free_memory() {
    const BLOCK: usize = 512 << 10;
    drop(black_box(Vec::<u8>::with_capacity(BLOCK)));
}

fn persist(size: usize, allocate: impl Fn() -> *mut u8) -> *mut u8 {
    let block = allocate();
    if !block.is_null() {
        return block;
    }
    make_room(size as u64);
    allocate()
}

/// Raises the limit of this process towards its hard limit. Nothing in here allocates.
fn make_room(size: u64) {
    let limit = getrlimit(Resource::As);
    if let (Some(current), Some(maximum)) = (limit.current, limit.maximum) {
        let current = current.saturating_add(size).saturating_add(STEP);
        let raised = Rlimit {
            current: Some(current.min(maximum)),
            maximum: Some(maximum),
        };
        // Refused: then the memory is, too, and the caller ends the process as it would have without us.
        let _ = setrlimit(Resource::As, raised);
    }
}
