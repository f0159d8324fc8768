//! What is lent arrives, whole and in order, whether its thread comes back or not.

use std::{
    io::Read,
    os::{fd::AsFd, unix::net::UnixStream},
    thread::yield_now,
    time::Instant,
};

use rustix::net::sockopt;

use super::*;

const PATIENCE: Duration = Duration::from_secs(20);

/// Two ends, the first of which does not block.
fn pair() -> (UnixStream, UnixStream) {
    let (near, far) = UnixStream::pair().unwrap();
    near.set_nonblocking(true).unwrap();
    far.set_read_timeout(Some(PATIENCE)).unwrap();
    (near, far)
}

/// A thread that lends, and its client's socket.
struct Thread<'f> {
    lender: Lender<'f>,
    socket: UnixStream,
    output: Output,
    staged: Vec<u8>,
}

impl<'f> Thread<'f> {
    fn new(flusher: &'f Flusher, socket: UnixStream) -> Self {
        let lender = flusher.lender(0).unwrap();
        assert!(lender.is_ready());
        Self {
            lender,
            socket,
            output: Output::default(),
            staged: Vec::new(),
        }
    }

    fn lend(&mut self) {
        let socket = self.socket.as_fd();
        self.lender.lend(socket, &mut self.output, &mut self.staged);
        assert!(self.output.is_empty() && self.staged.is_empty());
    }

    fn take_back(&mut self) -> Result<usize, Failed> {
        self.lender.take_back(&mut self.output, &mut self.staged)
    }
}

fn received(far: &mut UnixStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    far.read_exact(&mut bytes).unwrap();
    bytes
}

fn wait_until(is_so: impl Fn() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < PATIENCE, "it never comes to that");
        yield_now();
    }
}

/// Bytes that no mistake in order or length leaves as they are.
fn pattern(length: usize) -> Vec<u8> {
    (0..length)
        .map(|index| (index % 251) as u8 ^ (index / 251) as u8)
        .collect()
}

#[test]
fn what_is_lent_arrives_although_nobody_comes_back() {
    let flusher = Flusher::new(1);
    let (near, mut far) = pair();
    let mut thread = Thread::new(&flusher, near);
    for _ in 0..3 {
        thread.output.push(&mut b"queue, ".to_vec());
        thread.staged.extend_from_slice(b"staged");
        thread.lend();
        assert_eq!(received(&mut far, 13), b"queue, staged");
        // Asleep or not, it has to notice the next one.
        wait_until(|| flusher.0.is_asleep.load(Ordering::Relaxed));
        assert_eq!(thread.take_back().unwrap(), 6);
        assert!(thread.output.is_empty() && thread.staged.is_empty());
    }
}

#[test]
fn what_is_staged_meanwhile_is_behind_it() {
    let flusher = Flusher::new(1);
    let (near, mut far) = pair();
    let mut thread = Thread::new(&flusher, near);
    thread.staged.extend_from_slice(b"first, ");
    thread.lend();
    thread.staged.extend_from_slice(b"second");
    assert_eq!(received(&mut far, 7), b"first, ");
    wait_until(|| flusher.0.is_asleep.load(Ordering::Relaxed));
    assert_eq!(thread.take_back().unwrap(), 7);
    assert_eq!(thread.staged, b"second");
}

#[test]
fn a_client_that_takes_little_gets_everything() {
    let flusher = Flusher::new(1);
    let (near, mut far) = pair();
    sockopt::set_socket_send_buffer_size(&near, 1).unwrap();
    let mut thread = Thread::new(&flusher, near);
    let sent = pattern(50_000);
    for piece in sent.chunks(1_000) {
        thread.output.push(&mut piece.to_vec());
    }
    thread.lend();
    wait_until(|| flusher.0.is_asleep.load(Ordering::Relaxed));
    let first = received(&mut far, 1);
    assert_eq!([first, received(&mut far, 49_999)].concat(), sent);
}

#[test]
fn its_thread_learns_that_a_client_has_gone() {
    let flusher = Flusher::new(1);
    let (near, far) = pair();
    let mut thread = Thread::new(&flusher, near);
    drop(far);
    thread.staged.push(b'x');
    thread.lend();
    wait_until(|| flusher.0.loans[0].lock().has_failed);
    thread.staged.push(b'y');
    assert!(thread.take_back().is_err());
    assert!(thread.staged.is_empty());
    thread.lend();
    assert!(
        thread.take_back().is_ok(),
        "of the last client nothing is left"
    );
}

/// Lends and takes back at all possible moments; what comes back is sent by the thread itself now and then.
#[test]
fn bytes_stay_in_order_whoever_sends_them() {
    let flusher = Flusher::new(1);
    let (near, mut far) = pair();
    let mut thread = Thread::new(&flusher, near);
    let sent = pattern(300_000);
    let expected = sent.clone();
    let reader = thread::spawn(move || received(&mut far, expected.len()) == expected);
    let begin = Instant::now();
    for (round, piece) in sent.chunks(97).enumerate() {
        thread.take_back().unwrap();
        thread.staged.extend_from_slice(piece);
        if round % 3 == 0 {
            thread.output.push(&mut thread.staged);
        }
        if round % 7 == 0 {
            let socket = thread.socket.as_fd();
            thread
                .output
                .send(&mut socket.into(), &mut thread.staged)
                .unwrap();
        }
        thread.lend();
        // Up to a millisecond and a half, never the same.
        let pause = begin.elapsed().subsec_nanos() / 7 % 1_500;
        let until =
            Instant::now() + Duration::from_micros(u64::from(pause) * u64::from(round % 5 == 0));
        while Instant::now() < until {
            std::hint::spin_loop();
        }
    }
    assert!(
        reader.join().unwrap(),
        "something is missing or not in its place"
    );
}

#[test]
fn the_thread_ends_with_its_engine() {
    let flusher = Flusher::new(2);
    assert!(flusher.lender(1).unwrap().is_ready());
    assert!(flusher.lender(2).is_none());
    let shared = Arc::downgrade(&flusher.0);
    drop(flusher);
    wait_until(|| shared.strong_count() == 0);
}
