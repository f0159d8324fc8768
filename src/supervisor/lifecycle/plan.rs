//! What the rules need to know of a generation's settings.

use std::time::Duration;

use crate::config::{Cheaper, Settings};

/// The settings of one generation, as far as the rules go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// How many workers are to serve, or the most if their number adapts.
    pub(crate) processes: u32,
    /// How many slots its scoreboard has.
    pub(crate) slots: u32,
    /// Threads of each worker.
    pub(crate) threads: u32,
    /// `timeouts.start`
    pub(crate) start: Duration,
    /// `timeouts.reload-mercy`
    pub(crate) reload_mercy: Duration,
    /// `timeouts.worker-reload-mercy`
    pub(crate) worker_reload_mercy: Duration,
    /// `timeouts.stuck`; zero: nobody looks whether the site hangs.
    pub(crate) stuck: Duration,
    /// `log.slow`; zero: no request is slow.
    pub(crate) slow: Duration,
    /// `limits.harakiri`; zero: requests have no deadline but those that they set themselves.
    pub(crate) harakiri: Duration,
    /// `limits.harakiri-graceful`
    pub(crate) harakiri_graceful: Duration,
    /// When a worker is replaced that is as well as ever.
    pub(crate) recycling: Recycling,
    /// How the number of workers adapts.
    pub(crate) cheaper: Cheaper,
    /// Whether the end of the service costs nobody anything: every listening socket is the service manager's, which
    /// starts us again with the next connection.
    pub(crate) is_activated: bool,
}

/// The limits of a worker's life; zero is none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Recycling {
    /// `workers.max-requests`
    pub(crate) requests: u64,
    /// `workers.max-requests-delta`
    pub(crate) requests_delta: u64,
    /// `workers.max-worker-lifetime`
    pub(crate) lifetime: Duration,
    /// `workers.max-worker-lifetime-delta`
    pub(crate) lifetime_delta: Duration,
    /// `workers.reload-on-rss`, in bytes.
    pub(crate) rss: u64,
    /// `workers.reload-on-as`, in bytes.
    pub(crate) address_space: u64,
    /// `workers.evil-reload-on-rss`, in bytes.
    pub(crate) evil_rss: u64,
    /// `workers.recycle-at-once`
    pub(crate) at_once: u32,
}

impl From<&Settings> for Plan {
    /// Twice as many slots as workers, and some to recycle with: each worker may be finishing its requests while its
    /// successor serves. Requests that never end cannot make more processes than that.
    fn from(settings: &Settings) -> Self {
        let (workers, limits) = (&settings.workers, &settings.limits);
        let slots = workers.processes.saturating_mul(2);
        Self {
            processes: workers.processes,
            slots: slots.saturating_add(workers.recycle_at_once.min(workers.processes)),
            threads: workers.requests_at_once(),
            start: settings.timeouts.start.0,
            reload_mercy: settings.timeouts.reload_mercy.0,
            worker_reload_mercy: settings.timeouts.worker_reload_mercy.0,
            stuck: settings.timeouts.stuck.0,
            slow: settings.log.slow.0,
            harakiri: limits.harakiri.0,
            harakiri_graceful: limits.harakiri_graceful.0,
            recycling: Recycling {
                requests: workers.max_requests,
                requests_delta: workers.max_requests_delta,
                lifetime: workers.max_worker_lifetime.0,
                lifetime_delta: workers.max_worker_lifetime_delta.0,
                rss: workers.reload_on_rss.0,
                address_space: workers.reload_on_as.0,
                evil_rss: workers.evil_reload_on_rss.0,
                at_once: workers.recycle_at_once,
            },
            cheaper: workers.cheaper.clone(),
            is_activated: false,
        }
    }
}

impl Plan {
    /// Whether any rule asks for the workers' memory, which costs a read of /proc for each of them.
    pub(super) fn weighs_workers(&self) -> bool {
        let recycling = &self.recycling;
        let limits = [
            recycling.rss,
            recycling.address_space,
            recycling.evil_rss,
            self.cheaper.rss_limit_soft.0,
            self.cheaper.rss_limit_hard.0,
        ];
        limits.iter().any(|limit| *limit > 0)
    }
}
