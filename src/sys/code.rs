//! The machine code of this process in its memory: apart from other memory because it can be had again from its file.

use std::{ffi::c_void, ops::Range};

use libc::{PF_W, PT_LOAD, c_int, dl_iterate_phdr, dl_phdr_info};
use rustix::{
    mm::{Advice, madvise},
    param::page_size,
};

/// Lets go of all code and constants that this process has used so far. The kernel brings back, from its cache of the
/// files, whatever is used again (`MADV_DONTNEED` in madvise(2)). For a process that has done most of its work when it
/// starts, and then sleeps.
///
/// To be called only by programs that know what they have loaded: code that was changed in memory would be lost.
pub fn forget_code() {
    for range in constant_ranges() {
        // SAFETY: these pages are mapped from files, and nobody can have written to them, so that they come back as they
        // are; nothing is unmapped. Locked memory (mlock(2)) stays, which is what whoever locked it wished.
        let _ = unsafe {
            madvise(
                range.start as *mut c_void,
                range.len(),
                Advice::LinuxDontNeed,
            )
        };
    }
}

/// Where the segments of the program and its libraries lie that cannot be written to, in whole pages.
fn constant_ranges() -> Vec<Range<usize>> {
    let mut found = Vec::new();
    // SAFETY: `note` is given the vector that it expects, which outlives the call.
    unsafe { dl_iterate_phdr(Some(note), (&raw mut found).cast()) };
    found
}

/// Adds the segments of one object to the vector behind `found`.
unsafe extern "C" fn note(info: *mut dl_phdr_info, _size: usize, found: *mut c_void) -> c_int {
    // SAFETY: dl_iterate_phdr(3) passes a valid object, and on what it was given for us: the vector, to which nothing else
    // refers meanwhile.
    let (info, found) = unsafe { (&*info, &mut *found.cast::<Vec<Range<usize>>>()) };
    if info.dlpi_phdr.is_null() {
        return 0;
    }
    // SAFETY: there are so many headers, and they live as long as the object.
    let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
    let page = page_size();
    for header in headers {
        if header.p_type == PT_LOAD && header.p_flags & PF_W == 0 {
            let start = info.dlpi_addr as usize + header.p_vaddr as usize;
            // The last page may have more in it than this segment, and stays.
            let whole =
                start.next_multiple_of(page)..(start + header.p_memsz as usize) / page * page;
            if !whole.is_empty() {
                found.push(whole);
            }
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_that_is_let_go_of_runs_on() {
        let here = forget_code as *const () as usize;
        assert!(constant_ranges().iter().any(|range| range.contains(&here)));
        forget_code();
        assert_eq!(format!("{:?}", Some("as before")), "Some(\"as before\")");
    }
}
