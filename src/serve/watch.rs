//! Requests that take longer than they may: who speaks to their client, the thread that is at it or the one that ends it.
//!
//! A thread that is stuck owns its connection and cannot be made to let go. So the client is answered over its head: for
//! each thread there is a word that says how far its request is, and whoever changes that word from "nothing was sent"
//! has the socket for its own. The thread does so before its first byte, whoever ends the request before its 504.
//! That is the one atomic instruction that a request pays for this; all others are plain stores.
//!
//! The word counts requests too, so that a request which has just ended is never taken for the next one of its thread.

use std::{
    os::fd::{AsRawFd, BorrowedFd},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{
            AtomicBool, AtomicI32, AtomicU32, AtomicU64,
            Ordering::{AcqRel, Acquire, Relaxed, Release},
            fence,
        },
    },
};

use rustix::thread::{Pid, gettid};

use super::{clock::DateText, encryption::Session};
use crate::{
    protocol::{Kind, http::response},
    scoreboard::{Scoreboard, now_us},
    sys,
};

/// What a client is told whose request was ended.
pub(super) const TOO_LATE: u16 = 504;
const PHRASE: &[u8] = b"Gateway Timeout";

/// No request, or one that is answered.
const IDLE: u64 = 0;
/// The application is at it, and nothing was sent.
const OPEN: u64 = 1;
/// The thread sends, or has sent, its response.
const CLAIMED: u64 = 2;
/// The client was told for the thread.
const SHOT: u64 = 3;
const STATE: u64 = 3;
/// A bit of its own: the request was ended; what its thread still does is to come to an end.
const ENDED: u64 = 4;
/// What is above it counts requests.
const NEXT: u64 = 8;

/// The requests of one worker, one for each of its threads.
pub struct Watches {
    watches: Box<[Watch]>,
    scoreboard: Arc<Scoreboard>,
    slot: u32,
}

impl Watches {
    /// For the worker that has this slot of the scoreboard.
    pub fn new(scoreboard: Arc<Scoreboard>, slot: u32) -> Self {
        Self {
            watches: scoreboard
                .threads(slot)
                .iter()
                .map(|_| Watch::default())
                .collect(),
            scoreboard,
            slot,
        }
    }

    /// Ends the request of a thread if its deadline has passed; the client is told if it was told nothing yet. Gives
    /// whether there was such a request. May be called from any thread, also while the one in question sends.
    pub fn end_overdue(&self, thread: u32) -> bool {
        let Some(watch) = self.watches.get(thread as usize) else {
            return false;
        };
        let record = self.scoreboard.thread(self.slot, thread);
        watch.end_if(|| record.is_overdue(now_us()))
    }

    /// Whether the request that a thread is at was ended.
    pub fn is_ended(&self, thread: u32) -> bool {
        self.watches
            .get(thread as usize)
            .is_some_and(Watch::is_ended)
    }

    /// Threads whose request was ended and that are still at it: their numbers, and the kernel's for them.
    pub fn stuck(&self) -> impl Iterator<Item = (u32, Pid)> {
        (0..).zip(&self.watches).filter_map(|(number, watch)| {
            let thread = Pid::from_raw(watch.thread.load(Relaxed))?;
            watch.is_ended().then_some((number, thread))
        })
    }

    /// What clients are told from now on.
    pub(super) fn say(&self, words: Words) {
        let words = Arc::new(words);
        for watch in &self.watches {
            // Each engine has watches of its own.
            let _ = watch.words.set(Arc::clone(&words));
        }
    }

    /// How far the first threads are: the same words later mean the same requests.
    pub(super) fn words(&self, threads: u32) -> Vec<u64> {
        let first = self.watches.iter().take(threads as usize);
        first.map(|watch| watch.word.load(Acquire)).collect()
    }

    /// Whether each of the first threads is at a request.
    pub(super) fn are_busy(&self, threads: u32) -> bool {
        let mut first = self.watches.iter().take(threads as usize);
        first.all(|watch| watch.word.load(Acquire) & STATE != IDLE)
    }

    pub(super) fn of(&self, thread: u32) -> &Watch {
        &self.watches[thread as usize]
    }
}

/// The site's own words for a request that was ended.
pub(super) struct Words {
    pub(super) media_type: String,
    pub(super) body: Vec<u8>,
    /// Header lines.
    pub(super) lines: Vec<u8>,
}

