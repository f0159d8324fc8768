//! What a thread of a worker is doing and has done; written on every request, so only plain stores.

use std::{
    iter,
    sync::atomic::{
        AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
        fence,
    },
};

use crate::sys::shared_struct;

/// How many buckets the latency histogram has. Bucket 0 counts requests of less than 1 µs, bucket `n` those from
/// 2^(n-1) to 2^n µs, the last one all that took longer (2^30 µs are 18 minutes).
pub const LATENCY_BUCKETS: usize = 32;

const WORD: usize = size_of::<u64>();
/// Room for the request line, 128 bytes.
const LINE_WORDS: usize = 16;
/// Room for the peer; the longest IPv6 address with a port has 47 bytes.
const PEER_WORDS: usize = 6;
/// How often a reader tries to see a request that does not change meanwhile. A change takes some nanoseconds, so that
/// many failures mean a thread that died in the middle of one.
const ATTEMPTS: usize = 64;

shared_struct! {
    /// One thread's part. It alone writes.
    pub struct ThreadSlot {
        /// Odd while the five fields below change.
        sequence: AtomicU64,
        /// When the running request began, 0 when none runs.
        began_us: AtomicU64,
        /// When its time is over, 0: never. The request itself may change it.
        deadline_us: AtomicU64,
        /// Bytes of the request line in the low half, of the peer in the high half.
        lengths: AtomicU64,
        line: [AtomicU64; LINE_WORDS],
        peer: [AtomicU64; PEER_WORDS],
        accepted: AtomicU64,
        closed: AtomicU64,
        requests: AtomicU64,
        bytes: AtomicU64,
        busy_us: AtomicU64,
        /// 1xx to 5xx.
        statuses: [AtomicU64; 5],
        latency: [AtomicU64; LATENCY_BUCKETS],
    }
}

/// A slot at one moment. Counters count since the worker started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ThreadSnapshot {
    /// What it works on.
    pub running: Option<RunningRequest>,
    /// Connections accepted by this thread.
    pub accepted: u64,
    /// Connections closed by this thread. All accepted minus all closed of a worker are the open ones.
    pub closed: u64,
    /// Requests answered.
    pub requests: u64,
    /// Bytes of responses, heads included.
    pub bytes: u64,
    /// Time spent with requests, in microseconds.
    pub busy_us: u64,
    /// Responses by the first digit of their status, 1xx to 5xx.
    pub statuses: [u64; 5],
    /// Requests by duration, see [`LATENCY_BUCKETS`].
    pub latency: [u64; LATENCY_BUCKETS],
}

/// A request that is being answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunningRequest {
    /// When it began, by the clock of [`super::now_us`].
    pub began_us: u64,
    /// When its time is over, by the same clock; 0: it may take as long as it likes.
    pub deadline_us: u64,
    /// Method and target, cut to 128 bytes.
    pub line: String,
    /// Who asks.
    pub peer: String,
}

impl ThreadSlot {
    /// A request begins, which has until `deadline_us` (0: for ever).
    pub fn begin(&self, now_us: u64, deadline_us: u64, method: &[u8], target: &[u8], peer: &[u8]) {
        let mut line = [0; LINE_WORDS * WORD];
        let mut len = 0;
        for part in [method, b" ", target] {
            let room = &mut line[len..];
            let part = &part[..part.len().min(room.len())];
            room[..part.len()].copy_from_slice(part);
            len += part.len();
        }
        let peer = &peer[..peer.len().min(PEER_WORDS * WORD)];
        self.change(|slot| {
            store_text(&slot.line, &line[..len]);
            store_text(&slot.peer, peer);
            slot.lengths
                .store(len as u64 | (peer.len() as u64) << 32, Relaxed);
            slot.deadline_us.store(deadline_us, Relaxed);
            slot.began_us.store(now_us, Relaxed);
        });
    }

    /// The request that runs has until then instead (0: for ever). Whoever calls this makes sure that it cannot end
    /// meanwhile.
    pub fn set_deadline(&self, deadline_us: u64) {
        self.deadline_us.store(deadline_us, Relaxed);
    }

    /// Whether a request runs whose time is over: a quick look for those who look often. It may be wrong about a
    /// request that begins or ends at this moment, so ask [`ThreadSlot::snapshot`] before anything is done about it.
    pub fn is_overdue(&self, now_us: u64) -> bool {
        let deadline_us = self.deadline_us.load(Relaxed);
        self.began_us.load(Relaxed) != 0 && deadline_us != 0 && deadline_us <= now_us
    }

    /// The request that began last is answered: `bytes` were sent with this status.
    pub fn end(&self, now_us: u64, status: u16, bytes: u64) {
        let took = now_us.saturating_sub(self.began_us.load(Relaxed));
        let bucket = (u64::BITS - took.leading_zeros()) as usize;
        add(&self.latency[bucket.min(LATENCY_BUCKETS - 1)], 1);
        let class = usize::from(status / 100).clamp(1, self.statuses.len());
        add(&self.statuses[class - 1], 1);
        add(&self.requests, 1);
        add(&self.bytes, bytes);
        add(&self.busy_us, took);
        self.change(|slot| slot.began_us.store(0, Relaxed));
    }

