//! Lines of requests on their way to log files, gathered by threads that answer many requests a millisecond: a write(2) for
//! each line would cost such a request a tenth of its time, one for seventy lines costs nothing.
//!
//! A thread gathers a line that comes within a millisecond of the one before it. It writes what it has gathered before it
//! waits, when there is no more room, and with the line that comes when the first is a millisecond old. What a request
//! keeps it from writing then is in memory that the supervisor sees, and writes: what is older than [`OLD_US`] when it
//! looks, which is once a second, and all that a worker leaves which is gone, however it went. The one who comes second
//! knows it (`slot`), so each line is written once. The rules for when are in `sheaf`.
//!
//! Lines alone are gathered that a thread of the engine says of its own requests; whatever else it says goes to
//! the same file behind them. Threads that run programs and greenlets, which do not know when their thread waits, write at
//! once.

mod sheaf;
mod slot;

use std::{
    cell::RefCell,
    io,
    marker::PhantomData,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::Arc,
};

use crate::{
    config::{LogTarget, Settings},
    sys::SharedMemory,
};

use self::{sheaf::Sheaf, slot::Slot};

/// Lines that are older are written by the supervisor.
const OLD_US: u64 = 100_000;

thread_local! {
    /// Those of the calling thread; `None`: it does not gather.
    static SHEAF: RefCell<Option<Sheaf>> = const { RefCell::new(None) };
}

/// The shared memory: a slot for each thread of each worker of a generation.
#[derive(Debug)]
pub struct Gathered {
    memory: SharedMemory,
    threads: usize,
}

impl Gathered {
    /// Whether workers with these settings have use for it.
    pub fn is_wanted(settings: &Settings) -> bool {
        let log = &settings.log;
        let is_file = |target: &LogTarget| matches!(target, LogTarget::File(_));
        log.access && log.places_of_access().iter().any(is_file) && !settings.workers.is_green()
    }

    /// Makes it for so many workers of so many threads each. What nobody writes to takes no memory.
    pub fn create(workers: u32, threads: u32) -> io::Result<Self> {
        let threads = threads as usize;
        let length = workers as usize * threads * size_of::<Slot>();
        let memory = SharedMemory::create("hostler-lines", length)?;
        Ok(Self { memory, threads })
    }

    /// Maps what another process has made for so many threads of each worker.
    pub fn open(fd: OwnedFd, threads: u32) -> io::Result<Self> {
        let memory = SharedMemory::open(fd)?;
        let threads = threads as usize;
        Ok(Self { memory, threads })
    }

    /// What the threads of a worker have gathered and not written for long. From now on it is the caller's to write.
    pub fn take_old(&self, worker: u32, now_us: u64) -> Vec<Vec<u8>> {
        let is_old = |since_us| now_us.saturating_sub(since_us) >= OLD_US;
        let slots = self.slots_of(worker);
        slots.filter_map(|slot| slot.take_old(is_old)).collect()
    }

    /// What the threads of a worker have gathered that is gone.
    pub fn take_left(&self, worker: u32) -> Vec<Vec<u8>> {
        self.slots_of(worker).filter_map(Slot::take_left).collect()
    }

    fn slot(&self, place: usize) -> &Slot {
        &self.slots()[place]
    }

    fn slots(&self) -> &[Slot] {
        let count = self.memory.len() / size_of::<Slot>();
        self.memory.slice(0, count).unwrap_or_default()
    }

    fn slots_of(&self, worker: u32) -> impl Iterator<Item = &Slot> {
        let before = worker as usize * self.threads;
        self.slots().iter().skip(before).take(self.threads)
    }
}

impl AsFd for Gathered {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.memory.as_fd()
    }
}

/// As long as it lives, the thread that has made it gathers.
#[derive(Debug)]
pub struct Gathering {
    /// It is about that thread.
    _thread: PhantomData<*const ()>,
}

impl Gathering {
    /// Begins, in a thread of a worker.
    pub fn begin(gathered: &Arc<Gathered>, worker: u32, thread: u32) -> Self {
        let place = worker as usize * gathered.threads + thread as usize;
        let sheaf = (place < gathered.slots().len()).then(|| Sheaf::new(gathered.clone(), place));
        SHEAF.set(sheaf);
        Self {
            _thread: PhantomData,
        }
    }
}

