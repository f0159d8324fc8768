//! A client that sends the bytes it is given and shows the bytes it gets.
//!
//! It is plain on purpose: a clever client would repair what a test wants to break. Every read has a deadline.

use std::{io::ErrorKind, net::Shutdown, time::Duration};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    net::sockopt,
};

use super::{
    PATIENCE,
    address::Stream,
    answer::{Answer, parse_head},
};

/// One connection.
pub(crate) struct Client {
    stream: Box<dyn Stream>,
    received: Vec<u8>,
}

/// Why there is no whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The server has closed the connection, after these bytes of the answer.
    Closed(String),
    /// Nothing came for as long as the client waits.
    Silent,
}

/// The bytes of a request as browsers send it.
pub(crate) fn request(
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Vec<u8> {
    let mut head = format!("{method} {target} HTTP/1.1\r\n");
    if !headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("host"))
    {
        head += "Host: localhost\r\n";
    }
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    if !body.is_empty() {
        head += &format!("Content-Length: {}\r\n", body.len());
    }
    let mut bytes = (head + "\r\n").into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

impl Client {
    /// Over an open connection.
    pub(super) fn new(stream: Box<dyn Stream>) -> Self {
        stream.patience(PATIENCE);
        Self {
            stream,
            received: Vec::new(),
        }
    }

    /// Sends all of it. A peer that has closed is no error: what it answered before counts.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        match self.stream.write_all(bytes) {
            Err(error)
                if ![ErrorKind::BrokenPipe, ErrorKind::ConnectionReset].contains(&error.kind()) =>
            {
                panic!("cannot send: {error}")
            }
            _ => {}
        }
    }

    /// Its own port, over TCP.
    pub(crate) fn port(&self) -> u16 {
        let address = rustix::net::getsockname(self.stream.descriptor()).unwrap();
        std::net::SocketAddr::try_from(address).unwrap().port()
    }

    /// Sends a GET.
    pub(crate) fn send_get(&mut self, target: &str) {
        self.send(&request("GET", target, &[], b""));
    }

    /// Says that nothing more will be sent.
    pub(crate) fn finish_sending(&self) {
        self.stream.end(Shutdown::Write);
    }

    /// How long the next reads may take.
    pub(crate) fn patience(&self, time: Duration) {
        self.stream.patience(time);
    }

    /// The next answer, to a request that was no HEAD.
    pub(crate) fn answer(&mut self) -> Answer {
        self.answer_to("GET")
    }

    /// The next answer, or why there is none; for clients whose server may be dying.
    pub(crate) fn try_answer(&mut self) -> Result<Answer, String> {
        while find(&self.received, b"\r\n\r\n").is_none() {
            if self.more() == 0 {
                return Err(format!("closed inside a head: {:?}", self.text()));
            }
        }
        Ok(self.answer())
    }

    /// The next answer if all of it comes; for clients that keep an account of what goes wrong.
    pub(crate) fn whole_answer(&mut self) -> Result<Answer, Broken> {
        let end = loop {
            if let Some(at) = find(&self.received, b"\r\n\r\n") {
                break at + 4;
            }
            self.expect_more()?;
        };
        let mut answer = parse_head(&self.received[..end]);
        let length = answer.header("Content-Length");
        let length: usize = length.map_or(0, |length| length.parse().unwrap());
        while self.received.len() < end + length {
            self.expect_more()?;
        }
        answer.body = self.received.drain(..end + length).skip(end).collect();
        Ok(answer)
    }

    /// Whether a read would not wait: there are bytes, or the server has closed.
    pub(crate) fn is_readable(&self) -> bool {
        let descriptor = self.stream.descriptor();
        let mut fds = [PollFd::from_borrowed_fd(descriptor, PollFlags::IN)];
        !self.received.is_empty() || poll(&mut fds, Some(&Timespec::default())).unwrap() > 0
    }

    /// Waits for a byte; `false` when the server closes instead.
    pub(crate) fn has_more(&mut self) -> bool {
        !self.received.is_empty() || self.more() > 0
    }

    /// The next final answer, to a request of this method (it decides whether there is a body).
    pub(crate) fn answer_to(&mut self, method: &str) -> Answer {
        loop {
            let mut answer = self.head();
            if answer.status >= 200 {
                self.body(method, &mut answer);
                return answer;
            }
        }
    }

    /// The next head, be it of an interim answer; the body stays unread.
    pub(crate) fn head(&mut self) -> Answer {
        let length = loop {
            if let Some(at) = find(&self.received, b"\r\n\r\n") {
                break at + 4;
            }
            if self.more() == 0 {
                panic!(
                    "closed before the end of a head: {:?}",
                    String::from_utf8_lossy(&self.received)
                );
            }
        };
        let head: Vec<u8> = self.received.drain(..length).collect();
        parse_head(&head)
    }

    /// Reads at least `length` bytes and gives exactly them.
    pub(crate) fn read(&mut self, length: usize) -> Vec<u8> {
        while self.received.len() < length {
            if self.more() == 0 {
                panic!(
                    "closed after {} of {length} bytes: {:?}",
                    self.received.len(),
                    self.text()
                );
            }
        }
        self.received.drain(..length).collect()
    }

    /// Takes one byte from the socket and no more.
    pub(crate) fn read_one(&mut self) {
        let mut byte = [0];
        self.stream.read_exact(&mut byte).unwrap();
        self.received.push(byte[0]);
    }

    /// Everything until the server closes. A reset counts as a close.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        while self.more() > 0 {}
        std::mem::take(&mut self.received)
    }

    /// Whether the server closes now, having sent nothing more.
    pub(crate) fn is_closed(&mut self) -> bool {
        self.rest().is_empty()
    }

    /// Whether the server sends nothing, and does not close, for so long.
    pub(crate) fn stays_quiet(&mut self, time: Duration) -> bool {
        self.stream.patience(time);
        let mut byte = [0];
        let quiet = match self.stream.read(&mut byte) {
            Ok(read) => {
                self.received.extend_from_slice(&byte[..read]);
                false
            }
            Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        };
        self.stream.patience(PATIENCE);
        quiet
    }

    /// Gives a connection with a small receive buffer a large one.
    pub(crate) fn widen(&self) {
        sockopt::set_socket_recv_buffer_size(self.stream.descriptor(), 1 << 20).unwrap();
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.received).into_owned()
    }

    fn body(&mut self, method: &str, answer: &mut Answer) {
        if method == "HEAD" || [204, 304].contains(&answer.status) {
            return;
        }
        if answer.header("Transfer-Encoding") == Some("chunked") {
            answer.whole = self.chunks(&mut answer.body);
        } else if let Some(length) = answer.header("Content-Length") {
            let length: usize = length.parse().unwrap();
            while self.received.len() < length && self.more() > 0 {}
            answer.whole = self.received.len() >= length;
            let taken = length.min(self.received.len());
            answer.body = self.received.drain(..taken).collect();
        } else {
            answer.body = self.rest();
        }
    }

    /// One chunk of a chunked body; empty at its end, `None` when the connection ended instead.
    pub(crate) fn chunk(&mut self) -> Option<Vec<u8>> {
        let line = loop {
            if let Some(at) = find(&self.received, b"\r\n") {
                break self.received.drain(..at + 2).collect::<Vec<u8>>();
            }
            if self.more() == 0 {
                return None;
            }
        };
        let size = std::str::from_utf8(&line[..line.len() - 2]).unwrap();
        let size = usize::from_str_radix(size, 16)
            .unwrap_or_else(|_| panic!("bad size of a chunk: {size:?}"));
        while self.received.len() < size + 2 {
            if self.more() == 0 {
                return None;
            }
        }
        let mut chunk: Vec<u8> = self.received.drain(..size + 2).collect();
        assert_eq!(
            chunk.split_off(size),
            b"\r\n",
            "a chunk must end with its line"
        );
        Some(chunk)
    }

    fn chunks(&mut self, body: &mut Vec<u8>) -> bool {
        while let Some(chunk) = self.chunk() {
            if chunk.is_empty() {
                return true;
            }
            body.extend_from_slice(&chunk);
        }
        false
    }

    /// Reads what there is; 0 when the server has closed.
    fn more(&mut self) -> usize {
        self.try_more().unwrap_or_else(|error| {
            panic!(
                "no more within the deadline ({error}) after {:?}",
                self.text()
            )
        })
    }

    fn expect_more(&mut self) -> Result<(), Broken> {
        match self.try_more() {
            Ok(0) => Err(Broken::Closed(self.text())),
            Ok(_) => Ok(()),
            Err(_) => Err(Broken::Silent),
        }
    }

    /// The error is that there was nothing for as long as the client waits.
    fn try_more(&mut self) -> std::io::Result<usize> {
        let mut buffer = [0; 65536];
        let read = match self.stream.read(&mut buffer) {
            Err(error) if error.kind() == ErrorKind::ConnectionReset => 0,
            read => read?,
        };
        self.received.extend_from_slice(&buffer[..read]);
        Ok(read)
    }
}

/// Where `wanted` begins.
pub(super) fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}
