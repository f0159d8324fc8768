//! The chunked coding: the same body whole and in pieces, and what we encode comes back.
//!
//! The first byte of the input is the size of the pieces.
#![no_main]

use hostler::protocol::{
    Refusal,
    http::{
        body::Chunked,
        response::{CHUNK_END, LAST_CHUNK, chunk_header},
    },
};
use libfuzzer_sys::fuzz_target;

/// The body, the bytes of `input` that are not part of it, and whether it has ended.
type Decoded = Result<(Vec<u8>, usize, bool), Refusal>;

fuzz_target!(|data: &[u8]| {
    let Some((&size, data)) = data.split_first() else {
        return;
    };
    let size = usize::from(size).max(1);
    assert_eq!(
        decoded(data.chunks(size), size),
        decoded([data], usize::MAX)
    );

    let mut encoded = Vec::new();
    for chunk in data.chunks(size) {
        chunk_header(&mut encoded, chunk.len());
        encoded.extend_from_slice(chunk);
        encoded.extend_from_slice(CHUNK_END);
    }
    encoded.extend_from_slice(LAST_CHUNK);
    assert_eq!(
        decoded([&encoded[..]], usize::MAX),
        Ok((data.to_vec(), 0, true))
    );
});

/// Decodes `pieces`, never giving `out` more than `room` bytes at once.
fn decoded<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, room: usize) -> Decoded {
    let mut chunked = Chunked::new(1 << 20);
    let (mut body, mut left) = (Vec::new(), 0);
    for mut piece in pieces {
        while !piece.is_empty() && !chunked.is_complete() {
            let mut out = Vec::new();
            let consumed = chunked.decode(piece, &mut out, room)?;
            assert!(consumed > 0 && out.len() <= room);
            body.append(&mut out);
            piece = &piece[consumed..];
        }
        left += piece.len();
    }
    Ok((body, left, chunked.is_complete()))
}