impl Drop for Gathering {
    fn drop(&mut self) {
        write_gathered();
        SHEAF.set(None);
    }
}

/// Whether the calling thread has lines that it ought to write before it waits.
pub fn has_gathered() -> bool {
    with(|sheaf| !sheaf.is_empty()).unwrap_or_default()
}

/// Writes the lines that the calling thread has gathered.
pub fn write_gathered() {
    if let Some(targets) = super::TARGETS.get() {
        write(|text, lines| targets.write_requests(text, lines));
    }
}

/// In a child that the application has forked: what its parent has gathered is its parent's affair.
pub fn leave_gathered() {
    SHEAF.set(None);
}

/// Has `write` write a line that came then, or gathers it; see [`Sheaf::add`].
pub(super) fn add(line: &[u8], now_us: u64, write: impl Fn(&[u8], u64)) {
    if with(|sheaf| sheaf.add(line, now_us, &write)).is_none() {
        write(line, 1);
    }
}

/// Has `write` write what the calling thread has gathered.
pub(super) fn write(write: impl Fn(&[u8], u64)) {
    with(|sheaf| sheaf.write(write));
}

/// The calling thread's, if it gathers, and does not end at this moment.
fn with<R>(act: impl FnOnce(&mut Sheaf) -> R) -> Option<R> {
    let found = SHEAF.try_with(|sheaf| sheaf.try_borrow_mut().ok()?.as_mut().map(act));
    found.ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A thread of a worker answers three requests fast; gives what it has written of them by then.
    fn three(gathered: &Arc<Gathered>, worker: u32, thread: u32, end: impl FnOnce()) -> String {
        let written = RefCell::new(String::new());
        let note = |text: &[u8], _| written.borrow_mut().push_str(str::from_utf8(text).unwrap());
        let gathering = Gathering::begin(gathered, worker, thread);
        for number in 1..=3 {
            let line = format!("{worker}.{thread}.{number}\n");
            add(line.as_bytes(), 1_000_000 + number, note);
        }
        assert!(has_gathered());
        end();
        write(note);
        drop(gathering);
        assert!(!has_gathered());
        written.into_inner()
    }

    fn text(lines: Vec<Vec<u8>>) -> String {
        String::from_utf8(lines.concat()).unwrap()
    }

    #[test]
    fn each_thread_of_each_worker_has_a_place_of_its_own() {
        let here = Arc::new(Gathered::create(2, 2).unwrap());
        let there = Gathered::open(here.as_fd().try_clone_to_owned().unwrap(), 2).unwrap();
        for (worker, thread) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let written = three(&here, worker, thread, leave_gathered);
            assert_eq!(written, format!("{worker}.{thread}.1\n"));
        }
        assert_eq!(text(there.take_left(0)), "0.0.2\n0.0.3\n0.1.2\n0.1.3\n");
        let new = 1_000_001 + OLD_US;
        assert!(there.take_old(1, new).is_empty());
        assert_eq!(
            text(there.take_old(1, new + 1)),
            "1.0.2\n1.0.3\n1.1.2\n1.1.3\n"
        );
        assert!(here.take_left(0).is_empty() && here.take_left(1).is_empty());
    }

    #[test]
    fn what_is_gathered_is_written_once() {
        let gathered = Arc::new(Gathered::create(1, 1).unwrap());
        assert_eq!(three(&gathered, 0, 0, || ()), "0.0.1\n0.0.2\n0.0.3\n");
        assert!(gathered.take_left(0).is_empty());
        let taken = RefCell::new(String::new());
        let take = || *taken.borrow_mut() = text(gathered.take_old(0, u64::MAX));
        assert_eq!(three(&gathered, 0, 0, take), "0.0.1\n");
        assert_eq!(taken.into_inner(), "0.0.2\n0.0.3\n");
    }

    #[test]
    fn who_has_no_place_writes_at_once() {
        let gathered = Arc::new(Gathered::create(1, 1).unwrap());
        let _gathering = Gathering::begin(&gathered, 0, 1);
        let written = RefCell::new(0);
        for number in 1..=3 {
            add(b"line\n", number, |_, lines| *written.borrow_mut() += lines);
        }
        assert_eq!(written.into_inner(), 3);
    }
}
