//! What zygotes and workers, and the programs that they run, write to their standard descriptors.
//!
//! `sys.stdout` and `sys.stderr` do not come here: they are objects of ours, which know the request. What comes is C
//! code, the interpreter's own last words, a crash: all that can only be heard from outside.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::{
    io::{Errno, read, retry_on_intr},
    pipe::{PipeFlags, pipe_with},
};

use crate::journal::{self, Role, Splitter, Stream, Words};

/// Read at a time, so that one process that never stops does not keep us from the others.
const AT_ONCE: usize = 64 << 10;

/// The reading end; it stays open as long as anybody can write, which may be longer than the process lives.
pub(super) struct Output {
    pipe: OwnedFd,
    role: Role,
    splitter: Splitter,
}

impl AsFd for Output {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }
}

impl Output {
    /// The reading end, which does not wait, and the writing end, which does.
    pub(super) fn pipe(role: Role) -> io::Result<(Self, OwnedFd)> {
        let (pipe, writer) = pipe_with(PipeFlags::CLOEXEC)?;
        rustix::io::ioctl_fionbio(&pipe, true)?;
        let splitter = Splitter::default();
        let output = Self {
            pipe,
            role,
            splitter,
        };
        Ok((output, writer))
    }

    /// Logs what is there; gives whether there can be more.
    pub(super) fn read(&mut self) -> bool {
        let role = self.role;
        self.read_to(|text| log(role, text))
    }

    fn read_to(&mut self, mut log: impl FnMut(&str)) -> bool {
        let mut buffer = [0; AT_ONCE];
        match retry_on_intr(|| read(&self.pipe, &mut buffer)) {
            Ok(count) if count > 0 => {
                self.splitter.stream(&buffer[..count], log);
                true
            }
            Err(Errno::AGAIN) => true,
            Ok(_) | Err(_) => {
                self.splitter.finish(&mut log);
                false
            }
        }
    }
}

fn log(role: Role, text: &str) {
    journal::say(&Words {
        role: Some(role),
        stream: Stream::Output,
        priority: None,
        text,
        request_id: "",
        code: None,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_entries_and_so_is_the_last_one_without_an_end() {
        let (mut output, writer) = Output::pipe(Role::Worker(0)).unwrap();
        let mut entries = Vec::new();
        rustix::io::write(&writer, b"one\ntwo\nlast").unwrap();
        assert!(output.read_to(|text| entries.push(text.to_owned())));
        assert!(output.read_to(|text| entries.push(text.to_owned())));
        assert_eq!(entries, ["one", "two"]);
        drop(writer);
        assert!(!output.read_to(|text| entries.push(text.to_owned())));
        assert_eq!(entries, ["one", "two", "last"]);
    }
}
