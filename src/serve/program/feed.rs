//! The standard input of a program: the body of its request, of a length that is known beforehand, since CGI has no
//! other way to say where it ends.

use std::{
    fs::File,
    io::{self, Seek, SeekFrom, Write},
    os::fd::{AsFd, OwnedFd},
    process::Stdio,
};

use rustix::io::Errno;

use crate::{
    serve::exchange::{BodySupply, Exchange},
    sys::append,
};

/// Read from a client at once.
const PIECE: usize = 64 << 10;

/// What is still to be written to a program.
pub(super) enum Feed {
    /// Nothing: there is no body, all of it was taken, or the program has got it as a file.
    Done,
    /// What is behind `at` of a body that is in memory.
    Memory { at: usize },
    /// What comes from the client: `piece` from `at` on, and then what follows.
    Stream { piece: Vec<u8>, at: usize },
}

/// A feed at its beginning.
pub(super) struct Prepared {
    pub(super) feed: Feed,
    pub(super) stdin: Stdio,
    /// CONTENT_LENGTH; `None`: there is no body.
    pub(super) length: Option<u64>,
}

impl Feed {
    /// Finds out how the body gets to the program. One whose length only its end tells is read to a file first, which
    /// waits for the client.
    ///
    /// # Errors
    /// Those of [`Exchange::read_body`]; the file cannot be written.
    pub(super) fn prepare(exchange: &mut Exchange<'_>) -> io::Result<Prepared> {
        let prepared = |feed, stdin, length| Prepared {
            feed,
            stdin,
            length: Some(length),
        };
        Ok(match exchange.body()? {
            BodySupply::Empty => Prepared {
                feed: Self::Done,
                stdin: Stdio::null(),
                length: None,
            },
            BodySupply::Memory(bytes) => {
                let length = bytes.len() as u64;
                prepared(Self::Memory { at: 0 }, Stdio::piped(), length)
            }
            BodySupply::Spooled(file, length) => {
                prepared(Self::Done, from_start(File::from(file))?, length)
            }
            BodySupply::Stream => match exchange.announced_length() {
                Some(length) => {
                    let (piece, at) = (Vec::new(), 0);
                    prepared(Self::Stream { piece, at }, Stdio::piped(), length)
                }
                None => {
                    let (file, length) = read_to_end(exchange)?;
                    prepared(Self::Done, from_start(file)?, length)
                }
            },
        })
    }

    /// Whether the program has, or gets by itself, all that there is.
    pub(super) fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }

    /// Whether more has to come from the client first.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Stream { piece, at } if *at == piece.len())
    }

    /// Takes in what the client has sent.
    ///
    /// # Errors
    /// Those of [`Exchange::read_body`].
    pub(super) fn fill(&mut self, exchange: &mut Exchange<'_>) -> io::Result<bool> {
        if !self.is_empty() {
            return Ok(false);
        }
        let Self::Stream { piece, at } = self else {
            return Ok(false);
        };
        piece.clear();
        piece.reserve(PIECE);
        *at = 0;
        let read = append(piece, PIECE, |room| exchange.next_of_body(room))?;
        if read == Some(0) {
            *self = Self::Done;
        }
        Ok(read.is_some())
    }

    /// Writes what the program takes at once. Gives whether it took anything.
    pub(super) fn push(&mut self, exchange: &Exchange<'_>, stdin: &OwnedFd) -> bool {
        let written = match self {
            Self::Done => return false,
            Self::Stream { piece, at } => write(stdin, &piece[*at..]).inspect(|sent| *at += sent),
            Self::Memory { at } => match exchange.body() {
                Ok(BodySupply::Memory(bytes)) if *at < bytes.len() => {
                    write(stdin, &bytes[*at..]).inspect(|sent| *at += sent)
                }
                _ => Err(Errno::PIPE),
            },
        };
        match written {
            Ok(sent) => sent > 0,
            Err(Errno::AGAIN | Errno::INTR) => false,
            // The program has closed its input, as it may.
            Err(_) => {
                *self = Self::Done;
                true
            }
        }
    }
}

fn write(stdin: &OwnedFd, bytes: &[u8]) -> Result<usize, Errno> {
    match bytes {
        [] => Ok(0),
        bytes => rustix::io::write(stdin.as_fd(), bytes),
    }
}

fn from_start(mut file: File) -> io::Result<Stdio> {
    file.seek(SeekFrom::Start(0))?;
    Ok(Stdio::from(file))
}

/// All of the body, whose size `http.max-body` limits.
fn read_to_end(exchange: &mut Exchange<'_>) -> io::Result<(File, u64)> {
    let mut file = tempfile::tempfile()?;
    let mut piece = Vec::with_capacity(PIECE);
    let mut length = 0;
    loop {
        piece.clear();
        match append(&mut piece, PIECE, |room| exchange.read_body(room))? {
            0 => return Ok((file, length)),
            read => {
                file.write_all(&piece)?;
                length += read as u64;
            }
        }
    }
}
