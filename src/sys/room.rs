//! Memory to be filled, which need not hold anything before.
//!
//! Zeroing what a system call writes over right after is time that a large upload need not take. Rust calls memory that
//! was never written to `MaybeUninit`, which is not safe to look into; here is the count of what was filled, so that
//! other rooms can fill and look without thinking of it. What is received, and for whom, does not belong here.

use std::{mem::MaybeUninit, os::fd::AsFd, ptr, slice};

use rustix::{
    io::pread,
    net::{RecvFlags, recv},
};

/// Memory that is filled from its beginning on.
#[derive(Debug)]
pub struct Room<'m> {
    /// The first `filled` bytes are initialised. It is never given out to be written to, since it may belong to bytes
    /// that all have to stay initialised.
    memory: &'m mut [MaybeUninit<u8>],
    filled: usize,
}

impl<'m> Room<'m> {
    /// All of `memory`, nothing of which is filled.
    pub fn new(memory: &'m mut [MaybeUninit<u8>]) -> Self {
        Self { memory, filled: 0 }
    }

    /// How many more bytes there is room for.
    pub fn left(&self) -> usize {
        self.memory.len() - self.filled
    }

    /// Whether there is room for none.
    pub fn is_full(&self) -> bool {
        self.left() == 0
    }

    /// What was filled.
    pub fn filled(&self) -> &[u8] {
        let filled = &self.memory[..self.filled];
        // SAFETY: they are initialised, see the field, and bytes are laid out as bytes that may be uninitialised.
        unsafe { slice::from_raw_parts(filled.as_ptr().cast(), filled.len()) }
    }

    /// Copies as many of the bytes as there is room for; gives how many these are.
    pub fn push(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.left());
        // SAFETY: bytes are laid out as bytes that may be uninitialised, and are all valid as such.
        let bytes: &[MaybeUninit<u8>] =
            unsafe { slice::from_raw_parts(bytes.as_ptr().cast(), count) };
        self.memory[self.filled..][..count].copy_from_slice(bytes);
        self.filled += count;
        count
    }

    /// Receives up to `most` bytes by recv(2); gives how many came, 0 at the end or when there is room for none.
    ///
    /// # Errors
    /// Those of recv(2); `AGAIN`: there are none yet.
    pub fn receive(&mut self, socket: impl AsFd, most: usize) -> rustix::io::Result<usize> {
        let ((received, _), _) = recv(socket, self.unfilled(most), RecvFlags::empty())?;
        let count = received.len();
        self.filled += count;
        Ok(count)
    }

    /// Reads up to `most` bytes by pread(2); gives how many there were, 0 at the end or when there is room for none.
    ///
    /// # Errors
    /// Those of pread(2).
    pub fn read_at(
        &mut self,
        file: impl AsFd,
        most: usize,
        offset: u64,
    ) -> rustix::io::Result<usize> {
        let (read, _) = pread(file, self.unfilled(most), offset)?;
        let count = read.len();
        self.filled += count;
        Ok(count)
    }

    fn unfilled(&mut self, most: usize) -> &mut [MaybeUninit<u8>] {
        let most = most.min(self.left());
        &mut self.memory[self.filled..][..most]
    }
}

/// Bytes that are written over.
impl<'m> From<&'m mut [u8]> for Room<'m> {
    fn from(bytes: &'m mut [u8]) -> Self {
        let (start, len) = (bytes.as_mut_ptr(), bytes.len());
        // SAFETY: it is the same memory, borrowed for as long, and laid out alike. Whoever lent it finds bytes in all of
        // it again, because a room writes nothing but bytes and gives nobody else the means to.
        Self::new(unsafe { slice::from_raw_parts_mut(start.cast(), len) })
    }
}

/// Lets `fill` add up to `most` bytes to `bytes`, which is not moved: it has the capacity, or gets fewer.
pub fn append<R>(bytes: &mut Vec<u8>, most: usize, fill: impl FnOnce(&mut Room<'_>) -> R) -> R {
    let spare = bytes.spare_capacity_mut();
    let most = most.min(spare.len());
    let start = spare.as_ptr();
    let mut room = Room::new(&mut spare[..most]);
    let result = fill(&mut room);
    let filled = room.filled();
    // `fill` may have put another room in the place of ours; of that one nothing is to be had.
    if ptr::eq(filled.as_ptr(), start.cast()) {
        let len = filled.len();
        let len = bytes.len() + len;
        // SAFETY: the room began behind the last byte and within the capacity, and so much of it is initialised.
        unsafe { bytes.set_len(len) };
    }
    result
}

#[cfg(test)]
mod tests {
    use std::{io::Write, os::unix::net::UnixStream};

    use rustix::io::Errno;

    use super::*;

    /// `act` with room for ten bytes that were never anything; gives what is filled after.
    fn filled(act: impl FnOnce(&mut Room<'_>)) -> Vec<u8> {
        let mut memory = [MaybeUninit::uninit(); 10];
        let mut room = Room::new(&mut memory);
        act(&mut room);
        assert_eq!(room.left(), 10 - room.filled().len());
        room.filled().to_vec()
    }

    #[test]
    fn takes_what_there_is_room_for() {
        let pushed = filled(|room| {
            assert_eq!(room.push(b"seven, "), 7);
            assert_eq!(room.push(b"and four"), 3);
            assert_eq!((room.is_full(), room.push(b"no more")), (true, 0));
        });
        assert_eq!(pushed, b"seven, and");
    }

    #[test]
    fn receives_until_the_end() {
        let (mut client, server) = UnixStream::pair().unwrap();
        server.set_nonblocking(true).unwrap();
        let received = filled(|room| {
            assert_eq!(room.receive(&server, 4), Err(Errno::AGAIN));
            client.write_all(b"0123456").unwrap();
            assert_eq!(room.receive(&server, 4), Ok(4));
            assert_eq!(room.receive(&server, usize::MAX), Ok(3));
            drop(client);
            assert_eq!(room.receive(&server, 4), Ok(0));
        });
        assert_eq!(received, b"0123456");
    }

    #[test]
    fn reads_a_file_until_its_end() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"0123456").unwrap();
        let read = filled(|room| {
            assert_eq!(room.read_at(&file, 2, 1), Ok(2));
            assert_eq!(room.read_at(&file, usize::MAX, 3), Ok(4));
            assert_eq!(room.read_at(&file, 1, 7), Ok(0));
        });
        assert_eq!(read, b"123456");
    }

    #[test]
    fn bytes_that_were_there_stay_behind_the_filled_ones() {
        let mut bytes = *b"0123456789";
        Room::from(&mut bytes[..]).push(b"abc");
        assert_eq!(&bytes, b"abc3456789");
    }

    #[test]
    fn appends_within_the_capacity() {
        let mut bytes = Vec::with_capacity(10);
        bytes.extend_from_slice(b"01");
        assert_eq!(append(&mut bytes, 3, |room| room.push(b"23456")), 3);
        assert_eq!(bytes, b"01234");
        let room = bytes.capacity() - bytes.len();
        append(&mut bytes, usize::MAX, |room| room.push(&[b'x'; 100]));
        assert_eq!(bytes.len(), 5 + room);
    }

    #[test]
    fn another_room_appends_nothing() {
        let mut bytes = Vec::with_capacity(10);
        append(&mut bytes, 10, |room| {
            *room = Room::from(Vec::leak(vec![0; 9]));
            room.push(b"elsewhere");
        });
        assert_eq!(bytes, b"");
    }
}
