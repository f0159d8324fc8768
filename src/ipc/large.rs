//! Messages that are too long for a datagram, in a file that exists in memory alone (memfd_create(2)).
//!
//! Settings with many routes are such a message. The file goes with the datagram as its last descriptor.

use std::{
    fs::File,
    io::{self, Write},
    os::{fd::OwnedFd, unix::fs::FileExt},
};

use rustix::fs::{MemfdFlags, memfd_create};

use super::IpcError;

/// Longest message in bytes, so that no process can make another one take any amount of memory.
pub(super) const MAX_LARGE: usize = 16 << 20;

/// A file with these bytes.
pub(super) fn write(bytes: &[u8]) -> Result<OwnedFd, IpcError> {
    let write = || {
        let mut file = File::from(memfd_create("hostler-message", MemfdFlags::CLOEXEC)?);
        file.write_all(bytes)?;
        Ok(file.into())
    };
    write().map_err(IpcError::Send)
}

/// The bytes of such a file, wherever its position is: the two processes share it.
pub(super) fn read(fd: OwnedFd) -> Result<Vec<u8>, IpcError> {
    let file = File::from(fd);
    let length = file.metadata().map_err(IpcError::Receive)?.len();
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > MAX_LARGE {
        return Err(IpcError::TooLarge {
            bytes: length,
            descriptors: 1,
        });
    }
    let mut bytes = vec![0; length];
    let read: io::Result<()> = file.read_exact_at(&mut bytes, 0);
    read.map_err(IpcError::Receive)?;
    Ok(bytes)
}