    /// This thread has accepted a connection.
    pub fn accepted(&self) {
        add(&self.accepted, 1);
    }

    /// This thread has closed a connection, whoever accepted it.
    pub fn closed(&self) {
        add(&self.closed, 1);
    }

    /// The slot at this moment. Each counter is exact; one of them may be a request ahead of another.
    pub fn snapshot(&self) -> ThreadSnapshot {
        ThreadSnapshot {
            running: self.running(),
            accepted: self.accepted.load(Relaxed),
            closed: self.closed.load(Relaxed),
            requests: self.requests.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            busy_us: self.busy_us.load(Relaxed),
            statuses: self.statuses.each_ref().map(|count| count.load(Relaxed)),
            latency: self.latency.each_ref().map(|count| count.load(Relaxed)),
        }
    }

    pub(super) fn clear(&self) {
        let single = [
            &self.sequence,
            &self.began_us,
            &self.deadline_us,
            &self.lengths,
            &self.accepted,
            &self.closed,
            &self.requests,
            &self.bytes,
            &self.busy_us,
        ];
        let rows = [
            &self.line[..],
            &self.peer[..],
            &self.statuses[..],
            &self.latency[..],
        ];
        single
            .into_iter()
            .chain(rows.into_iter().flatten())
            .for_each(|word| word.store(0, Relaxed));
    }

    /// A sequence lock: readers that see the same even number before and after have seen no change between.
    fn change(&self, stores: impl FnOnce(&Self)) {
        let sequence = self.sequence.load(Relaxed);
        self.sequence.store(sequence.wrapping_add(1), Relaxed);
        fence(Release);
        stores(self);
        self.sequence.store(sequence.wrapping_add(2), Release);
    }

    /// When no attempt succeeds, what is there is as near to the truth as one can get: its thread died while writing.
    fn running(&self) -> Option<RunningRequest> {
        let attempt = || {
            let words = self.unchanged_words();
            if words.is_none() {
                std::thread::yield_now();
            }
            words
        };
        let unchanged = iter::repeat_with(attempt).take(ATTEMPTS).flatten().next();
        unchanged.unwrap_or_else(|| self.words()).request()
    }

    fn unchanged_words(&self) -> Option<Words> {
        let before = self.sequence.load(Acquire);
        let words = self.words();
        fence(Acquire);
        let after = self.sequence.load(Relaxed);
        (before.is_multiple_of(2) && before == after).then_some(words)
    }

    fn words(&self) -> Words {
        Words {
            began_us: self.began_us.load(Relaxed),
            deadline_us: self.deadline_us.load(Relaxed),
            lengths: self.lengths.load(Relaxed),
            line: self.line.each_ref().map(|word| word.load(Relaxed)),
            peer: self.peer.each_ref().map(|word| word.load(Relaxed)),
        }
    }
}

/// A copy of what describes the running request, made before it is decoded so that the reader finds a quiet moment.
struct Words {
    began_us: u64,
    deadline_us: u64,
    lengths: u64,
    line: [u64; LINE_WORDS],
    peer: [u64; PEER_WORDS],
}

impl Words {
    fn request(&self) -> Option<RunningRequest> {
        (self.began_us != 0).then(|| RunningRequest {
            began_us: self.began_us,
            deadline_us: self.deadline_us,
            line: text(&self.line, self.lengths & 0xffff_ffff),
            peer: text(&self.peer, self.lengths >> 32),
        })
    }
}

/// An addition by the only writer.
fn add(counter: &AtomicU64, count: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(count), Relaxed);
}

fn store_text(words: &[AtomicU64], text: &[u8]) {
    for (word, chunk) in words.iter().zip(text.chunks(WORD)) {
        let mut bytes = [0; WORD];
        bytes[..chunk.len()].copy_from_slice(chunk);
        word.store(u64::from_ne_bytes(bytes), Relaxed);
    }
}

