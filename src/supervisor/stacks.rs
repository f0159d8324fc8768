//! What a worker writes of the stacks of its threads, read from a pipe that exists for this alone.
//!
//! It is written in a signal handler, also while C code keeps Python's lock, so that it comes in pieces and ends with
//! a mark.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::{
    io::{Errno, read, retry_on_intr},
    pipe::{PipeFlags, pipe_with},
};

use crate::sys::STACKS_END;

/// More than this is dropped; a thousand threads of a hundred frames are less.
const LONGEST: usize = 8 << 20;

/// The reading end, and what has been read and not yet taken.
#[derive(Debug)]
pub(super) struct Stacks {
    pipe: OwnedFd,
    text: Vec<u8>,
}

/// What became of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// Nobody can write any more.
    Closed,
    /// All threads have been written.
    Complete,
    /// There may be more to come.
    Unfinished,
}

impl AsFd for Stacks {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }
}

impl Stacks {
    /// The reading end, which does not wait, and the writing end, which does.
    pub(super) fn pipe() -> io::Result<(Self, OwnedFd)> {
        let (pipe, writer) = pipe_with(PipeFlags::CLOEXEC)?;
        rustix::io::ioctl_fionbio(&pipe, true)?;
        let text = Vec::new();
        Ok((Self { pipe, text }, writer))
    }

    /// Reads what is there.
    pub(super) fn read(&mut self) -> Progress {
        let mut buffer = [0; 16 << 10];
        loop {
            match retry_on_intr(|| read(&self.pipe, &mut buffer)) {
                Ok(0) => return Progress::Closed,
                Ok(count) => {
                    let room = LONGEST.saturating_sub(self.text.len());
                    self.text.extend(&buffer[..count.min(room)]);
                    if buffer[..count].ends_with(STACKS_END.as_bytes()) {
                        return Progress::Complete;
                    }
                }
                Err(Errno::AGAIN) => return Progress::Unfinished,
                Err(_) => return Progress::Closed,
            }
        }
    }

    /// What has been written, without the mark.
    pub(super) fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.text);
        text.replace(STACKS_END, "").trim().to_owned()
    }

    /// The same, which is forgotten then.
    pub(super) fn take(&mut self) -> String {
        let text = self.text();
        self.text = Vec::new();
        text
    }
}

/// The stack of one thread among those of a worker, by what pthread_self(3) says in it; all of them if it cannot be told
/// which it is.
pub(super) fn of_thread(stacks: &str, ident: u64) -> &str {
    // `Thread 0x00007f2b3c5ff6c0 (most recent call first):`, or `Current thread`, and its frames up to an empty line.
    let mark = format!("hread 0x{ident:016x} ");
    let mut parts = stacks.split("\n\n");
    let found = parts.find(|part| part.lines().next().is_some_and(|line| line.contains(&mark)));
    found.unwrap_or(stacks).trim()
}

#[cfg(test)]
mod tests {
    use rustix::io::write;

    use super::*;

    #[test]
    fn pieces_become_one_text() {
        let (mut stacks, writer) = Stacks::pipe().unwrap();
        assert_eq!(stacks.read(), Progress::Unfinished);
        write(&writer, b"Thread 1:\n").unwrap();
        assert_eq!(stacks.read(), Progress::Unfinished);
        write(&writer, b"  File\n").unwrap();
        write(&writer, STACKS_END.as_bytes()).unwrap();
        assert_eq!(stacks.read(), Progress::Complete);
        assert_eq!(stacks.take(), "Thread 1:\n  File");
        assert_eq!(stacks.take(), "");
    }

    #[test]
    fn the_stack_of_a_thread_is_found_among_all() {
        let one =
            "Thread 0x00007f00000000a0 (most recent call first):\n  File \"a.py\", line 1 in a";
        let other =
            "Current thread 0x00007f00000000b0 [main] (most recent call first):\n  File \"b.py\"";
        let stacks = format!("{one}\n\n{other}\n");
        assert_eq!(of_thread(&stacks, 0x7f00_0000_00a0), one);
        assert_eq!(of_thread(&stacks, 0x7f00_0000_00b0), other);
        assert_eq!(of_thread(&stacks, 0xa0), stacks.trim());
        assert_eq!(of_thread("", 0), "");
    }

    #[test]
    fn a_worker_that_is_gone_has_nothing_to_say() {
        let (mut stacks, writer) = Stacks::pipe().unwrap();
        drop(writer);
        assert_eq!(stacks.read(), Progress::Closed);
    }

    #[test]
    fn too_much_is_cut_and_still_ends() {
        let (mut stacks, writer) = Stacks::pipe().unwrap();
        let piece = vec![b'x'; 16 << 10];
        for _ in 0..=LONGEST / piece.len() {
            write(&writer, &piece).unwrap();
            assert_eq!(stacks.read(), Progress::Unfinished);
        }
        write(&writer, STACKS_END.as_bytes()).unwrap();
        assert_eq!(stacks.read(), Progress::Complete);
        assert_eq!(stacks.take().len(), LONGEST);
    }
}
