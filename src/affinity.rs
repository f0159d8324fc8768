//! Which processors each worker is bound to (sched_setaffinity(2)).
//!
//! The zygote decides, since it makes the workers one after the other; each worker binds itself.

use std::io;

use rustix::{
    io::Errno,
    process::{Pid, test_kill_process},
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};

/// Gives processors to workers in turn, those first that have the fewest workers.
#[derive(Debug, Clone, Default)]
pub struct Spread {
    /// Processors that go together.
    groups: Vec<Vec<usize>>,
    /// Process and group of each worker, the oldest first.
    workers: Vec<(i32, usize)>,
}

impl Spread {
    /// So many processors for each worker, of those that this process may use; 0: as the kernel likes.
    ///
    /// # Errors
    /// The kernel does not say which they are.
    pub fn new(each: u32) -> io::Result<Self> {
        if each == 0 {
            return Ok(Self::default());
        }
        let set = sched_getaffinity(None)?;
        let cpus: Vec<usize> = (0..CpuSet::MAX_CPU)
            .filter(|cpu| set.is_set(*cpu))
            .collect();
        Ok(Self::over(&cpus, each as usize))
    }

    fn over(cpus: &[usize], each: usize) -> Self {
        let group = |first: usize| {
            let of_group = cpus.iter().cycle().skip(first);
            of_group.take(each.min(cpus.len())).copied().collect()
        };
        Self {
            groups: (0..cpus.len()).step_by(each).map(group).collect(),
            workers: Vec::new(),
        }
    }

    /// Whether workers are bound at all.
    pub fn is_on(&self) -> bool {
        !self.groups.is_empty()
    }

    /// The group for the next worker: the one with the fewest, among several that of the oldest worker, which probably
    /// is the one to be replaced.
    pub fn choose(&mut self) -> usize {
        self.workers.retain(|(pid, _)| is_alive(*pid));
        self.emptiest()
    }

    fn emptiest(&self) -> usize {
        let count = |group: usize| self.workers.iter().filter(|(_, of)| *of == group).count();
        let age = |group: usize| self.workers.iter().position(|(_, of)| *of == group);
        let groups = 0..self.groups.len();
        groups
            .min_by_key(|&group| (count(group), age(group)))
            .unwrap_or(0)
    }

    /// The worker that this group was for exists.
    pub fn note(&mut self, pid: i32, group: usize) {
        if self.is_on() {
            self.workers.push((pid, group));
        }
    }

    /// Binds the calling thread, and all that it will start.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn bind(&self, group: usize) -> io::Result<()> {
        let Some(cpus) = self.groups.get(group) else {
            return Ok(());
        };
        let mut set = CpuSet::new();
        cpus.iter().for_each(|cpu| set.set(*cpu));
        Ok(sched_setaffinity(None, &set)?)
    }
}

fn is_alive(pid: i32) -> bool {
    Pid::from_raw(pid).is_some_and(|pid| test_kill_process(pid) != Err(Errno::SRCH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_groups(cpus: &[usize], each: usize, expected: &[&[usize]]) {
        assert_eq!(Spread::over(cpus, each).groups, expected);
    }

    #[test]
    fn processors_are_taken_in_turn() {
        check_groups(&[0, 1, 2, 3], 1, &[&[0], &[1], &[2], &[3]]);
        check_groups(&[0, 2, 4, 6], 2, &[&[0, 2], &[4, 6]]);
        check_groups(&[0, 1, 2], 2, &[&[0, 1], &[2, 0]]);
        check_groups(&[5], 4, &[&[5]]);
    }

    /// Workers that are there, by their groups, and the group of the next one.
    #[track_caller]
    fn check_next(groups: &[usize], expected: usize) {
        let mut spread = Spread::over(&[0, 1], 1);
        let here = std::process::id() as i32;
        groups.iter().for_each(|group| spread.note(here, *group));
        assert_eq!(spread.choose(), expected);
    }

    #[test]
    fn the_next_worker_goes_where_the_fewest_are() {
        check_next(&[], 0);
        check_next(&[0], 1);
        check_next(&[1], 0);
        check_next(&[0, 1], 0);
        check_next(&[1, 0], 1);
        check_next(&[0, 1, 0], 1);
    }

    #[test]
    fn workers_that_are_gone_do_not_count() {
        let mut spread = Spread::over(&[0, 1], 1);
        let mut child = std::process::Command::new("true").spawn().unwrap();
        spread.note(child.id() as i32, 0);
        child.wait().unwrap();
        assert_eq!(spread.choose(), 0);
    }

    #[test]
    fn a_thread_is_bound_to_what_it_gets() {
        let bound = std::thread::spawn(|| {
            let spread = Spread::new(1).unwrap();
            spread.bind(0).unwrap();
            sched_getaffinity(None).unwrap().count()
        });
        assert_eq!(bound.join().unwrap(), 1);
    }
}
