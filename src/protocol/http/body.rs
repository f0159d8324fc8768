//! The chunked transfer coding (RFC 9112 section 7.1), decoded piece by piece in constant memory.
//!
//! Chunk extensions and trailers are checked for syntax, limited and dropped: PEP 3333 has no place for them.

use crate::protocol::Refusal;

/// Bytes of chunk extensions in one body. Without a limit, a client could send a gigabyte of them for a byte of data.
const MAX_EXTENSIONS: u32 = 16 << 10;
/// Bytes of the trailer section.
const MAX_TRAILERS: u32 = 8 << 10;
/// Digits of a chunk's size, leading zeros included; 16 are all that 64 bits can say.
const MAX_SIZE_DIGITS: u8 = 16;

/// Decoder of one body.
#[derive(Debug, Clone)]
pub struct Chunked {
    state: State,
    /// Bytes of the chunk that are still to come; while its line is read, its size so far.
    left: u64,
    digits: u8,
    extensions: u32,
    trailers: u32,
    /// Bytes of body that may still come.
    allowed: u64,
}

/// What the next byte has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Part of a chunk's size, or what ends it.
    Size,
    /// A blank between size and extension, RFC 9112 section 7.1.1.
    Blank,
    /// Part of a chunk extension.
    Extension,
    /// LF after the line of a chunk.
    SizeLf,
    /// Body.
    Data,
    /// CR after the data of a chunk.
    DataCr,
    /// LF after it.
    DataLf,
    /// Begin of a trailer line, or of the last line of all.
    Trailer,
    /// Part of a trailer's name.
    TrailerName,
    /// Part of a trailer's value.
    TrailerValue,
    /// LF after a trailer line.
    TrailerLf,
    /// LF of the last line.
    LastLf,
    /// Nothing more.
    Complete,
}

impl Chunked {
    /// A decoder for a body of at most `limit` bytes; 0: no limit.
    pub fn new(limit: u64) -> Self {
        let allowed = if limit == 0 { u64::MAX } else { limit };
        Self {
            state: State::Size,
            left: 0,
            digits: 0,
            extensions: 0,
            trailers: 0,
            allowed,
        }
    }

    /// Whether the body has ended, trailers and all; what follows belongs to the next request.
    pub fn is_complete(&self) -> bool {
        self.state == State::Complete
    }

    /// Consumes from `input` and appends decoded bytes to `out` until `out` is `room` bytes long; gives the number of
    /// bytes consumed. A full `out` does not keep it from consuming what is no data.
    ///
    /// # Errors
    /// 400 for a broken coding, 413 for a body above the limit, 431 for extensions or trailers above theirs.
    pub fn decode(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        room: usize,
    ) -> Result<usize, Refusal> {
        let mut at = 0;
        while let Some(&byte) = input.get(at) {
            if self.state == State::Complete {
                break;
            }
            if self.state == State::Data {
                let free = room.saturating_sub(out.len());
                let left = usize::try_from(self.left).unwrap_or(usize::MAX);
                let take = left.min(free).min(input.len() - at);
                if take == 0 {
                    break;
                }
                out.extend_from_slice(&input[at..at + take]);
                at += take;
                self.left -= take as u64;
                if self.left == 0 {
                    self.state = State::DataCr;
                }
                continue;
            }
            self.state = self.step(byte)?;
            at += 1;
        }
        Ok(at)
    }

    /// The state after `byte`, which is no data.
    fn step(&mut self, byte: u8) -> Result<State, Refusal> {
        match (self.state, byte) {
            (State::Size, _) => self.size(byte),
            (State::Blank, b' ' | b'\t') => self.extension(State::Blank),
            (State::Blank, b';') => self.extension(State::Extension),
            (State::Extension, b'\r') => Ok(State::SizeLf),
            (State::Extension, b'\t' | b' '..=b'~' | 0x80..) => self.extension(State::Extension),
            (State::SizeLf, b'\n') => self.begin(),
            (State::DataCr, b'\r') => Ok(State::DataLf),
            (State::DataLf, b'\n') => {
                self.digits = 0;
                Ok(State::Size)
            }
            (State::Trailer, b'\r') => Ok(State::LastLf),
            (State::LastLf, b'\n') => Ok(State::Complete),
            (State::Trailer | State::TrailerName, _) if is_token(byte) => {
                self.trailer(State::TrailerName)
            }
            (State::TrailerName, b':') => self.trailer(State::TrailerValue),
            (State::TrailerValue, b'\r') => Ok(State::TrailerLf),
            (State::TrailerValue, b'\t' | b' '..=b'~' | 0x80..) => {
                self.trailer(State::TrailerValue)
            }
            (State::TrailerLf, b'\n') => Ok(State::Trailer),
            (State::Blank | State::Extension | State::SizeLf, _) => {
                Err(Refusal::new(400, "a malformed chunk line"))
            }
            (State::DataCr | State::DataLf, _) => {
                Err(Refusal::new(400, "a chunk longer than its size"))
            }
            _ => Err(Refusal::new(400, "a malformed trailer")),
        }
    }

