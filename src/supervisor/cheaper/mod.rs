//! How many workers there should be for what there is to do (`[workers.cheaper]`), as pure functions of looks at the
//! load: the same looks give the same decisions.
//!
//! Each algorithm votes for more, fewer or as many; here the votes become a number between `minimum` and `processes`,
//! and memory has a veto. Starting and retiring workers is the lifecycle's.

mod backlog;
mod busyness;
mod spare;
#[cfg(test)]
mod tests;

use crate::config::{Algorithm, Cheaper as Settings};

use self::{backlog::Backlog, busyness::Busyness, spare::Spare};

/// What one look has shown; there is one a second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Load {
    /// Workers that accept connections.
    pub(super) serving: u32,
    /// Workers on their way.
    pub(super) starting: u32,
    /// Workers that accept connections and work on none.
    pub(super) idle: u32,
    /// Percentage of their time that the threads were at work since the last look.
    pub(super) busy: u32,
    /// Connections that nobody has accepted yet.
    pub(super) queue: u32,
    /// Resident memory of all workers, in bytes.
    pub(super) rss: u64,
}

/// What an algorithm wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Vote {
    Fewer,
    More,
    Same,
}

#[derive(Debug)]
enum Policy {
    Backlog(Backlog),
    Busyness(Busyness),
    Spare(Spare),
}

/// The number of workers, and what it was decided from.
#[derive(Debug)]
pub(super) struct Cheaper {
    settings: Settings,
    maximum: u32,
    target: u32,
    policy: Policy,
}

impl Cheaper {
    /// `None` when the number does not adapt. `before` is the number that the generation before this one has come to.
    pub(super) fn new(settings: &Settings, maximum: u32, before: Option<u32>) -> Option<Self> {
        if settings.minimum == 0 {
            return None;
        }
        let initial = settings.initial.max(settings.minimum);
        let policy = match settings.algorithm {
            Algorithm::Backlog => Policy::Backlog(Backlog::default()),
            Algorithm::Busyness => Policy::Busyness(Busyness::new(settings)),
            Algorithm::Spare => Policy::Spare(Spare::default()),
        };
        Some(Self {
            settings: settings.clone(),
            maximum,
            target: before.unwrap_or(initial).max(settings.minimum).min(maximum),
            policy,
        })
    }

    /// How many workers there should be.
    pub(super) fn target(&self) -> u32 {
        self.target
    }

    /// Whether there are as few as may be.
    pub(super) fn is_at_minimum(&self) -> bool {
        self.target <= self.settings.minimum.min(self.maximum)
    }

    /// Takes in one look. While memory is short (`pressed`) nobody is added.
    pub(super) fn look(&mut self, load: &Load, pressed: bool) {
        let settings = &self.settings;
        let vote = match &mut self.policy {
            Policy::Backlog(policy) => policy.vote(load, settings),
            Policy::Busyness(policy) => policy.vote(load, settings),
            Policy::Spare(policy) => policy.vote(load, settings),
        };
        let above = |limit: u64| limit > 0 && load.rss > limit;
        let (soft, hard) = (settings.rss_limit_soft.0, settings.rss_limit_hard.0);
        match vote {
            _ if above(hard) => self.fewer(),
            Vote::More if pressed || above(soft) => {}
            Vote::More => self.target = (self.target + settings.step).min(self.maximum),
            Vote::Fewer => self.fewer(),
            Vote::Same => {}
        }
    }

    /// There was nothing to do for `idle`.
    pub(super) fn fall_to_minimum(&mut self) {
        self.target = self.settings.minimum.min(self.maximum);
    }

    /// One less, if there may be.
    pub(super) fn fewer(&mut self) {
        self.target = self.target.saturating_sub(1).max(self.settings.minimum);
    }
}
