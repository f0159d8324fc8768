//! Records of FastCGI, request after request: the same requests, bodies and replies whole and in pieces.
//!
//! The first byte of the input is the size of the pieces.
#![no_main]

use hostler::protocol::{
    Framing, Head, Parsed, Refusal,
    fastcgi::{Stdin, parse},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&size, data)) = data.split_first() else {
        return;
    };
    let size = usize::from(size).max(1);
    let whole = Connection::after([data]);
    let pieces = Connection::after(data.chunks(size));
    assert_eq!(whole.seen, pieces.seen);
    assert_eq!(whole.replies, pieces.replies);
});

#[derive(Default)]
struct Connection {
    buffer: Vec<u8>,
    taken: usize,
    head: Head,
    stdin: Option<Stdin>,
    body: Vec<u8>,
    replies: Vec<u8>,
    /// The bodies of the requests, and how it ended.
    seen: Vec<Result<Vec<u8>, Refusal>>,
}

impl Connection {
    fn after<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut connection = Self::default();
        for piece in pieces {
            connection.buffer.extend_from_slice(piece);
            loop {
                match connection.step() {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(refusal) => {
                        let stdin = connection.stdin.as_mut();
                        let replies = stdin.and_then(Stdin::replies).unwrap_or_default();
                        connection.replies.extend(replies);
                        connection.seen.push(Err(refusal));
                        return connection;
                    }
                }
            }
        }
        connection
    }

    fn step(&mut self) -> Result<bool, Refusal> {
        let (buffer, replies) = (&mut self.buffer, &mut self.replies);
        let Some(stdin) = &mut self.stdin else {
            let parsed = parse(buffer, &mut self.taken, 2048, 1024, &mut self.head, replies)?;
            if parsed == Parsed::Complete {
                hostler_fuzz::check_accepted(&self.head, &self.buffer);
                let Framing::Stdin { id, length } = self.head.framing else {
                    panic!("{:?}", self.head.framing);
                };
                self.stdin = Some(Stdin::new(id, length, 1024));
                self.buffer.drain(..self.head.len);
            }
            return Ok(parsed == Parsed::Complete);
        };
        let room = self.body.len() + 100;
        let used = stdin.decode(buffer, &mut self.body, room)?;
        replies.extend(stdin.replies().unwrap_or_default());
        buffer.drain(..used);
        if stdin.is_complete() {
            (self.stdin, self.taken) = (None, 0);
            self.seen.push(Ok(std::mem::take(&mut self.body)));
            return Ok(true);
        }
        Ok(used > 0)
    }
}