    fn size(&mut self, byte: u8) -> Result<State, Refusal> {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            _ if self.digits == 0 => return Err(Refusal::new(400, "a chunk without a size")),
            b'\r' => return Ok(State::SizeLf),
            b';' => return self.extension(State::Extension),
            b' ' | b'\t' => return self.extension(State::Blank),
            _ => return Err(Refusal::new(400, "a malformed chunk size")),
        };
        if self.digits == MAX_SIZE_DIGITS {
            return Err(Refusal::new(400, "a chunk size of more than 16 digits"));
        }
        self.digits += 1;
        self.left = self.left << 4 | u64::from(digit);
        Ok(State::Size)
    }

    /// The line of a chunk is complete.
    fn begin(&mut self) -> Result<State, Refusal> {
        if self.left == 0 {
            return Ok(State::Trailer);
        }
        self.allowed = self.allowed.checked_sub(self.left).ok_or(Refusal::new(
            413,
            "a chunked body above the limit of the body",
        ))?;
        Ok(State::Data)
    }

    fn extension(&mut self, next: State) -> Result<State, Refusal> {
        self.extensions += 1;
        if self.extensions > MAX_EXTENSIONS {
            return Err(Refusal::new(431, "chunk extensions of more than 16 KiB"));
        }
        Ok(next)
    }

    fn trailer(&mut self, next: State) -> Result<State, Refusal> {
        self.trailers += 1;
        if self.trailers > MAX_TRAILERS {
            return Err(Refusal::new(431, "trailers of more than 8 KiB"));
        }
        Ok(next)
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::{Chunked, Refusal};

    /// Decodes `input` whole, with more room than it needs; what the corpus in `tests/wire` cannot show is tested here.
    fn decode(limit: u64, input: &[u8]) -> Result<(Vec<u8>, usize, bool), Refusal> {
        let mut chunked = Chunked::new(limit);
        let mut out = Vec::new();
        let consumed = chunked.decode(input, &mut out, 1000)?;
        Ok((out, consumed, chunked.is_complete()))
    }

    fn check(input: &[u8], out: &str, consumed: usize, complete: bool) {
        assert_eq!(
            decode(0, input),
            Ok((out.into(), consumed, complete)),
            "{}",
            input.escape_ascii()
        );
    }

    #[test]
    fn what_follows_is_left() {
        check(b"2\r\nok\r\n0\r\n\r\nGET", "ok", 12, true);
    }

    #[test]
    fn it_stops_anywhere() {
        check(b"", "", 0, false);
        check(b"2\r\no", "o", 4, false);
        check(b"2\r\nok\r\n0\r\n\r", "ok", 11, false);
    }

    #[test]
    fn a_full_buffer_keeps_no_more_than_data_back() {
        let mut chunked = Chunked::new(0);
        let mut out = b"before".to_vec();
        assert_eq!(chunked.decode(b"4\r\nabcd\r\n", &mut out, 8), Ok(5));
        assert_eq!(out, b"beforeab");
        assert_eq!(chunked.decode(b"cd\r\n0\r\n\r\n", &mut out, 8), Ok(0));
        assert_eq!(chunked.decode(b"cd\r\n0\r\n\r\n", &mut out, 10), Ok(9));
        assert!(chunked.is_complete());
    }

    #[test]
    fn the_limit_is_for_all_chunks() {
        let refused = |refusal: Refusal| refusal.status;
        assert!(decode(4, b"4\r\nabcd\r\n0\r\n\r\n").is_ok());
        assert_eq!(decode(4, b"5\r\n").map_err(refused), Err(413));
        assert_eq!(
            decode(4, b"2\r\nab\r\n2\r\ncd\r\n1\r\n").map_err(refused),
            Err(413)
        );
    }

    #[test]
    fn without_a_limit_sizes_have_one_all_the_same() {
        assert!(decode(0, b"ffffffffffffffff\r\na").is_ok());
        assert!(decode(0, b"1ffffffffffffffff\r\na").is_err());
    }
}