/// The request of one thread.
#[derive(Default)]
pub(super) struct Watch {
    word: AtomicU64,
    /// The client's socket, valid while the word is `OPEN` or `SHOT` and `speaking` is locked.
    socket: AtomicI32,
    is_head: AtomicBool,
    /// What the client speaks, as a [`number`].
    speech: AtomicU32,
    /// With what it is encrypted, if that says so.
    session: Mutex<Option<Session>>,
    /// What the client is told, if the site has words of its own.
    words: OnceLock<Arc<Words>>,
    /// Held from before the word becomes `SHOT` until the client was told.
    speaking: Mutex<()>,
    /// The kernel's number of the thread.
    thread: AtomicI32,
}

impl Watch {
    /// The calling thread is the one.
    pub(super) fn attach(&self) {
        self.thread.store(gettid().as_raw_nonzero().get(), Relaxed);
    }

    /// A request begins; its deadline is in the scoreboard already. `kind` and `session` are what the client can be told
    /// in.
    pub(super) fn begin(
        &self,
        socket: BorrowedFd<'_>,
        is_head: bool,
        kind: Kind,
        session: Option<Session>,
    ) {
        self.socket.store(socket.as_raw_fd(), Relaxed);
        self.is_head.store(is_head, Relaxed);
        let mut speech = number(kind);
        if session.is_some() {
            speech |= ENCRYPTED;
            *self.session() = session;
        }
        self.speech.store(speech, Relaxed);
        let serial = self.word.load(Relaxed) & !(NEXT - 1);
        self.word.store(serial.wrapping_add(NEXT) | OPEN, Release);
    }

    /// Its thread wants to send: whether it may. If not, the client has been told and the socket is not ours to use.
    pub(super) fn claim(&self) -> bool {
        let word = self.word.load(Relaxed);
        match word & STATE {
            CLAIMED => true,
            OPEN => {
                let claimed = word & !STATE | CLAIMED;
                self.word
                    .compare_exchange(word, claimed, AcqRel, Acquire)
                    .is_ok()
                    || self.lost()
            }
            _ => self.lost(),
        }
    }

    /// Waits until whoever was faster has said its word.
    fn lost(&self) -> bool {
        drop(self.speaking.lock().unwrap_or_else(PoisonError::into_inner));
        false
    }

    /// The request is over; gives whether the client was told by somebody else.
    pub(super) fn end(&self) -> bool {
        let is_ours = self.claim();
        if self.speech.load(Relaxed) & ENCRYPTED != 0 {
            *self.session() = None;
        }
        let serial = self.word.load(Relaxed) & !(NEXT - 1);
        self.word.store(serial | IDLE, Release);
        !is_ours
    }

    pub(super) fn is_ended(&self) -> bool {
        self.word.load(Acquire) & ENDED != 0
    }

    fn end_if(&self, is_overdue: impl Fn() -> bool) -> bool {
        let _speaking = self.speaking.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let word = self.word.load(Acquire);
            if word & ENDED != 0 {
                return true;
            }
            if word & STATE == IDLE || !is_overdue() {
                return false;
            }
            // If the deadline was that of the next request already, this one's end is seen below.
            fence(Acquire);
            let state = if word & STATE == OPEN { SHOT } else { CLAIMED };
            let ended = word & !STATE | state | ENDED;
            if self
                .word
                .compare_exchange(word, ended, AcqRel, Acquire)
                .is_ok()
            {
                if state == SHOT {
                    self.tell();
                }
                return true;
            }
        }
    }

    /// The thread that owns the socket waits in `claim` before it closes it.
    fn tell(&self) {
        let (speech, is_head) = (self.speech.load(Relaxed), self.is_head.load(Relaxed));
        let mut answer = self.last_words(kind(speech), is_head);
        if speech & ENCRYPTED != 0 {
            // Without a session the client sees the connection cut, and nothing in plain text.
            let session = self.session();
            let sealed = session.as_ref().map(|session| session.last_words(&answer));
            answer = sealed.unwrap_or_default();
        }
        sys::send_last_words(self.socket.load(Relaxed), &answer);
    }

    fn session(&self) -> MutexGuard<'_, Option<Session>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn last_words(&self, kind: Kind, is_head: bool) -> Vec<u8> {
        let words = self.words.get();
        let page = words.map_or(("text/plain", PHRASE), |words| {
            (words.media_type.as_str(), words.body.as_slice())
        });
        let date = &mut DateText::default();
        let mut answer = response::canned(kind, TOO_LATE, page, is_head, date.now());
        response::add_lines(&mut answer, words.map_or(b"", |words| &words.lines));
        response::enclose(kind, answer)
    }
}

