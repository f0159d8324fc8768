//! The keys of session tickets (RFC 5077, RFC 8446 section 4.6.1), in memory that supervisor and workers share.
//!
//! A ticket is the state of a session, sealed with a key that the client does not have; whoever has the key can resume the
//! session, in whichever worker of whichever generation. The supervisor makes keys and rotates them, workers look at a
//! number to see whether they still have the newest. A key that is gone from here makes tickets worthless, and so what
//! was said in old sessions safe from whoever gets hold of the keys later.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::{
        Mutex, PoisonError,
        atomic::{
            AtomicU64,
            Ordering::{Acquire, Relaxed, Release},
            fence,
        },
    },
    time::Duration,
};

use ring::rand::{SecureRandom, SystemRandom};

use crate::sys::{SharedMemory, shared_struct};

/// How long tickets are sealed with one key.
pub const ROTATION: Duration = Duration::from_secs(60 * 60);
/// Keys that open tickets; the first seals new ones.
const KEYS: usize = 4;
/// A ticket opens as long as its key is there: that of the last moment before a rotation so long.
pub(super) const LIFETIME: Duration = ROTATION.saturating_mul(KEYS as u32 - 1);
/// Of eight bytes each: two for the name of the key, four for the key itself.
const WORDS: usize = 6;

shared_struct! {
    /// Two versions of hostler share it during an upgrade, so one that lays it out otherwise gives it another size.
    ///
    /// Odd while it is changed; the number changes with the keys. A name of zeroes is no key.
    struct Page {
        version: AtomicU64,
        keys: [[AtomicU64; WORDS]; KEYS],
    }
}

/// One key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    /// Stands in clear in front of each ticket.
    pub(super) name: [u8; 16],
    pub(super) secret: [u8; 32],
}

/// See the module.
#[derive(Debug)]
pub struct KeyRing {
    memory: SharedMemory,
    /// The keys of the version that was read last.
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    version: u64,
    keys: Vec<Key>,
}

impl std::fmt::Debug for Known {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} keys", self.keys.len())
    }
}

impl KeyRing {
    /// Makes one with a first key in it.
    ///
    /// # Errors
    /// There is no memory to share, or no randomness.
    pub fn create() -> io::Result<Self> {
        let memory = SharedMemory::create("hostler-ticket-keys", size_of::<Page>())?;
        let ring = Self::of(memory);
        ring.rotate()?;
        Ok(ring)
    }

    /// Maps one that another process has made.
    ///
    /// # Errors
    /// It is none.
    pub fn open(fd: OwnedFd) -> io::Result<Self> {
        let memory = SharedMemory::open(fd)?;
        match memory.len() == size_of::<Page>() {
            true => Ok(Self::of(memory)),
            false => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    fn of(memory: SharedMemory) -> Self {
        Self {
            memory,
            known: Mutex::default(),
        }
    }

    /// Makes a new key the first one; the oldest is gone. For the one process that has made the ring.
    ///
    /// # Errors
    /// There is no randomness; then everything stays as it was.
    pub fn rotate(&self) -> io::Result<()> {
        let mut fresh = [0; WORDS * 8];
        let filled = SystemRandom::new().fill(&mut fresh);
        filled.map_err(|_| io::Error::other("the kernel gives no random bytes"))?;
        let Some(page) = self.page() else {
            return Ok(());
        };
        let version = page.version.load(Relaxed);
        page.version.store(version + 1, Relaxed);
        fence(Release);
        for at in (1..KEYS).rev() {
            for (new, old) in page.keys[at].iter().zip(&page.keys[at - 1]) {
                new.store(old.load(Relaxed), Relaxed);
            }
        }
        let (words, _) = fresh.as_chunks::<8>();
        for (word, bytes) in page.keys[0].iter().zip(words) {
            word.store(u64::from_ne_bytes(*bytes), Relaxed);
        }
        page.version.store(version + 2, Release);
        Ok(())
    }

    /// Names of the keys, the newest first; they stand in clear in front of tickets.
    pub fn names(&self) -> Vec<[u8; 16]> {
        self.with(|keys| keys.iter().map(|key| key.name).collect())
    }

    /// Calls `what` with the keys, the newest first.
    pub(super) fn with<R>(&self, what: impl FnOnce(&[Key]) -> R) -> R {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(page) = self.page()
            && page.version.load(Acquire) != known.version
            && let Some(newer) = read(page)
        {
            *known = newer;
        }
        what(&known.keys)
    }

    fn page(&self) -> Option<&Page> {
        self.memory.slice::<Page>(0, 1)?.first()
    }
}

/// `None` while the keys are being changed: those that are known already will do.
fn read(page: &Page) -> Option<Known> {
    let version = page.version.load(Acquire);
    let keys = page.keys.each_ref().map(|words| {
        let mut bytes = [0; WORDS * 8];
        for (at, word) in words.iter().enumerate() {
            bytes[at * 8..][..8].copy_from_slice(&word.load(Relaxed).to_ne_bytes());
        }
        let mut key = Key {
            name: [0; 16],
            secret: [0; 32],
        };
        key.name.copy_from_slice(&bytes[..16]);
        key.secret.copy_from_slice(&bytes[16..]);
        key
    });
    fence(Acquire);
    let is_whole = version.is_multiple_of(2) && page.version.load(Relaxed) == version;
    is_whole.then(|| Known {
        version,
        keys: keys.into_iter().filter(|key| key.name != [0; 16]).collect(),
    })
}

impl AsFd for KeyRing {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.memory.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> (KeyRing, KeyRing) {
        let here = KeyRing::create().unwrap();
        let there = KeyRing::open(here.as_fd().try_clone_to_owned().unwrap()).unwrap();
        (here, there)
    }

    #[test]
    fn both_see_the_same_keys() {
        let (here, there) = two();
        assert_eq!(there.names().len(), 1);
        here.rotate().unwrap();
        assert!(here.with(|ours| there.with(|theirs| ours == theirs)));
    }

    #[test]
    fn a_rotation_adds_one_and_forgets_the_oldest() {
        let (here, there) = two();
        let mut expected = there.names();
        for _ in 0..KEYS + 2 {
            here.rotate().unwrap();
            let found = there.names();
            assert!(!expected.contains(&found[0]));
            expected.insert(0, found[0]);
            expected.truncate(KEYS);
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_change_that_stopped_half_way_leaves_the_old_keys() {
        let (here, there) = two();
        let before = there.names();
        let page = here.page().unwrap();
        page.version.fetch_add(1, Relaxed);
        page.keys[0][0].store(7, Relaxed);
        assert_eq!(there.names(), before);
    }

    #[test]
    fn something_else_is_refused() {
        let other = SharedMemory::create("test", 64).unwrap();
        let fd = other.as_fd().try_clone_to_owned().unwrap();
        assert!(KeyRing::open(fd).is_err());
    }

    #[test]
    fn no_reader_sees_half_a_key() {
        let (here, there) = two();
        std::thread::scope(|scope| {
            let mut seen = there.names();
            scope.spawn(|| (0..2_000).for_each(|_| here.rotate().unwrap()));
            for _ in 0..2_000 {
                let now = there.names();
                // What was known and is still there stands behind what is new, in the same order.
                if let Some(at) = now.iter().position(|name| *name == seen[0]) {
                    let common = now.len() - at;
                    assert!(seen.starts_with(&now[at..at + common.min(seen.len())]));
                }
                seen = now;
            }
        });
    }
}
