//! Random changes of the corpus: whatever the bytes are, nothing panics, and what comes of them is the same in any
//! pieces.
//!
//! The changes are the same on every run; the fuzz targets in `fuzz/` look further.

use super::corpus::{FOLDERS, all};
use crate::protocol::{Head, Parsed, Refusal, uwsgi};

/// Changes of each raw request.
const ROUNDS: usize = 40;

/// What a mutation puts in: the bytes that mean something to a decoder, whole or in parts.
const WORDS: [&[u8]; 30] = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"\t",
    b":",
    b",",
    b";",
    b"%",
    b"#",
    b"\xff",
    b"0\r\n\r\n",
    b"\r\n\r\n",
    b"Host: a\r\n",
    b"Content-Length: 1\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Expect: 100-continue\r\n",
    b"GET / HTTP/1.1\r\n",
    b"99999999999999999999",
    b"\x01",
    b"\x01\x01\0\x01\0\x08\0\0\0\x01\0\0\0\0\0\0",
    b"\x01\x01\0\x02\0\x08\0\0\0\x01\x01\0\0\0\0\0",
    b"\x01\x02\0\x01\0\0\0\0",
    b"\x01\x04\0\x01\0\0\0\0",
    b"\x01\x05\0\x01\0\x02\x01\0ab\0",
    b"\x01\x05\0\x01\0\0\0\0",
    b"\x01\x09\0\0\0\x11\0\0\x0f\0FCGI_MPXS_CONNS",
    b"\x01\x63\0\0\0\0\x02\0\0\0",
    b"PROXY TCP4 ",
];

/// George Marsaglia's xorshift: no crate, no seed from outside.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit.max(1) as u64).unwrap()
    }

    /// One to three changes: a byte replaced, a stretch removed or repeated, a word put in.
    fn change(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(3) {
            let at = self.below(bytes.len());
            let end = (at + 1 + self.below(8)).min(bytes.len());
            match self.below(4) {
                0 if at < end => bytes[at] = self.below(256) as u8,
                1 if at < end => drop(bytes.drain(at..end)),
                2 => bytes.splice(at..at, bytes[at..end].to_vec()).for_each(drop),
                _ => bytes
                    .splice(at..at, WORDS[self.below(WORDS.len())].iter().copied())
                    .for_each(drop),
            }
        }
    }

    /// The same bytes in pieces.
    fn pieces<'a>(&mut self, bytes: &'a [u8]) -> Vec<&'a [u8]> {
        let mut rest = bytes;
        let mut pieces = Vec::new();
        while !rest.is_empty() {
            let (piece, after) = rest.split_at((1 + self.below(40)).min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        pieces
    }
}

#[test]
fn changed_requests_come_to_the_same_in_any_pieces() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let cases = FOLDERS.into_iter().flat_map(|(folder, _, decode, suffix)| {
        let cases = all(folder, suffix).into_iter();
        cases.map(move |case| (case, decode))
    });
    for (original, decode) in cases {
        for _ in 0..ROUNDS {
            let mut bytes = original.clone();
            random.change(&mut bytes);
            let whole = decode(&mut [&bytes[..]].into_iter());
            let what = bytes.escape_ascii();
            assert_eq!(
                decode(&mut random.pieces(&bytes).into_iter()),
                whole,
                "in pieces: {what}"
            );
            // Byte by byte is slow for the few large ones, and says no more than pieces do.
            if bytes.len() < 1000 {
                assert_eq!(decode(&mut bytes.chunks(1)), whole, "byte by byte: {what}");
            }
        }
    }
}

/// The first answer to a growing packet that is not `Incomplete`, and for how many bytes.
fn first_answer(bytes: &[u8]) -> Option<(usize, Result<Head, Refusal>)> {
    (0..=bytes.len()).find_map(|len| {
        let mut head = Head::default();
        match uwsgi::parse(&bytes[..len], 1024, 1024, &mut head) {
            Ok(Parsed::Incomplete) => None,
            Ok(Parsed::Complete) => Some((len, Ok(head))),
            Err(refusal) => Some((len, Err(refusal))),
        }
    })
}

#[test]
fn changed_packets_come_to_the_same_in_any_pieces() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let original = b"\0\x38\0\0\x0e\0REQUEST_METHOD\x03\0GET\x0e\0CONTENT_LENGTH\x02\x0010\x0b\0SERVER_NAME\0\0";
    assert!(
        matches!(first_answer(original), Some((60, Ok(_)))),
        "{:?}",
        first_answer(original)
    );
    for _ in 0..20_000 {
        let mut bytes = original.to_vec();
        random.change(&mut bytes);
        let mut head = Head::default();
        let whole = uwsgi::parse(&bytes, 1024, 1024, &mut head);
        match first_answer(&bytes) {
            None => assert_eq!(whole, Ok(Parsed::Incomplete)),
            Some((_, Err(refusal))) => assert_eq!(whole, Err(refusal)),
            Some((len, Ok(first))) => {
                assert_eq!(
                    (whole, &head, head.len),
                    (Ok(Parsed::Complete), &first, len)
                );
            }
        }
    }
}
