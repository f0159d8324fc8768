//! Why workers went, counted for the status.

/// Why a worker goes or has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// A person has asked for it, or the application itself.
    Asked,
    /// It died, and nobody had asked for that.
    Crash,
    /// A request was past its deadline.
    Harakiri,
    /// It was old enough.
    Lifetime,
    /// It took too much memory, or was refused more.
    Memory,
    /// There is a newer generation.
    Reload,
    /// It has answered as many requests as it may.
    Requests,
    /// There is not enough to do.
    Surplus,
}

/// How many workers went for each cause since the service started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) asked: u64,
    pub(crate) cheaper: u64,
    pub(crate) crash: u64,
    pub(crate) harakiri: u64,
    pub(crate) max_requests: u64,
    pub(crate) max_worker_lifetime: u64,
    pub(crate) memory: u64,
    pub(crate) reload: u64,
}

impl Counters {
    /// By the names that people know from the settings.
    pub(in crate::supervisor) fn by_name(&self) -> [(&'static str, u64); 8] {
        [
            ("asked", self.asked),
            ("cheaper", self.cheaper),
            ("crash", self.crash),
            ("harakiri", self.harakiri),
            ("max-requests", self.max_requests),
            ("max-worker-lifetime", self.max_worker_lifetime),
            ("memory", self.memory),
            ("reload", self.reload),
        ]
    }

    pub(super) fn add(&mut self, cause: Cause) {
        let counter = match cause {
            Cause::Asked => &mut self.asked,
            Cause::Crash => &mut self.crash,
            Cause::Harakiri => &mut self.harakiri,
            Cause::Lifetime => &mut self.max_worker_lifetime,
            Cause::Memory => &mut self.memory,
            Cause::Reload => &mut self.reload,
            Cause::Requests => &mut self.max_requests,
            Cause::Surplus => &mut self.cheaper,
        };
        *counter += 1;
    }
}
