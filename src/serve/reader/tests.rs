//! The reader against the plainest model of `io.BytesIO`, over many bodies and many mixes of calls.

use std::io::{BufRead, Write};

use super::*;

/// Python's `io.BytesIO`, as plain as it can be written.
struct Model {
    body: Vec<u8>,
    at: usize,
}

impl Model {
    fn take(&mut self, wanted: Wanted) -> Vec<u8> {
        let left = self.body.get(self.at..).unwrap_or_default();
        let count = match wanted {
            Wanted::Bytes(limit) => left.len().min(limit),
            Wanted::Line(limit) => {
                let line = left
                    .iter()
                    .position(|byte| *byte == b'\n')
                    .map_or(left.len(), |end| end + 1);
                line.min(limit)
            }
        };
        let taken = left[..count].to_vec();
        self.at += count;
        taken
    }
}

/// Deterministic numbers (xorshift), so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below as u64) as usize
    }

    fn size(&mut self) -> usize {
        match self.roll(8) {
            0 => usize::MAX,
            1 => 0,
            2 => self.roll(200_000),
            3 => self.roll(5_000),
            _ => self.roll(60),
        }
    }

    fn wanted(&mut self) -> Wanted {
        if self.roll(2) == 0 {
            Wanted::Bytes(self.size())
        } else {
            Wanted::Line(self.size())
        }
    }

    /// Lines of all lengths, some empty, some longer than what is read at once, the last one often without an end.
    fn body(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        for _ in 0..self.roll(40) {
            let longest = [1, 30, 3_000, 150_000][self.roll(4)];
            body.extend((0..self.roll(longest)).map(|_| b"ab\r\0"[self.roll(4)]));
            body.extend(std::iter::repeat_n(b'\n', self.roll(3)));
        }
        body
    }
}

/// Gives its bytes in pieces of any size, and now and then an error first.
struct Pieces {
    body: io::Cursor<Vec<u8>>,
    dice: Dice,
    errors: bool,
}

impl BodySource for Pieces {
    fn read(&mut self, room: &mut Room<'_>) -> io::Result<usize> {
        match self.dice.roll(10) {
            0 => Err(io::ErrorKind::Interrupted.into()),
            1 if self.errors => Err(io::ErrorKind::TimedOut.into()),
            _ => {
                let most = 1 + self.dice.roll(room.left().min(9_000));
                let rest = self.body.fill_buf()?;
                let count = room.push(&rest[..most.min(rest.len())]);
                self.body.consume(count);
                Ok(count)
            }
        }
    }
}

fn file_of(body: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(body).unwrap();
    file.write_all(b"not part of the body").unwrap();
    file
}

fn source_of(body: &[u8], seed: u64, errors: bool) -> Box<Pieces> {
    Box::new(Pieces {
        body: io::Cursor::new(body.to_vec()),
        dice: Dice(seed),
        errors,
    })
}

fn stream_of(body: &[u8], seed: u64, errors: bool) -> Reader {
    Reader::stream(source_of(body, seed, errors), None)
}

fn announced_of(body: &[u8], seed: u64, errors: bool) -> Reader {
    let length = Some(body.len() as u64);
    Reader::stream(source_of(body, seed, errors), length)
}

/// One call as the extension makes it; a time-out is tried again.
fn take(reader: &mut Reader, wanted: Wanted) -> Vec<u8> {
    loop {
        if let Some(count) = reader.answer(wanted) {
            let taken = reader.buffered()[..count].to_vec();
            reader.consume(count);
            return taken;
        }
        let waited = match reader.direct(wanted) {
            Some(size) => {
                let mut taken = Vec::with_capacity(size);
                append(&mut taken, size, |room| reader.read_into(room)).map(|()| Some(taken))
            }
            None => reader.fill(wanted).map(|()| None),
        };
        match waited {
            Ok(Some(taken)) => return taken,
            Ok(None) => {}
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::TimedOut),
        }
    }
}

/// Many bodies and many mixes of calls; every answer must be the model's.
fn check(reader_of: impl Fn(&[u8], u64) -> Reader) {
    for seed in 1..40_u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut model = Model {
            body: dice.body(),
            at: 0,
        };
        let mut reader = reader_of(&model.body, dice.0);
        for step in 0..60 {
            let wanted = dice.wanted();
            assert!(
                take(&mut reader, wanted) == model.take(wanted),
                "seed {seed}, step {step}, {wanted:?}"
            );
            if dice.roll(10) == 0 && reader.position().is_some() {
                let to = dice.roll(model.body.len() + 50);
                model.at = to;
                assert_eq!(reader.seek(SeekFrom::Start(to as u64)), Some(to as u64));
            }
            assert!(
                reader
                    .position()
                    .is_none_or(|position| position == model.at as u64),
                "seed {seed}, step {step}"
            );
        }
    }
}

#[test]
fn memory_reads_like_bytes_io() {
    check(|body, _| Reader::memory(body.to_vec()));
}

#[test]
fn file_reads_like_bytes_io() {
    check(|body, _| Reader::file(file_of(body), body.len() as u64));
}

#[test]
fn stream_reads_like_bytes_io() {
    check(|body, seed| stream_of(body, seed, false));
}

#[test]
fn announced_stream_reads_like_bytes_io() {
    check(|body, seed| announced_of(body, seed, false));
}

#[test]
fn errors_of_the_source_lose_nothing() {
    check(|body, seed| stream_of(body, seed, true));
    check(|body, seed| announced_of(body, seed, true));
}

