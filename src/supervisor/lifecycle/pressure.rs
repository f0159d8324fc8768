//! The rules for when memory is short: idle workers go, one at a time, down to the minimum, and nobody is added.

use super::{Lifecycle, Phase, Reload, Report, Time, WorkerState};

/// For so long after the last word of it memory counts as short: the kernel repeats itself every two seconds.
const PRESSED: Time = Time::from_secs(10);

impl Lifecycle {
    /// The service manager or the kernel says that memory is short.
    pub(super) fn memory_pressure(&mut self, now: Time) {
        self.pressed = Some(now);
        if self.phase != Phase::Serving || self.reload != Reload::None || self.changes() {
            return;
        }
        let Some(generation) = self.generations.get_mut(&self.current) else {
            return;
        };
        let Some(cheaper) = &mut generation.cheaper else {
            return;
        };
        let is_idle = self.workers.values().any(|worker| {
            worker.generation == self.current
                && matches!(worker.state, WorkerState::Serving { .. })
                && !worker.is_busy
        });
        let from = cheaper.target();
        if is_idle {
            cheaper.fewer();
        }
        let to = cheaper.target();
        if from != to {
            self.report(Report::MemoryPressure { from, to });
        }
    }

    /// Whether memory was short at the time of the look that is being made, or shortly before it.
    pub(super) fn is_pressed(&self) -> bool {
        let now = self.looking.last;
        self.pressed
            .is_some_and(|last| now.saturating_sub(last) < PRESSED)
    }

    /// Whether a worker of the current generation is on its way, in either direction: what that gives is seen first.
    fn changes(&self) -> bool {
        self.workers_of(self.current)
            .any(|worker| !matches!(worker.state, WorkerState::Serving { .. }))
    }
}
