//! The places of requests that run at the same time: each greenlet has a lane, which is its number in the scoreboard,
//! and what requests of this number use one after the other.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use hostler::serve::{Seat, Waiting};
use pyo3::prelude::*;

use crate::wsgi::{Hand, Link};

/// Lanes from 0 on that keep what they use: templates of environs and buffers. The others make it for each request, so
/// that one hour of many slow requests does not fill the memory for good.
const KEPT: u32 = 64;

/// All lanes of a worker. Locked for moments in which no Python code runs, since a signal's handler locks it too.
pub(crate) struct Lanes {
    most: u32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Those that were used before and are free.
    free: BinaryHeap<Reverse<u32>>,
    lanes: Vec<Lane>,
}

#[derive(Default)]
struct Lane {
    desk: Option<Box<Desk>>,
    waiting: Option<Waiting>,
    at_work: Option<AtWork>,
}

/// What a greenlet answers a request with. On the heap: see the module above.
pub(super) struct Desk {
    pub(super) seat: Box<Seat>,
    pub(super) hand: Hand,
}

/// A greenlet that has a request.
pub(super) struct AtWork {
    pub(super) greenlet: Py<PyAny>,
    pub(super) link: Arc<Link>,
    /// Whether its stack is in the log.
    pub(super) is_told: bool,
}

impl Lanes {
    /// As many as requests may run.
    pub(crate) fn new(most: u32) -> Self {
        Self {
            most,
            state: Mutex::default(),
        }
    }

    /// The free lane with the lowest number.
    pub(super) fn take(&self) -> Option<u32> {
        let mut state = self.state();
        if let Some(Reverse(number)) = state.free.pop() {
            return Some(number);
        }
        let number = state.lanes.len() as u32;
        (number < self.most).then(|| {
            state.lanes.push(Lane::default());
            number
        })
    }

    /// The lane is free.
    pub(super) fn give_back(&self, number: u32) {
        self.state().free.push(Reverse(number));
    }

    /// The request that the lane's greenlet is to find.
    pub(super) fn assign(&self, number: u32, waiting: Waiting) {
        self.state().lanes[number as usize].waiting = Some(waiting);
    }

    /// Takes that request.
    pub(super) fn assigned(&self, number: u32) -> Option<Waiting> {
        self.state().lanes.get_mut(number as usize)?.waiting.take()
    }

    /// What the lane's last request has left.
    pub(super) fn desk(&self, number: u32) -> Option<Box<Desk>> {
        self.state().lanes[number as usize].desk.take()
    }

    /// From now on a greenlet is at a request there.
    pub(super) fn begin(&self, number: u32, at_work: AtWork) {
        self.state().lanes[number as usize].at_work = Some(at_work);
    }

    /// It has come to its end.
    pub(super) fn end(&self, number: u32, desk: Box<Desk>) {
        let mut state = self.state();
        let lane = &mut state.lanes[number as usize];
        let at_work = lane.at_work.take();
        let desk = match number < KEPT {
            true => lane.desk.replace(desk),
            false => Some(desk),
        };
        drop(state);
        // What is dropped may have objects whose end is code of the application's.
        drop((at_work, desk));
    }

    /// Looks at the greenlet of a lane, if there is one.
    pub(super) fn at_work<R>(&self, number: u32, look: impl FnOnce(&mut AtWork) -> R) -> Option<R> {
        self.state()
            .lanes
            .get_mut(number as usize)?
            .at_work
            .as_mut()
            .map(look)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
