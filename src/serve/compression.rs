//! Coders for the bodies of answers (`response.compress`): bytes in, bytes out, and everything out at a flush.
//!
//! Their effort is that of an answer made for one client: what is sent often is better compressed once, beside its file
//! (`static.precompressed`).

use std::{fmt, io::Write};

use brotli::CompressorWriter;
use flate2::{Compression, write::GzEncoder};

use crate::static_files::Coding;

/// Of 9; more costs much time and saves little.
const GZIP_LEVEL: u32 = 5;
/// Of 11; from 5 on it costs several times as much.
const BROTLI_QUALITY: u32 = 4;
/// Log of the bytes that it looks back, 256 KiB: half a megabyte of memory for each answer on its way.
const BROTLI_WINDOW: u32 = 18;
const BROTLI_BUFFER: usize = 4 << 10;

/// One body on its way.
pub(super) enum Coder {
    Brotli(Box<CompressorWriter<Vec<u8>>>),
    Gzip(GzEncoder<Vec<u8>>),
}

impl fmt::Debug for Coder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Brotli(_) => "Brotli",
            Self::Gzip(_) => "Gzip",
        })
    }
}

impl Coder {
    /// For the first of these codings that we have.
    pub(super) fn of(codings: impl Iterator<Item = Coding>) -> Option<(Self, &'static str)> {
        let mut known = codings.filter(|coding| matches!(coding, Coding::Br | Coding::Gzip));
        let coding = known.next()?;
        let coder = match coding {
            Coding::Br => Self::Brotli(Box::new(CompressorWriter::new(
                Vec::new(),
                BROTLI_BUFFER,
                BROTLI_QUALITY,
                BROTLI_WINDOW,
            ))),
            _ => Self::Gzip(GzEncoder::new(Vec::new(), Compression::new(GZIP_LEVEL))),
        };
        Some((coder, coding.name()))
    }

    /// Takes bytes of the body; gives what has come out.
    pub(super) fn write(&mut self, data: &[u8]) -> Vec<u8> {
        // Writing to a Vec cannot fail, nor can compressing.
        let _ = match self {
            Self::Brotli(writer) => writer.write_all(data),
            Self::Gzip(writer) => writer.write_all(data),
        };
        self.take()
    }

    /// Gives all that the client needs to have what was written so far.
    pub(super) fn flush(&mut self) -> Vec<u8> {
        let _ = match self {
            Self::Brotli(writer) => writer.flush(),
            Self::Gzip(writer) => writer.flush(),
        };
        self.take()
    }

    /// Gives the rest.
    pub(super) fn finish(self) -> Vec<u8> {
        match self {
            Self::Brotli(writer) => writer.into_inner(),
            Self::Gzip(writer) => writer.finish().unwrap_or_default(),
        }
    }

    fn take(&mut self) -> Vec<u8> {
        std::mem::take(match self {
            Self::Brotli(writer) => writer.get_mut(),
            Self::Gzip(writer) => writer.get_mut(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn decode(coding: Coding, coded: &[u8]) -> Vec<u8> {
        let mut plain = Vec::new();
        // What was flushed and not finished ends too early, after all that was written.
        let _ = match coding {
            Coding::Gzip => flate2::read::GzDecoder::new(coded).read_to_end(&mut plain),
            _ => brotli::Decompressor::new(coded, 4096).read_to_end(&mut plain),
        };
        plain
    }

    #[test]
    fn what_was_flushed_can_be_read() {
        for coding in [Coding::Br, Coding::Gzip] {
            let (mut coder, name) = Coder::of([coding].into_iter()).unwrap();
            assert_eq!(name, coding.name());
            let (mut plain, mut coded) = (Vec::new(), Vec::new());
            for number in 0..100_u32 {
                let piece = format!("piece {number} {}", "x".repeat(1000));
                plain.extend_from_slice(piece.as_bytes());
                coded.extend(coder.write(piece.as_bytes()));
                if number % 10 == 0 {
                    coded.extend(coder.flush());
                    assert!(decode(coding, &coded) == plain, "{name} {number}");
                }
            }
            coded.extend(coder.finish());
            assert!(decode(coding, &coded) == plain && coded.len() < plain.len() / 10);
        }
    }

    #[test]
    fn what_we_do_not_have_is_not_chosen() {
        assert!(Coder::of([Coding::Zstd].into_iter()).is_none());
        let (_, name) = Coder::of([Coding::Zstd, Coding::Gzip].into_iter()).unwrap();
        assert_eq!(name, "gzip");
    }
}
