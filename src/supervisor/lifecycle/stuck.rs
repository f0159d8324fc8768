//! The rule for a site that hangs: every thread of every worker is busy, and nothing is answered.
//!
//! A request with a deadline is the business of `harakiri`; this is for those without one. One worker that answers, or
//! has a thread free, keeps the whole site alive: it is slow, perhaps, but it serves. What can be done about the others
//! is to start the service anew, and that is what a service manager is for. Before it is asked to, the workers write
//! their stacks, so that the log says where they hang.

use super::{
    Action, Facts, Lifecycle, Look, Notice, Report, Time, WorkerId, WorkerState, harakiri::DUMPING,
};

/// What the rule remembers.
#[derive(Debug, Default)]
pub(super) struct Stuck {
    /// When the site was last seen to be alive, or first looked at.
    alive: Option<Time>,
    /// When it was found to hang.
    found: Option<Time>,
    /// The service manager was asked to do something about it.
    told: bool,
}

impl Stuck {
    /// Until now there was nothing to do.
    pub(super) fn seen_alive(&mut self, now: Time) {
        self.alive = Some(now);
    }
}

impl Lifecycle {
    /// Whether the site was found to hang.
    pub(super) fn is_stuck(&self) -> bool {
        self.stuck.found.is_some()
    }

    /// What a look says about it. To be asked before the numbers of this look take the place of the last one's.
    pub(super) fn watch_for_stuck(&mut self, look: &Look, now: Time) {
        let current = self.generations.get(&self.current);
        let limit = current.map(|current| current.plan.stuck);
        let limit = limit.filter(|limit| !limit.is_zero());
        let stuck: Vec<WorkerId> = self.stuck_workers(look).unwrap_or_default();
        let Some(limit) = limit.filter(|_| !stuck.is_empty()) else {
            self.stuck = Stuck {
                alive: Some(now),
                ..Stuck::default()
            };
            return;
        };
        let time = now.saturating_sub(*self.stuck.alive.get_or_insert(now));
        match self.stuck.found {
            None if time >= limit => {
                self.stuck.found = Some(now);
                self.report(Report::Stuck { time });
                self.tell_stuck(&stuck, look);
            }
            Some(found) if !self.stuck.told && now.saturating_sub(found) >= DUMPING => {
                self.stuck.told = true;
                self.act(Action::Notify(Notice::Hangs));
            }
            _ => {}
        }
    }

    /// Whether stacks are written because the site hangs.
    pub(super) fn tells_stuck(&self) -> bool {
        self.stuck.found.is_some()
    }

    /// The workers that serve, if all of them hang and no other is on the way.
    fn stuck_workers(&self, look: &Look) -> Option<Vec<WorkerId>> {
        if self.generations.values().any(super::Generation::loads) {
            return None;
        }
        let here = self.workers.iter();
        let here = here.filter(|(_, worker)| !matches!(worker.state, WorkerState::Leaving { .. }));
        let hung = here.map(|(id, worker)| {
            let facts = look.workers.get(id)?;
            let threads = self.generations.get(&worker.generation)?.plan.threads;
            let serves = matches!(worker.state, WorkerState::Serving { .. });
            (serves && facts.requests == worker.answered && hangs(facts, threads)).then_some(*id)
        });
        hung.collect()
    }

    fn tell_stuck(&mut self, stuck: &[WorkerId], look: &Look) {
        for id in stuck {
            let (Some(worker), Some(facts)) = (self.workers.get(id), look.workers.get(id)) else {
                continue;
            };
            let tag = worker.tag();
            self.report(Report::StuckWorker {
                worker: tag,
                requests: facts.running.clone(),
            });
            self.act(Action::Dump {
                worker: *id,
                pid: tag.pid,
            });
        }
    }
}

/// Whether no thread is free, and none has a deadline to wait for.
fn hangs(facts: &Facts, threads: u32) -> bool {
    let mut running = facts.running.iter();
    let is_full = facts.running.len() >= usize::try_from(threads).unwrap_or(usize::MAX);
    is_full && running.all(|request| request.limit.is_none_or(|limit| request.age > limit))
}