fn text(words: &[u64], len: u64) -> String {
    let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    bytes.truncate(len as usize);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scoreboard::Scoreboard;

    fn check(run: impl FnOnce(&ThreadSlot), expected: ThreadSnapshot) {
        let scoreboard = Scoreboard::create(1, 1).unwrap();
        run(scoreboard.thread(0, 0));
        assert_eq!(scoreboard.thread(0, 0).snapshot(), expected);
    }

    fn line_of(method: &[u8], target: &[u8]) -> String {
        let scoreboard = Scoreboard::create(1, 1).unwrap();
        scoreboard.thread(0, 0).begin(1, 0, method, target, b"");
        scoreboard.thread(0, 0).snapshot().running.unwrap().line
    }

    fn bucket_of(took_us: u64) -> usize {
        let scoreboard = Scoreboard::create(1, 1).unwrap();
        scoreboard.thread(0, 0).begin(1, 0, b"GET", b"/", b"");
        scoreboard.thread(0, 0).end(1 + took_us, 200, 0);
        let latency = scoreboard.thread(0, 0).snapshot().latency;
        latency.iter().position(|count| *count == 1).unwrap()
    }

    #[test]
    fn a_running_request_is_seen() {
        let running = RunningRequest {
            began_us: 7,
            deadline_us: 30,
            line: "POST /a/b?c=d".into(),
            peer: "[2001:db8::1]:65535".into(),
        };
        check(
            |slot| slot.begin(7, 30, b"POST", b"/a/b?c=d", b"[2001:db8::1]:65535"),
            ThreadSnapshot {
                running: Some(running),
                ..Default::default()
            },
        );
    }

    #[test]
    fn an_answered_request_is_counted() {
        let mut latency = [0; LATENCY_BUCKETS];
        latency[7] = 1;
        check(
            |slot| {
                slot.accepted();
                slot.begin(1000, 0, b"GET", b"/", b"peer");
                slot.end(1100, 404, 512);
                slot.closed();
            },
            ThreadSnapshot {
                running: None,
                accepted: 1,
                closed: 1,
                requests: 1,
                bytes: 512,
                busy_us: 100,
                statuses: [0, 0, 0, 1, 0],
                latency,
            },
        );
    }

    #[test]
    fn long_lines_are_cut() {
        assert_eq!(
            line_of(b"GET", &[b'x'; 300]),
            format!("GET {}", "x".repeat(124))
        );
        assert_eq!(line_of(&[b'M'; 300], b"/"), "M".repeat(128));
    }

    #[test]
    fn a_shorter_line_leaves_nothing_of_a_longer_one() {
        let scoreboard = Scoreboard::create(1, 1).unwrap();
        let slot = scoreboard.thread(0, 0);
        slot.begin(
            1,
            0,
            b"GET",
            b"/a-long-target-of-many-words",
            b"192.0.2.123:54321",
        );
        slot.end(2, 200, 0);
        slot.begin(3, 0, b"GET", b"/b", b"@");
        let running = slot.snapshot().running.unwrap();
        assert_eq!(
            (running.line.as_str(), running.peer.as_str()),
            ("GET /b", "@")
        );
    }

    #[test]
    fn durations_fall_into_powers_of_two() {
        assert_eq!(
            [0, 1, 2, 3, 4, 1023, 1024].map(bucket_of),
            [0, 1, 2, 2, 3, 10, 11]
        );
        assert_eq!(bucket_of(u64::MAX - 1), LATENCY_BUCKETS - 1);
    }

    #[test]
    fn a_status_out_of_range_breaks_nothing() {
        let statuses = |status| {
            let scoreboard = Scoreboard::create(1, 1).unwrap();
            scoreboard.thread(0, 0).end(0, status, 0);
            scoreboard.thread(0, 0).snapshot().statuses
        };
        assert_eq!(statuses(0), [1, 0, 0, 0, 0]);
        assert_eq!(statuses(999), [0, 0, 0, 0, 1]);
    }

    fn is_overdue(deadline_us: u64, now_us: u64) -> bool {
        let scoreboard = Scoreboard::create(1, 1).unwrap();
        let slot = scoreboard.thread(0, 0);
        slot.begin(1, deadline_us, b"GET", b"/", b"");
        slot.is_overdue(now_us)
    }

    #[test]
    fn a_request_is_overdue_from_its_deadline_on() {
        assert!(!is_overdue(100, 99));
        assert!(is_overdue(100, 100));
        assert!(!is_overdue(0, u64::MAX));
    }

    #[test]
    fn a_deadline_can_be_moved_and_ends_with_its_request() {
        let scoreboard = Scoreboard::create(1, 1).unwrap();
        let slot = scoreboard.thread(0, 0);
        slot.begin(1, 100, b"GET", b"/", b"");
        slot.set_deadline(200);
        assert_eq!(slot.snapshot().running.unwrap().deadline_us, 200);
        assert!(!slot.is_overdue(100));
        slot.end(300, 200, 0);
        assert!(!slot.is_overdue(300));
    }

    #[test]
    fn a_reader_never_sees_half_a_change() {
        let scoreboard = Scoreboard::create(1, 1).unwrap();
        let slot = scoreboard.thread(0, 0);
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                for round in 1..50_000 {
                    let letter = [b'a' + (round % 26) as u8; 100];
                    slot.begin(round, round, b"GET", &letter, &letter);
                    std::thread::yield_now();
                }
            });
            while !writer.is_finished() {
                let Some(seen) = slot.unchanged_words().and_then(|words| words.request()) else {
                    continue;
                };
                let letter = char::from(b'a' + (seen.began_us % 26) as u8);
                assert_eq!(seen.deadline_us, seen.began_us);
                assert_eq!(
                    seen.line,
                    format!("GET {}", String::from(letter).repeat(100))
                );
                assert_eq!(seen.peer, String::from(letter).repeat(48));
            }
        });
    }
}
