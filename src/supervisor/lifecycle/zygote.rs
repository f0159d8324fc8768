//! The rules for zygotes: one for each generation that may need workers, made again when it dies.

use super::{
    Action, CONFIGURATION, ExitStatus, FAILURE, Lifecycle, Notice, PATIENCE, Phase, Report, Time,
    Zygote, ZygoteId, ZygoteState,
};

impl Lifecycle {
    pub(super) fn spawn_zygote(&mut self, number: u32, now: Time) {
        let Some(generation) = self.generations.get_mut(&number) else {
            return;
        };
        self.last_zygote += 1;
        let id = ZygoteId(self.last_zygote);
        let deadline = now + generation.plan.start;
        let state = ZygoteState::Loading { deadline };
        generation.zygote = Some(Zygote {
            id,
            pid: None,
            state,
        });
        self.act(Action::Spawn {
            zygote: id,
            generation: number,
        });
    }

    pub(super) fn spawned(&mut self, id: ZygoteId, pid: i32) {
        if let Some((_, zygote)) = self.zygote_mut(id) {
            zygote.pid = Some(pid);
        }
    }

    pub(super) fn spawn_failed(&mut self, id: ZygoteId, reason: String, unusable: bool, now: Time) {
        let Some((number, _)) = self.zygote_mut(id) else {
            return;
        };
        self.report(Report::ZygoteNotStarted {
            reason: reason.clone(),
        });
        let code = if unusable { CONFIGURATION } else { FAILURE };
        self.zygote_lost(number, &reason, code, None, now);
    }

    pub(super) fn zygote_ready(&mut self, id: ZygoteId, python: String, now: Time) {
        let Some((generation, zygote)) = self.zygote_mut(id) else {
            return;
        };
        if matches!(zygote.state, ZygoteState::Loading { .. }) {
            zygote.state = ZygoteState::Ready { since: now };
            self.report(Report::Loaded { generation, python });
            self.expect_workers(generation);
        }
    }

    /// With `lazy-apps` the import is yet to come, and may take its time once more.
    fn expect_workers(&mut self, number: u32) {
        let plan = self
            .generations
            .get(&number)
            .map(|generation| &generation.plan);
        if let (Some(plan), true) = (plan, self.phase == Phase::Starting || self.is_next(number)) {
            self.act(Action::Notify(Notice::Extend(plan.start + PATIENCE)));
        }
    }

    /// It has told why it is of no use; the reason is reported already. It ends by itself.
    pub(super) fn zygote_failed(&mut self, id: ZygoteId, reason: &str, code: u8, now: Time) {
        let Some((number, zygote)) = self.zygote_mut(id) else {
            return;
        };
        zygote.state = ZygoteState::Leaving {
            deadline: now + PATIENCE,
            killed: false,
        };
        self.generation_failed(number, reason, code, now);
        self.back_off(number, None, now);
    }

    pub(super) fn zygote_exited(&mut self, number: u32, status: ExitStatus, now: Time) {
        let zygote = self
            .generations
            .get(&number)
            .and_then(|found| found.zygote.as_ref());
        let lived = match zygote.map(|zygote| zygote.state) {
            Some(ZygoteState::Ready { since }) => Some(now.saturating_sub(since)),
            Some(ZygoteState::Loading { .. }) => None,
            _ => return self.forget_zygote(number),
        };
        self.report(Report::ZygoteDied {
            generation: number,
            status,
        });
        let reason = format!("the process that loads the application died ({status})");
        self.zygote_lost(number, &reason, FAILURE, lived, now);
    }

    /// Gives up on imports that take too long.
    pub(super) fn expire_zygotes(&mut self, now: Time) {
        let late = self
            .generations
            .iter_mut()
            .filter_map(|(number, generation)| {
                let zygote = generation.zygote.as_mut()?;
                match zygote.state {
                    ZygoteState::Loading { deadline } if deadline <= now => {
                        zygote.state = ZygoteState::Leaving {
                            deadline: now,
                            killed: false,
                        };
                        Some((*number, generation.plan.start))
                    }
                    _ => None,
                }
            });
        for (number, limit) in late.collect::<Vec<_>>() {
            self.report(Report::LoadTimedOut {
                generation: number,
                limit,
            });
            let reason = format!("the application was not loaded within {limit:?}");
            self.generation_failed(number, &reason, FAILURE, now);
            self.back_off(number, None, now);
        }
    }

