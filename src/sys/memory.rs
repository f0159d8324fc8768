//! Memory that several processes see at once, as slices of structs made of atomics.

use std::{
    io, mem,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    ptr::{self, NonNull},
    slice,
    sync::atomic::{AtomicU32, AtomicU64},
};

use rustix::{
    fs::{MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, fstat, ftruncate, memfd_create},
    mm::{MapFlags, ProtFlags, mmap, munmap},
};

/// Types that may lie in shared memory.
///
/// # Safety
/// Every bit pattern is a valid value (memory starts as zeroes and other processes write to it), every field can be
/// changed behind a shared reference at any time, and nothing points to other memory: atomics, arrays of them, and
/// structs declared by `shared_struct!`.
pub unsafe trait Shared: Sync {}

// SAFETY: an atomic integer may be changed at any time and takes every bit pattern.
unsafe impl Shared for AtomicU32 {}
// SAFETY: as above.
unsafe impl Shared for AtomicU64 {}
// SAFETY: an array is its elements.
unsafe impl<T: Shared, const N: usize> Shared for [T; N] {}

/// Declares a struct for shared memory: laid out as C does, on cache lines of its own (two adjacent ones are fetched
/// together by current processors), each field a [`Shared`] type or it does not compile.
macro_rules! shared_struct {
    ($(#[$doc:meta])* $vis:vis struct $name:ident { $($(#[$field_doc:meta])* $field_vis:vis $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug)]
        #[repr(C, align(128))]
        $vis struct $name { $($(#[$field_doc])* $field_vis $field: $type,)* }

        const _: fn() = || {
            fn shared<T: $crate::sys::Shared>() {}
            $(shared::<$type>();)*
        };

        #[expect(unsafe_code, reason = "the macro checks what the trait asks for")]
        // SAFETY: each field is Shared, as the function above makes the compiler prove.
        unsafe impl $crate::sys::Shared for $name {}
    };
}
pub(crate) use shared_struct;

/// A file in memory (memfd_create(2)) mapped into this process, sealed against change of its size so that no access
/// can fault.
#[derive(Debug)]
pub struct SharedMemory {
    start: NonNull<u8>,
    len: usize,
    fd: OwnedFd,
}

// SAFETY: the mapping belongs to the value and is not tied to a thread.
unsafe impl Send for SharedMemory {}
// SAFETY: it is read and written only as Shared types, which are Sync.
unsafe impl Sync for SharedMemory {}

impl SharedMemory {
    /// Makes `len` bytes of zeroes; `name` is for /proc/PID/maps.
    pub fn create(name: &str, len: usize) -> io::Result<Self> {
        let fd = memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        ftruncate(&fd, len as u64)?;
        fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        Self::map(fd, len)
    }

    /// Maps what another process made by [`SharedMemory::create`].
    pub fn open(fd: OwnedFd) -> io::Result<Self> {
        if !fcntl_get_seals(&fd)?.contains(SealFlags::SHRINK) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the file may still shrink",
            ));
        }
        let len = usize::try_from(fstat(&fd)?.st_size).map_err(io::Error::other)?;
        Self::map(fd, len)
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// `count` values that start at byte `offset`; `None` when they do not fit or are not aligned.
    pub fn slice<T: Shared>(&self, offset: usize, count: usize) -> Option<&[T]> {
        let end = mem::size_of::<T>()
            .checked_mul(count)?
            .checked_add(offset)?;
        if end > self.len || !offset.is_multiple_of(mem::align_of::<T>()) {
            return None;
        }
        // SAFETY: the bytes lie within the mapping, which is aligned to a page and lives as long as self; Shared types
        // take every bit pattern and expect to be changed by others.
        Some(unsafe { slice::from_raw_parts(self.start.as_ptr().add(offset).cast(), count) })
    }

    fn map(fd: OwnedFd, len: usize) -> io::Result<Self> {
        let protection = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping at a place that the kernel chooses overlaps nothing.
        let start = unsafe { mmap(ptr::null_mut(), len, protection, MapFlags::SHARED, &fd, 0)? };
        let start = NonNull::new(start.cast()).ok_or_else(|| io::Error::other("mapped at 0"))?;
        Ok(Self { start, len, fd })
    }
}

impl AsFd for SharedMemory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Drop for SharedMemory {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `map` with this length, and every slice of it borrows self.
        let unmapped = unsafe { munmap(self.start.as_ptr().cast(), self.len) };
        debug_assert!(unmapped.is_ok(), "the mapping is our own: {unmapped:?}");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::Relaxed;

    use super::*;

    #[test]
    fn two_mappings_see_the_same_values() {
        let here = SharedMemory::create("test", 4096).unwrap();
        let there = SharedMemory::open(here.as_fd().try_clone_to_owned().unwrap()).unwrap();
        here.slice::<AtomicU64>(8, 2).unwrap()[1].store(7, Relaxed);
        assert_eq!(there.slice::<AtomicU64>(16, 1).unwrap()[0].load(Relaxed), 7);
    }

    #[test]
    fn slices_outside_or_out_of_line_are_refused() {
        let memory = SharedMemory::create("test", 64).unwrap();
        assert!(memory.slice::<AtomicU64>(0, 8).is_some());
        assert!(memory.slice::<AtomicU64>(0, 9).is_none());
        assert!(memory.slice::<AtomicU64>(4, 1).is_none());
        assert!(memory.slice::<AtomicU64>(usize::MAX - 7, 1).is_none());
    }

    #[test]
    fn a_file_that_may_shrink_is_refused() {
        let fd = memfd_create("test", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).unwrap();
        assert!(SharedMemory::open(fd).is_err());
    }
}
