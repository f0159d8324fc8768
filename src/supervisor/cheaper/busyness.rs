//! `busyness`: keeps the share of their time that workers are at work between two limits, and learns not to take
//! workers away that are needed again soon.

use std::collections::VecDeque;

use crate::config::Cheaper as Settings;

use super::{Load, Vote};

/// Averages over the last `overload` looks.
#[derive(Debug)]
pub(super) struct Busyness {
    recent: VecDeque<u32>,
    /// Looks in a row below `busyness-min`.
    below: u32,
    /// How many of those it takes; grows by the penalty.
    patience: u32,
    /// Looks since workers were taken away, until it is clear that they are not missed.
    since_fewer: Option<u32>,
}

impl Busyness {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            recent: VecDeque::new(),
            below: 0,
            patience: settings.busyness_multiplier.max(1),
            since_fewer: None,
        }
    }

    pub(super) fn vote(&mut self, load: &Load, settings: &Settings) -> Vote {
        self.forgive(settings);
        if load.queue > settings.backlog && load.starting == 0 {
            return self.more(settings);
        }
        self.recent.push_back(load.busy);
        let looks = settings.overload.max(1);
        if (self.recent.len() as u32) < looks {
            return Vote::Same;
        }
        let average = self.recent.iter().sum::<u32>() / looks;
        self.recent.pop_front();
        if average > settings.busyness_max {
            // Who is on the way will change the average.
            return match load.starting {
                0 => self.more(settings),
                _ => Vote::Same,
            };
        }
        self.below = if average < settings.busyness_min {
            self.below + 1
        } else {
            0
        };
        if self.below >= self.patience {
            self.below = 0;
            self.since_fewer = Some(0);
            self.recent.clear();
            return Vote::Fewer;
        }
        Vote::Same
    }

    /// If workers were taken away a moment ago, that was too early, and takes longer the next time.
    fn more(&mut self, settings: &Settings) -> Vote {
        if self.since_fewer.take().is_some() {
            self.patience = self.patience.saturating_add(settings.busyness_penalty);
        }
        self.below = 0;
        self.recent.clear();
        Vote::More
    }

    fn forgive(&mut self, settings: &Settings) {
        let Some(looks) = &mut self.since_fewer else {
            return;
        };
        *looks += 1;
        if *looks > self.patience {
            self.since_fewer = None;
            self.patience = settings.busyness_multiplier.max(1);
        }
    }
}
