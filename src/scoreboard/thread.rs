//! What a thread of a worker is doing and has done; written on every request, so only plain stores.

use std::{
    iter,
    sync::atomic::{
        AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
        fence,
    },
};

use super::{
    add,
    done::{Answered, DoneSlot, Totals},
};
use crate::sys::shared_struct;

const WORD: usize = size_of::<u64>();
/// Room for the request line, 128 bytes.
const LINE_WORDS: usize = 16;
/// Room for the peer; the longest IPv6 address with a port has 47 bytes.
const PEER_WORDS: usize = 6;
/// Room for the name of a request; a UUID has 36 bytes.
const NAME_WORDS: usize = 5;
/// The lengths of the three texts are parts of one word: 16 bits, 16 bits, 32 bits.
const SHORT: u64 = 0xffff;
/// How often a reader tries to see a request that does not change meanwhile. A change takes some nanoseconds, so that
/// many failures mean a thread that died in the middle of one.
const ATTEMPTS: usize = 64;

shared_struct! {
    /// One thread's part. It alone writes.
    pub struct ThreadSlot {
        /// The thread in the sense of pthread_self(3); 0: there is none yet, or it never runs Python.
        ident: AtomicU64,
        /// Odd while the six fields below change.
        sequence: AtomicU64,
        /// When the running request began, 0 when none runs.
        began_us: AtomicU64,
        /// When its time is over, 0: never. The request itself may change it.
        deadline_us: AtomicU64,
        /// Bytes of the request line, of the name, and in the high half of the peer.
        lengths: AtomicU64,
        line: [AtomicU64; LINE_WORDS],
        peer: [AtomicU64; PEER_WORDS],
        name: [AtomicU64; NAME_WORDS],
        done: DoneSlot,
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
    /// Exceptions of the application that met no handler.
    pub exceptions: u64,
    /// Requests answered with a file, without the application.
    pub files: u64,
    /// Requests whose client spoilt their body or left before its end.
    pub read_errors: u64,
    /// Responses that their client did not take.
    pub write_errors: u64,
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
    /// Its name, cut to 40 bytes; empty if nobody has asked for it yet.
    pub name: String,
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

    /// The request that runs has this name.
    pub fn name(&self, name: &str) {
        let name = &name.as_bytes()[..name.len().min(NAME_WORDS * WORD)];
        self.change(|slot| {
            store_text(&slot.name, name);
            let lengths = slot.lengths.load(Relaxed) & !(SHORT << 16);
            slot.lengths
                .store(lengths | (name.len() as u64) << 16, Relaxed);
        });
    }

    /// Requests are worked on by this thread, as pthread_self(3) has it.
    pub fn identify(&self, ident: u64) {
        self.ident.store(ident, Relaxed);
    }

    /// The thread, as pthread_self(3) has it; 0: it is not known.
    pub fn ident(&self) -> u64 {
        self.ident.load(Relaxed)
    }

    /// The request that runs has until then instead (0: for ever). Whoever calls this makes sure that it cannot end
    /// meanwhile.
    pub fn set_deadline(&self, deadline_us: u64) {
        self.deadline_us.store(deadline_us, Relaxed);
    }

    /// Whether a request runs whose time is over. It may be wrong about one that begins or ends at this moment.
    pub fn is_overdue(&self, now_us: u64) -> bool {
        let deadline_us = self.deadline_us.load(Relaxed);
        self.began_us.load(Relaxed) != 0 && deadline_us != 0 && deadline_us <= now_us
    }

    /// Whether a request runs that began so long ago.
    pub fn is_kept(&self, now_us: u64, for_us: u64) -> bool {
        let began_us = self.began_us.load(Relaxed);
        began_us != 0 && began_us.saturating_add(for_us) <= now_us
    }

    /// The request that began last is answered.
    pub fn end(&self, now_us: u64, answered: &Answered) {
        self.done.end(self.began_us.load(Relaxed), now_us, answered);
        self.change(|slot| slot.began_us.store(0, Relaxed));
    }

    /// The application has raised an exception and did not handle it.
    pub fn raised(&self) {
        add(&self.done.exceptions, 1);
    }

    /// A request is answered with a file.
    pub fn file(&self) {
        add(&self.done.files, 1);
    }

    /// The body of a request could not be read to its end.
    pub fn unread(&self) {
        add(&self.done.read_errors, 1);
    }

    /// A response could not be sent to its end.
    pub fn unsent(&self) {
        add(&self.done.write_errors, 1);
    }

    /// Bytes have come from a client.
    pub fn received(&self, bytes: u64) {
        add(&self.done.received, bytes);
    }

    /// A client has sent what is no request that we take, or was too slow with it.
    pub fn refused(&self) {
        add(&self.done.refused, 1);
    }

    /// Another thread goes on with the request: here it is none.
    pub fn pass_on(&self) {
        self.change(|slot| slot.began_us.store(0, Relaxed));
    }

    /// This thread has accepted a connection.
    pub fn accepted(&self) {
        add(&self.done.accepted, 1);
    }

    /// This thread has closed a connection, whoever accepted it.
    pub fn closed(&self) {
        add(&self.done.closed, 1);
    }

    /// Requests answered.
    pub fn requests(&self) -> u64 {
        self.done.requests.load(Relaxed)
    }

    /// The slot at this moment. Each counter is exact; one of them may be a request ahead of another.
    pub fn snapshot(&self) -> ThreadSnapshot {
        let done = &self.done;
        ThreadSnapshot {
            running: self.running(),
            accepted: done.accepted.load(Relaxed),
            closed: done.closed.load(Relaxed),
            requests: done.requests.load(Relaxed),
            bytes: done.sent.load(Relaxed),
            busy_us: done.latency.sum_us(),
            exceptions: done.exceptions.load(Relaxed),
            files: done.files.load(Relaxed),
            read_errors: done.read_errors.load(Relaxed),
            write_errors: done.write_errors.load(Relaxed),
        }
    }

    /// All that was done until this moment.
    pub fn totals(&self) -> Totals {
        self.done.totals()
    }

    #[cfg(test)]
    pub(super) fn done(&self) -> &DoneSlot {
        &self.done
    }

    pub(super) fn clear(&self) {
        let single = [
            &self.ident,
            &self.sequence,
            &self.began_us,
            &self.deadline_us,
            &self.lengths,
        ];
        let words = single.into_iter().chain(&self.line).chain(&self.peer);
        let words = words.chain(&self.name);
        words.for_each(|word| word.store(0, Relaxed));
        self.done.clear();
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
            name: self.name.each_ref().map(|word| word.load(Relaxed)),
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
    name: [u64; NAME_WORDS],
}

impl Words {
    fn request(&self) -> Option<RunningRequest> {
        (self.began_us != 0).then(|| RunningRequest {
            began_us: self.began_us,
            deadline_us: self.deadline_us,
            line: text(&self.line, self.lengths & SHORT),
            peer: text(&self.peer, self.lengths >> 32),
            name: text(&self.name, self.lengths >> 16 & SHORT),
        })
    }
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
mod tests;
