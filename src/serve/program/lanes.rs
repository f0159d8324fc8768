//! How many programs run: each has a lane, which is its thread's place in the scoreboard, and each `[[cgi]]` so many of
//! them. A process that does not end keeps its lane, whether or not its client still waits.

use std::sync::{Arc, Mutex, PoisonError};

use crate::config::Cgi;

/// All lanes of a worker.
pub(in crate::serve) struct Lanes {
    limits: Vec<u32>,
    state: Mutex<State>,
}

struct State {
    /// Numbers that nobody has.
    free: Vec<u32>,
    /// By section.
    running: Vec<u32>,
}

/// The right to run one program; given back when dropped.
pub(super) struct Lane {
    lanes: Arc<Lanes>,
    section: usize,
    number: u32,
}

impl Lanes {
    pub(in crate::serve) fn new(sections: &[Cgi]) -> Arc<Self> {
        let limits: Vec<u32> = sections.iter().map(Cgi::processes).collect();
        let state = State {
            free: (0..limits.iter().sum()).rev().collect(),
            running: vec![0; limits.len()],
        };
        Arc::new(Self {
            limits,
            state: Mutex::new(state),
        })
    }

    /// A lane for a program of this section of the settings, unless all of them are taken.
    pub(super) fn take(self: &Arc<Self>, section: usize) -> Option<Lane> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.running[section] >= self.limits[section] {
            return None;
        }
        let number = state.free.pop()?;
        state.running[section] += 1;
        Some(Lane {
            lanes: Arc::clone(self),
            section,
            number,
        })
    }
}

impl Lane {
    /// From 0 on; nobody else has it.
    pub(super) fn number(&self) -> u32 {
        self.number
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        let state = self.lanes.state.lock();
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        state.free.push(self.number);
        state.running[self.section] -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lanes(limits: &[u32]) -> Arc<Lanes> {
        let section = |limit: &u32| -> Cgi {
            toml::from_str(&format!("path = \"/\"\nmax-processes = {limit}")).unwrap()
        };
        Lanes::new(&limits.iter().map(section).collect::<Vec<_>>())
    }

    #[test]
    fn each_section_has_its_own_and_numbers_are_nobody_elses() {
        let lanes = lanes(&[2, 1]);
        let taken = [0, 0, 1].map(|section| lanes.take(section).unwrap());
        let numbers = taken.iter().map(Lane::number).collect::<Vec<_>>();
        assert_eq!(numbers, [0, 1, 2]);
        assert!(lanes.take(0).is_none() && lanes.take(1).is_none());
    }

    #[test]
    fn what_was_given_back_is_taken_again() {
        let lanes = lanes(&[1]);
        for _ in 0..3 {
            assert_eq!(lanes.take(0).unwrap().number(), 0);
        }
    }
}