#[test]
fn an_answer_in_the_buffer_does_not_wait() {
    let mut reader = stream_of(b"first\nsecond", 7, false);
    assert_eq!(take(&mut reader, Wanted::Line(usize::MAX)), b"first\n");
    reader.fill(Wanted::Bytes(3)).unwrap();
    assert_eq!(reader.answer(Wanted::Bytes(2)), Some(2));
    assert_eq!(reader.answer(Wanted::Bytes(usize::MAX)), None);
}

#[test]
fn a_file_shorter_than_promised_ends_early() {
    let mut reader = Reader::file(tempfile::tempfile().unwrap(), 10);
    assert_eq!(take(&mut reader, Wanted::Bytes(usize::MAX)), b"");
}

#[test]
fn seeking_counts_from_all_three_places() {
    let mut reader = Reader::memory(b"0123456789".to_vec());
    assert_eq!(reader.seek(SeekFrom::End(-3)), Some(7));
    assert_eq!(reader.seek(SeekFrom::Current(-5)), Some(2));
    assert_eq!(reader.seek(SeekFrom::Current(-5)), Some(0));
    assert_eq!(reader.seek(SeekFrom::Start(20)), Some(20));
    assert_eq!(take(&mut reader, Wanted::Bytes(usize::MAX)), b"");
}

#[test]
fn a_stream_cannot_seek() {
    assert_eq!(stream_of(b"abc", 1, false).seek(SeekFrom::Start(0)), None);
}

#[test]
fn a_large_buffer_is_given_back() {
    let body = vec![b'x'; 3 * LARGEST_STEP];
    let mut reader = stream_of(&body, 3, false);
    assert_eq!(
        take(&mut reader, Wanted::Bytes(usize::MAX)).len(),
        body.len()
    );
    assert_eq!(reader.buffer.capacity(), 0);
}

#[test]
fn many_bytes_of_a_stream_go_past_the_buffer() {
    let mut reader = stream_of(&[b'x'; 3 * DIRECT_FROM], 5, false);
    assert_eq!(
        take(&mut reader, Wanted::Bytes(DIRECT_FROM)).len(),
        DIRECT_FROM
    );
    assert_eq!(reader.buffer.capacity(), 0);
    assert_eq!(reader.direct(Wanted::Bytes(DIRECT_FROM - 1)), None);
    assert_eq!(reader.direct(Wanted::Bytes(usize::MAX)), None);
    assert_eq!(reader.direct(Wanted::Line(DIRECT_FROM)), None);
}

#[test]
fn all_that_was_announced_goes_past_the_buffer() {
    let body = vec![b'x'; 3 * LARGEST_STEP];
    let mut reader = announced_of(&body, 7, false);
    assert_eq!(take(&mut reader, Wanted::Line(9)).len(), 9);
    let all = Wanted::Bytes(usize::MAX);
    assert_eq!(reader.direct(all), Some(body.len() - 9));
    assert_eq!(take(&mut reader, all).len(), body.len() - 9);
    assert_eq!(reader.answer(all), Some(0));
}

#[test]
fn a_promise_alone_makes_no_large_room() {
    let promise = |length| Reader::stream(source_of(b"", 1, false), Some(length));
    let all = Wanted::Bytes(usize::MAX);
    let largest = LARGEST_PROMISE as u64;
    assert_eq!(promise(largest).direct(all), Some(LARGEST_PROMISE));
    assert_eq!(promise(largest + 1).direct(all), None);
    assert_eq!(promise(u64::MAX).direct(all), None);
    assert_eq!(promise(5).direct(all), None);
    let piece = Wanted::Bytes(DIRECT_FROM);
    assert_eq!(promise(u64::MAX).direct(piece), Some(DIRECT_FROM));
}

#[test]
fn more_than_a_promise_is_gathered_as_it_comes() {
    let body = vec![b'x'; LARGEST_PROMISE + 1];
    let mut reader = announced_of(&body, 9, false);
    let taken = take(&mut reader, Wanted::Bytes(usize::MAX));
    assert!(taken == body);
}

#[test]
fn a_file_is_read_past_the_buffer() {
    let body = vec![b'x'; DIRECT_FROM];
    let mut reader = Reader::file(file_of(&body), body.len() as u64);
    assert_eq!(take(&mut reader, Wanted::Bytes(usize::MAX)), body);
    assert_eq!(reader.buffer.capacity(), 0);
    assert_eq!(reader.position(), Some(body.len() as u64));
}

/// A source that gives so much and then nothing but errors.
struct Broken(usize);

impl BodySource for Broken {
    fn read(&mut self, room: &mut Room<'_>) -> io::Result<usize> {
        match self.0 {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(room.push(&vec![b'x'; std::mem::take(&mut self.0)])),
        }
    }
}

#[test]
fn what_had_come_before_an_error_stays() {
    for length in [None, Some(1 << 20)] {
        let mut reader = Reader::stream(Box::new(Broken(DIRECT_FROM)), length);
        let wanted = Wanted::Bytes(DIRECT_FROM + 1);
        for _ in 0..2 {
            let mut taken = Vec::with_capacity(reader.direct(wanted).unwrap());
            let read = append(&mut taken, usize::MAX, |room| reader.read_into(room));
            assert_eq!(read.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
            assert_eq!(reader.buffered().len(), DIRECT_FROM);
        }
        assert_eq!(
            take(&mut reader, Wanted::Bytes(DIRECT_FROM)).len(),
            DIRECT_FROM
        );
    }
}

#[test]
fn a_lack_of_memory_is_an_error() {
    let mut reader = stream_of(b"body", 1, false);
    let error = reader.make_room(isize::MAX as usize).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::OutOfMemory);
}