const HTTP: u32 = 1 << 16;
const SCGI: u32 = 2 << 16;
/// A bit beside those.
const ENCRYPTED: u32 = 4 << 16;

/// A kind of request as a number, as far as it matters for an answer.
fn number(kind: Kind) -> u32 {
    match kind {
        Kind::Fastcgi { id } => u32::from(id),
        Kind::Http | Kind::Uwsgi { .. } => HTTP,
        Kind::Scgi => SCGI,
    }
}

fn kind(number: u32) -> Kind {
    match number & !ENCRYPTED {
        HTTP => Kind::Http,
        SCGI => Kind::Scgi,
        id => Kind::Fastcgi { id: id as u16 },
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::Read,
        os::{fd::AsFd, unix::net::UnixStream},
        thread,
    };

    use super::*;

    #[test]
    fn who_is_first_has_the_socket() {
        let (mut client, server) = UnixStream::pair().unwrap();
        let watch = Watch::default();
        watch.begin(server.as_fd(), false, Kind::Http, None);
        assert!(watch.claim());
        assert!(watch.end_if(|| true));
        assert!(watch.claim() && watch.is_ended() && !watch.end());
        watch.begin(server.as_fd(), false, Kind::Http, None);
        assert!(!watch.is_ended() && watch.end_if(|| true));
        assert!(!watch.claim() && watch.is_ended() && watch.end());
        let mut told = String::new();
        client.read_to_string(&mut told).unwrap();
        assert!(told.starts_with("HTTP/1.1 504 "), "{told}");
    }

    #[test]
    fn requests_in_time_and_no_requests_are_left_alone() {
        let (_client, server) = UnixStream::pair().unwrap();
        let watch = Watch::default();
        assert!(!watch.end_if(|| true));
        watch.begin(server.as_fd(), false, Kind::Http, None);
        assert!(!watch.end_if(|| false));
        assert!(!watch.end());
    }

    #[test]
    fn everybody_is_told_in_its_own_protocol() {
        let told = |kind| {
            let (mut client, server) = UnixStream::pair().unwrap();
            let watch = Watch::default();
            watch.begin(server.as_fd(), false, kind, None);
            assert!(watch.end_if(|| true));
            let mut told = Vec::new();
            client.read_to_end(&mut told).unwrap();
            told
        };
        assert!(told(Kind::Scgi).starts_with(b"Status: 504 "));
        let records = told(Kind::Fastcgi { id: 0x102 });
        assert_eq!(records[..4], [1, 6, 1, 2]);
        assert!(records[8..].starts_with(b"Status: 504 "));
    }

    /// The deadline that was looked at belonged to a request that is over when the word is changed.
    #[test]
    fn the_next_request_is_not_taken_for_this_one() {
        let (_client, server) = UnixStream::pair().unwrap();
        let watch = Watch::default();
        watch.begin(server.as_fd(), false, Kind::Http, None);
        let looks = AtomicI32::new(0);
        let ended = watch.end_if(|| {
            let is_first = looks.fetch_add(1, Relaxed) == 0;
            if is_first {
                assert!(!watch.end());
                watch.begin(server.as_fd(), false, Kind::Http, None);
            }
            is_first
        });
        assert!(!ended && watch.claim() && !watch.is_ended());
    }

    #[test]
    fn of_two_exactly_one_speaks() {
        let watch = Watch::default();
        for _ in 0..500 {
            let (mut client, server) = UnixStream::pair().unwrap();
            watch.begin(server.as_fd(), false, Kind::Http, None);
            let claimed = thread::scope(|scope| {
                scope.spawn(|| watch.end_if(|| true));
                let claimed = watch.claim();
                assert_eq!(watch.end(), !claimed);
                claimed
            });
            drop(server);
            let mut told = Vec::new();
            client.read_to_end(&mut told).unwrap();
            assert_eq!(told.is_empty(), claimed);
        }
    }
}
