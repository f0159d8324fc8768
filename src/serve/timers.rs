//! One timerfd(2) for all deadlines of a worker: it rings when the earliest may have come, and somebody sweeps.
//!
//! Deadlines are coarse: they are kept in milliseconds and rung at multiples of [`GRAIN_MS`], so that a thousand
//! connections that renew theirs at every request cost no system call, and an idle worker never wakes up.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

/// Milliseconds between two possible rings.
const GRAIN_MS: u64 = 64;
/// No deadline.
pub(super) const NEVER: u64 = u64::MAX;

/// The alarm clock.
pub(super) struct Timers {
    fd: OwnedFd,
    /// When it rings next, in milliseconds of CLOCK_MONOTONIC.
    armed: AtomicU64,
    setting: Mutex<()>,
}

impl Timers {
    pub(super) fn new() -> io::Result<Self> {
        let fd = timerfd_create(
            TimerfdClockId::Monotonic,
            TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC,
        )?;
        Ok(Self {
            fd,
            armed: AtomicU64::new(NEVER),
            setting: Mutex::new(()),
        })
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Makes sure that it rings soon after `deadline`, which a sweep must be able to see already.
    pub(super) fn arm(&self, deadline: u64) {
        if deadline == NEVER {
            return;
        }
        let ring = deadline.div_ceil(GRAIN_MS) * GRAIN_MS;
        // The load alone decides nearly always. It cannot be too old: a sweep that makes it so (`rang`) looks at the
        // deadlines later, and the caller has written its own before.
        if self.armed.load(Ordering::SeqCst) > ring
            && self.armed.fetch_min(ring, Ordering::SeqCst) > ring
        {
            self.set();
        }
    }

    /// It rang: from here on every new deadline arms it again, so the sweep that follows misses none.
    pub(super) fn rang(&self) {
        let mut expirations = [0; 8];
        // Only a read takes the event away; somebody else may have been faster.
        let _ = rustix::io::read(&self.fd, &mut expirations);
        self.armed.store(NEVER, Ordering::SeqCst);
    }

    /// Sets the clock to what [`Timers::armed`] says now, which may be earlier than the caller's wish, never later.
    fn set(&self) {
        let _setting = self.setting.lock().unwrap_or_else(PoisonError::into_inner);
        let at_ms = self.armed.load(Ordering::SeqCst);
        if at_ms == NEVER {
            return;
        }
        let at = Timespec {
            tv_sec: (at_ms / 1_000) as i64,
            tv_nsec: ((at_ms % 1_000) * 1_000_000) as i64,
        };
        let once = Itimerspec {
            it_interval: Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            },
            it_value: at,
        };
        // It fails only for a wrong descriptor or a wrong time, and both are ours.
        let _ = timerfd_settime(&self.fd, TimerfdTimerFlags::ABSTIME, &once);
    }
}

#[cfg(test)]
mod tests {
    use rustix::{
        event::{PollFd, PollFlags, poll},
        time::{ClockId, clock_gettime},
    };

    use super::{super::clock::coarse_ms, *};

    /// Arms with each of `deadlines`, which count from now: it is set for the grain behind the earliest, and rings then.
    #[track_caller]
    fn check(deadlines: &[u64], earliest: u64) {
        let timers = Timers::new().unwrap();
        let start = coarse_ms();
        for deadline in deadlines {
            timers.arm(start + deadline);
        }
        let set = timers.armed.load(Ordering::SeqCst);
        let earliest = start + earliest;
        assert!((earliest..earliest + GRAIN_MS).contains(&set), "{set}");
        await_ring(&timers);
        assert!(monotonic_ms() >= set);
    }

    /// What the clock of the timer says; the coarse one may be a tick behind it.
    fn monotonic_ms() -> u64 {
        let now = clock_gettime(ClockId::Monotonic);
        now.tv_sec as u64 * 1_000 + now.tv_nsec as u64 / 1_000_000
    }

    fn await_ring(timers: &Timers) {
        poll(&mut [PollFd::new(&timers.fd, PollFlags::IN)], None).unwrap();
    }

    fn rings_now(timers: &Timers) -> bool {
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        poll(&mut [PollFd::new(&timers.fd, PollFlags::IN)], Some(&now)).unwrap() > 0
    }

    #[test]
    fn it_rings_after_the_earliest_deadline() {
        check(&[150, 60_000], 150);
        check(&[60_000, 150], 150);
        check(&[150, 150], 150);
    }

    #[test]
    fn a_deadline_that_is_past_rings_at_once() {
        let timers = Timers::new().unwrap();
        timers.arm(1);
        await_ring(&timers);
    }

    #[test]
    fn once_it_rang_it_can_be_armed_for_later() {
        let timers = Timers::new().unwrap();
        timers.arm(1);
        await_ring(&timers);
        timers.rang();
        assert!(!rings_now(&timers));
        timers.arm(coarse_ms() + 100);
        await_ring(&timers);
    }

    #[test]
    fn never_is_no_deadline() {
        let timers = Timers::new().unwrap();
        timers.arm(NEVER);
        assert_eq!(timers.armed.load(Ordering::SeqCst), NEVER);
    }
}