    /// Kills zygotes that were asked to go and have had their time.
    pub(super) fn kill_overdue_zygotes(&mut self, now: Time) {
        let zygotes = self
            .generations
            .values_mut()
            .filter_map(|found| found.zygote.as_mut());
        let overdue = zygotes.filter_map(|zygote| match (zygote.state, zygote.pid) {
            (
                ZygoteState::Leaving {
                    deadline,
                    killed: false,
                },
                Some(pid),
            ) if deadline <= now => {
                zygote.state = ZygoteState::Leaving {
                    deadline,
                    killed: true,
                };
                Some(pid)
            }
            _ => None,
        });
        for pid in overdue.collect::<Vec<_>>() {
            self.act(Action::Kill { pid });
        }
    }

    /// The generation needs its zygote no more.
    pub(super) fn dismiss_zygote(&mut self, number: u32, now: Time) {
        let Some(zygote) = self
            .generations
            .get_mut(&number)
            .and_then(|found| found.zygote.as_mut())
        else {
            return;
        };
        let id = zygote.id;
        match zygote.state {
            // It is importing and does not listen.
            ZygoteState::Loading { .. } => {
                zygote.state = ZygoteState::Leaving {
                    deadline: now,
                    killed: false,
                };
            }
            ZygoteState::Ready { .. } => {
                zygote.state = ZygoteState::Leaving {
                    deadline: now + PATIENCE,
                    killed: false,
                };
                self.act(Action::Stop(id));
            }
            ZygoteState::Leaving { .. } => {}
        }
    }

    /// The zygote goes now, whatever it is doing.
    pub(super) fn hurry_zygotes(&mut self, now: Time) {
        for generation in self.generations.values_mut() {
            let Some(zygote) = &mut generation.zygote else {
                continue;
            };
            if !matches!(zygote.state, ZygoteState::Leaving { killed: true, .. }) {
                zygote.state = ZygoteState::Leaving {
                    deadline: now,
                    killed: false,
                };
            }
        }
    }

    /// Whether and where a worker can be asked for.
    pub(super) fn ready_zygote(&self, number: u32) -> Option<ZygoteId> {
        let zygote = self.generations.get(&number)?.zygote.as_ref()?;
        matches!(zygote.state, ZygoteState::Ready { .. }).then_some(zygote.id)
    }

    /// A generation waits a little before it makes a process again, when the last one has died too early.
    pub(super) fn back_off(&mut self, number: u32, lived: Option<Time>, now: Time) {
        let Some(generation) = self.generations.get_mut(&number) else {
            return;
        };
        let delay = generation.backoff.died(lived, now);
        if let (Some(delay), Phase::Serving, true) = (delay, self.phase, number == self.current) {
            self.report(Report::BackingOff {
                generation: number,
                delay,
            });
        }
    }

    fn zygote_lost(&mut self, number: u32, reason: &str, code: u8, lived: Option<Time>, now: Time) {
        self.forget_zygote(number);
        self.generation_failed(number, reason, code, now);
        self.back_off(number, lived, now);
    }

    fn forget_zygote(&mut self, number: u32) {
        let zygote = self
            .generations
            .get_mut(&number)
            .and_then(|found| found.zygote.take());
        if let Some(zygote) = zygote {
            self.act(Action::ForgetZygote(zygote.id));
        }
    }

    fn zygote_mut(&mut self, id: ZygoteId) -> Option<(u32, &mut Zygote)> {
        self.generations
            .iter_mut()
            .find_map(|(number, generation)| {
                let zygote = generation
                    .zygote
                    .as_mut()
                    .filter(|zygote| zygote.id == id)?;
                Some((*number, zygote))
            })
    }
}
